"""Compares a run of the Go lab with one of ours: a table, and a page.

`make compare`. Needs jinja2, and GNU time for what it runs. It prints the table
and writes out/compare.html. What it runs, it keeps in out/compare/go.log and
ours.log, run after run, for GO_LOG= and OUR_LOG=.

Exit status: 0 if it could compare, whatever the tests' results; 2 if not, or if
a side ended before its tests did, with one line on standard error that says
what to do; 130 if interrupted. All that can be wrong beforehand is looked at
before anything is run.
"""

import argparse
import importlib.util
import re
import shlex
import tempfile
from pathlib import Path

from tools import ROOT
from tools.command import Arguments, Problem, write_whole, writing
from tools.compare import (lab, logs, names, pairing, reader, report, sides,
                           summary, text)
from tools.compare.pairing import Side

MOST_RUNS = 1000
LABS: dict[str, tuple[str, ...]] = {"": (), "2": names.RAFT, "3": names.KV,
                                    "4": names.SHARDED, "5": ("shardkv1",)}


def parse_options(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = Arguments(__doc__)
    parser.texts("go_lab",   # directory whose packages to run
                 "go_log",   # saved output of go test to read instead
                 "our_log",  # saved output of make test to read instead
                 "lab",      # 2, 3, 4 or 5: what to compare
                 "n", "run", "seed",
                 "by_test")  # 1: the Go lab's, each in a process of its own
    parser.texts("program", default=str(ROOT / "out/plain/raft_tests"))
    parser.texts("out", default=str(ROOT / "out"))
    return parser.read(arguments)


def check_options(options: argparse.Namespace) -> None:
    """Finds what no file needs to be opened for."""
    if options.go_lab and options.go_log:
        raise Problem("give GO_LAB=directory or GO_LOG=file, not both")
    if not options.go_lab and not options.go_log:
        raise Problem("give GO_LAB=directory of a Go lab to run, or "
                      "GO_LOG=file with the output of go test")
    if options.lab not in LABS:
        raise Problem(f"LAB={options.lab}: give 2 for Raft, 3 for the key/value"
                      " service, 4 for the sharded one, or 5 for that of 2025, "
                      "or leave it out")
    if options.go_log and options.our_log and options.n:
        raise Problem("N= repeats runs, but both sides are logs; leave N out")
    if options.by_test not in ("", "0", "1") or (
            options.by_test == "1" and not options.go_lab):
        raise Problem(f"BY_TEST={options.by_test}: give 1, with GO_LAB=, to "
                      "run each of its tests in a process of its own")
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
        self.packages: list[lab.Package] = []  # of GO_LAB
        self.our_commands: list[sides.Command] = []
        self.kept: list[str] = []  # what says where the runs so far are

    def prepare(self) -> tuple[Side, Side]:
        """Returns both sides with what is in the logs that were given."""
        options = self.options
        go = Side("Go lab", options.go_log)
        ours = Side("ours", options.our_log)
        labs = LABS[options.lab]
        if options.go_lab:
            self.packages = lab.find_packages(options.go_lab, labs, options.run)
            go.source = " and ".join(str(each.folder) for each in self.packages)
            lab.find_go()
            labs = tuple(package.lab for package in self.packages)
        else:
            go.log = logs.select(reader.read_file(options.go_log), options.run,
                                 options.go_log, labs)
            found = {names.lab_of(test.name) for test in go.log.tests} - {""}
            labs = tuple(found) or labs or names.RAFT
        if options.our_log:
            ours.log = logs.select_ours(reader.read_file(options.our_log),
                                        options.run, options.our_log, labs)
        else:
            ours.source = options.program
            self.our_commands = sides.choose_ours(
                options.program, options.run, options.seed, self.runs, labs)
        return go, ours

    def run(self, go: Side, ours: Side) -> None:
        """Runs what must run, a run of each side in turn.

        A machine that slows down in between then slows both.
        """
        go_commands = self._build(go)
        runners = []
        if go_commands:
            runners.append((go, self._runner("go.log", "GO_LOG",
                                             lab.go_version()),
                            self.runs * [go_commands]))
        if self.our_commands:
            runners.append((ours, self._runner("ours.log", "OUR_LOG",
                                               sides.our_version()),
                            [[command] for command in self.our_commands]))
        for number in range(self.runs):
            for side, runner, commands in runners:
                self._run_once(side, runner, commands[number])

    def _build(self, go: Side) -> list[sides.Command]:
        """Returns the commands of one run of the Go lab."""
        commands = []
        meant = lab.meant_in(self.packages, self.options.run)
        for package in self.packages:
            binary = lab.build(package, self.scratch)
            tests = lab.list_tests(package, binary, meant)
            go.expected += [names.canonical(own, package.lab) for own in tests]
            commands += sides.choose_go(package, binary, tests,
                                        is_all=not self.options.run,
                                        by_test=self.options.by_test == "1")
        if self.packages and not go.expected:
            raise logs.no_match(self.options.run, go.source)
        return commands

    def again(self) -> str:
        """Returns what compares the runs so far; empty if there are none."""
        given = [f"{variable}={shown(Path(path).expanduser())}"
                 for variable, path in (("GO_LOG", self.options.go_log),
                                        ("OUR_LOG", self.options.our_log))
                 if path]
        return " ".join(sorted(given + self.kept)) if self.kept else ""

    def _runner(self, name: str, variable: str, version: str) -> sides.Runner:
        """Empties the log of a side that will be run."""
        path = self.logs / name
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        self.kept.append(f"{variable}={shown(path)}")
        return sides.Runner(path, version, self.scratch)

    def _run_once(self, side: Side, runner: sides.Runner,
                  commands: list[sides.Command]) -> None:
        """Runs a side once and adds what it said."""
        said, ended = runner.run(commands)
        log = reader.read(said)
        # Only ours says by its status that it ended before its tests did.
        crashed = side.name == "ours" and ended.status not in (0, 1)
        if crashed or not log.tests:
            said = text.printed(ended.output).strip()
            last = said.rpartition("\n")[2] or "nothing"
            raise Problem(f"{side.source} ended with status {ended.status} "
                          f"before the end of its tests; its last line: {last};"
                          f" see {self.logs}")
        side.log.add(log)


def check_libraries() -> None:
    """Finds what is not installed, before anything is run."""
    if importlib.util.find_spec("jinja2") is None:
        raise Problem("python3-jinja2 is missing; run: make deps")


def compare(comparer: Comparer) -> None:
    """Compares and prints."""
    both = comparer.prepare()
    check_libraries()
    comparer.run(*both)
    comparison = pairing.compare(*both)
    said = summary.summarize(comparison, *both)
    from tools.compare import page  # not before: jinja2 may be missing
    path = Path(comparer.options.out, "compare.html")
    write_whole(path, page.render(comparison, said))
    print(report.report(comparison, said), end="")
    print(f"page: {shown(path)}", flush=True)
    if comparer.kept:
        print(f"again, without the runs: make compare {comparer.again()}",
              flush=True)
    for side in both:
        check_end(side)


def check_end(side: Side) -> None:
    """Finds what ended before its tests did."""
    for test in side.log.tests:
        if test.has_stopped:
            raise Problem(f"{side.name}, {side.source}, crashed in {test.name}:"
                          f" {test.crash}: mend that and compare again")
    if side.log.fault:
        raise Problem(f"the output of {side.name}, {side.source}, "
                      f"{side.log.fault}: run that side again to its end")


def main(arguments: list[str]) -> int:
    """Prints the comparison."""
    options = parse_options(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        comparer = Comparer(options, Path(scratch))
        try:
            compare(comparer)
        except KeyboardInterrupt:
            again = comparer.again()
            raise KeyboardInterrupt(
                "interrupted" + (again and "; the runs so far: make compare "
                                 f"{again}")) from None
    return 0
