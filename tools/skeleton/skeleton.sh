#!/usr/bin/env bash
# skeleton.sh FOLDER [LAB]: writes an unsolved Raft to work in; for lab 3 an
# unsolved rsm and kvraft, for lab 4 shardctrler and shardkv, for lab 5, which is
# 2025's edition of lab 4, shardkv1. Called by `make skeleton DIR=`. An existing
# folder must be empty.
set -eu
unset CDPATH
cd "$(dirname "$0")/../.."

folder=${1:-} lab=${2:-2}
fail() {
  echo "skeleton: $*" >&2
  exit 2
}
[ -n "$folder" ] || fail "give a folder to write to: make skeleton DIR=../my_raft"
[[ $lab == [2345] ]] || fail "LAB=$lab: there are 2, 3, 4 and 5"
if [ -e "$folder" ] && [ -n "$(ls -A "$folder" 2>/dev/null || echo file)" ]; then
  fail "$folder is there already and not empty: give another DIR"
fi

mkdir -p "$folder" 2>/dev/null || fail "$folder cannot be made"
# As it is typed in a shell.
typed=$(printf %q "$folder")
write_readme() {
  local quoted
  quoted=$(printf %s "$typed" | sed 's/[&|\\]/\\&/g')
  sed "s|@DIR@|$quoted|g" "tools/skeleton/$1/README.md.in" >"$folder/README.md"
}

if [ "$lab" -eq 2 ]; then
  tools/skeleton/files.sh raft "$folder"
  write_readme raft
  echo "$folder: an unsolved Raft; next: make test RAFT=$typed RUN=2A"
else
  case $lab in
    3) rooms=(rsm kvraft) first=4A ;;
    4) rooms=(shardctrler shardkv) first=TestBasic ;;
    5) rooms=(shardkv1) first=5A ;;
  esac
  for room in "${rooms[@]}"; do
    mkdir "$folder/$room"
    tools/skeleton/files.sh "$room" "$folder/$room"
  done
  write_readme "lab$lab"
  echo "$folder: an unsolved lab $lab; next: make test LAB=$typed RUN=$first"
fi
