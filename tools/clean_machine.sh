#!/usr/bin/env bash
# clean_machine.sh DEBIAN FSGSBASE MIRROR: types the README's two commands, and
# between them builds a service on the installed module, on a machine that has
# nothing but make and git: a fresh Debian 12 or 13 in
# out/clean-machine/, made by debootstrap from the mirror that this machine's
# apt uses. Called by `make clean-machine`. Needs root; takes half an hour.
#
# What is tested is the last commit. FSGSBASE=off: as on a machine without it.
# All of it runs in namespaces of its own, so that no mount and no process
# remains, however it ends.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "clean-machine: $*" >&2
  exit 2
}

release=$1
fsgsbase=$2
mirror=$3
case $release in
  12) suite=bookworm ;;
  13) suite=trixie ;;
  *) fail "DEBIAN='$release': give DEBIAN=12 or DEBIAN=13" ;;
esac
[[ $fsgsbase =~ ^(off)?$ ]] || fail "FSGSBASE='$fsgsbase': give off, or nothing"
[ "$(id -u)" -eq 0 ] || fail "only root can make another root"
# shellcheck disable=SC2016  # apt's own variables
mirror=${mirror:-$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' \
  'Created-By: Packages' 2>/dev/null | sed -n 's/^Debian //p' | sed -n 1p)}
[ -n "$mirror" ] || fail "apt knows no mirror of Debian here; give MIRROR=url"

place=$PWD/out/clean-machine
root=$place/debian-$release
log=$root${fsgsbase:+-without-fsgsbase}.log

make_root() {
  rm -rf --one-file-system "$root"
  debootstrap --variant=minbase "$suite" "$root" "$mirror"
  # How this machine reaches the network.
  apt-config dump | grep -E '^Acquire::(https?::|Check-|ForceIP)' \
    >"$root/etc/apt/apt.conf.d/90host" || true
  local file
  for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
    [ -e "$file" ] || continue
    mkdir -p "$root$(dirname "$file")"
    cp "$file" "$root$file"
  done
  git clone -q --depth 1 "file://$PWD" "$root/root/raft"
}

in_root() {  # COMMAND
  echo "clean-machine: $1"
  local name settings=()
  for name in TERM http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || settings+=("$name=${!name}")
  done
  [ -z "$fsgsbase" ] || settings+=("SIM_FSGSBASE=$fsgsbase")
  chroot "$root" env -i HOME=/root LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    "${settings[@]}" bash -c "cd /root/raft && $1"
}

inside() {
  make_root
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  in_root "apt-get update -q && DEBIAN_FRONTEND=noninteractive \
apt-get install -y -q --no-install-recommends make git"
  in_root "make deps demo"
  in_root "make install-test"
  in_root "make test"
}

if [ "${4:-}" = inside ]; then
  inside
  exit
fi

mkdir -p "$place"
[ -z "$(git status --porcelain)" ] ||
  echo "clean-machine: what is not committed is not tested"
unshare --mount --pid --fork --kill-child -- \
  "$0" "$release" "$fsgsbase" "$mirror" inside > >(tee "$log") 2>&1 &
# KILL: unshare blocks all other signals while it waits.
trap 'kill -KILL $! 2>/dev/null' EXIT
status=0
wait $! || status=$?
trap - EXIT
if [ "$status" -eq 0 ] && tail -n 1 "$log" | grep -q ' passed, 0 failed$'; then
  echo "clean-machine: Debian $release passes; log $log"
else
  echo "clean-machine: Debian $release fails; log $log" >&2
  exit 1
fi
