#!/usr/bin/env bash
# fixed_addresses.sh PROGRAM ARGS...: runs it without address randomization.
# Called by `make race`: older ThreadSanitizer runtimes cannot start on kernels
# that randomize more address bits than they expect.
set -u

if setarch -R true 2>/dev/null; then
  exec setarch -R "$@"
fi
bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)
if [ "$bits" -gt 28 ]; then
  echo "setarch -R is not permitted here; if ThreadSanitizer stops with" \
    "'unexpected memory mapping', run: sudo sysctl vm.mmap_rnd_bits=28" >&2
fi
exec "$@"
