#!/usr/bin/env python3
"""Compares a run of the Go lab with one of ours, test by test, in one table.

Who calls it: compare.sh, for `make compare`; compare_test.py imports it. It
needs the standard library only.

What `go test` says is found anywhere in a line, not just at its beginning: the
lab and its solutions also print, often without an end of line. Without -v only
failing tests are named; the others are known by their titles.

Exit status: 0 if it could compare, whatever the tests' results; 2 if not, with
one line on standard error. All that can be wrong beforehand is looked at before
anything is run; what then fails is a build of the Go lab, or a crash of ours.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]

# The lab's tests with their titles, in the order in which 2023 runs them. A
# title that changed over the years is there once for each wording.
KNOWN_TESTS = [
    ("TestInitialElection2A", "initial election"),
    ("TestReElection2A", "election after network failure"),
    ("TestManyElections2A", "multiple elections"),
    ("TestBasicAgree2B", "basic agreement"),
    ("TestRPCBytes2B", "RPC byte count"),
    ("TestFollowerFailure2B", "test progressive failure of followers"),
    ("TestLeaderFailure2B", "test failure of leaders"),
    ("TestFailAgree2B", "agreement despite follower disconnection"),
    ("TestFailAgree2B", "agreement after follower reconnects"),
    ("TestFailNoAgree2B", "no agreement if too many followers disconnect"),
    ("TestConcurrentStarts2B", "concurrent Start()s"),
    ("TestRejoin2B", "rejoin of partitioned leader"),
    ("TestBackup2B", "leader backs up quickly over incorrect follower logs"),
    ("TestCount2B", "RPC counts aren't too high"),
    ("TestPersist12C", "basic persistence"),
    ("TestPersist22C", "more persistence"),
    ("TestPersist32C",
     "partitioned leader and one follower crash, leader restarts"),
    ("TestFigure82C", "Figure 8"),
    ("TestUnreliableAgree2C", "unreliable agreement"),
    ("TestFigure8Unreliable2C", "Figure 8 (unreliable)"),
    ("TestReliableChurn2C", "churn"),
    ("TestUnreliableChurn2C", "unreliable churn"),
    ("TestSnapshotBasic2D", "snapshots basic"),
    ("TestSnapshotInstall2D", "install snapshots (disconnect)"),
    ("TestSnapshotInstallUnreliable2D",
     "install snapshots (disconnect+unreliable)"),
    ("TestSnapshotInstallCrash2D", "install snapshots (crash)"),
    ("TestSnapshotInstallUnCrash2D", "install snapshots (unreliable+crash)"),
    ("TestSnapshotAllCrash2D", "crash and restart all servers"),
    ("TestSnapshotInit2D", "snapshot initialization after crash"),
]
NAME_OF_TITLE = {f"({name[-2:]}): {title}": name for name, title in KNOWN_TESTS}
RANK = {name: rank for rank, (name, _) in enumerate(KNOWN_TESTS)}

# Ours also has unit tests, and labrpc's, which the Go side keeps elsewhere.
OUR_LAB_TEST = re.compile(r"Test(?!Unit)\w*\d[A-Z]")
OUR_DEFAULT_RUN = "2[ABC]$"
GO_LAB_TEST = re.compile(r"^func Test\w*2[ABC]\(", re.MULTILINE)

# A name followed by a slash is a subtest's.
EVENT = re.compile(
    r"=== RUN +(?P<run>Test\w+)(?![\w/])"
    r"|Test (?P<title>\(\d[A-Z]\): .+?) ?\.\.\."
    r"|\.\.\. Passed -- +(?P<seconds>\d+\.\d+) +\d+ +(?P<rpcs>\d+)"
    r" +(?P<bytes>\d+) +(?P<commits>\d+)"
    r"|--- (?P<verdict>PASS|FAIL|SKIP): (?P<name>Test\w+)"
    r" \((?P<took>\d+\.\d+)s\)")


class Problem(Exception):
    """Why there is nothing to compare: one line for the user."""


class Figures(NamedTuple):
    """What a Passed line counts."""
    seconds: float = 0.0
    rpcs: int = 0
    bytes: int = 0
    commits: int = 0


@dataclass
class Test:
    """One execution of a test, as a log tells of it."""
    name: str
    named_by_go: bool  # else the name was concluded from the title
    titled: bool = False
    repetition: int = 1  # 2 for the second of -count=2
    figures: Figures | None = None  # of its Passed line
    verdict: str = ""  # from the line that begins with ---
    took: float | None = None  # seconds, from the same line

    @property
    def result(self) -> str:
        """PASS, FAIL or SKIP; "cut" if the log ends before the test does."""
        return self.verdict or ("PASS" if self.figures else "cut")

    @property
    def label(self) -> str:
        """The name, distinct from all others in the same log."""
        suffix = f" #{self.repetition}" if self.repetition > 1 else ""
        return self.name + suffix


class LogReader:
    """Collects the tests of one log from its events, in order."""

    def __init__(self) -> None:
        self.tests: list[Test] = []

    def read(self, text: str) -> list[Test]:
        """Returns the tests that `text` tells of, with repetitions counted."""
        for event in EVENT.finditer(text):
            if event["run"]:
                self._open(event["run"], named_by_go=True)
            elif event["title"]:
                self._on_title(event["title"])
            elif event["seconds"]:
                self._on_passed(event)
            else:
                self._on_verdict(event)
        seen: Counter[str] = Counter()
        for test in self.tests:
            seen[test.name] += 1
            test.repetition = seen[test.name]
        return self.tests

    def _open(self, name: str, named_by_go: bool) -> Test:
        self.tests.append(Test(name, named_by_go))
        return self.tests[-1]

    def _on_title(self, title: str) -> None:
        test = self.tests[-1] if self.tests else None
        open_run = test and test.named_by_go and not test.titled
        if not open_run or test.figures or test.verdict:
            name = NAME_OF_TITLE.get(title, f"Test {title}")
            test = self._open(name, named_by_go=False)
        test.titled = True

    def _on_passed(self, event: re.Match[str]) -> None:
        test = self.tests[-1] if self.tests else None
        if test is None or test.figures or test.verdict:
            test = self._open("(no title)", named_by_go=False)
        test.figures = Figures(float(event["seconds"]), int(event["rpcs"]),
                               int(event["bytes"]), int(event["commits"]))

    def _on_verdict(self, event: re.Match[str]) -> None:
        test = self.tests[-1] if self.tests else None
        if not self._is_verdict_of(test, event["name"]):
            test = self._open(event["name"], named_by_go=True)
        test.name = event["name"]
        test.verdict = event["verdict"]
        test.took = float(event["took"])

    @staticmethod
    def _is_verdict_of(test: Test | None, name: str) -> bool:
        if test is None or test.verdict:
            return False
        nameless = not test.named_by_go and test.name not in RANK
        return test.name == name or (nameless and not test.figures)


def read_file(path: str) -> list[Test]:
    """Returns the tests of a saved log."""
    try:
        text = Path(path).expanduser().read_bytes().decode(errors="replace")
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}") from error
    if not text.strip():
        raise Problem(f"{path} is empty")
    tests = LogReader().read(text)
    if not tests:
        raise Problem(f"{path} is no log of go test: no lab test is in it")
    return tests


def matching(tests: Iterable[Test], run: str, where: str) -> list[Test]:
    """Returns those whose name `run` matches, as go test -run chooses."""
    chosen = [test for test in tests if re.search(run, test.name)]
    if not chosen:
        raise Problem(f'no test in {where} matches RUN "{run}"')
    return chosen


def read_ours(path: str, run: str) -> list[Test]:
    """Returns the lab's tests in a saved log of our program."""
    tests = [t for t in read_file(path) if OUR_LAB_TEST.fullmatch(t.name)]
    if not tests:
        raise Problem(f"{path} has none of our lab tests")
    return matching(tests, run, path)


def sum_up(tests: Iterable[Test]) -> Figures:
    """Returns the sums over all Passed lines."""
    lines = [test.figures for test in tests if test.figures]
    return Figures(*map(sum, zip(*lines))) if lines else Figures()


def run_showing(command: list[str], cwd: Path | None = None,
                env: dict[str, str] | None = None) -> tuple[int, str]:
    """Returns exit status and output, which also goes to stderr as it comes."""
    print(f"running {' '.join(command)}", file=sys.stderr, flush=True)
    lines = []
    with subprocess.Popen(command, cwd=cwd, env=env, text=True,
                          errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        for line in process.stdout or ():
            print(line, end="", file=sys.stderr, flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def has_lab_tests(folder: Path) -> bool:
    """Tells a folder that holds the raft package from another."""
    return any(GO_LAB_TEST.search(file.read_text(errors="replace"))
               for file in sorted(folder.glob("*_test.go")))


def find_lab(path: str) -> Path:
    """Returns the folder of the raft package in or below `path`."""
    top = Path(path).expanduser().resolve()
    if not top.is_dir():
        raise Problem(f"GO_LAB: {path} is no directory")
    try:
        for folder in (top, top / "src" / "raft", top / "raft"):
            if has_lab_tests(folder):
                return folder
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}") from error
    raise Problem(f"GO_LAB: no raft package with tests named 2A to 2C in "
                  f"{path}, its src/raft or its raft")


def find_go() -> str:
    """Returns the path of the Go toolchain."""
    go = shutil.which("go")
    if go is None:
        raise Problem("there is no Go toolchain on the PATH: install Go, or "
                      "compare with a saved log, GO_LOG=file")
    return go


def go_environment(lab: Path) -> dict[str, str]:
    """Older years of the lab are no modules and import by relative path."""
    is_module = any((folder / "go.mod").exists()
                    for folder in (lab, *lab.parents))
    return {**os.environ} if is_module else {**os.environ, "GO111MODULE": "off"}


def run_go(lab: Path, run: str) -> list[Test]:
    """Runs the Go lab and returns its tests."""
    command = [find_go(), "test", "-count=1", "-v"]
    command += ["-run", run] if run else []
    _, output = run_showing(command, cwd=lab, env=go_environment(lab))
    tests = LogReader().read(output)
    if not tests:
        last = output.strip().rpartition("\n")[2] or "nothing"
        raise Problem(f"go test ran no test in {lab}; it ended with: {last}")
    return tests


def choose_ours(program: str, run: str, seed: str) -> list[str]:
    """Returns the command that runs our lab tests; asks for their names first.

    That also finds a wrong RUN or SEED, before anything takes minutes.
    """
    chosen = run or OUR_DEFAULT_RUN
    options = [f"--seed={seed}"]
    try:
        asked = subprocess.run(
            [program, "--list", f"--run={chosen}", *options], check=False,
            capture_output=True, text=True, errors="replace")
    except OSError as error:
        raise Problem(f"cannot run {program}: {error.strerror}; "
                      "run: make build") from error
    if asked.returncode != 0:
        said = asked.stderr.strip().partition("\n")[0]
        said = said.removeprefix("raft_tests: ")
        raise Problem(said or f"{program} --list failed")
    names = [n for n in asked.stdout.split() if OUR_LAB_TEST.fullmatch(n)]
    if not names:
        raise Problem(f'no lab test of ours matches RUN "{run}"')
    if run:
        chosen = f"^({'|'.join(names)})$"
    return [program, f"--run={chosen}", *options, "--verbose=1"]


def run_ours(command: list[str]) -> list[Test]:
    """Runs our program and returns its tests."""
    status, output = run_showing(command)
    tests = LogReader().read(output)
    if status not in (0, 1) or not tests:
        raise Problem(f"{command[0]} ended with status {status} before the end "
                      "of its tests")
    return tests


class Pair(NamedTuple):
    """The same test on both sides; None where a side has it not."""
    go: Test | None
    ours: Test | None

    @property
    def both_passed(self) -> bool:
        """Whether the two can be compared by their figures."""
        return all(test and test.result == "PASS" and test.figures
                   for test in self)


def pair_up(go: list[Test], ours: list[Test]) -> dict[str, Pair]:
    """Returns the pairs by label: the lab's tests in its order, then others."""
    go_by_label = {test.label: test for test in go}
    ours_by_label = {test.label: test for test in ours}
    by_label = {**go_by_label, **ours_by_label}
    labels = sorted(by_label,
                    key=lambda label: RANK.get(by_label[label].name, len(RANK)))
    return {label: Pair(go_by_label.get(label), ours_by_label.get(label))
            for label in labels}


# A row is its label and a group of cells for each of these.
Row = tuple[str, list[list[str]]]
GROUPS = ["result", "seconds", "RPCs", "bytes", "commits"]
HEADER: Row = ("test", [["Go", "ours"]] + 4 * [["Go", "ours", "/Go"]])


def figure_cells(figures: Figures | None) -> list[str]:
    """Returns the four figures as text, empty where there are none."""
    if figures is None:
        return ["", "", "", ""]
    return [f"{figures.seconds:,.1f}", *(f"{n:,}" for n in figures[1:])]


def ratio_cells(go: Figures, ours: Figures) -> list[str]:
    """Returns ours / Go for each figure, empty where Go has 0."""
    return [f"{o / g:.2f}" if g else "" for g, o in zip(go, ours)]


def make_row(label: str, results: list[str], cells: list[list[str]]) -> Row:
    """Arranges the cells of Go, ours and the ratios by figure."""
    return label, [results] + [list(group) for group in zip(*cells)]


def side_cells(test: Test | None) -> list[str]:
    """Returns a test's figures; if it has none, at least its duration."""
    cells = figure_cells(test.figures if test else None)
    if test and not test.figures and test.took is not None:
        cells[0] = f"{test.took:.1f}"
    return cells


def pair_row(label: str, pair: Pair) -> Row:
    """Returns the table's row for one test."""
    ratios = [""] * 4
    if pair.both_passed:
        ratios = ratio_cells(pair.go.figures, pair.ours.figures)
    return make_row(label, [test.result if test else "-" for test in pair],
                    [*map(side_cells, pair), ratios])


def total_rows(pairs: Iterable[Pair]) -> list[Row]:
    """Returns the sums over all Passed lines, and those one may compare."""
    pairs = list(pairs)
    both = [pair for pair in pairs if pair.both_passed]
    rows = []
    for label, counted in (("all Passed lines", pairs), ("both passed", both)):
        sides = [[t for t in side if t and t.figures]
                 for side in (zip(*counted) if counted else ((), ()))]
        sums = [sum_up(side) for side in sides]
        ratios = ratio_cells(*sums) if counted is both else [""] * 4
        rows.append(make_row(label, [str(len(side)) for side in sides],
                             [*map(figure_cells, sums), ratios]))
    return rows


def format_table(rows: list[Row], totals: list[Row]) -> list[str]:
    """Returns the lines of the table, its columns aligned."""
    every = [HEADER, *rows, *totals]
    label_width = max(len(label) for label, _ in every)
    widths = [[max(map(len, column)) for column in zip(*group)]
              for group in zip(*(groups for _, groups in every))]

    def line(label: str, groups: list[str]) -> str:
        return "  ".join([label.ljust(label_width), *groups]).rstrip()

    def cells_line(row: Row) -> str:
        return line(row[0], [
            " ".join(map(str.rjust, cells, width))
            for cells, width in zip(row[1], widths)])

    heads = [name.center(sum(width) + len(width) - 1, "-")
             for name, width in zip(GROUPS, widths)]
    rule = "-" * len(line("", heads))
    return [line("", heads), cells_line(HEADER), rule, *map(cells_line, rows),
            rule, *map(cells_line, totals)]


def count_line(side: str, tests: list[Test], others: list[Test]) -> str:
    """Returns how a side fared, and which tests only it has."""
    counts = Counter(test.result for test in tests)
    text = f"{side}: {counts['PASS']} passed, {counts['FAIL']} failed"
    if counts["SKIP"]:
        text += f", {counts['SKIP']} skipped"
    if counts["cut"]:
        text += f", {counts['cut']} cut off before the end"
    there = {test.label for test in others}
    alone = sum(test.label not in there for test in tests)
    return text + (f"; {alone} of them only on this side" if alone else "")


def report(go: list[Test], ours: list[Test]) -> str:
    """Returns the table and what is to be said below it."""
    pairs = pair_up(go, ours)
    rows = [pair_row(label, pair) for label, pair in pairs.items()]
    lines = format_table(rows, total_rows(pairs.values()))
    lines += ["", count_line("Go lab", go, ours), count_line("ours", ours, go),
              "/Go: ours divided by the Go lab's, where both passed",
              "-: no such test on that side"]
    return "\n".join(lines) + "\n"


def parse_options(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line; an empty value is as good as none."""
    parser = argparse.ArgumentParser(description="Compares a run of the Go lab "
                                     "with one of ours.")
    add = parser.add_argument
    add("--go-lab", default="", help="directory whose raft package to run")
    add("--go-log", default="", help="saved output of go test to read instead")
    add("--run", default="", help="only tests whose name this matches")
    add("--seed", default="", help="seed of our run")
    add("--program", default=str(ROOT / "out/plain/raft_tests"),
        help="our test program")
    add("--ours", default="", help="saved output of ours to read instead")
    return parser.parse_args(arguments)


def check_options(options: argparse.Namespace) -> None:
    """Finds what no file needs to be opened for."""
    if options.go_lab and options.go_log:
        raise Problem("give GO_LAB=directory or GO_LOG=file, not both")
    if not options.go_lab and not options.go_log:
        raise Problem("give GO_LAB=directory of a Go lab to run, or "
                      "GO_LOG=file with the output of go test")
    try:
        re.compile(options.run)
    except re.error as error:
        raise Problem(f'RUN "{options.run}" is no regular expression: '
                      f"{error}") from error


def compare(options: argparse.Namespace) -> str:
    """Returns the report. Checks everything first, then runs what must run."""
    check_options(options)
    run = options.run
    if options.go_lab:
        lab = find_lab(options.go_lab)
        find_go()
    else:
        go = matching(read_file(options.go_log), run, options.go_log)
    if options.ours:
        ours = read_ours(options.ours, run)
    else:
        command = choose_ours(options.program, run, options.seed)
    if options.go_lab:
        go = run_go(lab, run)
    if not options.ours:
        ours = run_ours(command)
    return report(go, ours)


def main(arguments: list[str]) -> int:
    """Prints the report, or the problem."""
    try:
        print(compare(parse_options(arguments)), end="")
    except Problem as problem:
        print(f"compare: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("compare: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
