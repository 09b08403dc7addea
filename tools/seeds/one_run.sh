#!/usr/bin/env bash
# one_run.sh PROGRAM ARGUMENTS: runs a test program once, on whatever machine.
# Called through farm.py, so that nothing of the run needs to be fetched later.
#
# Standard output and exit status are the program's. The log that its first event
# names is deleted if all passed. On standard error: what the simulator counted
# (SIM_STATS), then the log if something failed.
set -u

stats=$(mktemp) || exit 2
output=$(mktemp) || exit 2
trap 'rm -f "$stats" "$output"' EXIT
# The program ends for it; so does this, but not before.
trap ':' INT TERM

SIM_STATS=$stats "$@" >"$output" 2>&1
status=$?
cat "$output"
cat "$stats" >&2
log=$(sed -n '1s/.*"Log":"\([^"]*\)".*/\1/p' "$output")
if [ -f "$log" ]; then
  [ $status -eq 0 ] || cat "$log" >&2
  [ $status -ne 0 ] || rm -f "$log"
fi
exit $status
