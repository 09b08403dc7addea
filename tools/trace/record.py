"""Records one run of one test, and makes its page: `make trace`.

The test runs under the simulator, where a seed is always the same run, or with
--real in real time; tests/harness/recorder.h writes out/trace.ndjson meanwhile,
and show.py makes out/trace.html of it. Exit status: 0 if there is a page,
whether the test passed or not; 2 for a wrong argument; 130 if interrupted.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tools import ROOT, events
from tools.command import INTERRUPTED, Arguments, Problem, disk_options
from tools.trace import show

MOST_SHOWN = 4


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = Arguments(__doc__)
    parser.add_argument("program", type=Path)
    parser.texts("run", "lab", "seed", "profile", "real", "text", "theirs",
                 "isolated")
    parser.disk()
    parser.add_argument("--out", type=Path, default=ROOT / "out",
                        help="where trace and page go")
    return parser.read(arguments)


def choose_test(program: Path, run: str, lab: str = "") -> str:
    """Returns the one lab test that RUN means, of that lab if it is given."""
    if not run:
        raise Problem("say which test: RUN=TestName")
    found = events.listed(program, events.selection(run, lab))
    tests = [test.test for test in found if test.lab]
    if not tests:
        raise Problem(f'RUN "{run}" matches no test with a cluster: give one '
                      "of a part of the lab")
    # A name that is the beginning of another's means itself.
    if run in tests:
        tests = [run]
    if len(tests) > 1:
        more = ", ..." if len(tests) > MOST_SHOWN else ""
        raise Problem(f'RUN "{run}" matches {len(tests)} tests: give one, '
                      f"{', '.join(tests[:MOST_SHOWN])}{more}")
    return tests[0]


def command_for(options: argparse.Namespace, program: Path,
                test: str) -> list[str]:
    """Returns what runs the test."""
    if options.real:
        return [str(program), *events.selection(f"^{test}$", options.lab),
                *disk_options(options.disk), f"--seed={options.seed}"]
    return [sys.executable, "-B", "-m", "tools", "sim", "--seeds=1",
            f"--seed={options.seed}", f"--profile={options.profile}",
            *disk_options(options.disk),
            f"--run=^{test}$", f"--lab={options.lab}",
            f"--theirs={options.theirs}",
            f"--isolated={options.isolated}", str(program)]


def record(options: argparse.Namespace, trace: Path) -> None:
    """Runs the test. That it fails is no error here: one wants to see it."""
    program = options.program.resolve()
    test = choose_test(program, options.run, options.lab)
    trace.parent.mkdir(exist_ok=True)
    for old in (trace, trace.with_suffix(".html")):
        old.unlink(missing_ok=True)
    done = subprocess.run(command_for(options, program, test), check=False,
                          env=os.environ | {"TRACE": str(trace)})
    if done.returncode == INTERRUPTED:
        raise KeyboardInterrupt
    if done.returncode == 2:  # has said why
        sys.exit(2)
    if not trace.exists():
        raise Problem(f"{test} made no cluster that could be recorded")


def main(arguments: list[str]) -> int:
    """Returns the exit status."""
    options = parse_arguments(arguments)
    trace = options.out / "trace.ndjson"
    try:
        record(options, trace)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted") from None
    page = trace.with_suffix(".html")
    show.show(trace, page, in_terminal=bool(options.text))
    print(f"events: {os.path.relpath(trace)}, page: {os.path.relpath(page)}")
    return 0
