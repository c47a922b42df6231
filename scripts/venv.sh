#!/usr/bin/env bash
# Makes .venv and installs locked requirements into it; used by the Makefile only.
#   scripts/venv.sh create PYTHON    scripts/venv.sh install LOCK
set -euo pipefail
cd "$(dirname "$0")/.."

readonly VENV=.venv

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

is_new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Prints the first of the named interpreter and the usual ones that is 3.11 or newer.
find_python() {
  local candidate
  for candidate in "$1" python3 python3.14 python3.13 python3.12 python3.11; do
    if is_new_enough "$candidate"; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer is needed: install it, or name it with 'make demo PYTHON=/path/to/python3'"
}

create() {
  local python
  python=$(find_python "$1")
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python cannot make virtual environments: install the Debian package python3-venv (apt-get install python3-venv)"
  printf '==> Making %s with %s\n' "$VENV" "$("$python" --version)"
  rm -rf "$VENV"
  "$python" -m venv "$VENV"
}

install() {
  printf '==> Installing %s\n' "$1"
  pip_install --require-hashes -r "$1"
  # The build backend is in the lock too, so nothing unlocked is downloaded here.
  pip_install --no-deps --no-build-isolation --editable .
}

# Shows one line a package as pip comes to it; what goes wrong is on the error stream, which is left alone.
pip_install() {
  "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off "$@" |
    awk '/^Collecting/ { print "    " $2; fflush() }
         /^Installing collected/ { print "    unpacking"; fflush() }'
}

case "${1:-} $#" in
  'create 2') create "$2" ;;
  'install 2') install "$2" ;;
  *) fail "usage: scripts/venv.sh create PYTHON | install LOCK" ;;
esac
