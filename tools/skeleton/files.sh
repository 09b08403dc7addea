#!/usr/bin/env bash
# files.sh ROOM FOLDER: writes the sources of an unsolved room: raft, rsm, kvraft,
# shardctrler or shardkv.
# Called by skeleton.sh and handout.sh.
#
# NAME.cc.in and NAME.h.in are as they will be. A header of which there is but
# NAME.private.in is the lab's own, with that as the private part of its class;
# what only our private part includes, students do not have.
set -eu
unset CDPATH
cd "$(dirname "$0")/../.."

room=$1 folder=$2
for file in tools/skeleton/"$room"/*.in; do
  name=$(basename "$file" .in)
  case $name in
    *.private)
      name=${name%.private}.h
      sed "/^#include \"rsm\/clerk\.h\"/d
           s|^#include \"absl/status/statusor.h\"|&\n#include \"base/mutex.h\"|
           /^ private:\$/,/^};\$/ {
             /^ private:\$/ r $file
             /^ private:\$/! { /^};\$/! d }
           }" "$room/$name" >"$folder/$name"
      ;;
    README.md) ;; # of the whole folder
    *) cp "$file" "$folder/$name" ;;
  esac
done
