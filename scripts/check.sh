#!/usr/bin/env bash
# Runs every static check, goes on after a failure, and names all that failed; used by `make check`.
set -uo pipefail
cd "$(dirname "$0")/.."

readonly BIN=.venv/bin
failed=()

step() {
  local name=$1 started=$SECONDS
  shift
  printf '==> %s\n' "$name"
  "$@" || failed+=("$name")
  printf '    %s s\n' "$((SECONDS - started))"
}

c_format() {
  local files
  mapfile -d '' -t files < <(find firmware -type f \
    \( -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.hpp' -o -name '*.ino' \) -print0 2>/dev/null)
  if ((${#files[@]} == 0)); then
    echo "no C or C++ files"
    return
  fi
  "$BIN/clang-format" --dry-run -Werror "${files[@]}"
}

step "ruff check" "$BIN/ruff" check .
step "ruff format" "$BIN/ruff" format --check .
step "mypy" "$BIN/mypy"
step "import directions" "$BIN/lint-imports"
step "view types (svelte-check)" "$BIN/python" scripts/view.py check
step "clang-format" c_format
step "documentation tests" "$BIN/pytest" -q tests/docs

if ((${#failed[@]})); then
  printf 'FAILED: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "All checks passed."
