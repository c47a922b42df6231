#!/usr/bin/env bash
# Runs the view's tests and then all others, or with arguments only pytest with those; used by `make test`.
set -euo pipefail
cd "$(dirname "$0")/.."

main() {
  local status=0
  scripts/system-packages.sh
  if (($# == 0)); then
    .venv/bin/python scripts/view.py test || status=1
    # Three at a time, a file on one of them: much of the time is spent waiting for brokers and databases.
    set -- -n 3 --dist loadfile -q --durations 25
  fi
  .venv/bin/pytest "$@" || status=1
  return "$status"
}

main "$@"
