"""What a grading has found of one solution, and the points that come of it.

A part's points are shared equally by its tests; a test earns the share of its
runs that it passed. A test that was to run and has no outcome has failed. A run
whose scenario could not be set up counts neither way, and what costs too much
fails the course's tests and those of economy only.
"race" is earned if no run under ThreadSanitizer had a report, in the share of
those runs that passed: what does nothing, or ends itself there, has no race
either.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import events
from tools.command import Problem


@dataclass
class TestResult:
    """How one test did in all of its runs."""
    part: str
    passed: int = 0
    failed: int = 0
    unclear: int = 0   # could not be set up
    failing_seeds: list[int] = field(default_factory=list)  # simulated
    kinds: Counter[str] = field(default_factory=Counter)
    message: str = ""  # the first one
    repeat: str = ""   # the command for it

    def fail(self, kind: str, message: str, repeat: str) -> None:
        """Counts a run that failed."""
        self.failed += 1
        self.kinds[kind] += 1
        self.message = self.message or message
        self.repeat = self.repeat or repeat

    @property
    def share(self) -> float:
        """The share of its runs that passed."""
        runs = self.passed + self.failed
        return self.passed / runs if runs else 0


@dataclass
class Grade:
    """All that is known of one solution."""
    name: str
    build_error: str = ""
    tests: dict[str, TestResult] = field(default_factory=dict)
    real_seconds: float = 0     # of the runs in real time
    whole_seconds: float = 0    # of the grading
    cpu_seconds: float | None = None
    virtual_seconds: float = 0
    race: str = ""              # why "race" is not earned; empty: clean
    race_seeds: int = 0
    race_tests: dict[str, TestResult] = field(default_factory=dict)
    rules_off: set[str] = field(default_factory=set)
    to_look_at: list[str] = field(default_factory=list)  # for the staff
    trouble: str = ""           # why runs are missing

    def read_run(self, run: events.Run, repeat: str,
                 simulated_seed: int | None = None) -> None:
        """Takes one run in: every test that was to run, by its name."""
        self._count(self.tests, run, repeat, simulated_seed)

    def read_race_run(self, run: events.Run, repeat: str, seed: int) -> None:
        """Takes one run under ThreadSanitizer in."""
        self.race_seeds += 1
        self._count(self.race_tests, run, repeat, seed)

    @staticmethod
    def _count(results: dict[str, TestResult], run: events.Run, repeat: str,
               simulated_seed: int | None) -> None:
        outcomes: dict[str, list[events.Test]] = {}
        for test in run.tests:
            outcomes.setdefault(test.test, []).append(test)
        for name, result in results.items():
            ends = outcomes.get(name, [])
            failed = [test for test in ends if test.action == "fail"]
            if [test.action for test in ends] == ["pass"] and not run.trouble:
                result.passed += 1
                continue
            if failed and failed[0].says_nothing:
                result.unclear += 1
                continue
            if failed and failed[0].is_only_costly:
                result.passed += 1
                continue
            if failed:
                result.fail(failed[0].kind, failed[0].why, failed[0].repeat)
            else:
                result.fail("harness", run.trouble or "it did not run",
                            f"{repeat} RUN='^{name}$'")
            if simulated_seed is not None:
                result.failing_seeds.append(simulated_seed)

    def points(self, weights: dict[str, float]) -> dict[str, float]:
        """Returns the points earned in each part."""
        earned = {}
        for part, whole in weights.items():
            if part == "race":
                results = [] if self.race else list(self.race_tests.values())
            else:
                results = [result for result in self.tests.values()
                           if result.part == part]
            shares = sum(result.share for result in results)
            earned[part] = whole * shares / max(len(results), 1)
        return {part: round(value, 2) for part, value in earned.items()}

    def total(self, weights: dict[str, float]) -> float:
        """Returns all points earned."""
        return round(sum(self.points(weights).values()), 2)

    @property
    def passed_all(self) -> bool:
        """True if nothing at all went wrong."""
        return not self.build_error and not self.race and bool(self.tests) \
            and not self.trouble \
            and all(result.failed == 0 for result in self.tests.values())

    def failures(self) -> str:
        """Says how many tests failed, by the kinds of their failures."""
        kinds = Counter(max(result.kinds, key=result.kinds.__getitem__)
                        for result in self.tests.values() if result.kinds)
        return ", ".join(f"{count} {kind}" for kind, count in
                         sorted(kinds.items()))

    def as_json(self, weights: dict[str, float]) -> dict[str, Any]:
        """Returns what a grade's file holds."""
        earned = self.points(weights)
        return {
            "name": self.name,
            "points": {part: {"earned": earned[part], "of": weights[part]}
                       for part in weights},
            "total": {"earned": self.total(weights),
                      "of": sum(weights.values())},
            "passed_all": self.passed_all,
            "failures": self.failures(),
            "build_error": self.build_error,
            "trouble": self.trouble,
            "race": {"seeds": self.race_seeds, "report": self.race},
            "to_look_at": self.to_look_at,
            "oracle_rules_off": sorted(self.rules_off),
            "seconds": {"real": round(self.real_seconds, 1),
                        "whole": round(self.whole_seconds, 1),
                        "cpu": self.cpu_seconds,
                        "virtual": round(self.virtual_seconds, 1)},
            "tests": {test: {"part": result.part, "passed": result.passed,
                             "unclear": result.unclear,
                             "failed": result.failed,
                             "failing_seeds": result.failing_seeds,
                             "kinds": dict(result.kinds),
                             "message": result.message,
                             "repeat": result.repeat}
                      for test, result in self.tests.items()},
        }

    def table(self, weights: dict[str, float]) -> list[str]:
        """Returns the lines for people."""
        lines = []
        for test, result in self.tests.items():
            if result.failed:
                kinds = ", ".join(result.kinds)
                lines += [f"{test}: {result.failed} of "
                          f"{result.passed + result.failed} runs failed "
                          f"({kinds}): {result.message}",
                          f"    {result.repeat}"]
        if self.build_error:
            lines.append(f"it does not build: {self.build_error}")
        if self.race:
            lines.append(f"race: {self.race}")
        if self.trouble:
            lines.append(self.trouble)
        lines += [f"look at it: {what}" for what in self.to_look_at]
        lines += [f"oracle rule off: {rule}" for rule in sorted(self.rules_off)]
        lines += self._points_table(weights)
        cpu = "" if self.cpu_seconds is None else \
            f"{self.cpu_seconds:.0f} s of CPU, "
        lines.append(f"{self.whole_seconds:.0f} s, {cpu}"
                     f"{self.real_seconds:.0f} s in real time, "
                     f"{self.virtual_seconds:.0f} virtual seconds")
        return lines

    def _points_table(self, weights: dict[str, float]) -> list[str]:
        earned = self.points(weights)
        lines = [f"{'part':10} {'tests':>5} {'passed':>6} {'points':>8} "
                 f"{'of':>6}"]
        for part, whole in weights.items():
            results = [result for result in self.tests.values()
                       if result.part == part]
            clean = sum(result.failed == 0 for result in results)
            counts = f"{len(results):5} {clean:6}" if part != "race" \
                else f"{'':12}"
            lines.append(f"{part:10} {counts} {earned[part]:8.2f} {whole:6g}")
        lines.append(f"{'total':10} {'':12} {self.total(weights):8.2f} "
                     f"{sum(weights.values()):6g}")
        return lines


def read_weights(path: Path) -> dict[str, float]:
    """Returns the points of each part."""
    try:
        weights = json.loads(path.read_text())
    except OSError as error:
        raise Problem(f"WEIGHTS={path}: {error.strerror}; give a file like "
                      "tools/grade/grade_weights.json") from error
    except ValueError as error:
        raise Problem(f"WEIGHTS={path} is no JSON: {error}") from error
    if not isinstance(weights, dict) or not weights:
        raise Problem(f"WEIGHTS={path}: give an object of parts and points")
    for part, points in weights.items():
        if isinstance(points, bool) or not isinstance(points, (int, float)) \
                or not 0 <= points < 1e6:
            raise Problem(f"WEIGHTS={path}: the points of {part} must be "
                          "a number that is not negative")
    return weights


def check_parts(weights: dict[str, float], tests: list[events.Test]) -> None:
    """Raises Problem if no test is of one of the parts."""
    parts = list(dict.fromkeys(test.group for test in tests)) + ["race"]
    for part in weights:
        if part not in parts:
            raise Problem(f"WEIGHTS: there is no part \"{part}\"; give some "
                          f"of {', '.join(parts)}")
