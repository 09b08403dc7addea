#!/usr/bin/env bash
# theirs.sh ROOM=FOLDER...: prepares a build in which rooms of the tree, those of
# the labs, are others than ours. Called by the Makefile for RAFT= and the like;
# prints where its products go, or "error:" and one line.
#
# That place gets folders of links by which "raft/..." means the room's face, the
# files that tests and other rooms agree on with it, then theirs, and all else
# ours. So their folder may have any name, and nothing else of our room comes in.
set -u
unset CDPATH
cd "$(dirname "$0")/.." || exit

declare -A face=(
  [raft]="raft.h types.h timing.h messages.h entries.h entries.cc"
  [rsm]="state_machine.h typed.h"
  [kvraft]="messages.h"
  [shardctrler]="config.h messages.h"
  [shardkv]="messages.h"
  [shardkv1]="config.h config.cc messages.h"
)
declare -A given=()
for argument; do
  given[${argument%%=*}]=${argument#*=}
done
# Our services stand on the sessions in our rsm, and both editions of our lab 4 on
# our kvraft, so that each is left out where the latter is another; theirs write
# their own.
left_out=" "
if [ -e rsm/sessions.h ]; then # not in the students' tree
  [ -z "${given[kvraft]:-}" ] || [ -n "${given[shardkv]:-}" ] ||
    left_out+="shardctrler shardkv "
  [ -z "${given[kvraft]:-}" ] || [ -n "${given[shardkv1]:-}" ] ||
    left_out+="shardkv1 "
  for room in kvraft shardctrler shardkv shardkv1; do
    if [ -z "${given[$room]:-}" ] && [[ $left_out != *" $room "* ]]; then
      face[rsm]+=" sessions.h sessions.cc clerk.h clerk.cc service.h"
      break
    fi
  done
fi

fail() {
  echo "error: ${room^^}=$folder: $*"
  exit
}

# Sets `full` to the folder's path.
check() {
  [[ $left_out != *" $room "* ]] ||
    fail "our shardkv does not stand on another kvraft: give SHARDKV= too"
  [ -d "$folder" ] || fail "no such folder; make skeleton DIR=... makes one"
  full=$(cd -- "$folder" && pwd -P) || fail "it cannot be read"
  compgen -G "$full/*.cc" >/dev/null || fail "it has no *.cc"
  for file in ${face[$room]}; do
    [ ! -e "$full/$file" ] || cmp -s "$full/$file" "$room/$file" ||
      fail "its $file is not the lab's $room/$file; delete it: the lab's is used"
  done
  # A file manager's copy would be compiled beside its original.
  for file in "$full"/*.cc; do
    [[ ${file##*/} != *[[:space:]\'\"\\\$\;\&\|\<\>\*\?\#%\(\)\[\]\{\}\`:]* ]] ||
      fail "the name of '${file##*/}' has a blank or a special character;" \
        "rename or remove that file"
  done
}

declare -A theirs=()
name="" paths=""
for argument; do
  room=${argument%%=*} folder=${argument#*=}
  check
  theirs[$room]=$full
  # One folder has the name that it has had since there was but raft/.
  name=${name:-$(basename -- "$full" | LC_ALL=C tr -c 'A-Za-z0-9_.\n' _)}
  paths+=${paths:+ $room=}$full
done

place=out/theirs/$name-$(printf %s "$paths" | sha256sum | cut -c1-8)
mkdir -p "$place/tree"
for room in base rpc labrpc persister raft rsm kvraft shardctrler shardkv \
    shardkv1 porcupine sim tests examples bench; do
  links=$place/tree/$room
  if [[ $left_out == *" $room "* ]]; then
    rm -rf "$links"
    continue
  fi
  if [ -z "${theirs[$room]:-}" ]; then
    ln -sfn "$PWD/$room" "$links"
    continue
  fi
  mkdir -p "$links"
  for file in "${theirs[$room]}"/*; do
    ln -sfn "$file" "$links/${file##*/}"
  done
  for file in ${face[$room]}; do
    ln -sfn "$PWD/$room/$file" "$links/$file"
  done
  find -L "$links" -maxdepth 1 -type l -delete # those of files that are gone
done
echo "$place"
