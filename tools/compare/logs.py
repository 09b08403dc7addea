"""Reads what `go test`, or our program, said of its tests.

A log is text, or the events of `go test -json` or of ours with --json, which
hold the same text. What `go test` says is found anywhere in a line, not just at
its beginning: the lab and its solutions also print, often without an end of
line. Without -v only failing tests are named; the others are known by their
titles. A log may hold several runs one after the other: then its tests are
there several times.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tools import events
from tools.command import Problem
from tools.compare import names

# A name followed by a slash is a subtest's. The second wording of a title and
# of Passed is 2025's.
_EVENT = re.compile(
    r"=== RUN +(?P<run>Test\w+)(?![\w/])"
    r"|Test (?P<title>\(\d[A-Z]\): .+?)"
    r"(?: ?\.\.\.| \((?P<network>(?:un)?reliable) network\)\.\.\.)"
    r"|\.\.\. Passed -- +(?P<seconds>\d+\.\d+) +\d+ +(?P<rpcs>\d+)"
    r" +(?P<bytes>\d+) +(?P<commits>\d+)"
    r"|\.\.\. Passed -- +time +(?P<seconds25>\d+\.\d+)s +#peers +\d+"
    r" +#RPCs +(?P<rpcs25>\d+) +#Ops +\d+"
    r"|--- (?P<verdict>PASS|FAIL|SKIP): (?P<name>Test\w+)"
    r" \((?P<took>\d+\.\d+)s\)")

# The last line of a run, of which the lab may have begun with something else.
_END = re.compile(r"(?:PASS|FAIL)\s*$|^(?:ok|FAIL)\s|^\d+ passed, \d+ failed",
                  re.MULTILINE)


class Figures(NamedTuple):
    """What a Passed line counts; 2025's counts neither bytes nor commits."""
    seconds: float
    rpcs: int
    bytes: int | None = None
    commits: int | None = None


@dataclass
class Test:
    """One execution of a test, as a log tells of it."""
    name: str
    named_by_go: bool  # else the name was concluded from the title
    titled: bool = False
    figures: Figures | None = None  # of its Passed line
    verdict: str = ""  # from the line that begins with ---
    took: float | None = None  # seconds, from the same line

    @property
    def result(self) -> str:
        """PASS, FAIL or SKIP; "cut" if the log ends before the test does."""
        return self.verdict or ("PASS" if self.figures else "cut")


class Log(NamedTuple):
    """What is in a log, and whether it seems to be all."""
    tests: list[Test]
    fault: str = ""  # how it ends too early; empty if it does not


class _Reader:
    """Collects the tests of one log from its events, in order."""

    def __init__(self) -> None:
        self.tests: list[Test] = []

    def on_event(self, event: re.Match[str]) -> None:
        """Takes the next event."""
        if event["run"]:
            self._open(names.canonical(event["run"]), named_by_go=True)
        elif event["title"]:
            self._on_title(names.name_of_title(event["title"],
                                               event["network"] or ""))
        elif event["seconds"]:
            self._on_passed(Figures(
                float(event["seconds"]), int(event["rpcs"]),
                int(event["bytes"]), int(event["commits"])))
        elif event["seconds25"]:
            self._on_passed(Figures(float(event["seconds25"]),
                                    int(event["rpcs25"])))
        else:
            self._on_verdict(event)

    def _open(self, name: str, named_by_go: bool) -> Test:
        self.tests.append(Test(name, named_by_go))
        return self.tests[-1]

    def _on_title(self, name: str) -> None:
        test = self.tests[-1] if self.tests else None
        if test is None or not test.named_by_go or test.titled \
                or test.figures or test.verdict:
            test = self._open(name, named_by_go=False)
        test.titled = True

    def _on_passed(self, figures: Figures) -> None:
        test = self.tests[-1] if self.tests else None
        if test is None or test.figures or test.verdict:
            test = self._open("(no title)", named_by_go=False)
        test.figures = figures

    def _on_verdict(self, event: re.Match[str]) -> None:
        name = names.canonical(event["name"])
        test = self.tests[-1] if self.tests else None
        if test is None or not self._is_verdict_of(test, name):
            test = self._open(name, named_by_go=True)
        test.name = name
        test.verdict = event["verdict"]
        test.took = float(event["took"])

    @staticmethod
    def _is_verdict_of(test: Test, name: str) -> bool:
        if test.verdict:
            return False
        nameless = not test.named_by_go and test.name not in names.RANK
        return test.name == name or (nameless and not test.figures)


def printed(text: str) -> str:
    """Returns what was printed, if `text` is the events of -json."""
    if not text.startswith("{"):
        return text
    return events.printed(map(events.parse, text.split("\n")))


def read(text: str) -> Log:
    """Returns the tests that `text` tells of."""
    text = printed(text)
    reader = _Reader()
    end = 0
    for event in _EVENT.finditer(text):
        reader.on_event(event)
        end = event.end()
    fault = ""
    if reader.tests and reader.tests[-1].result == "cut":
        fault = f"breaks off in {reader.tests[-1].name}"
    elif not _END.search(text, end):
        fault = "has no last line (PASS, FAIL or ok)"
    return Log(reader.tests, fault)


def read_file(path: str) -> Log:
    """Returns the tests of a saved log."""
    try:
        text = Path(path).expanduser().read_bytes().decode(errors="replace")
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}; give the file "
                      "with a run's whole output") from error
    how = "make it with: go test -v >file 2>&1 (ours: make test >file 2>&1)"
    if not text.strip():
        raise Problem(f"{path} is empty; {how}")
    log = read(text)
    if not log.tests:
        raise Problem(f"{path} is no log of go test: no lab test is in it; "
                      f"{how}")
    return log


def select(log: Log, run: str, where: str) -> Log:
    """Returns the log with only those tests that RUN means."""
    chosen = [test for test in log.tests if names.is_selected(test.name, run)]
    if not chosen:
        raise Problem(f'no test in {where} matches RUN "{run}"; leave RUN out, '
                      "or give a part of a test's name")
    return log._replace(tests=chosen)


def select_ours(log: Log, run: str, where: str) -> Log:
    """The same for a log of our program, which has other tests too."""
    tests = [t for t in log.tests if t.name in names.RANK]
    if not tests:
        raise Problem(f"{where} has none of our lab tests; give OUR_LOG a log "
                      "of make test")
    return select(log._replace(tests=tests), run, where)
