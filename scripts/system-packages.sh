#!/usr/bin/env bash
# Installs the Debian packages the full test run needs: as root or under CI=true, never by sudo.
# Otherwise it prints the one line to type and ends well: the suites that need them are skipped with a reason.
set -euo pipefail

readonly POLICY=/usr/sbin/policy-rc.d
readonly SAVED=$POLICY.before-loadcenter
readonly MARK="# loadcenter: services are not started while test packages are installed"

has_command() {
  command -v "$1" >/dev/null || [[ -x /usr/sbin/$1 ]]
}

missing_packages() {
  has_command mosquitto || echo mosquitto
  has_command mariadbd || echo mariadb-server
  has_command chromium || echo chromium
  has_command openssl || echo openssl
  has_command rabbitmq-server || echo rabbitmq-server
  has_command g++ || echo g++
  has_command avr-g++ || echo gcc-avr
  has_command avr-size || echo binutils-avr
  [[ -f /usr/lib/avr/include/avr/io.h ]] || echo avr-libc
  [[ -d /usr/share/arduino/hardware/arduino/avr ]] || echo arduino-core-avr
  has_command simavr || echo simavr
  [[ -f /usr/include/simavr/sim_avr.h ]] || echo libsimavr-dev
  [[ -f /usr/include/libelf.h ]] || echo libelf-dev
}

# Puts back what stood at POLICY: after this run, or after an earlier one that was killed.
restore_policy() {
  if [[ -f $POLICY ]] && grep -qxF "$MARK" "$POLICY"; then
    rm -f "$POLICY"
  fi
  if [[ -e $SAVED || -L $SAVED ]]; then
    mv -f "$SAVED" "$POLICY"
  fi
}

deny_service_start() {
  trap restore_policy EXIT
  trap 'exit 130' INT TERM HUP
  if [[ -e $POLICY || -L $POLICY ]]; then
    mv "$POLICY" "$SAVED"
  fi
  printf '#!/bin/sh\n%s\nexit 101\n' "$MARK" >"$POLICY"
  chmod 755 "$POLICY"
}

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=120 "$@"
}

main() {
  local packages
  if ((EUID == 0)); then
    restore_policy
  fi
  mapfile -t packages < <(missing_packages)
  if ((${#packages[@]} == 0)); then
    return
  fi
  if ! command -v apt-get >/dev/null || [[ $EUID -ne 0 && ${CI:-} != true ]]; then
    echo "Some suites will be skipped; to run them all, first install:"
    echo "  apt-get install --no-install-recommends ${packages[*]}"
    return
  fi
  echo "==> Installing system packages: ${packages[*]}"
  deny_service_start
  apt update
  apt install --no-install-recommends "${packages[@]}"
}

main
