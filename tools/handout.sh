#!/usr/bin/env bash
# handout.sh FOLDER: writes the tree that students get: the last commit without
# our solutions and what shows them, with unsolved ones in their place.
# Called by `make handout DIR=`. An existing folder must be empty.
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

git archive HEAD | tar -x -C "$folder"
# The solutions, their tests, what breaks them in known ways, and what builds on it.
rm -rf "$folder"/{raft,rsm,kvraft,shardctrler,shardkv,shardkv1,tests/unit,tests/plain_raft,.ci} \
  "$folder"/tools/{mutants,mutate}
# unsolve ROOM FACE...: a room that has its face and nothing else of ours.
unsolve() {
  local room=$1 file
  shift
  mkdir "$folder/$room"
  for file; do
    git show "HEAD:$room/$file" >"$folder/$room/$file"
  done
  tools/skeleton/files.sh "$room" "$folder/$room"
}
unsolve raft raft.h types.h timing.h messages.h entries.h entries.cc
unsolve rsm state_machine.h typed.h
unsolve kvraft messages.h
unsolve shardctrler config.h messages.h
unsolve shardkv messages.h
unsolve shardkv1 config.h config.cc messages.h
echo "$folder: the labs without their solutions; students work in its raft/," \
  "rsm/, kvraft/, shardctrler/, shardkv/ and shardkv1/, or in folders that" \
  "make skeleton DIR= writes"
