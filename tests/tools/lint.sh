#!/usr/bin/env bash
# Checks every source file: format, structure, lock discipline, common bugs.
# Called by `make lint`. Each finding is a line `file:line: what`.
set -u
cd "$(dirname "$0")/../.."

mapfile -t sources < <(git ls-files --cached --others --exclude-standard \
  '*.h' '*.cc' | sort | while read -r file; do [ -e "$file" ] && echo "$file"; done)
# The product and the harness get clang-tidy, which takes seconds for each file;
# the tests themselves get clang's own warnings.
tidied=()
tests=()
for source in "${sources[@]}"; do
  case $source in
    tests/unit/*.cc | tests/*_test.cc | tests/specimens.cc) tests+=("$source") ;;
    *.cc) tidied+=("$source") ;;
  esac
done
flags=(-std=c++20 -I. -Wall -Wextra -Wpedantic -Wthread-safety -Werror)
read -r -a library_flags < <(pkg-config --cflags gtest libglog absl_strings)
flags+=("${library_flags[@]}")
failed=0

clang-format --dry-run -Werror "${sources[@]}" || failed=1
python3 tests/tools/lint.py "${sources[@]}" || failed=1
for script in tests/tools/*.sh .ci/run; do
  bash -n "$script" || failed=1
done

# clang-tidy compiles each file, so clang's own warnings, the thread-safety
# analysis among them, come with its checks.
tidy() {
  clang-tidy --quiet "$1" -- "${@:2}" 2>&1 |
    grep -vE '^[0-9]+ warnings? |^Suppressed |^Use -header-filter' |
    grep -E '(warning|error):' && return 1
  return 0
}
export -f tidy
printf '%s\n' "${tidied[@]}" |
  xargs -P "$(nproc)" -I{} bash -c 'tidy "$@"' tidy {} "${flags[@]}" || failed=1
printf '%s\n' "${tests[@]}" |
  xargs -P "$(nproc)" -I{} clang++ "${flags[@]}" -fsyntax-only {} || failed=1

[ "$failed" -eq 0 ] && echo "lint: ${#sources[@]} files clean"
exit "$failed"
