"""What stands in for a test program in tests: a shell script that says events.

PRELUDE takes the options apart and defines what such a script says with.
"""

PRELUDE = r'''#!/bin/bash
for argument; do
  value=${argument#*=}
  case $argument in
    --seed=*) seed=$value ;;
    --run=*) run=$value ;;
    --disk=*) disk=$value ;;
    --target=*) target=$value ;;
    --verbose=*) verbose=$value ;;
    --origin=*) origins=$value ;;
    --list) list=1 ;;
  esac
done
passed=0 failed=0
# event ACTION FIELDS
event() { printf '{"Action":"%s"%s}\n' "$1" "$2"; }
origin_of() { [[ $1 != TestScenario* ]] && echo course || echo scenario; }
# selected TEST: whether the options mean it
selected() {
  local origin
  origin=$(origin_of "$1")
  [[ $1 =~ ${run:-.} && ",${origins:-$origin}," == *",$origin,"* ]]
}
# lists TEST...
lists() {
  local test
  for test; do
    printf '{"Test":"%s","Lab":"raft","Part":"%s","Origin":"%s"}\n' "$test" \
      "${test: -2}" "$(origin_of "$test")"
  done
}
# starts LOG
starts() { event start ",\"Seed\":$seed,\"Log\":\"$1\""; }
# prints TEXT, a line
prints() { event output ",\"Output\":\"$1\\n\""; }
passes() { passed=$((passed + 1)); event pass ",\"Test\":\"$1\""; }
# fails TEST KIND WAY PLACE MESSAGE [CAUSE]
fails() {
  failed=$((failed + 1))
  event fail ",\"Test\":\"$1\",\"Part\":\"${1: -2}\"$(
    ),\"Origin\":\"$(origin_of "$1")\"$(
    ),\"Kind\":\"$2\",\"Way\":\"$3\",\"Place\":\"$4\",\"Message\":\"$5\"$(
    ),\"Cause\":\"${6:-}\",\"Repeat\":\"make $target RUN='^$1\$' SEED=$seed\""
}
ends() {
  event pass ",\"Passed\":$passed,\"Failed\":$failed"
  [ $failed -eq 0 ]
  exit
}
'''
