#!/usr/bin/env bash
# needs.sh build|sim|trace|bench|lint: says what that kind of target lacks, and the
# command that installs it; exit status 2 then. Called by the Makefile before it
# builds.
set -u

commands=(g++ make pkg-config python3)
libraries=(gtest libglog absl_strings absl_flags_parse)
[ "${1:-}" = bench ] && libraries+=(benchmark)
if [ "${1:-}" = lint ]; then
  commands+=(clang++ clang-format clang-tidy ctags git)
fi

missing=()
for command in "${commands[@]}"; do
  command -v "$command" >/dev/null || missing+=("$command")
done
if command -v pkg-config >/dev/null; then
  for library in "${libraries[@]}"; do
    pkg-config --exists "$library" || missing+=("$library")
  done
fi
if [ "${1:-}" = sim ] || [ "${1:-}" = trace ]; then
  /usr/bin/python3 -c 'import tqdm' 2>/dev/null || missing+=(python3-tqdm)
fi
if [ "${1:-}" = trace ] || [ "${1:-}" = bench ]; then
  /usr/bin/python3 -c 'import rich' 2>/dev/null || missing+=(python3-rich)
fi
if [ "${1:-}" = trace ]; then
  [ -e /usr/share/nodejs/d3/dist/d3.min.js ] || missing+=(node-d3)
fi
[ -e /usr/include/cereal/cereal.hpp ] || missing+=(cereal)
[ -e /usr/include/nlohmann/json.hpp ] || missing+=(nlohmann-json)

if [ ${#missing[@]} -gt 0 ]; then
  echo "missing: ${missing[*]}; run: make deps" >&2
  exit 2
fi
