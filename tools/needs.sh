#!/usr/bin/env bash
# needs.sh GROUP...: says which packages of these groups of packages.txt are
# missing, and the command that installs them; exit status 2 then. Called by the
# Makefile before it builds.
set -u

is_there() {  # PROVIDED
  case $1 in
    lib:*) pkg-config --exists "${1#lib:}" 2>/dev/null ;;
    py:*)
      /usr/bin/python3 -c "import sys, importlib.util as util
sys.exit(util.find_spec(sys.argv[1]) is None)" "${1#py:}" 2>/dev/null ;;
    /*) [ -e "$1" ] ;;
    \<*) true ;;  # a file or library of the same package tells
    *) type -P "$1" >/dev/null ;;  # not what bash itself has under that name
  esac
}

missing=()
asked=()
while read -r group package provided; do
  [[ " $* " == *" $group "* ]] || continue
  for one in $provided; do
    is_there "$one" && continue
    missing+=("$package")
    [[ " build test ${asked[*]} " == *" $group "* ]] || asked+=("$group")
    break
  done
done < <(grep -vE '^(#|$)' "$(dirname "$0")/packages.txt")
[ ${#missing[@]} -gt 0 ] || exit 0

command="make deps"
[ ${#asked[@]} -eq 0 ] || command+=" FOR=${asked[*]}"
[ ${#asked[@]} -lt 2 ] || command="make deps FOR='${asked[*]}'"
echo "missing: ${missing[*]}; run: $command" >&2
exit 2
