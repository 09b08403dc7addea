#!/usr/bin/env python3
"""Records one run of one test, and makes its page.

Who calls it: `make trace`. The test runs under the simulator, where its seed is
one run for ever, or with --real in real time; tests/harness/recorder.h writes
out/trace.ndjson meanwhile, and trace.py makes out/trace.html of it. Exit status:
0 if there is a page, whether the test passed or not; 2 for a wrong argument; 130
if interrupted.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_SHOWN = 4
INTERRUPTED = 130


class BadArgument(Exception):
    """One line that says what to do instead."""


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line; an empty value is one that make was not given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--place", default="out", help="where programs are")
    parser.add_argument("--out", type=Path, default=ROOT / "out",
                        help="where trace and page go")
    for name in ("run", "seed", "profile", "real", "text", "raft"):
        parser.add_argument(f"--{name}", default="")
    return parser.parse_args(arguments)


def choose_test(program: Path, run: str) -> str:
    """Returns the one lab test that RUN means."""
    if not run:
        raise BadArgument("say which test: RUN=TestFigure82C")
    listing = subprocess.run([program, "--list", f"--run={run}"], text=True,
                             capture_output=True, check=False)
    if listing.returncode != 0:
        raise BadArgument(listing.stderr.strip().partition(": ")[2]
                          or f"{program} --list failed")
    tests = [name for name in listing.stdout.split()
             if re.search(r"\d[A-Z](Plus)?$", name)]
    if not tests:
        raise BadArgument(f'RUN "{run}" matches no test with a cluster: '
                          "give one of 2A, 2B or 2C")
    # A name that is the beginning of another's means itself.
    if run in tests:
        tests = [run]
    if len(tests) > 1:
        more = ", ..." if len(tests) > MOST_SHOWN else ""
        raise BadArgument(f'RUN "{run}" matches {len(tests)} tests: give one, '
                          f"{', '.join(tests[:MOST_SHOWN])}{more}")
    return tests[0]


def command_for(options: argparse.Namespace, program: Path,
                test: str) -> list[str]:
    """Returns what runs the test."""
    if options.real:
        return [str(program), f"--run=^{test}$", f"--seed={options.seed}"]
    return ["/usr/bin/python3", str(ROOT / "tools/seeds/sim.py"), "--seeds=1",
            f"--seed={options.seed}", f"--profile={options.profile}",
            f"--run=^{test}$", f"--raft={options.raft}", str(program)]


def record(options: argparse.Namespace, trace: Path) -> None:
    """Runs the test. That it fails is no error here: one wants to see it."""
    kind = "raft_tests" if options.real else "raft_sim"
    program = ROOT / options.place / "plain" / kind
    test = choose_test(program, options.run)
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
        raise BadArgument(f"{test} made no cluster that could be recorded")


def show(options: argparse.Namespace, trace: Path) -> int:
    """Makes the page, and prints the terminal's view if that was asked for."""
    page = trace.with_suffix(".html")
    command = ["/usr/bin/python3", str(Path(__file__).with_name("trace.py")),
               str(trace), "--html", str(page)]
    status = subprocess.run(command + ["--text"] if options.text else command,
                            check=False).returncode
    if status == 0:
        print(f"events: {os.path.relpath(trace)}, page: "
              f"{os.path.relpath(page)}")
    return status


def main(arguments: list[str]) -> int:
    """Returns the exit status."""
    options = parse_arguments(arguments)
    trace = options.out / "trace.ndjson"
    try:
        record(options, trace)
        return show(options, trace)
    except BadArgument as error:
        print(f"trace: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("trace: interrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
