#!/usr/bin/env bash
# deps.sh [GROUP...]: installs packages of packages.txt on Debian and Ubuntu:
# those of build and test, and of the groups named, or of all but peers, which
# has a hundred packages for one table. Called by `make deps`. Does nothing, and
# needs no network, if all are there.
set -eu

table=$(dirname "$0")/packages.txt
groups() { sed -n 's/^\([a-z][a-z-]*\) .*/\1/p' "$table" | sort -u; }

wanted=" build test $* "
for group; do
  if [ "$group" = all ]; then
    wanted+="$(groups | grep -vx peers | tr '\n' ' ')"
  elif ! groups | grep -qx -e "$group"; then
    echo "deps: no group '$group'; FOR= takes all or: $(groups |
      grep -vx required | tr '\n' ' ')" >&2
    exit 2
  fi
done

# Ubuntu has Chromium only as a snap, which a container cannot run.
distribution=$(sed -n "s/^ID=//p" /etc/os-release 2>/dev/null || true)
missing=()
while read -r group package _; do
  [[ $wanted == *" $group "* ]] || continue
  [[ $distribution-$package != ubuntu-chromium* ]] || continue
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done < <(grep -vE '^(#|required |$)' "$table")
if [ ${#missing[@]} -eq 0 ]; then
  echo "deps: all packages are installed"
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "deps: no apt-get here; install the equivalents of: ${missing[*]}" >&2
  exit 2
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "deps: run this as root, or install sudo; missing: ${missing[*]}" >&2
    exit 2
  fi
  as_root=(sudo)
fi

echo "deps: installing ${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends "${missing[@]}"
