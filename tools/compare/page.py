"""Writes a comparison as a page: the table, with bars.

Always true: the page is one file that loads nothing (it forbids itself to), and
everything in it is escaped by jinja2, names and paths too. Needs Debian's
python3-jinja2.
"""

from typing import NamedTuple

import jinja2

from tools import ROOT
from tools.compare.pairing import (COSTS, FIGURES, Cell, Comparison, Row,
                                   Side, Spread)
from tools.compare.report import number

_TEMPLATE = ROOT / "tools/compare/page.html"


class Bar(NamedTuple):
    """One side's figure: a bar, and a line over it from the least to the most.

    Lengths are in percent of the longest thing in its cell.
    """
    side: str   # "go" or "ours", also the CSS class
    label: str
    text: str
    extent: str  # the range as text, empty if it is a point
    length: float
    start: float
    span: float


class Block(NamedTuple):
    """A figure of a row."""
    name: str
    bars: list[Bar]
    ratio: str


def _bar(side: str, label: str, figure: str, values: Spread,
         whole: float) -> Bar:
    """Returns a bar whose cell is `whole` long."""
    scale = 100 / whole if whole else 0
    least, most = (number(figure, values.least), number(figure, values.most))
    extent = f"{least}–{most}" if least != most else ""
    return Bar(side, label, number(figure, values.median), extent,
               round(values.median * scale, 2), round(values.least * scale, 2),
               round((values.most - values.least) * scale, 2))


def block(figure: str, cell: Cell) -> Block:
    whole = max((values.most for values in cell[:2] if values), default=0)
    sides = (("go", "Go", cell.go), ("ours", "ours", cell.ours))
    bars = [_bar(side, label, figure, values, whole)
            for side, label, values in sides if values]
    ratio = "" if cell.ratio is None else f"×{cell.ratio:.2f}"
    return Block(figure, bars, ratio)


def _is_bad(result: str) -> bool:
    """Whether a result is to be seen from afar: FAIL, cut, 2/3."""
    passed, slash, runs = result.partition("/")
    return result in ("FAIL", "cut") or (bool(slash) and passed != runs)


def _row(row: Row) -> dict[str, object]:
    results = [(side, label, result, _is_bad(result)) for side, label, result
               in zip(("go", "ours"), ("Go", "ours"), row.results)]
    return {"label": row.label, "results": results,
            "blocks": list(map(block, FIGURES, row.cells))}


def render(comparison: Comparison, go: Side, ours: Side) -> str:
    """Returns the page."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        figures=FIGURES, go=go, ours=ours, lines=comparison.lines,
        rows=map(_row, comparison.rows), totals=map(_row, comparison.totals),
        costs=list(map(block, COSTS, comparison.costs)))
