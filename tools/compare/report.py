"""Writes a comparison as text, its columns aligned.

Always true: a test that was repeated has two lines more, for the least and the
most; a long name has a line of its own.
"""

from tools.compare.pairing import COSTS, Cell, Comparison, Row, Spread
from tools.compare.summary import Summary

# A line is its label and a group of cells for each column group, or its label
# alone.
Line = tuple[str, list[list[str]]]
_DECIMALS = {"seconds": 1, "CPU seconds": 2, "CPU s": 3, "peak MB": 1}
_DECIMALS_OF_SHARES = {"RPCs": 1, "CPU s": 6}
_LABEL_WIDTH = 46
_SIDES = ["Go", "ours", "/Go"]
_EXPLAINED = "/Go: ours divided by the Go lab's, where both passed"
_ABSENT = "-: no such test on that side"
_REPEATED = ["repeated tests: the median, and the range (min, max) below it; "
             "sums are of medians"]


def number(figure: str, value: float, is_share: bool = False) -> str:
    """Returns a figure's value as one reads it."""
    decimals = _DECIMALS_OF_SHARES if is_share else _DECIMALS
    return f"{value:,.{decimals.get(figure, 0)}f}"


def _cells(figure: str, cell: Cell, which: str, is_share: bool) -> list[str]:
    def text(values: Spread | None) -> str:
        if values is None or (which != "median" and values.runs < 2):
            return ""
        return number(figure, getattr(values, which), is_share)

    has_ratio = which == "median" and cell.ratio is not None
    return [text(cell.go), text(cell.ours),
            f"{cell.ratio:.2f}" if has_ratio else ""]


def is_repeated(cells: list[Cell]) -> bool:
    """Whether there is a range to show."""
    return any(values and values.runs > 1
               for cell in cells for values in cell[:2])


def _lines(row: Row, figures: list[str]) -> list[Line]:
    """Returns the median's line, then those of the range if there is one."""
    lines: list[Line] = []
    ranges = (("  min", "least"), ("  max", "most"))
    for label, which in [(row.label, "median"),
                         *(ranges if is_repeated(row.cells) else ())]:
        results = [*row.results] if which == "median" else ["", ""]
        if len(label) > _LABEL_WIDTH:
            lines.append((label, []))
            label = ""
        lines.append((label, [results] + [
            _cells(figure, cell, which, bool(row.share_of))
            for figure, cell in zip(figures, row.cells)]))
    return lines


def _table(comparison: Comparison) -> list[str]:
    figures = comparison.figures
    header: Line = ("test", [_SIDES[:2]] + [_SIDES] * len(figures))
    parts = [[line for row in part for line in _lines(row, figures)]
             for part in (comparison.totals, comparison.rows)]
    every = [header, *parts[0], *parts[1]]
    label_width = max(len(label) for label, groups in every if groups)
    widths = [[max(map(len, column)) for column in zip(*group)]
              for group in zip(*(groups for _, groups in every if groups))]

    def line(label: str, groups: list[str]) -> str:
        return "  ".join([label.ljust(label_width), *groups]).rstrip()

    def cells_line(row: Line) -> str:
        return line(row[0], [
            " ".join(map(str.rjust, cells, width))
            for cells, width in zip(row[1], widths)])

    heads = [name.center(sum(width) + len(width) - 1, "-")
             for name, width in zip(["result", *figures], widths)]
    rule = "-" * len(line("", heads))
    return [line("", heads), cells_line(header), rule,
            *map(cells_line, parts[0]), rule, *map(cells_line, parts[1])]


def _cost_line(name: str, cell: Cell) -> str:
    """Returns what a run used: "CPU seconds of a run: Go 3.1, ours 2.0"."""
    sides = []
    for side, values in zip(_SIDES, cell[:2]):
        if values is None:
            sides.append(f"{side} not run here")
            continue
        text = f"{side} {number(name, values.median)}"
        if values.runs > 1:
            text += (f" ({number(name, values.least)}.."
                     f"{number(name, values.most)})")
        sides.append(text)
    if cell.ratio is not None:
        sides.append(f"/Go {cell.ratio:.2f}")
    return f"{name} of a run: {', '.join(sides)}"


def report(comparison: Comparison, summary: Summary) -> str:
    """Returns the table, below it why tests failed, and the rest above."""
    lines = [*summary.sides, *summary.alarms]
    lines += map(_cost_line, COSTS, comparison.costs)
    lines += [*summary.verdict, ""]
    lines += [*_table(comparison), "", *summary.failures, _EXPLAINED]
    if any("-" in row.results for row in comparison.rows):
        lines.append(_ABSENT)
    if any(is_repeated(row.cells) for row in comparison.rows):
        lines += _REPEATED
    return "\n".join(lines) + "\n"
