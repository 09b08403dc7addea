#!/usr/bin/env bash
# build.sh [-jN] [--checks=off] [--units] [--base=PLACE] PLACE/PRESET/TARGET...:
# builds targets of one place and preset, and configures first where that is
# needed. Called by the Makefile and by tools. Prints nothing if nothing is to be
# done.
#
# PLACE is out, or a folder with a tree/: one like this tree, of links, in which
# some folders are others. There only what that changes is compiled, and all else
# is taken from out/PRESET, which is built as far as it is needed
# (cmake/derived.cmake). --checks=off compiles such a raft/ without its CHECKs,
# --units has the unit tests in such programs, and --base names another place
# than out to take from.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
root=$(pwd -P)

jobs=$(nproc)
checks=on
units=off
base=out
while [[ ${1:-} == -* ]]; do
  case $1 in
    -j*) jobs=${1#-j} ;;
    --checks=*) checks=${1#--checks=} ;;
    --units) units=on ;;
    --base=*) base=${1#--base=} ;;
    *) echo "build: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
folder=${1%/*}
place=${folder%/*}
preset=${folder##*/}
targets=("${@##*/}")

# Runs a command that says nothing unless it fails.
quietly() {
  local output
  output=$("$@" 2>&1) || { printf '%s\n' "$output" >&2; exit 2; }
}

# configure FOLDER TREE OPTION...: makes FOLDER's build.ninja, or brings it up to
# date. CMake looks which files a folder has when it configures: the list in
# FOLDER/sources, on which build.ninja depends, changes with them.
configure() {
  local folder=$1 tree=$2 names
  shift 2
  # A build knows the tree by its absolute path.
  [ "$(cat "$folder/root" 2>/dev/null || echo "$root")" = "$root" ] ||
    rm -rf "$folder"
  mkdir -p "$folder"
  printf '%s\n' "$root" >"$folder/root"
  names=$(cd "$tree" && find -L base rpc labrpc persister raft rsm kvraft \
    shardctrler shardkv shardkv1 porcupine sim tests examples bench -maxdepth 3 -name '*.cc' -o -name '*.h' \
    2>/dev/null | LC_ALL=C sort) || true
  [ "$names" = "$(cat "$folder/sources" 2>/dev/null)" ] ||
    printf '%s\n' "$names" >"$folder/sources"
  if [ -e "$folder/build.ninja" ]; then
    quietly ninja -C "$folder" build.ninja
  else
    quietly cmake --preset "$preset" -B "$folder" "$@"
  fi
}

# build FOLDER TARGET...
build() {
  local folder=$1 plan
  shift
  plan=$(ninja -C "$folder" -n "$@" 2>&1) || true
  if [[ $plan == *"unknown target"* ]]; then
    if grep -qx 'RAFT_LAB_SIMULATOR:BOOL=OFF' "$folder/CMakeCache.txt"; then
      echo "build: $*: the simulator is for x86-64, this is $(uname -m)" >&2
      exit 2
    fi
    quietly cmake "$folder"  # a package that was missing may be there now
  elif [[ $plan == *"no work to do"* ]]; then
    return 0
  fi
  # In the lists of headers that compilers write.
  if [[ $root == *\'* && $(ninja --version) =~ ^1\.([0-9]|1[01])\. ]]; then
    echo "build: this ninja does not understand the ' in $root and" \
      "compiles everything again each time; a folder without it does not" >&2
  fi
  cmake --build "$folder" -j "$jobs" --target "$@"
}

tree_of() {  # PLACE
  if [ "$1" = out ]; then echo .; else echo "$1/tree"; fi
}

# Two commands at a time may want the same files.
lock() {  # FOLDER
  mkdir -p "$1"
  exec 9>"$1.lock"
  flock -n 9 && return
  echo "build: waiting for another build in $1" >&2
  flock 9
}

from=$base/$preset
lock "$from"
configure "$from" "$(tree_of "$base")"
if [ "$place" = out ]; then
  build "$from" "${targets[@]}"
  exit
fi
exec 8>&9
lock "$folder"
configure "$folder" "$place/tree" "-DRAFT_LAB_BASE=$root/$from" \
  "-DRAFT_LAB_TREE=$(cd "$place/tree" && pwd)" "-DRAFT_LAB_CHECKS=$checks" \
  "-DRAFT_LAB_UNITS=$units" \
  "-DRAFT_LAB_WARNINGS=-Wall;-Wextra;-Wpedantic"
mapfile -t taken_over < <(
  for target in "${targets[@]}"; do
    cat "$folder/taken_over/$target"
  done | sort -u
)
[ ${#taken_over[@]} -eq 0 ] || build "$from" "${taken_over[@]}"
exec 8>&-
build "$folder" "${targets[@]}"
