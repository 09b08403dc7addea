#!/usr/bin/env bash
# install_test.sh: installs the module into out/install-test/, builds a service
# from what is installed, by CMake and by pkg-config, and runs it. Called by
# `make install-test`.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."

fail() {
  echo "install-test: $*" >&2
  exit 1
}

work=$PWD/out/install-test
rm -rf "$work"
mkdir -p "$work/service/examples"
tools/build.sh out/plain/raft_lab
cmake --install out/plain --prefix "$work/staged" >/dev/null
# An installation can be moved: nothing in it names where it was made.
mv "$work/staged" "$work/prefix"
cp -r examples/counter "$work/service/examples"
service=$work/service/examples/counter

cmake -G Ninja -S "$service" -B "$work/by-cmake" \
  -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/by-cmake"

pc=$(find "$work/prefix" -name raft_lab.pc)
[ -n "$pc" ] || fail "raft_lab.pc is not installed"
export PKG_CONFIG_PATH=${pc%/*}
read -r -a flags < <(pkg-config --cflags raft_lab)
read -r -a libraries < <(pkg-config --libs raft_lab)
g++ -std=c++20 -O1 -I"$work/service" "${flags[@]}" "$service/main.cc" \
  -o "$work/by-pkg-config" "${libraries[@]}"

for program in "$work/by-cmake/counter" "$work/by-pkg-config"; do
  output=$(timeout 60 "$program" 2>&1) || fail "$program: $output"
  [ "$output" = "3 servers count 55" ] || fail "$program said: $output"
done
echo "install-test: a service links the installed module, both ways"
