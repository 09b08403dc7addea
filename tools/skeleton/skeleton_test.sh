#!/usr/bin/env bash
# skeleton_test.sh: checks what `make skeleton`, RAFT= and LAB= promise. Called by
# `make skeleton-test`.
#
# 1. The skeleton compiles and fails as the Go lab's does: line for line what
#    `go test` prints there (testdata/go-lab-unsolved.txt), but for file names,
#    line numbers, times, and the first and last line, which are ours.
# 2. A copy of raft/ in a folder with another name passes 2A, simulated.
# 3. The skeleton of lab 3 compiles, and fails, simulated, with what it lacks.
# 4. Others' rsm and kvraft need no file of ours that students do not have.
# 5. The skeletons of labs 4 and 5 compile, and fail each test, simulated, at what
#    they lack; others' shardctrler, shardkv and shardkv1 pass.
set -u
unset CDPATH
cd "$(dirname "$0")/../.." || exit

work=out/skeleton-test
rm -rf "$work"
mkdir -p "$work"
failed=0

tools/skeleton/skeleton.sh "$work/unsolved" || exit
output=$(make --no-print-directory test RAFT="$work/unsolved" V=0 \
  RUN='InitialElection2A|ReElection2A|BasicAgree2B|FailNoAgree2B' 2>&1)
normalized() {
  sed -e 's/([0-9.]*s)$/(T)/' -e 's/^    [^ ]*:[0-9]*: /    FILE:N: /'
}
# What was built before the first line is not the run's.
sed -n '/^seed [0-9]*, log /,/ passed, .* failed$/p' <<<"$output" |
  sed '1d;$d' | normalized >"$work/printed.txt"
if ! normalized <tools/compare/testdata/go-lab-unsolved.txt |
  diff - "$work/printed.txt"; then
  echo "skeleton-test: the skeleton does not fail as the Go lab's does (<)"
  [ -s "$work/printed.txt" ] || tail -n 20 <<<"$output"
  failed=1
fi

cp -r raft "$work/a copy"
if ! make --no-print-directory sim RAFT="$work/a copy" RUN=2A SEEDS=3
then
  echo "skeleton-test: a copy of raft/ does not pass 2A"
  failed=1
fi
# simulate ARGUMENTS...: one run; of lab 3, of one test of each part.
simulate() {
  make --no-print-directory sim SEEDS=1 "$@" 2>&1
}
of_3='RUN=^TestBasic(4A|3A|4B)$'

tools/skeleton/skeleton.sh "$work/lab 3" 3 || exit
output=$(simulate "$of_3" LAB="$work/lab 3")
for line in 'no server executed a command within 10 s' \
  'the Clerk is not written yet' 'the Clerk gives up: ErrClosed' \
  '0 passed, 3 failed'; do
  grep -q "$line" <<<"$output" && continue
  echo "skeleton-test: no '$line' from the skeleton of lab 3:"
  tail -n 20 <<<"$output"
  failed=1
done

mkdir "$work/theirs"
cp -r rsm "$work/theirs/its rsm"
rm "$work/theirs/its rsm"/sessions.*
if ! simulate "$of_3" RSM="$work/theirs/its rsm"; then
  echo "skeleton-test: our kvraft does not stand on a copy of rsm/"
  failed=1
fi
cp -r kvraft "$work/theirs/kvraft"
sed -i 's/replicated_store/store/' "$work/theirs/kvraft"/*.{h,cc}
(cd "$work/theirs/kvraft" && mv replicated_store.h store.h)
if ! simulate "$of_3" LAB="$work/theirs"; then
  echo "skeleton-test: a kvraft whose log the tests cannot read does not pass"
  failed=1
fi

# Both editions in one folder: one build.
tools/skeleton/skeleton.sh "$work/lab 4" 4 || exit
tools/skeleton/skeleton.sh "$work/lab 5" 5 || exit
mv "$work/lab 5/shardkv1" "$work/lab 4"
output=$(simulate LAB="$work/lab 4")
tests=$(grep -c '^=== RUN' <<<"$output")
if [ "$tests" -lt 40 ] || ! grep -q "^0 passed, $tests failed" <<<"$output" ||
  [ "$(grep -c ' is not written yet$' <<<"$output")" -ne "$tests" ]; then
  echo "skeleton-test: those of labs 4 and 5 do not fail at what they lack:"
  tail -n 20 <<<"$output"
  failed=1
fi
mkdir "$work/theirs 4"
cp -r shardctrler shardkv shardkv1 "$work/theirs 4"
rm "$work/theirs 4"/{shardctrler,shardkv1}/{config,messages}.h \
  "$work/theirs 4"/shardkv1/config.cc "$work/theirs 4"/*/README.md
if ! simulate LAB="$work/theirs 4" RUN='^Test(Basic|JoinLeave|JoinBasic5A)$'; then
  echo "skeleton-test: a copy of shardctrler/, shardkv/, shardkv1/ does not pass"
  failed=1
fi
[ "$failed" -ne 0 ] || echo "skeleton-test: as it should be"
exit "$failed"
