"""What a run has measured: reads Google Benchmark's JSON, and takes medians.

Always true: a case's name here has no "/iterations:1/manual_time" after it, and
every repetition of it is one value, aggregates are not read.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tools.command import Problem

# What Google Benchmark appends to the name that we gave.
SUFFIX = re.compile(r"(/(iterations:\d+|repeats:\d+|manual_time|real_time))+$")

# The fields of a repetition that are no counters of ours.
OWN_FIELDS = {
    "name", "family_index", "per_family_instance_index", "run_name",
    "run_type", "repetitions", "repetition_index", "threads", "iterations",
    "real_time", "cpu_time", "time_unit", "error_occurred", "error_message",
    "label", "aggregate_name", "aggregate_unit", "big_o", "rms"}

MILLISECONDS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}


class BadFile(Problem):
    """What is wrong with a file of results."""


@dataclass
class Case:
    """All repetitions of one case."""
    counters: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


@dataclass
class Spread:
    """The values of one counter."""
    middle: float
    least: float
    most: float

    @property
    def percent(self) -> float:
        """Half of the way from the least to the most, in % of the middle."""
        if not self.middle:
            return 0.0
        return 50 * (self.most - self.least) / abs(self.middle)


def short_name(name: str) -> str:
    """Returns the name that the case was registered with."""
    return SUFFIX.sub("", name)


def quantile(values: list[float], share: float) -> float:
    """Returns the value that this share of all do not exceed."""
    return sorted(values)[int(share * (len(values) - 1) + 0.5)]


class Results:
    """The cases of one run, by name, in the order in which they ran."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.cases: dict[str, Case] = {}
        for row in rows:
            if row.get("run_type", "iteration") == "iteration":
                self._add(row)

    def _add(self, row: dict[str, Any]) -> None:
        case = self.cases.setdefault(short_name(row["name"]), Case())
        if row.get("error_occurred"):
            case.errors.append(str(row.get("error_message", "no message")))
            return
        scale = MILLISECONDS[row["time_unit"]]
        case.counters.setdefault("time_ms", []).append(
            float(row["real_time"]) * scale)
        for name, value in row.items():
            if name not in OWN_FIELDS:
                case.counters.setdefault(name, []).append(float(value))

    def values(self, case: str, counter: str) -> list[float]:
        """Returns one value for each repetition; none if it was not run."""
        return self.cases.get(case, Case()).counters.get(counter, [])

    def median(self, case: str, counter: str) -> float | None:
        """Returns the median over the repetitions."""
        values = self.values(case, counter)
        return median(values) if values else None

    def spread(self, case: str, counter: str) -> Spread | None:
        """Returns the median, and how far the others are from it."""
        values = self.values(case, counter)
        if not values:
            return None
        return Spread(median(values), min(values), max(values))

    def quantile(self, case: str, counter: str, share: float) -> float | None:
        """Returns a quantile over the repetitions."""
        values = self.values(case, counter)
        return quantile(values, share) if values else None


def parse(text: str, what: str) -> Results:
    """Takes the text of a JSON file of Google Benchmark's format."""
    try:
        rows = json.loads(text)["benchmarks"]
        if not isinstance(rows, list) or not rows:
            raise ValueError("no benchmarks")
        return Results(rows)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadFile(f"{what} is no result of make bench: give the JSON file "
                      "that an earlier run left in out/bench.json") from error


def read(path: Path) -> Results:
    """Reads such a file."""
    try:
        return parse(path.read_text(), str(path))
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}: give the JSON file that an "
                      "earlier run left in out/bench.json") from error
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is no text: give the JSON file that an earlier "
                      "run left in out/bench.json") from error
