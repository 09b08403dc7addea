"""Writes a comparison as text, its columns aligned.

Always true: up to nine runs, the table fits into 120 columns; a test that was
repeated has two lines more, for the least and the most.
"""

from tools.compare.pairing import (COSTS, FIGURES, Cell, Comparison, Row,
                                   Spread)

# A line is its label and a group of cells for each column group.
Line = tuple[str, list[list[str]]]
_GROUPS = ["result", *FIGURES]
_DECIMALS = {"seconds": 1, "CPU seconds": 2, "peak MB": 1}
_SIDES = ["Go", "ours", "/Go"]
_HEADER: Line = ("test", [_SIDES[:2]] + [_SIDES] * len(FIGURES))
_EXPLAINED = ["/Go: ours divided by the Go lab's, where all passed",
              "-: no such test on that side"]
_REPEATED = ["repeated tests: the median, and the range (min, max) below it; "
             "sums are of medians"]


def number(figure: str, value: float) -> str:
    """Returns a figure's value as one reads it."""
    return f"{value:,.{_DECIMALS.get(figure, 0)}f}"


def _number(figure: str, values: Spread | None, which: str) -> str:
    if values is None or (which != "median" and values.runs < 2):
        return ""
    return number(figure, getattr(values, which))


def _cells(figure: str, cell: Cell, which: str) -> list[str]:
    ratio = ""
    if which == "median" and cell.ratio is not None:
        ratio = f"{cell.ratio:.2f}"
    return [_number(figure, cell.go, which), _number(figure, cell.ours, which),
            ratio]


def is_repeated(cells: list[Cell]) -> bool:
    """Whether there is a range to show."""
    return any(values and values.runs > 1
               for cell in cells for values in cell[:2])


def _lines(row: Row) -> list[Line]:
    """Returns the median's line, then those of the range if there is one."""
    lines = []
    ranges = (("  min", "least"), ("  max", "most"))
    for label, which in [(row.label, "median"),
                         *(ranges if is_repeated(row.cells) else ())]:
        results = [*row.results] if which == "median" else ["", ""]
        lines.append((label, [results] + [
            _cells(figure, cell, which)
            for figure, cell in zip(FIGURES, row.cells)]))
    return lines


def _table(rows: list[Row], totals: list[Row]) -> list[str]:
    parts = [[line for row in part for line in _lines(row)]
             for part in (rows, totals)]
    every = [_HEADER, *parts[0], *parts[1]]
    label_width = max(len(label) for label, _ in every)
    widths = [[max(map(len, column)) for column in zip(*group)]
              for group in zip(*(groups for _, groups in every))]

    def line(label: str, groups: list[str]) -> str:
        return "  ".join([label.ljust(label_width), *groups]).rstrip()

    def cells_line(row: Line) -> str:
        return line(row[0], [
            " ".join(map(str.rjust, cells, width))
            for cells, width in zip(row[1], widths)])

    heads = [name.center(sum(width) + len(width) - 1, "-")
             for name, width in zip(_GROUPS, widths)]
    rule = "-" * len(line("", heads))
    return [line("", heads), cells_line(_HEADER), rule,
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


def report(comparison: Comparison) -> str:
    """Returns the table and what is to be said below it."""
    lines = _table(comparison.rows, comparison.totals) + [""]
    lines += map(_cost_line, COSTS, comparison.costs)
    lines += comparison.lines + _EXPLAINED
    if any(is_repeated(row.cells) for row in comparison.rows):
        lines += _REPEATED
    return "\n".join(lines) + "\n"
