#!/usr/bin/env bash
# Runs bench/NAME.py, or every one of them; results go to bench/results/NAME.json (see bench/README.md).
# A program of bench/ is what has a main; the other modules are what programs share.
set -euo pipefail
cd "$(dirname "$0")/.."

names() {
  grep -l '^if __name__ == "__main__":' bench/*.py 2>/dev/null | sed 's|^bench/||; s|\.py$||' | sort
}

run() {
  if ! names | grep -qxF "$1"; then
    printf 'error: no bench/%s.py; there are: %s\n' "$1" "$(names | paste -sd ' ')" >&2
    return 2
  fi
  printf '==> bench %s\n' "$1"
  mkdir -p bench/results
  PYTHONPATH=. .venv/bin/python "bench/$1.py"
}

main() {
  local name status=0
  if (($# > 0)); then
    run "$1"
    return
  fi
  if [[ -z $(names) ]]; then
    echo "error: bench/ holds no figure to measure yet" >&2
    return 2
  fi
  for name in $(names); do
    run "$name" || status=1
  done
  return "$status"
}

main "$@"
