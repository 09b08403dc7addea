"""The whole table: how often each part of the suite kills a mutant.

A part is judged alone: the course's tests and our own without the oracle, the
oracle without raft/'s CHECKs, and these without the oracle. Each cell counts
the seeds that kill; if none does, the search goes on to the first that does.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tools import events
from tools.mutation import run_in
from tools.mutants.suite import ALL, COURSE, OWN, Kill, Program

# The course's time limit for one run of its suite, as `go test` has it.
REAL_LIMIT_S = 600


class Column(NamedTuple):
    """What is run for a column, and which kills count there."""
    tests: tuple[str, ...]
    oracle: bool
    counts: Callable[[Kill], bool]


COLUMNS = {
    "original": Column(COURSE, False, lambda kill: kill.by == "original"),
    "course": Column(COURSE, False, lambda kill: True),
    "own": Column(OWN, False, lambda kill: True),
    "oracle": Column(ALL, True, lambda kill: kill.way == "oracle"),
}
CHECKS = Column(ALL, False, lambda kill: kill.runs_raft_check)


class Seeds:
    """The runs of one program; each is made once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.known: dict[tuple[tuple[str, ...], int, bool], list[Kill]] = {}

    def is_killed(self, column: Column, seed: int) -> bool:
        """Says whether a kill of that kind happens under a seed."""
        key = (column.tests, seed, column.oracle)
        if key not in self.known:
            self.known[key] = self.program.kills(*key)
        return any(map(column.counts, self.known[key]))

    def cell(self, column: Column, seeds: int, most: int) -> dict[str, Any]:
        """Counts; goes on to `most` if there is nothing to count."""
        killed = [seed for seed in range(1, seeds + 1)
                  if self.is_killed(column, seed)]
        first, tried = (killed[0], seeds) if killed else (None, seeds)
        while first is None and tried < most:
            tried += 1
            first = tried if self.is_killed(column, tried) else None
        return {"seeds": killed, "of": seeds, "first": first, "tried": tried}


def either(cell: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Counts the seeds under which one of two kills."""
    firsts = [c["first"] for c in (cell, other) if c["first"] is not None]
    return {"seeds": sorted({*cell["seeds"], *other["seeds"]}),
            "of": cell["of"], "first": min(firsts, default=None),
            "tried": max(cell["tried"], other["tried"])}


def columns(bare: Program, checked: Program, seeds: int,
            most: int) -> dict[str, Any]:
    """Returns all cells of a mutant: without raft/'s CHECKs and with them."""
    runs = Seeds(bare)
    cells = {key: runs.cell(column, seeds, most)
             for key, column in COLUMNS.items()}
    cells["new"] = either(cells["own"], cells["oracle"])
    cells["checks"] = Seeds(checked).cell(CHECKS, seeds, seeds)
    return cells


def run_really(program: Program, tests: Iterable[str]) -> list[events.Test]:
    """Runs tests with real threads, in real time; returns what failed."""
    ended = run_in(program.tree, [program.path, f"--lab={program.labs}", *tests,
                                  "--seed=1", "--json", "--parallel=1"],
                   REAL_LIMIT_S, {"ORACLE": "off"})
    return events.read(ended.output, ended.status).failed


def in_real_time(program: Program) -> dict[str, Any]:
    """Returns which of the course's tests fail, and which by time alone."""
    failures = run_really(program, COURSE)
    return {"failed": [failure.test for failure in failures],
            "late": [failure.test for failure in failures
                     if failure.kind == "liveness"]}


def confirmed(program: Program, real: dict[str, Any]) -> dict[str, Any]:
    """Tests that came too late beside other programs must do so alone, too."""
    names = "|".join(map(re.escape, real["late"]))
    again = {failure.test for failure in
             run_really(program, [f"--run=^({names})$"])}
    excused = set(real["late"]) - again
    return {"failed": [t for t in real["failed"] if t not in excused],
            "late": []}
