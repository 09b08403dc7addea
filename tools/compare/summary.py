"""Says in words what a comparison comes to: the lines around its table."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from tools.compare.pairing import Comparison, Row, Side

_MORE_IS_BETTER = ("commits", "ops")
_NAMES = {"CPU s": "CPU seconds"}


class Summary(NamedTuple):
    """Lines to be shown, in this order; the table comes before the last."""
    sides: list[str]
    alarms: list[str]  # what ended too early
    verdict: list[str]
    failures: list[str]


def _source(side: Side) -> str:
    """Returns where the figures of a side are from, and from when."""
    log = side.log
    said = [side.source, log.began[0] if log.began else "of unknown date"]
    if len(log.began) > 1:
        last = ", ".join(log.began[-1].split(", ")[:2])  # date and load
        said.append(f"the last of {len(log.began)} runs {last}")
    if log.seeds:
        said.append(f"seed{'s'[:len(log.seeds) > 1]} {', '.join(log.seeds)}")
    return "    " + "; ".join(said)


def _counts(side: Side, other: Side) -> str:
    """Returns how a side fared, and which tests only it has."""
    counts = Counter(test.result for test in side.log.tests)
    there = {test.name for test in other.log.tests}
    here = {test.name for test in side.log.tests}
    counts["not run"] = sum(side.missing(name) == "not run" for name in
                            {*side.expected, *there} - here)
    text = f"{side.name}: {counts['PASS']} passed, {counts['FAIL']} failed"
    for result, word in (("CRASHED", "crashed"), ("not run", "not run"),
                         ("SKIP", "skipped"),
                         ("cut", "cut off before the end")):
        if counts[result]:
            text += f", {counts[result]} {word}"
    if unknown := sum(test.unknown for test in side.log.tests):
        text += (f", {unknown} linearizability check{'s'[:unknown > 1]} timed "
                 "out")
    alone = here - there
    return text + (f"; {len(alone)} of the tests only on this side" if alone
                   else "")


def _counted(lines: Iterable[str]) -> list[str]:
    """Returns each line once."""
    return [line + (f" ({times} times)" if times > 1 else "")
            for line, times in Counter(lines).items()]


def _alarms(side: Side) -> list[str]:
    """Returns a line for each crash, and one if the log ends too early."""
    lines = _counted(f"{side.name}: CRASHED in {test.name}: {test.crash}"
                     for test in side.log.tests if test.crash)
    if side.log.fault:
        lines.append(f"{side.name}: TRUNCATED: its output ({side.source}) "
                     f"{side.log.fault}; only what is before that is compared")
    return lines


def _clauses(row: Row, figures: list[str]) -> str:
    # Where the work is fixed, the number of commits or ops says nothing.
    return ", ".join(
        f"{cell.ratio:.2f} of the {_NAMES.get(figure, figure)}"
        for figure, cell in zip(figures, row.cells) if cell.ratio is not None
        and (figure not in _MORE_IS_BETTER or row.label.endswith("time")))


def _verdict(comparison: Comparison) -> list[str]:
    """Returns what the totals say."""
    found = []
    unsaid = ""  # which tests the next line is about
    for row in comparison.totals:
        label = f"{unsaid}for each of their {row.share_of}s" if row.share_of \
            else f"{row.label.partition(': ')[2]} ({row.results[0]})"
        if clauses := _clauses(row, comparison.figures):
            found.append(f"    {label}: {clauses}")
        unsaid = "" if clauses else f"{label}, "
    if not found:
        return ["verdict: no figures of a test that passed on both sides"]
    more = " and ".join(figure for figure in comparison.figures
                        if figure in _MORE_IS_BETTER)
    return ["verdict: in tests that both passed, ours has of the Go lab's",
            *found, f"    (less is better{more and f', but of {more} more'})"]


def _failures(side: Side) -> list[str]:
    """Returns why tests failed, and which histories were not checked."""
    lines = [f"{side.name}: {test.name}: "
             f"{test.why or 'its output does not say why it failed'}"
             f"{test.page and f'; see {test.page}'}"
             for test in side.log.tests if test.result == "FAIL"]
    lines += [f"{side.name}: {test.name}: the linearizability check timed out, "
              "and the tester takes the history for right"
              for test in side.log.tests for _ in range(test.unknown)]
    return _counted(lines)


def summarize(comparison: Comparison, *sides: Side) -> Summary:
    """Returns the lines of a comparison of the Go lab's side and ours."""
    go, ours = sides
    return Summary(
        [line for side, other in ((go, ours), (ours, go))
         for line in (_counts(side, other), _source(side))],
        [*_alarms(go), *_alarms(ours)], _verdict(comparison),
        [*_failures(go), *_failures(ours)])
