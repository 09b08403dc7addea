"""The logs of `go test` and of our program, and the tests in them.

A log may hold several runs one after the other: then its tests are there
several times.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tools.command import Problem
from tools.compare import names

# What is counted of a test, in this order.
FIGURES = ("seconds", "RPCs", "bytes", "commits", "ops", "CPU s")
# What a faster Raft, or service, does more of in a given time.
UNITS = {"commit": FIGURES.index("commits"), "op": FIGURES.index("ops")}
SHARED = ("RPCs", "bytes", "CPU s")  # each of these has its share of those


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second


class Figures(NamedTuple):
    """What a Passed line counts: of Raft bytes and commits, which some years do
    not; of a service the operations of its clients, if they are counted."""
    seconds: float
    rpcs: int
    bytes: int | None = None
    commits: int | None = None
    ops: int | None = None

    def plus(self, other: "Figures") -> "Figures":
        """Returns the sums: a test of a service may have several lines."""
        return Figures(self.seconds + other.seconds, self.rpcs + other.rpcs,
                       _sum(self.bytes, other.bytes),
                       _sum(self.commits, other.commits),
                       _sum(self.ops, other.ops))


@dataclass
class Test:
    """One execution of a test, as a log tells of it."""
    name: str
    named_by_go: bool  # else the name was concluded from the title
    own: str = ""  # what its year calls it; the name, if that is unknown
    titled: bool = False
    passed: bool = False  # it has a Passed line
    figures: Figures | None = None  # of that line
    verdict: str = ""  # from the line that begins with ---
    took: float | None = None  # seconds, from the same line
    cpu: float | None = None  # seconds
    why: str = ""    # it failed
    page: str = ""   # a file that shows its history
    unknown: int = 0  # linearizability checks that timed out
    crash: str = ""  # why its process has ended in the middle of it
    has_stopped: bool = False  # so that no test came after it

    @property
    def has_ended(self) -> bool:
        """Whether it came to its end; a Passed line is not all of go test -v's.
        """
        return bool(self.verdict) or (self.passed and not self.named_by_go)

    @property
    def result(self) -> str:
        """PASS, FAIL, SKIP or CRASHED; "cut" if the log ends before it."""
        if self.crash:
            return "CRASHED"
        return self.verdict or ("PASS" if self.has_ended else "cut")

    def values(self) -> list[float | None]:
        """Returns the figures, as FIGURES has them."""
        counted = self.figures or (self.took, None, None, None, None)
        return [*counted, self.cpu]

    def shares(self) -> list[float | None]:
        """Returns what each commit, or operation, has of the figures."""
        values = self.values()
        done = values[UNITS.get(names.unit(self.name), UNITS["commit"])]
        return [value / done if value is not None and done
                and figure in SHARED else None
                for figure, value in zip(FIGURES, values)]


class Cost(NamedTuple):
    """What one run of a side used."""
    cpu_seconds: float
    peak_mb: float  # of its largest process


@dataclass
class Log:
    """What is in a log."""
    tests: list[Test] = field(default_factory=list)
    fault: str = ""  # how it ends too early; empty if it does not
    began: list[str] = field(default_factory=list)  # of each run
    seeds: list[str] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)  # of each whole run

    def add(self, other: "Log") -> None:
        """Adds a later log."""
        self.tests += other.tests
        self.fault = self.fault or other.fault
        self.began += other.began
        self.seeds += other.seeds
        self.costs += other.costs

    @property
    def crashes(self) -> list[Test]:
        """Returns the tests that did not come back."""
        return [test for test in self.tests if test.crash]


def no_match(run: str, where: object) -> Problem:
    """Returns what to say where no test is meant by RUN."""
    return Problem(f'no test in {where} matches RUN "{run}"; leave RUN out, or '
                   "give a part of a test's name")


def select(log: Log, run: str, where: str, labs: Iterable[str] = ()) -> Log:
    """Leaves in the Go lab's log only those tests that RUN means, and that are
    of these labs; without labs, of any."""
    chosen = [test for test in log.tests
              if not labs or names.lab_of(test.name) in labs]
    meant = names.meant(run, ((test.own, test.name) for test in chosen))
    log.tests = [test for test in chosen if test.name in meant]
    if not chosen:
        raise Problem(f"{where} has no test of that lab; leave LAB out")
    if not log.tests:
        raise no_match(run, where)
    return log


def select_ours(log: Log, run: str, where: str,
                labs: Iterable[str] = names.RAFT) -> Log:
    """The same for a log of our program, which has other tests too."""
    chosen = [test for test in log.tests if names.lab_of(test.name) in labs]
    log.tests = [test for test in chosen if names.is_selected(test.name, run)]
    if not chosen:
        raise Problem(f"{where} has none of our tests of "
                      f"{', '.join(sorted(labs))}; give OUR_LOG a log of make "
                      "test")
    if not log.tests:
        raise no_match(run, where)
    return log
