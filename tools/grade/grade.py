"""Grades a Raft: points for each part of the lab, and why.

`make grade RAFT=folder`. It builds the suite around that Raft, runs it N times
in real time and under SEEDS seeds of the simulator, and under RACE_SEEDS seeds
with ThreadSanitizer.

Points. The weights file (JSON) gives points to the parts of the lab, to
"Scenario" and a part, for our scenario tests of it, and to "race". A part's
points are shared equally by its tests; a test earns the share of its runs, in
real time and simulated, that it passed. "race" is earned if no run under
ThreadSanitizer reported anything.

It writes out/grade.json and prints a table. Exit status: 0 if everything
passed, 1 if something failed or does not build, 2 for a wrong argument or a run
that was ended from outside, 130 if interrupted.
"""

import argparse
import json
import os
import re
import resource
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import ROOT, events
from tools.build import build
from tools.command import Arguments, Problem, raft_argument, write_whole
from tools.process import INTERRUPTED_STATUSES, Launcher
from tools.seeds import notice, seeds

WEIGHTS = ROOT / "tools/grade/grade_weights.json"


@dataclass
class TestResult:
    """How one test did in all of its runs."""
    part: str
    passed: int = 0
    failed: int = 0
    failing_seeds: list[int] = field(default_factory=list)  # simulated
    message: str = ""  # the first one
    repeat: str = ""   # the command for it

    def fail(self, message: str, repeat: str) -> None:
        """Counts a run that failed."""
        self.failed += 1
        self.message = self.message or message
        self.repeat = self.repeat or repeat

    @property
    def share(self) -> float:
        """The share of its runs that passed."""
        runs = self.passed + self.failed
        return self.passed / runs if runs else 0


@dataclass
class Grade:
    """All that is known of one Raft."""
    raft: str
    build_error: str = ""
    tests: dict[str, TestResult] = field(default_factory=dict)
    real_seconds: float = 0
    cpu_seconds: float = 0
    virtual_seconds: float = 0
    race: str = ""         # the first report's line; empty: clean
    race_seeds: int = 0
    rules_off: set[str] = field(default_factory=set)


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


def points(grade: Grade, weights: dict[str, float]) -> dict[str, float]:
    """Returns the points earned in each part."""
    earned = {}
    for part, whole in weights.items():
        if part == "race":
            clean = not grade.race and grade.race_seeds > 0
            earned[part] = whole if clean else 0
            continue
        shares = [result.share for result in grade.tests.values()
                  if result.part == part]
        earned[part] = whole * sum(shares) / len(shares) if shares else 0
    return {part: round(value, 2) for part, value in earned.items()}


def passed_all(grade: Grade) -> bool:
    """True if nothing at all went wrong."""
    return not grade.build_error and not grade.race and bool(grade.tests) \
        and all(result.failed == 0 for result in grade.tests.values())


def as_json(grade: Grade, weights: dict[str, float]) -> dict[str, Any]:
    """Returns what out/grade.json holds."""
    earned = points(grade, weights)
    return {
        "raft": grade.raft,
        "points": {part: {"earned": earned[part], "of": weights[part]}
                   for part in weights},
        "total": {"earned": round(sum(earned.values()), 2),
                  "of": sum(weights.values())},
        "build_error": grade.build_error,
        "race": {"seeds": grade.race_seeds, "report": grade.race},
        "oracle_rules_off": sorted(grade.rules_off),
        "seconds": {"real": round(grade.real_seconds, 1),
                    "cpu": round(grade.cpu_seconds, 1),
                    "virtual": round(grade.virtual_seconds, 1)},
        "tests": {test: {"part": result.part, "passed": result.passed,
                         "failed": result.failed,
                         "failing_seeds": result.failing_seeds,
                         "message": result.message, "repeat": result.repeat}
                  for test, result in grade.tests.items()},
    }


def table(grade: Grade, weights: dict[str, float]) -> list[str]:
    """Returns the lines for people."""
    lines = []
    for test, result in grade.tests.items():
        if result.failed:
            lines += [f"{test}: {result.failed} of "
                      f"{result.passed + result.failed} runs failed: "
                      f"{result.message}", f"    {result.repeat}"]
    if grade.build_error:
        lines.append(f"it does not build: {grade.build_error}")
    if grade.race:
        lines.append(f"race: {grade.race}")
    lines += [f"oracle rule off: {rule}" for rule in sorted(grade.rules_off)]
    earned = points(grade, weights)
    lines.append(f"{'part':10} {'tests':>5} {'passed':>6} {'points':>8} "
                 f"{'of':>6}")
    for part, whole in weights.items():
        results = [result for result in grade.tests.values()
                   if result.part == part]
        clean = sum(result.failed == 0 for result in results)
        counts = f"{len(results):5} {clean:6}" if part != "race" \
            else f"{'':12}"
        lines.append(f"{part:10} {counts} {earned[part]:8.2f} {whole:6g}")
    lines.append(f"{'total':10} {'':12} {sum(earned.values()):8.2f} "
                 f"{sum(weights.values()):6g}")
    lines.append(f"{grade.real_seconds:.0f} s in real time, "
                 f"{grade.cpu_seconds:.0f} s of CPU, "
                 f"{grade.virtual_seconds:.0f} virtual seconds")
    return lines


def read_run(grade: Grade, run: events.Run, repeat: str,
             simulated_seed: int | None = None) -> None:
    """Takes one run in; in one without a whole result all tests failed."""
    failed = {test.test: test for test in run.failed}
    for name, result in grade.tests.items():
        if name in failed:
            result.fail(failed[name].why, failed[name].repeat)
        elif run.trouble:
            result.fail(run.trouble, f"{repeat} RUN='^{name}$'")
        else:
            result.passed += 1
            continue
        if simulated_seed is not None:
            result.failing_seeds.append(simulated_seed)


def check_finished(status: int | None) -> None:
    """Raises unless the test program ran all its tests: that a test crashes or
    hangs does not end it, but a signal from outside may."""
    if status in INTERRUPTED_STATUSES:
        raise KeyboardInterrupt
    if status is None or status not in (0, 1):
        how = f"signal {-status}" if status and status < 0 else \
            f"status {status}"
        raise Problem(f"a run of the tests ended early, with {how}; start "
                         "again: nothing was written")


class Grader:
    """Builds and runs."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.place = Path(options.place)
        self.grade = Grade(options.raft or "raft")
        self.suffix = raft_argument(options.raft)

    def build(self, variant: str, program: str) -> Path:
        """Builds a program."""
        print(f"building {self.place / variant / program}", flush=True)
        return ROOT / build(program, variant, place=str(self.place),
                            jobs=self.options.jobs)

    def list_tests(self, program: Path) -> None:
        """Prepares a result for each test of the lab."""
        tests = events.listed(program, events.ALL)
        check_parts(self.options.weights, tests)
        self.grade.tests = {test.test: TestResult(test.group)
                            for test in tests}

    def run_really(self, program: Path) -> None:
        """Runs the suite in real time."""
        for seed in range(1, self.options.n + 1):
            print(f"real time, run {seed} of {self.options.n}", flush=True)
            begin = time.monotonic()
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            ended = Launcher().run([program, *events.ALL, "--json",
                                    f"--seed={seed}",
                                    f"--target=test{self.suffix}"])
            check_finished(ended.status)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.grade.real_seconds += time.monotonic() - begin
            self.grade.cpu_seconds += (after.ru_utime + after.ru_stime -
                                       before.ru_utime - before.ru_stime)
            run = events.read(ended.output, ended.status)
            read_run(self.grade, run, f"make test{self.suffix} SEED={seed}")
            self.read_log(Path(run.log))

    def read_log(self, log: Path) -> None:
        """Notes the oracle's rules that a run's log says are off."""
        if log.is_file():
            text = log.read_text("utf-8", "replace")
            self.grade.rules_off |= set(re.findall(r"oracle: off: (.*)", text))

    def seeds(self, program: Path, target: str,
              count: int) -> Iterable[seeds.SeedResult]:
        """Runs the suite simulated."""
        print(f"make {target}, {count} seeds", flush=True)
        options = argparse.Namespace(
            program=str(program), run="", target=target, profile="fair",
            raft=self.options.raft, jobs=self.options.jobs)
        with tempfile.TemporaryDirectory(prefix="grade-") as folder:
            session = seeds.Session(options, Path(folder))
            yield from session.results_here(list(range(1, count + 1)))

    def run_simulated(self, program: Path) -> None:
        """Runs the suite under the seeds."""
        for result in self.seeds(program, "sim", self.options.seeds):
            read_run(self.grade, result.run, f"make sim{self.suffix} SEEDS=1 "
                     f"SEED={result.seed}", result.seed)
            self.grade.virtual_seconds += result.virtual_ms / 1000

    def run_race(self, program: Path) -> None:
        """Runs it under ThreadSanitizer, which this process's own start made
        possible (tools/fixed_addresses.sh)."""
        os.environ["SIM_ENGINE"] = "native"
        reports: list[str] = []
        for result in self.seeds(program, "sim-race", self.options.race_seeds):
            reports += [f"{test.cause or test.message} ({test.test}, seed "
                        f"{result.seed})" for test in result.run.failed
                        if test.way == "sanitizer"]
            self.grade.race_seeds += 1
        self.grade.race = min(reports, default="")

    def run(self) -> Grade:
        """Does all of it."""
        try:
            tests = self.build("plain", "raft_tests")
            simulated = self.build("plain", "raft_sim")
            race = self.build("race", "raft_sim")
        except Problem as problem:
            self.grade.build_error = str(problem)
            return self.grade
        self.list_tests(tests)
        notice.show(simulated)
        self.run_simulated(simulated)
        self.run_race(race)
        self.run_really(tests)
        return self.grade


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = Arguments(__doc__)
    parser.texts("place", default="out")
    parser.texts("raft")
    parser.number("n", 1, 1, 1000)
    parser.number("seeds", 20, 1, 100_000)
    parser.number("race_seeds", 3, 1, 10_000)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.number("jobs", os.cpu_count() or 1, 1, seeds.MOST_JOBS)
    options = parser.read(arguments)
    options.weights = read_weights(options.weights)
    return options


def main(arguments: list[str]) -> int:
    """Does what the command line says."""
    options = parse_arguments(arguments)
    try:
        grade = Grader(options).run()
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted, nothing was written") from None
    path = ROOT / "out/grade.json"
    write_whole(path, json.dumps(as_json(grade, options.weights), indent=2)
                + "\n")
    print("\n".join(table(grade, options.weights)))
    print(f"written: {path.relative_to(ROOT)}")
    return 0 if passed_all(grade) else 1
