"""The tables of `make bench`: all cases, and what must hold.

Who calls it: bench.py.

Always true: a column for the base is there if there is a base, and the change
is from the base's median to this run's.
"""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from figures import FIGURES, Figure
from results import Results

STYLES = {"aim": "bold green", "met": "green", "missed": "red", "": "dim"}

# How a counter is written, by its name; the others are plain numbers.
UNITS = {
    "time_ms": "ms", "p50_us": "us", "p99_us": "us", "late_p50_us": "us",
    "late_p99_us": "us", "leader_ms": "ms", "first_ms": "ms",
    "cpu_ns_per_command": "ns", "ns": "ns", "seconds": "s",
    "per_second": "rate", "first_tenth": "rate", "last_tenth": "rate",
    "bytes_per_second": "rate", "last_to_first": "ratio",
    "cpu_share": "ratio", "bytes_per_command": "bytes",
    "bytes_per_entry": "bytes", "largest_bytes": "bytes"}

# Cases that are one sample each; their quantiles are what counts.
SAMPLES = ("election/", "virtual/election/")


def plain(value: float) -> str:
    """Writes a number with some three digits."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    if abs(value) < 0.1:
        return f"{value:.3g}"
    return f"{value:,.{digits}f}"


def with_prefix(value: float) -> str:
    """Writes a number with k, M or G."""
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{plain(value / (1e3 if letter == 'k' else limit))}{letter}"
    return plain(value)


def written(value: float | None, unit: str) -> str:
    """Writes a value in its unit."""
    if value is None:
        return "-"
    if unit == "rate":
        return f"{with_prefix(value)}/s"
    if unit in ("ratio", "number"):
        return plain(value)
    if unit == "bytes" and value >= 1e4:
        return f"{value:,.0f} bytes"
    return f"{plain(value)} {unit}"


def change(now: float | None, base: float | None) -> str:
    """Writes by how much `now` is more than `base`."""
    if now is None or not base:
        return "-"
    return f"{100 * (now / base - 1):+.1f} %"


class Tables:
    """Both tables of one run, beside those of an earlier one if it is given."""

    def __init__(self, now: Results, base: Results | None) -> None:
        self.now = now
        self.base = base

    def _columns(self, table: Table) -> Table:
        if self.base is not None:
            table.add_column("base", justify="right", no_wrap=True)
            table.add_column("change", justify="right", no_wrap=True)
        return table

    def _against(self, unit: str, now: float | None,
                 base: float | None) -> list[str]:
        if self.base is None:
            return []
        return [written(base, unit), change(now, base)]

    def cases(self) -> Table:
        """Every case, and all that it measures."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("case", overflow="fold")
        table.add_column("figure", no_wrap=True)
        table.add_column("median", justify="right", no_wrap=True)
        table.add_column("spread", justify="right", no_wrap=True)
        self._columns(table)
        for name, case in self.now.cases.items():
            if name.startswith(SAMPLES) and case.counters:
                self._add_quantiles(table, name)
            else:
                self._add_counters(table, name)
        return table

    def _add_counters(self, table: Table, name: str) -> None:
        counters = [counter for counter in self.now.cases[name].counters
                    if counter != "time_ms"]
        for i, counter in enumerate(counters):
            spread = self.now.spread(name, counter)
            unit = UNITS.get(counter, "number")
            base = self.base and self.base.median(name, counter)
            table.add_row(
                name if i == 0 else "", counter,
                written(spread and spread.middle, unit),
                f"± {spread.percent:.0f} %" if spread else "",
                *self._against(unit, spread and spread.middle, base))

    def _add_quantiles(self, table: Table, name: str) -> None:
        count = len(self.now.values(name, "time_ms"))
        for part, text in ((0.5, "p50"), (0.99, "p99")):
            now = self.now.quantile(name, "time_ms", part)
            base = self.base and self.base.quantile(name, "time_ms", part)
            table.add_row(
                name if part == 0.5 else "", f"{text} of {count}",
                written(now, "ms"), "", *self._against("ms", now, base))

    def figures(self) -> Table:
        """What must hold, and whether it did."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("")
        table.add_column("figure")
        for name in ("this run", "fail line", "aim"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        self._columns(table)
        for figure in FIGURES:
            self._add_figure(table, figure)
        return table

    def _add_figure(self, table: Table, figure: Figure) -> None:
        now = figure.value(self.now)
        base = figure.value(self.base) if self.base else None
        verdict = figure.verdict(now)
        sign = "≥ " if figure.more_is_better else "≤ "
        table.add_row(
            figure.group, figure.text, written(now, figure.unit),
            sign + written(figure.fail, figure.unit),
            "" if figure.aim is None else
            sign + written(figure.aim, figure.unit),
            Text(verdict or "not run", STYLES[verdict]),
            *self._against(figure.unit, now, base))

    def show(self, console: Console) -> None:
        """Prints both; what must hold comes last, where one looks first."""
        console.print(self.cases())
        console.print(self.figures())
