#!/usr/bin/env python3
"""Shows a recorded run: as a page, or in the terminal.

Who calls it: `make trace`; by hand:
  trace.py out/trace.ndjson --html out/trace.html
  trace.py out/trace.ndjson --text [--width=120]
Needs Debian's Python: --text uses its rich, --html its node-d3. Exit status: 0,
2 for a file that is no trace or a wrong argument, 130 if interrupted.
"""

import argparse
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # nothing but sources belongs beside this file
import assemble
import reading

INTERRUPTED = 130
MIN_WIDTH = 40


def arguments() -> argparse.Namespace:
    """Returns what was typed."""
    parser = argparse.ArgumentParser(description="Shows a recorded run.")
    parser.add_argument("trace", type=Path, help="what make trace recorded")
    parser.add_argument("--html", type=Path, metavar="OUT.html",
                        help="write the page")
    parser.add_argument("--text", action="store_true",
                        help="print a column for each server")
    parser.add_argument("--width", type=int, help="columns of the terminal")
    options = parser.parse_args()
    if not options.html and not options.text:
        parser.error("say what to make: --html OUT.html or --text")
    if options.width is not None and options.width < MIN_WIDTH:
        parser.error(f"--width={options.width}: give at least {MIN_WIDTH}")
    return options


def show(options: argparse.Namespace) -> None:
    """Makes what was asked for."""
    trace = reading.read(options.trace)
    if options.html:
        assemble.write(options.html, assemble.assemble(trace))
    if options.text:
        try:
            import columns  # here: the page needs no rich
        except ImportError as error:
            raise assemble.CannotAssemble(
                "python3-rich is missing; run: make deps") from error
        columns.show(trace, options.width)


def main() -> int:
    """Returns the exit status."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # ends quietly at `| head`
    try:
        show(arguments())
    except (reading.BadTrace, assemble.CannotAssemble) as error:
        print(f"trace: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
