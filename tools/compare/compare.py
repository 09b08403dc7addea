#!/usr/bin/env python3
"""Compares a run of the Go lab with one of ours: a table, and a page.

Who calls it: `make compare`; compare_test.py imports it. Needs Debian's Python
with jinja2, and GNU time for what it runs.

It prints the table and writes out/compare.html. What it runs, it keeps in
out/compare/go.log and ours.log, run after run, for GO_LOG= and OUR_LOG=.

Exit status: 0 if it could compare, whatever the tests' results; 2 if not, or if
the output of a side breaks off, with one line on standard error that says what
to do; 130 if interrupted. All that can be wrong beforehand is looked at before
anything is run.
"""

import argparse
import importlib.util
import os
import re
import shlex
import signal
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True  # nothing but sources belongs beside this file
import figures
import logs
import report
import sides
from figures import Side
from logs import Problem

ROOT = Path(__file__).resolve().parents[2]
MOST_RUNS = 1000


def parse_options(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line; an empty value is as good as none."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description="Compares "
                                     "a run of the Go lab with one of ours.")
    add = parser.add_argument
    add("--go_lab", default="", help="directory whose raft package to run")
    add("--go_log", default="", help="saved output of go test to read instead")
    add("--our_log", default="", help="saved output of make test to read "
        "instead of running ours")
    add("--n", default="", help="how often to run what is run; default 1")
    add("--run", default="", help="only tests whose name this matches")
    add("--seed", default="", help="seed of our first run")
    add("--program", default=str(ROOT / "out/plain/raft_tests"),
        help="our test program")
    add("--out", default=str(ROOT / "out"), help="where to write")
    return parser.parse_args(arguments)


def check_options(options: argparse.Namespace) -> None:
    """Finds what no file needs to be opened for."""
    if options.go_lab and options.go_log:
        raise Problem("give GO_LAB=directory or GO_LOG=file, not both")
    if not options.go_lab and not options.go_log:
        raise Problem("give GO_LAB=directory of a Go lab to run, or "
                      "GO_LOG=file with the output of go test")
    if options.go_log and options.our_log and options.n:
        raise Problem("N= repeats runs, but both sides are logs; leave N out")
    try:
        re.compile(options.run)
    except re.error as error:
        raise Problem(f'RUN "{options.run}" is no regular expression: '
                      f"{error}") from error


def count_runs(options: argparse.Namespace) -> int:
    """Returns N."""
    if not re.fullmatch(r"[0-9]{0,4}", options.n) \
            or not 1 <= int(options.n or 1) <= MOST_RUNS:
        raise Problem(f"N={options.n}: give a number of runs from 1 to "
                      f"{MOST_RUNS}")
    return int(options.n or 1)


def shown(path: Path) -> str:
    """Returns the path as one would type it here, quoted for the shell."""
    path, here = path.resolve(), Path.cwd()
    return shlex.quote(str(path.relative_to(here)
                           if path.is_relative_to(here) else path))


class Comparer:
    """Checks everything first, then runs what must run, side after side."""

    def __init__(self, options: argparse.Namespace, scratch: Path) -> None:
        check_options(options)
        self.runs = count_runs(options)
        self.options = options
        self.scratch = scratch
        self.logs = Path(options.out, "compare")
        self.lab: Path | None = None
        self.our_commands: list[sides.Command] = []
        self.kept: list[str] = []  # what says where the runs so far are

    def prepare(self) -> tuple[Side, Side]:
        """Returns both sides with what is in the logs that were given."""
        options = self.options
        go = Side("Go lab", options.go_log, logs.Log([]))
        ours = Side("ours", options.our_log, logs.Log([]))
        if options.go_lab:
            self.lab = sides.find_lab(options.go_lab)
            go.source = str(self.lab)
            sides.find_go()
        else:
            go.log = logs.select(logs.read_file(options.go_log), options.run,
                                 options.go_log)
        if options.our_log:
            ours.log = logs.select_ours(logs.read_file(options.our_log),
                                        options.run, options.our_log)
        else:
            ours.source = options.program
            self.our_commands = sides.choose_ours(
                options.program, options.run, options.seed, self.runs)
        return go, ours

    def run(self, go: Side, ours: Side) -> None:
        """Runs what must run, a run of each side in turn.

        A machine that slows down in between then slows both.
        """
        go_commands = []
        if self.lab:
            binary = self.scratch / "raft.test"
            sides.build(self.lab, binary)
            go_commands = self.runs * [sides.choose_go(self.lab, binary,
                                                       self.options.run)]
        go_log = self._open_log(bool(go_commands), "go.log", "GO_LOG")
        our_log = self._open_log(bool(self.our_commands), "ours.log", "OUR_LOG")
        for number in range(self.runs):
            for command in go_commands[number:number + 1]:
                self._run_once(go, command, go_log)
            for command in self.our_commands[number:number + 1]:
                self._run_once(ours, command, our_log)

    def again(self) -> str:
        """Returns what compares the runs so far; empty if there are none."""
        given = [f"{variable}={shown(Path(path).expanduser())}"
                 for variable, path in (("GO_LOG", self.options.go_log),
                                        ("OUR_LOG", self.options.our_log))
                 if path]
        return " ".join(sorted(given + self.kept)) if self.kept else ""

    def _open_log(self, wanted: bool, name: str, variable: str) -> Path:
        """Empties the log of a side that will be run."""
        path = self.logs / name
        if wanted:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("")
            except OSError as error:
                raise Problem(f"cannot write {path}: {error.strerror}; make "
                              "room for it") from error
            self.kept.append(f"{variable}={shown(path)}")
        return path

    def _run_once(self, side: Side, command: sides.Command, log: Path) -> None:
        status, text, cost = sides.run(command, log, self.scratch)
        read = logs.read(text)
        # Only ours says by its status that it ended before its tests did.
        crashed = side.name == "ours" and status not in (0, 1)
        if crashed or not read.tests:
            last = text.strip().rpartition("\n")[2] or "nothing"
            raise Problem(f"{side.source} ended with status {status} before "
                          f"the end of its tests; its last line: {last}; see "
                          f"{log}")
        side.log = logs.Log(side.log.tests + read.tests,
                            side.log.fault or read.fault)
        side.costs.append(cost)


def write_page(comparison: figures.Comparison, both: tuple[Side, Side],
               out: str) -> Path:
    """Writes out/compare.html; never half of it."""
    import page  # not before it is needed: jinja2 may be missing
    path = Path(out, "compare.html")
    partial = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page.render(comparison, *both), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise Problem(f"cannot write {path}: {error.strerror}; make room for "
                      "it") from error
    return path


def check_libraries() -> None:
    """Finds what is not installed, before anything is run."""
    if importlib.util.find_spec("jinja2") is None:
        raise Problem("python3-jinja2 is missing; run: make deps")


def compare(comparer: Comparer) -> None:
    """Compares and prints."""
    both = comparer.prepare()
    check_libraries()
    comparer.run(*both)
    comparison = figures.compare(*both)
    path = write_page(comparison, both, comparer.options.out)
    print(report.report(comparison), end="")
    print(f"page: {shown(path)}", flush=True)
    if comparer.kept:
        print(f"again, without the runs: make compare {comparer.again()}",
              flush=True)
    for side in both:
        if side.log.fault:
            raise Problem(f"the output of {side.name}, {side.source}, "
                          f"{side.log.fault}: run that side again to its end")


def main(arguments: list[str]) -> int:
    """Prints the comparison, or the problem."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    comparer = None
    try:
        options = parse_options(arguments)
        with tempfile.TemporaryDirectory() as scratch:
            comparer = Comparer(options, Path(scratch))
            compare(comparer)
    except Problem as problem:
        for line in problem.details:
            print(line, file=sys.stderr)
        print(f"compare: {problem}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever reads the table has seen enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        again = comparer.again() if comparer else ""
        print("compare: interrupted" + (again and "; the runs so far: make "
                                        f"compare {again}"), file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
