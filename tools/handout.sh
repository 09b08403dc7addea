#!/usr/bin/env bash
# handout.sh FOLDER: writes the tree that students get: the last commit without
# our Raft and what shows it, with an unsolved one in its place. Called by `make
# handout DIR=`. An existing folder must be empty.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."

fail() {
  echo "handout: $*" >&2
  exit 2
}

folder=${1:-}
[ -n "$folder" ] || fail "give a folder to write to: make handout DIR=../lab"
if [ -e "$folder" ] && [ -n "$(ls -A "$folder" 2>/dev/null || echo file)" ]; then
  fail "$folder is there already and not empty: give another DIR"
fi
mkdir -p "$folder" 2>/dev/null || fail "$folder cannot be made"

face=(raft.h types.h timing.h messages.h entries.h entries.cc)
git archive HEAD | tar -x -C "$folder"
# The solution, its tests, what breaks it in known ways, and what builds on it.
rm -rf "$folder"/{raft,tests/unit,tests/plain_raft,tools/mutants,tools/mutate,.ci}
mkdir "$folder/raft"
for file in "${face[@]}"; do
  git show "HEAD:raft/$file" >"$folder/raft/$file"
done
cp tools/skeleton/raft/server.h.in "$folder/raft/server.h"
cp tools/skeleton/raft/server.cc.in "$folder/raft/server.cc"
echo "$folder: the lab without its solution; students work in its raft/, or" \
  "in folders that make skeleton DIR= writes"
