"""Runs what continuous integration checks, within a budget of time.

Called by .ci/run. CI_BUDGET is the number of minutes, 40 by default: plan.py
says what runs in any case, and what as far as there is time. A step that fails
does not hide later ones. Prints a table of the steps, and as the last line the
results of all test runs. Exit status: 0 if all passed, 1 if something failed, 2
for a wrong argument, 130 if interrupted.
"""

import math
import os
import re
import time
from collections.abc import Callable

from tools import ROOT
from tools.ci.plan import Command, Step, next_step, steps_of
from tools.command import Problem
from tools.process import Launcher, ask

DEFAULT_BUDGET_MIN = 40
LINTED_COMMITS = 200
RESULT = re.compile(r"(\d+) passed, (\d+) failed")


def budget_s(text: str | None) -> float:
    """Returns the budget in seconds; raises ValueError."""
    minutes = float(text) if text else DEFAULT_BUDGET_MIN
    if not (math.isfinite(minutes) and minutes >= 0):
        raise ValueError(text)
    return 60 * minutes


def git(*words: str) -> str:
    """Returns what git says, or nothing if it fails."""
    return ask(["git", *words], cwd=ROOT).stdout.strip()


def linted_since() -> str:
    """Returns the last tag or the commit 200 before, whichever is nearer; or
    nothing if there is neither."""
    tag = git("describe", "--tags", "--abbrev=0")
    if tag and int(git("rev-list", "--count", f"{tag}..HEAD")) < LINTED_COMMITS:
        return tag
    return git("rev-parse", "--verify", "--quiet", f"HEAD~{LINTED_COMMITS}")


def run_command(command: Command) -> tuple[int, list[str]]:
    """Runs it with its output shown; returns its exit status and output."""
    ended = Launcher().run(command.words, cwd=ROOT,
                           on_line=lambda line: print(line, end=""))
    assert ended.status is not None
    return ended.status, ended.output.splitlines()


class Ci:
    """One run."""

    def __init__(self, steps: list[Step], budget: float,
                 run: Callable[[Command], tuple[int, list[str]]] = run_command,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self.steps = steps
        self.budget = budget
        self.run = run
        self.clock = clock
        self.begin = clock()
        self.passed = 0
        self.failed = 0

    def run_all(self) -> None:
        """The minimum of each step, then further rounds."""
        for step in self.steps:
            if step.minimum:
                self.run_round(step, step.minimum, further=False)
        while chosen := next_step(self.steps, self.left()):
            self.run_round(chosen, [chosen.further[chosen.rounds]],
                           further=True)

    def left(self) -> float:
        """Returns the seconds that are left."""
        return self.budget - (self.clock() - self.begin)

    def run_round(self, step: Step, commands: list[Command], *,
                  further: bool) -> None:
        """Runs some commands of a step one after another."""
        begin = self.clock()
        for command in commands:
            print(f"\nci: {command}", flush=True)
            status, lines = self.run(command)
            results = [found for line in lines
                       if (found := RESULT.fullmatch(line))]
            if status != 0:
                step.failed.append(f"{command}: exit status {status}")
            if command.results:
                self.passed += sum(int(found[1]) for found in results)
                self.failed += sum(int(found[2]) for found in results)
                if len(results) != command.results and status == 0:
                    step.failed.append(f"{command}: {len(results)} results "
                                       f"instead of {command.results}")
        step.has_run(self.clock() - begin, further=further)

    def table(self) -> list[str]:
        """Returns what ran, how long it took, and what failed."""
        lines = [f"{'step':16} {'rounds':>10} {'time':>7}"]
        for step in self.steps:
            rounds = f"1 + {step.rounds}" if step.further else "whole"
            if not step.minimum:
                rounds = f"{step.rounds}"
            lines.append(f"{step.name:16} {rounds:>10} "
                         f"{clock_time(step.seconds):>7}"
                         f"{'  FAILED' if step.failed else ''}")
        lines.append(f"{'all':16} {'':10} "
                     f"{clock_time(self.clock() - self.begin):>7}")
        lines += [f"failed: {what}" for step in self.steps
                  for what in step.failed]
        return [*lines, f"{self.passed} passed, {self.failed} failed"]

    def status(self) -> int:
        """Returns the exit status."""
        wrong = self.failed or not self.passed or \
            any(step.failed for step in self.steps)
        return 1 if wrong else 0


def clock_time(seconds: float) -> str:
    """Returns minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def main(arguments: list[str]) -> int:
    """Runs everything."""
    if arguments:
        raise Problem("takes no arguments")
    text = os.environ.get("CI_BUDGET")
    try:
        budget = budget_s(text)
    except ValueError:
        raise Problem(f"CI_BUDGET='{text}': give a number of minutes") from None
    mutants = len(list((ROOT / "tools/mutants").rglob("*.patch")))
    run = Ci(steps_of(time.strftime("%Y-%m-%d"), linted_since(), mutants),
             budget)
    try:
        run.run_all()
    finally:
        print("", *run.table(), sep="\n", flush=True)
    return run.status()
