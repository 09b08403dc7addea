"""The tables of `make bench`: all cases, and what must hold.

Always true: a column for the base is there if there is a base, and the change
is from the base's median to this run's.
"""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench import peer_runs as peers
from bench.figures import FIGURES, Figure
from bench.measured import Results

STYLES = {"aim": "bold green", "met": "green", "missed": "red", "": "dim"}

# How a counter is written, by its name; the others are plain numbers.
UNITS = {
    "time_ms": "ms", "p50_us": "us", "p99_us": "us", "slowest_us": "us",
    "usual_p99_us": "us", "usual_slowest_us": "us", "slowest_p50_us": "us",
    "slowest_from_us": "us", "slowest_to_us": "us", "operation_us": "us",
    "call_us": "us", "to_operation_and_call": "ratio", "heap_to_data": "ratio",
    "slowest_to_p99": "ratio", "late_p50_us": "us",
    "late_p99_us": "us", "leader_ms": "ms", "first_ms": "ms",
    "cpu_ns_per_command": "ns", "ns": "ns", "seconds": "s",
    "per_second": "rate", "first_tenth": "rate", "last_tenth": "rate",
    "bytes_per_second": "rate", "last_to_first": "ratio",
    "cpu_share": "ratio", "leaderless_share": "ratio",
    "leaders_per_minute": "number", "bytes_per_command": "bytes",
    "bytes_per_entry": "bytes", "largest_bytes": "bytes", "us": "us",
    "copied_per_second": "rate", "largest_state_bytes": "bytes",
    "cpu_ns_per_record": "ns", "of_read_and_check": "ratio",
    "kernel_share": "ratio",
    "of_needed": "ratio", "heap_bytes": "bytes", "longest_silence_ms": "ms"}

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
    if unit == "bytes" and value >= 1e4:
        return f"{value:,.0f}"
    if unit in ("ratio", "number", "bytes"):
        return plain(value)
    return f"{plain(value)} {unit}"


def line(value: float | None, unit: str) -> str:
    """Writes a limit, whose unit stands beside it already."""
    return "" if value is None else \
        written(value, unit).split()[0].removesuffix("/s")


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

    def _table(self, first: str, *columns: str) -> Table:
        """Returns a table with these columns, and those of the base."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column(first, no_wrap=True)
        if self.base is not None:
            columns += ("base", "change")
        for column in columns:
            table.add_column(column, justify="right", no_wrap=True)
        return table

    def _against(self, unit: str, now: float | None,
                 base: float | None) -> list[str]:
        if self.base is None:
            return []
        return [written(base, unit), change(now, base)]

    def cases(self) -> Table:
        """Every case, and all that it measures."""
        table = self._table("case", "median", "spread")
        for name, case in self.now.cases.items():
            table.add_row(Text(name, "bold"))
            if name.startswith(SAMPLES) and case.counters:
                self._add_quantiles(table, name)
            else:
                self._add_counters(table, name)
        return table

    def _add_counters(self, table: Table, name: str) -> None:
        for counter in self.now.cases[name].counters:
            spread = self.now.spread(name, counter)
            if counter == "time_ms" or spread is None:
                continue
            unit = UNITS.get(counter, "number")
            base = self.base.median(name, counter) if self.base else None
            table.add_row(f"  {counter}", written(spread.middle, unit),
                          f"± {spread.percent:.0f} %",
                          *self._against(unit, spread.middle, base))

    def _add_quantiles(self, table: Table, name: str) -> None:
        count = len(self.now.values(name, "time_ms"))
        for part, text in ((0.5, "p50"), (0.99, "p99")):
            now = self.now.quantile(name, "time_ms", part)
            base = self.base.quantile(name, "time_ms", part) \
                if self.base else None
            table.add_row(f"  {text} of {count}", written(now, "ms"), "",
                          *self._against("ms", now, base))

    def figures(self) -> Table:
        """What must hold, and whether it did."""
        table = self._table("what must hold", "this run", "fail line", "aim",
                            "")
        for figure in FIGURES:
            if figure.group:
                table.add_row(Text(figure.group, "bold"))
            self._add_figure(table, figure)
        return table

    def _add_figure(self, table: Table, figure: Figure) -> None:
        now = figure.value(self.now)
        base = figure.value(self.base) if self.base else None
        verdict = figure.verdict(now)
        sign = "≥" if figure.more_is_better else "≤"
        table.add_row(
            f"  {figure.text}", written(now, figure.unit),
            f"{sign} {line(figure.fail, figure.unit)}",
            line(figure.aim, figure.unit),
            Text(verdict or "not run", STYLES[verdict]),
            *self._against(figure.unit, now, base))

    def show(self, console: Console) -> None:
        """Prints both; what must hold comes last, where one looks first."""
        console.print(self.cases())
        beside = peers.table(self.now)
        if beside is not None:
            console.print(beside)
        console.print(self.figures())
