#!/usr/bin/env bash
# build_test.sh: builds and runs where names are awkward: a tree, a student's
# folder and files with blanks and quotes; CDPATH and VARIANT in the environment.
# Called by `make build-test`. Takes as long as building the suite once.
set -u
unset CDPATH
cd "$(dirname "$0")/.." || exit

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree="$scratch/a b/the lab"
failed=0

# check WHAT STATUS PATTERN COMMAND...
check() {
  local what=$1 expected=$2 pattern=$3 output status
  shift 3
  output=$("$@" 2>&1)
  status=$?
  if [ $status -eq "$expected" ] && grep -q -e "$pattern" <<<"$output"; then
    echo "build-test: ok: $what"
  else
    echo "build-test: $what: status $status, want $expected and '$pattern' in:"
    tail -n 20 <<<"$output"
    failed=1
  fi
}
in_tree() { make -C "$tree" --no-print-directory "$@"; }

mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard |
  xargs -0 cp --parents -P -t "$tree"
export VARIANT=bookworm CDPATH=.
one=(RUN='^TestInitialElection2A$' SEEDS=1)

check "a tree with blanks" 0 '1 passed, 0 failed' \
  in_tree sim "${one[@]}"
output=$(in_tree sim "${one[@]}")
check "nothing is built twice" 0 '^seed' head -n 1 <<<"$output"

cp -r raft "$tree/../ada's raft"
check "RAFT= with a blank and a quote, relative" 0 '1 passed, 0 failed' \
  in_tree sim RAFT="../ada's raft" "${one[@]}"

check "make skeleton names the next line" 0 'RAFT=../ada\\ lovelace ' \
  in_tree skeleton DIR="../ada lovelace"
touch "$tree/../ada lovelace/server copy.cc"
check "a file manager's copy is named" 2 "'server copy.cc'" \
  in_tree test RAFT="../ada lovelace" RUN=2A
rm "$tree/../ada lovelace/server copy.cc"
output=$(in_tree sim RAFT="../ada lovelace" "${one[@]}")
repeat=$(sed -n 's/.*repeat: //p' <<<"$output")
cd "$tree" || exit
check "a repeat line can be typed" 2 '0 passed, 1 failed' eval "${repeat:-false}"

# A copy of a tree builds itself, not what it was copied from.
copy="$scratch/ada's/copy"
mkdir -p "${copy%/*}"
cp -a "$tree" "$copy"
check "a copied tree, with a quote" 0 '1 passed, 0 failed' \
  make -C "$copy" --no-print-directory sim "${one[@]}"
echo '#error in the copy' >>"$copy/base/rope.cc"
check "what was changed in the copy" 2 'error in the copy' \
  make -C "$copy" --no-print-directory sim "${one[@]}"

[ "$failed" -ne 0 ] || echo "build-test: as it should be"
exit "$failed"
