#!/usr/bin/env bash
# theirs.sh FOLDER: prepares the build of somebody else's Raft. Called by the
# Makefile for RAFT=; prints where its products go, or "error:" and one line.
#
# That place gets a folder of links by which "raft/..." means theirs and all else
# ours, so that their folder may have any name and our headers never come in.
set -u
cd "$(dirname "$0")/.." || exit

fail() {
  echo "error: RAFT=$folder: $*"
  exit
}

folder=$1
[ -d "$folder" ] || fail "no such folder; give the one that has raft.h"
for header in raft.h messages.h types.h entries.h; do
  [ -f "$folder/$header" ] ||
    fail "it has no $header; make skeleton DIR=... shows what belongs there"
done
full=$(cd "$folder" && pwd -P) || fail "it cannot be read"
compgen -G "$full/*.cc" >/dev/null || fail "it has no *.cc"

name=$(basename "$full" | tr -c 'A-Za-z0-9_.\n' _)
place=out/theirs/$name-$(printf %s "$full" | sha256sum | cut -c1-8)
mkdir -p "$place/include"
ln -sfn "$full" "$place/include/raft"
for ours in base rpc labrpc persister sim tests; do
  ln -sfn "../../../../$ours" "$place/include/$ours"
done
echo "$place"
