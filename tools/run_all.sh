#!/usr/bin/env bash
# run_all.sh PROGRAM... -- ARGS...: runs the test programs one after another,
# those in which RUN= matches something. Called by `make test`. The exit status
# is that of the first that failed; a failure does not hide what comes after.
set -u

programs=()
while [ "$1" != -- ]; do
  programs+=("$1")
  shift
done
shift

status=0
matched=0
for program in "${programs[@]}"; do
  # Status 2: nothing matches. Whatever else is wrong shows when it runs.
  "$program" --list "$@" >/dev/null 2>&1
  [ $? -ne 2 ] || continue
  matched=1
  "$program" "$@"
  ended=$?
  [ $status -ne 0 ] || status=$ended
  # Interrupted: the user wants no more.
  [ $ended -ne 130 ] || exit 130
done
# Nothing matches anywhere, or an argument is wrong: the first says it best.
[ $matched -eq 1 ] || exec "${programs[0]}" "$@"
exit $status
