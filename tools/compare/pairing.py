"""Puts two sides' tests together: medians, ranges, ratios, sums.

Always true: repetitions of a test are one row; a ratio is ours divided by the
Go lab's, and only there where every repetition passed on both sides.
"""

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tools.compare import names
from tools.compare.logs import Log, Test

# What a Passed line counts, in this order.
FIGURES = ("seconds", "RPCs", "bytes", "commits")
# What a run costs, where it was run here.
COSTS = ("CPU seconds", "peak MB")


class Cost(NamedTuple):
    """What one run of a side used."""
    cpu_seconds: float
    peak_mb: float  # of its largest process


@dataclass
class Side:
    """All that is known of one side."""
    name: str
    source: str  # what was read or run
    log: Log
    costs: list[Cost] = field(default_factory=list)


class Spread(NamedTuple):
    """A figure over all repetitions."""
    median: float
    least: float
    most: float
    runs: int


class Cell(NamedTuple):
    """One figure on both sides; None where there is none."""
    go: Spread | None
    ours: Spread | None
    ratio: float | None


class Row(NamedTuple):
    """One line of the comparison, a cell for each figure."""
    label: str
    results: tuple[str, str]
    cells: list[Cell]


class Comparison(NamedTuple):
    """All that is to be shown."""
    rows: list[Row]
    totals: list[Row]
    costs: list[Cell]  # one for each of COSTS, or none
    lines: list[str]   # what is to be said below


def spread(values: Iterable[float | None]) -> Spread | None:
    """Returns median and range of those values that are there."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(statistics.median(known), min(known), max(known), len(known))


class Group:
    """All repetitions of a test on one side; perhaps none."""

    def __init__(self, tests: Sequence[Test]) -> None:
        self.tests = tests
        lines = [test.figures for test in tests if test.figures]
        columns = list(zip(*lines)) or [()] * len(FIGURES)
        self.figures = [spread(column) for column in columns]
        self.all_passed = bool(lines) and all(
            test.figures and test.result == "PASS" for test in tests)

    @property
    def has_figures(self) -> bool:
        """Whether there is a Passed line."""
        return self.figures[0] is not None

    @property
    def result(self) -> str:
        """How it ended; of several, how many of how many passed."""
        if len(self.tests) > 1:
            passed = sum(test.result == "PASS" for test in self.tests)
            return f"{passed}/{len(self.tests)}"
        return self.tests[0].result if self.tests else "-"

    def shown(self) -> list[Spread | None]:
        """Returns the figures; if there are none, at least the duration."""
        if self.has_figures:
            return self.figures
        return [spread(test.took for test in self.tests), *self.figures[1:]]


class Pair(NamedTuple):
    """The same test on both sides."""
    go: Group
    ours: Group

    @property
    def both_passed(self) -> bool:
        """Whether the two can be compared by their figures."""
        return self.go.all_passed and self.ours.all_passed


def cell(go: Spread | None, ours: Spread | None, comparable: bool) -> Cell:
    """Returns both with their ratio, which Go's 0 has not."""
    ratio = None
    if comparable and go and ours and go.median:
        ratio = ours.median / go.median
    return Cell(go, ours, ratio)


def pair_up(go: list[Test], ours: list[Test]) -> dict[str, Pair]:
    """Returns the pairs by name: the lab's tests in its order, then others."""
    found = dict.fromkeys(test.name for test in [*go, *ours])
    ordered = sorted(found, key=lambda name: names.RANK.get(name, len(found) +
                                                            len(names.RANK)))
    return {name: Pair(*(Group([test for test in side if test.name == name])
                         for side in (go, ours)))
            for name in ordered}


def _row(label: str, pair: Pair) -> Row:
    cells = [cell(go, ours, pair.both_passed)
             for go, ours in zip(pair.go.shown(), pair.ours.shown())]
    return Row(label, (pair.go.result, pair.ours.result), cells)


def _sum(groups: Iterable[Group], figure: int) -> Spread | None:
    """Returns the sum of the medians, as a spread of its own."""
    parts = [group.figures[figure] for group in groups]
    known = [part.median for part in parts if part is not None]
    return spread([sum(known)]) if known else None


def _total(label: str, pairs: list[Pair], comparable: bool) -> Row:
    sides = [[group for group in side if group.has_figures]
             for side in (zip(*pairs) if pairs else ((), ()))]
    cells = []
    for figure in range(len(FIGURES)):
        # A sum over fewer tests than the other side's compares with nothing.
        whole = comparable and all(group.figures[figure]
                                   for side in sides for group in side)
        cells.append(cell(_sum(sides[0], figure), _sum(sides[1], figure),
                          whole))
    return Row(label, (str(len(sides[0])), str(len(sides[1]))), cells)


def _costs(go: Side, ours: Side) -> list[Cell]:
    """What the runs used; a ratio only if both ran the same tests."""
    same, every = ({test.name for test in side.log.tests}
                   for side in (go, ours))
    if not go.costs and not ours.costs:
        return []
    columns = [list(zip(*side.costs)) or [()] * len(COSTS)
               for side in (go, ours)]
    return [cell(spread(g), spread(o), same == every)
            for g, o in zip(*columns)]


def _count_line(side: Side, other: Side) -> str:
    """Returns how a side fared, and which tests only it has."""
    counts = Counter(test.result for test in side.log.tests)
    text = f"{side.name}: {counts['PASS']} passed, {counts['FAIL']} failed"
    if counts["SKIP"]:
        text += f", {counts['SKIP']} skipped"
    if counts["cut"]:
        text += f", {counts['cut']} cut off before the end"
    there = {test.name for test in other.log.tests}
    alone = {test.name for test in side.log.tests} - there
    return text + (f"; {len(alone)} of the tests only on this side" if alone
                   else "")


def _fault_line(side: Side) -> list[str]:
    """Returns a line if the side's log ends too early."""
    if not side.log.fault:
        return []
    return [f"{side.name}: TRUNCATED: its output ({side.source}) "
            f"{side.log.fault}; only what is before that is compared"]


def compare(go: Side, ours: Side) -> Comparison:
    """Puts the two sides together."""
    pairs = pair_up(go.log.tests, ours.log.tests)
    both = [pair for pair in pairs.values() if pair.both_passed]
    totals = [_total("all Passed lines", [*pairs.values()], comparable=False),
              _total("both passed", both, comparable=True)]
    lines = [_count_line(go, ours), _count_line(ours, go),
             *_fault_line(go), *_fault_line(ours)]
    return Comparison([_row(*item) for item in pairs.items()], totals,
                      _costs(go, ours), lines)
