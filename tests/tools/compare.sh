#!/usr/bin/env bash
# Compares a Go lab with ours: hands what `make compare` was given on to
# compare.py. Called by the Makefile with GO_LAB or GO_LOG, LAB_RUN and LAB_SEED
# in the environment; arguments go to compare.py as they are (--help shows them).
set -u
exec python3 "$(dirname "$0")/compare.py" \
  --go-lab="${GO_LAB:-}" --go-log="${GO_LOG:-}" \
  --run="${LAB_RUN:-}" --seed="${LAB_SEED:-}" "$@"
