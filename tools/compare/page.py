"""Writes a comparison as a page: the table, with bars.

Always true: the page is one file that loads nothing (it forbids itself to), and
everything in it is escaped by jinja2, names and paths too. Needs Debian's
python3-jinja2.
"""

from typing import NamedTuple

import jinja2

from tools import ROOT
from tools.compare.pairing import COSTS, Cell, Comparison, Row, Spread
from tools.compare.report import number
from tools.compare.summary import Summary

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


def block(figure: str, cell: Cell, is_share: bool = False) -> Block:
    """Returns one figure's bars; the longest fills its cell."""
    whole = max((values.most for values in cell[:2] if values), default=0)
    scale = 100 / whole if whole else 0

    def bar(side: str, label: str, values: Spread) -> Bar:
        median, least, most = (number(figure, value, is_share)
                               for value in values[:3])
        return Bar(side, label, median,
                   f"{least}–{most}" if least != most else "",
                   round(values.median * scale, 2),
                   round(values.least * scale, 2),
                   round((values.most - values.least) * scale, 2))

    sides = (("go", "Go", cell.go), ("ours", "ours", cell.ours))
    ratio = "" if cell.ratio is None else f"×{cell.ratio:.2f}"
    return Block(figure, [bar(side, label, values)
                          for side, label, values in sides if values], ratio)


def _is_bad(result: str) -> bool:
    """Whether a result is to be seen from afar: FAIL, cut, 2/3."""
    passed, slash, runs = result.partition("/")
    return result in ("FAIL", "CRASHED", "cut") or (bool(slash) and
                                                    passed != runs)


def _row(row: Row, figures: list[str]) -> dict[str, object]:
    results = [(side, label, result, _is_bad(result)) for side, label, result
               in zip(("go", "ours"), ("Go", "ours"), row.results) if result]
    return {"label": row.label, "results": results,
            "blocks": [block(figure, cell, bool(row.share_of))
                       for figure, cell in zip(figures, row.cells)]}


def render(comparison: Comparison, summary: Summary) -> str:
    """Returns the page."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    figures = comparison.figures
    return template.render(
        figures=figures, summary=summary,
        rows=[_row(row, figures) for row in comparison.rows],
        totals=[_row(row, figures) for row in comparison.totals],
        costs=list(map(block, COSTS, comparison.costs)))
