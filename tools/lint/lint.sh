#!/usr/bin/env bash
# Checks every source file: format, structure, lock discipline, common bugs;
# and the words of every text.
# Called by `make lint`. Each finding is a line `file:line: what`.
#
# lint.sh [COMMIT]: what compiles each file, which takes minutes, looks only at
# those that changed since COMMIT, or that include one that did.
set -u
unset CDPATH
cd "$(dirname "$0")/../.." || exit 2

# Also what git does not know yet, so that a new file is checked before it is
# committed.
mapfile -t files < <(
  git ls-files --cached --others --exclude-standard | sort |
    while read -r file; do [ -f "$file" ] && echo "$file"; done
)
sources=()
for file in "${files[@]}"; do
  case $file in *.h | *.cc) sources+=("$file") ;; esac
done
if [ ${#sources[@]} -eq 0 ]; then
  echo "lint: git lists no sources here" >&2
  exit 2
fi

since=${1:-}
compiled=("${sources[@]}")
if [ -n "$since" ]; then
  # Sorted and complete before it is used: a bad commit ends all.
  chosen=$(/usr/bin/python3 -B -m tools lint-changed "$since" "${sources[@]}") || exit
  mapfile -t compiled < <(printf %s "$chosen")
fi

# The product and the harness get clang-tidy, which takes seconds for each file;
# the tests themselves get clang's own warnings.
tidied=()
tests=()
attacks=() # written against the skeleton's headers
for source in "${compiled[@]}"; do
  case $source in
    tools/grade/*_attacks/*.cc) attacks+=("$source") ;;
    *_test.cc | tests/programs/*.cc | sim/test/*.cc)
      tests+=("$source") ;;
    *.cc) tidied+=("$source") ;;
  esac
done
flags=(-std=c++20 -I. -Wall -Wextra -Wpedantic -Wthread-safety -Werror)
read -r -a library_flags < <(pkg-config --cflags gtest libglog absl_strings)
flags+=("${library_flags[@]}")
failed=0

# Runs a command and prints its findings, a line each. Only the status tells a
# clean file from a tool that broke down.
findings() {
  local output
  output=$("$@" 2>&1) && return 0
  grep -E '(warning|error):' <<<"${output//"$PWD/"/}" ||
    echo "lint: ${output##*$'\n'} from: $*"
  return 1
}
export -f findings

# in_parallel FILES... -- COMMAND with {} where the file stands
in_parallel() {
  local files=()
  while [ "$1" != -- ]; do
    files+=("$1")
    shift
  done
  shift
  [ ${#files[@]} -eq 0 ] || printf '%s\n' "${files[@]}" |
    xargs -P "$(nproc)" -I{} bash -c 'findings "$@"' findings "$@"
}

# Each major version of clang-format breaks some lines in another way, so only
# the one that the sources are formatted with can judge them: Debian 12's.
format_version=14
if [[ $(clang-format --version) =~ version\ $format_version\. ]]; then
  findings clang-format --dry-run -Werror "${sources[@]}" || failed=1
else
  echo "lint: format not checked, this is not clang-format $format_version"
fi
/usr/bin/python3 -B -m tools lint "${sources[@]}" || failed=1
/usr/bin/python3 -B -m tools lint-words "${files[@]}" || failed=1
for script in tools/*.sh tools/*/*.sh .ci/run; do
  bash -n "$script" || failed=1
  shellcheck "$script" || failed=1
done
pylint --score=n tools bench || failed=1
mypy tools bench | grep -v '^Success' && failed=1
# clang-tidy compiles each file, so clang's own warnings, the thread-safety
# analysis among them, come with its checks.
in_parallel "${tidied[@]}" -- clang-tidy --quiet {} -- "${flags[@]}" || failed=1
if [ ${#attacks[@]} -gt 0 ]; then
  skeleton=$(mktemp -d)
  trap 'rm -rf "$skeleton"' EXIT
  for room in kvraft shardctrler shardkv shardkv1; do
    mkdir "$skeleton/$room"
    bash tools/skeleton/files.sh "$room" "$skeleton/$room" || failed=1
  done
  in_parallel "${attacks[@]}" -- \
    clang-tidy --quiet {} -- -I"$skeleton" "${flags[@]}" \
    -Wno-unused-private-field || failed=1 # nor do they use all of it
fi
in_parallel "${tests[@]}" -- clang++ "${flags[@]}" -fsyntax-only {} || failed=1

[ "$failed" -eq 0 ] && echo "lint: ${#sources[@]} files clean${since:+, of \
which $((${#tidied[@]} + ${#tests[@]} + ${#attacks[@]})) were compiled}"
exit "$failed"
