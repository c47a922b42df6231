#!/usr/bin/env bash
# Runs the demo as a newcomer does: HEAD cloned into an empty folder, no environment but PATH and HOME. It must come
# up, switch an outlet, and leave no process and no file behind when it ends.
#   tests/system/fresh.sh               the whole thing
#   tests/system/fresh.sh --self-test   plants a process and files, and checks that the check finds them
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/loadcenter-fresh.XXXXXX")
trap 'rm -rf "$work"' EXIT

if [[ ${1:-} == --self-test ]]; then
  mkdir "$work/clone" "$work/home"
else
  if [[ -n $(git -C "$root" status --porcelain 2>/dev/null) ]]; then
    echo "note: what is not committed takes no part in this run" >&2
  fi
  mkdir "$work/home"
  git clone --quiet "file://$root" "$work/clone"
fi
python3 "$root/tests/system/fresh.py" "$work" "$@"
