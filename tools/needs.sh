#!/usr/bin/env bash
# needs.sh build|test|sim|trace|compare|stress|bench|lint: says what that kind
# of target lacks, and the command that installs it; exit status 2 then. Called
# by the Makefile before it builds.
set -u

kind=${1:-}
missing=()

needs_command() {  # NAME...; not what bash itself has under that name
  local name
  for name; do type -P "$name" >/dev/null || missing+=("$name"); done
}
needs_module() {  # PYTHON_MODULE PACKAGE
  /usr/bin/python3 -c "import $1" 2>/dev/null || missing+=("$2")
}
needs_file() {  # PATH PACKAGE
  [ -e "$1" ] || missing+=("$2")
}
serves() {  # KIND...: whether the target is of one of them; test is of all
  [[ " $* test " == *" $kind "* ]]
}

needs_command g++ make pkg-config python3
if command -v pkg-config >/dev/null; then
  for library in gtest benchmark libglog absl_strings absl_flags_parse; do
    pkg-config --exists "$library" || missing+=("$library")
  done
fi
needs_file /usr/include/cereal/cereal.hpp cereal
needs_file /usr/include/nlohmann/json.hpp nlohmann-json

if serves sim stress; then needs_module tqdm python3-tqdm; fi
if serves stress; then needs_command parallel; fi
if serves trace bench; then needs_module rich python3-rich; fi
if serves trace; then
  needs_file /usr/share/nodejs/d3/dist/d3.min.js node-d3
fi
if serves compare; then
  needs_command time
  needs_module jinja2 python3-jinja2
fi
if [ "$kind" = lint ]; then
  needs_command clang++ clang-format clang-tidy ctags git
fi

if [ ${#missing[@]} -gt 0 ]; then
  echo "missing: ${missing[*]}; run: make deps" >&2
  exit 2
fi
