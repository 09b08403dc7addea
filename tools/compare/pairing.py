"""Puts two sides' tests together: medians, ranges, ratios, sums.

Always true: repetitions of a test are one row; a ratio is ours divided by the
Go lab's, and only over tests whose every repetition passed on both sides. Where
a test is bounded by time, what a faster side does more of is compared for each
commit of Raft's, or for each operation of a service's clients.
"""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tools.compare import names
from tools.compare.logs import FIGURES, SHARED, UNITS, Log, Test

# What a run costs, where it was run here.
COSTS = ("CPU seconds", "peak MB")
# By names.unit() and names.is_longer().
_TOTALS = {("", False): "both passed: fixed work",
           ("commit", False): "both passed: by time",
           ("op", False): "both passed: clients by time",
           ("op", True): "both passed: ours longer"}


@dataclass
class Side:
    """All that is known of one side."""
    name: str
    source: str  # what was read or run
    log: Log = field(default_factory=Log)
    expected: list[str] = field(default_factory=list)  # tests that were to run

    def missing(self, name: str) -> str:
        """Returns what a test is here that is not in the log."""
        tests = self.log.tests
        if self.expected:
            is_later = name in self.expected
        else:
            last = max((names.RANK.get(test.name, -1) for test in tests),
                       default=-1)
            is_later = names.RANK.get(name, -1) > last
        has_stopped = any(test.has_stopped for test in tests)
        return "not run" if has_stopped and is_later else "-"


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
    share_of: str = ""  # "commit": what each has of the row above


class Comparison(NamedTuple):
    """All figures that are to be shown."""
    figures: list[str]  # those that there are
    totals: list[Row]
    rows: list[Row]
    costs: list[Cell]   # one for each of COSTS, or none


def spread(values: Iterable[float | None]) -> Spread | None:
    """Returns median and range of those values that are there."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(statistics.median(known), min(known), max(known), len(known))


def _spreads(tests: Sequence[Test], values: Callable[[Test], Iterable[
        float | None]]) -> list[Spread | None]:
    columns = zip(*map(values, tests)) if tests else [()] * len(FIGURES)
    return [spread(column) for column in columns]


class Group:
    """All repetitions of a test on one side; perhaps none."""

    def __init__(self, tests: Sequence[Test], missing: str = "-") -> None:
        self.tests = tests
        self._missing = missing
        passed = [test for test in tests if test.result == "PASS"]
        self.all_passed = bool(tests) and len(passed) == len(tests)
        self.figures = _spreads(passed, Test.values)
        self.shares = _spreads(passed, Test.shares)

    @property
    def result(self) -> str:
        """How it ended; of several, how many of how many passed."""
        if len(self.tests) < 2:
            return self.tests[0].result if self.tests else self._missing
        passed = sum(test.result == "PASS" for test in self.tests)
        crashed = any(test.crash for test in self.tests)
        return f"{passed}/{len(self.tests)}{' CRASHED' if crashed else ''}"

    def shown(self) -> list[Spread | None]:
        """Returns the figures; if there are none, at least the duration."""
        if any(self.figures):
            return self.figures
        return [spread(test.took for test in self.tests), *self.figures[1:]]


class Pair(NamedTuple):
    """The same test on both sides."""
    go: Group
    ours: Group
    unit: str = ""  # what there is more of if the test is bounded by time
    is_longer: bool = False  # then ours has more time: only shares compare

    @property
    def both_passed(self) -> bool:
        """Whether the two can be compared by their figures."""
        return self.go.all_passed and self.ours.all_passed

    def compares(self, figure: str) -> bool:
        """Whether a ratio of that figure says which side is better."""
        return not self.is_longer and not (self.unit and figure in SHARED)

    def has(self, figure: int) -> bool:
        """Whether both sides have that figure."""
        return bool(self.go.figures[figure] and self.ours.figures[figure])


def cell(go: Spread | None, ours: Spread | None, comparable: bool) -> Cell:
    """Returns both with their ratio, which Go's 0 has not."""
    ratio = None
    if comparable and go and ours and go.median:
        ratio = ours.median / go.median
    return Cell(go, ours, ratio)


def _group(side: Side, name: str) -> Group:
    return Group([test for test in side.log.tests if test.name == name],
                 side.missing(name))


def pair_up(go: Side, ours: Side) -> dict[str, Pair]:
    """Returns the pairs by name: the lab's tests in its order, then others."""
    found = dict.fromkeys(test.name for test in [*go.log.tests,
                                                 *ours.log.tests])
    found |= dict.fromkeys(name for side in (go, ours) for name in side.expected
                           if side.missing(name) == "not run")
    ordered = sorted(found, key=lambda name: names.RANK.get(name, len(found) +
                                                            len(names.RANK)))
    return {name: Pair(_group(go, name), _group(ours, name),
                       names.unit(name), names.is_longer(name))
            for name in ordered}


def _rows(label: str, pair: Pair) -> list[Row]:
    """Returns the row of a test, and one for the share of a unit."""
    cells = [cell(go, ours, pair.both_passed and pair.compares(figure))
             for figure, go, ours
             in zip(FIGURES, pair.go.shown(), pair.ours.shown())]
    rows = [Row(label, (pair.go.result, pair.ours.result), cells)]
    if pair.unit and (any(pair.go.shares) or any(pair.ours.shares)):
        shares = [cell(go, ours, pair.both_passed) for go, ours
                  in zip(pair.go.shares, pair.ours.shares)]
        rows.append(_share_row(pair.unit, shares))
    return rows


def _share_row(unit: str, shares: list[Cell]) -> Row:
    return Row(f"  per {unit}", ("", ""), shares, unit)


def _sides(pairs: Iterable[Pair]) -> tuple[list[Group], list[Group]]:
    both = list(pairs)
    return [pair.go for pair in both], [pair.ours for pair in both]


def _sum(groups: Iterable[Group], figure: int) -> Spread | None:
    """Returns the sum of the medians, as a spread of its own."""
    parts = [group.figures[figure] for group in groups]
    known = [part.median for part in parts if part is not None]
    return spread([sum(known)]) if known else None


def _total_of_each(pairs: list[Pair]) -> Row:
    """Returns the sums over what each side passed."""
    go, ours = _sides(pairs)
    cells = [_cell_of_sums(pairs, figure, False)
             for figure in range(len(FIGURES))]
    counts = [str(sum(any(group.figures) for group in side))
              for side in (go, ours)]
    return Row("all passed", (counts[0], counts[1]), cells)


def _total_of_both(label: str, chosen: list[Pair]) -> list[Row]:
    """Returns the sums over tests of one kind, which both passed; a figure's
    only over those that have it on both sides."""
    if not chosen:
        return []
    unit = chosen[0].unit
    cells, shares = [], []
    for index, figure in enumerate(FIGURES):
        both = [pair for pair in chosen if pair.has(index)]
        cells.append(_cell_of_sums(both, index, chosen[0].compares(figure)))
        shares.append(_cell_of_shares(both, index, unit)
                      if unit and figure in SHARED else Cell(None, None, None))
    count = str(len(chosen))
    rows = [Row(label, (count, count), cells)]
    if any(share.ratio is not None for share in shares):
        rows.append(_share_row(unit, shares))
    return rows


def _cell_of_sums(pairs: list[Pair], figure: int, comparable: bool) -> Cell:
    go, ours = _sides(pairs)
    return cell(_sum(go, figure), _sum(ours, figure), comparable)


def _cell_of_shares(pairs: list[Pair], figure: int, unit: str) -> Cell:
    """Returns what each unit of those tests has of a figure."""
    go, ours = _sides(pair for pair in pairs if pair.has(UNITS[unit]))
    return cell(_share(go, figure, unit), _share(ours, figure, unit), True)


def _share(groups: list[Group], figure: int, unit: str) -> Spread | None:
    whole, done = _sum(groups, figure), _sum(groups, UNITS[unit])
    if not whole or not done or not done.median:
        return None
    return spread([whole.median / done.median])


def _costs(go: Side, ours: Side, pairs: Iterable[Pair]) -> list[Cell]:
    """What the runs used; a ratio only if all that ran has passed on both, in
    the same time."""
    if not go.log.costs and not ours.log.costs:
        return []
    comparable = all(pair.both_passed and not pair.is_longer for pair in pairs)
    columns = [list(zip(*side.log.costs)) or [()] * len(COSTS)
               for side in (go, ours)]
    return [cell(spread(g), spread(o), comparable) for g, o in zip(*columns)]


def compare(go: Side, ours: Side) -> Comparison:
    """Puts the two sides together."""
    named = pair_up(go, ours)
    pairs = list(named.values())
    totals = [_total_of_each(pairs)]
    for kind, label in _TOTALS.items():
        totals += _total_of_both(label, [
            pair for pair in pairs if pair.both_passed
            and (pair.unit, pair.is_longer) == kind])
    rows = [row for item in named.items() for row in _rows(*item)]
    known = [index for index in range(len(FIGURES)) if any(
        row.cells[index].go or row.cells[index].ours for row in rows)]

    def trim(row: Row) -> Row:
        return row._replace(cells=[row.cells[index] for index in known])

    return Comparison([FIGURES[index] for index in known],
                      list(map(trim, totals)), list(map(trim, rows)),
                      _costs(go, ours, pairs))
