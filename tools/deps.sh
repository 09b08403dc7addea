#!/usr/bin/env bash
# Installs what building, testing and linting need, on Debian and Ubuntu.
# Called by `make deps`. Does nothing, and needs no network, if all is there.
set -eu

packages=(
  g++ make git pkg-config               # to build
  libabsl-dev libgoogle-glog-dev libgtest-dev libcereal-dev nlohmann-json3-dev
  libbenchmark-dev
  binutils python3 util-linux           # stacks, all scripts, make race
  python3-jinja2 time                   # make compare
  python3-tqdm                          # make sim
  node-d3 python3-rich                  # make trace, make bench
  parallel openssh-client               # make stress
  clang clang-format clang-tidy universal-ctags  # make lint
)

# The tests of make trace's page. Ubuntu has Chromium only as a snap, which a
# container cannot run.
distribution=$(sed -n "s/^ID=//p" /etc/os-release)
if [ "$distribution" != ubuntu ]; then
  packages+=(chromium chromium-driver python3-selenium fonts-dejavu-core)
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
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
