#!/usr/bin/env bash
# files.sh ROOM FOLDER: writes the sources of an unsolved room: raft, rsm, kvraft,
# shardctrler, shardkv or shardkv1.
# Called by skeleton.sh and handout.sh.
#
# NAME.cc.in and NAME.h.in are as they will be. A header of which there is but
# NAME.private.in is the lab's own, with that as the private part of its class,
# and with the includes at the top of that; what only our private part includes,
# students do not have.
set -eu
unset CDPATH
cd "$(dirname "$0")/../.."

room=$1 folder=$2
ours='base/spin_lock\|rsm/clerk\|shardkv1/config_store\|shardkv1/group_clients'
for file in tools/skeleton/"$room"/*.in; do
  name=$(basename "$file" .in)
  case $name in
    *.private)
      name=${name%.private}.h
      includes=$(grep '^#include' "$file" | sed 's/$/\\n/' | tr -d '\n')
      sed "\%^#include \"\($ours\)\.h\"%d
           0,/^#include \"[b-z]/ s|^#include \"[b-z]|$includes&|
           /^ private:\$/,/^};\$/ {
             /^ private:\$/ r /dev/stdin
             /^ private:\$/! { /^};\$/! d }
           }" "$room/$name" < <(sed '/^#include/d' "$file") >"$folder/$name"
      ;;
    README.md) ;; # of the whole folder
    *) cp "$file" "$folder/$name" ;;
  esac
done
