#!/usr/bin/env bash
# skeleton.sh FOLDER: writes an unsolved Raft to work in. Called by `make
# skeleton DIR=`. An existing folder must be empty.
set -eu
unset CDPATH
cd "$(dirname "$0")/../.."

folder=${1:-}
fail() {
  echo "skeleton: $*" >&2
  exit 2
}
[ -n "$folder" ] || fail "give a folder to write to: make skeleton DIR=../my_raft"
if [ -e "$folder" ] && [ -n "$(ls -A "$folder" 2>/dev/null || echo file)" ]; then
  fail "$folder is there already and not empty: give another DIR"
fi

mkdir -p "$folder" 2>/dev/null || fail "$folder cannot be made"
cp tools/skeleton/raft/server.h.in "$folder/server.h"
cp tools/skeleton/raft/server.cc.in "$folder/server.cc"
# As it is typed in a shell.
typed=$(printf %q "$folder")
quoted=$(printf %s "$typed" | sed 's/[&|\\]/\\&/g')
sed "s|@DIR@|$quoted|g" tools/skeleton/raft/README.md.in >"$folder/README.md"
echo "$folder: an unsolved Raft; next: make test RAFT=$typed RUN=2A"
