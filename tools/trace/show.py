"""Shows a recorded run: as a page, or in the terminal.

`make trace` does; by hand:
  /usr/bin/python3 -B -m tools trace-show out/trace.ndjson --html=trace.html
  /usr/bin/python3 -B -m tools trace-show out/trace.ndjson --text [--width=120]
Needs Debian's Python: --text uses its rich, --html its node-d3. Exit status: 0,
2 for a file that is no trace or a wrong argument, 130 if interrupted.
"""

import argparse
import signal
from pathlib import Path

from tools.command import Arguments, Problem, write_whole
from tools.trace import assemble, reading

MIN_WIDTH = 40
MAX_WIDTH = 100_000


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Returns what was typed."""
    parser = Arguments(__doc__)
    parser.add_argument("trace", type=Path, help="what make trace recorded")
    parser.add_argument("--html", type=Path, metavar="OUT.html",
                        help="write the page")
    parser.add_argument("--text", action="store_true",
                        help="print a column for each server")
    parser.number("width", None, MIN_WIDTH, MAX_WIDTH, variable="--width")
    options = parser.read(arguments)
    if not options.html and not options.text:
        raise Problem("say what to make: --html=OUT.html or --text")
    return options


def show(path: Path, html: Path | None, in_terminal: bool,
         width: int | None = None) -> None:
    """Makes what was asked for."""
    trace = reading.read(path)
    if html:
        write_whole(html, assemble.assemble(trace), with_folder=False)
    if in_terminal:
        try:
            from tools.trace import columns  # here: the page needs no rich
        except ImportError as error:
            raise Problem("python3-rich is missing; run: make deps") from error
        columns.show(trace, width)


def main(arguments: list[str]) -> int:
    """Returns the exit status."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # ends quietly at `| head`
    options = parse_arguments(arguments)
    show(options.trace, options.html, options.text, options.width)
    return 0
