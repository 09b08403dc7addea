#!/usr/bin/env bash
# theirs.sh FOLDER: prepares the build of a Raft other than ours. Called by the
# Makefile for RAFT=; prints where its products go, or "error:" and one line.
#
# That place gets a folder of links by which "raft/..." means the lab's face, the
# files that tests and Raft agree on, then theirs, and all else ours. So their
# folder may have any name, and our server never comes in.
set -u
unset CDPATH
cd "$(dirname "$0")/.." || exit

fail() {
  echo "error: RAFT=$folder: $*"
  exit
}

folder=$1
face=(raft.h types.h timing.h messages.h entries.h entries.cc)
[ -d "$folder" ] || fail "no such folder; make skeleton DIR=... makes one"
full=$(cd -- "$folder" && pwd -P) || fail "it cannot be read"
compgen -G "$full/*.cc" >/dev/null || fail "it has no *.cc"
for file in "${face[@]}"; do
  [ ! -e "$full/$file" ] || cmp -s "$full/$file" "raft/$file" ||
    fail "its $file is not the lab's raft/$file; delete it: the lab's is used"
done
# A file manager's copy would be compiled beside its original.
for file in "$full"/*.cc; do
  [[ ${file##*/} != *[[:space:]\'\"\\\$\;\&\|\<\>\*\?\#%\(\)\[\]\{\}\`:]* ]] ||
    fail "the name of '${file##*/}' has a blank or a special character;" \
      "rename or remove that file"
done

name=$(basename -- "$full" | LC_ALL=C tr -c 'A-Za-z0-9_.\n' _)
place=out/theirs/$name-$(printf %s "$full" | sha256sum | cut -c1-8)
links=$place/tree/raft
mkdir -p "$links"
for file in "$full"/*; do
  ln -sfn "$file" "$links/${file##*/}"
done
for file in "${face[@]}"; do
  ln -sfn "$PWD/raft/$file" "$links/$file"
done
find -L "$links" -maxdepth 1 -type l -delete # those of files that are gone
for ours in base rpc labrpc persister rsm sim tests examples bench; do
  ln -sfn "$PWD/$ours" "$place/tree/$ours"
done
echo "$place"
