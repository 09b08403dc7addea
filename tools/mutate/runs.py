"""Runs the tests that reach a mutant, until one fails.

All tests are simulated, the unit tests too: they take no time to sleep, and
what a mutant does is the same each time, however busy the machine is. Those few
that cannot be simulated run as they are.
"""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import ROOT, events
from tools.command import Problem, write_whole
from tools.mutation import run_in

# These test our tools and the runner, with programs of their own.
NOT_OF_THE_TREE = "TestUnit(Tools|Runner|Stacks|Watchdog|TestProgram)"
# The suites of services reach every line, take ten times as long as Raft's, and
# are no test of what lies below.
SERVICES = {"rsm", "kvraft", "shardctrler", "shardkv", "shardkv1"}
NUMBERS = 1_000_000  # mutate.h
# A process of a test takes about a second of processor time at most. One that
# waits by spinning has failed.
CPU_LIMIT_S = 8
LIMIT_S = 900
FAVORITES = 4
SPECIFIC = 8  # unit tests: these reach the fewest mutants


@dataclass
class Test:
    """A test, and which mutants it comes by."""
    name: str
    is_unit: bool
    is_simulated: bool = True
    reached: frozenset[int] = frozenset()


@dataclass
class Program:
    """The program with all mutants in it."""
    path: Path
    folder: Path  # where it runs, and leaves its logs
    seeds: int
    variant: str = "plain"
    tests: list[Test] = field(default_factory=list)
    killers: Counter[str] = field(default_factory=Counter)
    hanging: Counter[str] = field(default_factory=Counter)  # it takes long

    def run(self, tests: Sequence[str], seed: int, is_simulated: bool,
            settings: dict[str, str]) -> str:
        """Runs tests until one fails; returns which and how, or nothing."""
        is_race = self.variant == "race"
        prefix = [str(ROOT / "tools/fixed_addresses.sh")] if is_race else []
        command = ["prlimit", f"--cpu={CPU_LIMIT_S}", *prefix, str(self.path),
                   "--json",
                   f"--run=^({'|'.join(map(re.escape, tests))})$",
                   f"--seed={seed}", "--parallel=1"]
        if is_race:
            settings = settings | {"SIM_ENGINE": "native"}
        if is_simulated:
            settings = settings | {"SIM_SEED": str(seed),
                                   "SIM_ONLY": "--child",
                                   "SIM_PROFILE": "fair"}
        failed: list[events.Test] = []

        def is_failure(line: str) -> bool:
            event = events.parse(line)
            if event.get("Action") == "fail" and "Test" in event:
                test = events.test_of(event)
                failed.extend([] if test.says_nothing else [test])
            return bool(failed)

        ended = run_in(self.folder, command, LIMIT_S, settings, is_failure)
        run = events.read(ended.output, ended.status)
        if run.log:
            (self.folder / run.log).unlink(missing_ok=True)
        if failed:
            is_real = "of real time" in failed[0].message
            return (f"{failed[0].test} ({failed[0].way}"
                    f"{' in real time' if is_real else ''})")
        # Without the second, one that ends at once, well, would be as good.
        if not run.failed and (ended.status != 0 or
                               len(run.tests) < len(tests)):
            return f"{run.last_begun or 'the program'} (ended early)"
        return ""

    def learn(self, jobs: int, known: Path,
              report: Callable[[str], object]) -> None:
        """Finds out which mutants each test reaches; all must pass."""
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest() + \
            f" {self.seeds}"
        entry: Any = json.loads(known.read_text()) if known.exists() else {}
        if entry.get("digest") != digest:
            listed = [test for test in events.listed(self.path, [])
                      if not re.match(NOT_OF_THE_TREE, test.test)
                      and (test.origin == "unit" or test.lab not in SERVICES)]
            with ThreadPoolExecutor(jobs) as pool:
                tests = list(pool.map(self.reach, listed))
            entry = {"digest": digest, "tests": [
                vars(test) | {"reached": sorted(test.reached)}
                for test in tests if test]}
            write_whole(known, json.dumps(entry))
            report(f"{len(entry['tests'])} of {len(listed)} tests pass")
        self.tests = [Test(**test | {"reached": frozenset(test["reached"])})
                      for test in entry["tests"]]

    def reach(self, listed: events.Test) -> Test | None:
        """Runs a test without a mutant; nothing if it fails."""
        test = Test(listed.test, listed.origin == "unit")
        reached = self.folder / f"reached-{test.name}"
        with reached.open("wb") as file:
            file.truncate(NUMBERS)
        settings = {"MUTANTS_REACHED": str(reached)}
        try:
            for seed in range(1, 1 + (1 if test.is_unit else self.seeds)):
                failure = self.run([test.name], seed, True, settings)
                if failure and test.is_unit:
                    test.is_simulated = False
                    failure = self.run([test.name], seed, False, settings)
                if failure and not test.is_unit:
                    raise Problem(f"without a mutant {failure} fails, seed "
                                  f"{seed}")
                if failure:
                    return None
            test.reached = frozenset(
                found.start() for found in
                re.finditer(b"\x01", reached.read_bytes()))
        finally:
            reached.unlink()
        return test

    def kill(self, number: int) -> str:
        """Returns what kills a mutant; nothing if all tests pass."""
        reaching = [test for test in self.tests if number in test.reached]
        simulated = [test for test in reaching if test.is_simulated]
        quick = [test for test in simulated if not self.hanging[test.name]]
        units = [test.name for test in
                 sorted(quick, key=lambda test: len(test.reached))
                 if test.is_unit]
        suite = [test.name for test in simulated if not test.is_unit]
        names = {test.name for test in quick}
        steps = [
            ([name for name, _ in self.killers.most_common()
              if name in names][:FAVORITES], 1, True),
            (units[:SPECIFIC], 1, True), (units[SPECIFIC:], 1, True),
            ([test.name for test in quick if not test.is_unit], 1, True),
            ([test.name for test in simulated if test not in quick], 1, True),
            *((suite, seed, True) for seed in range(2, self.seeds + 1)),
            ([test.name for test in reaching if not test.is_simulated], 1,
             False)]
        for tests, seed, is_simulated in steps:
            if not tests:
                continue
            settings = {"MUTANT": str(number)}
            killer = self.run(tests, seed, is_simulated, settings)
            # The machine may have been too busy.
            if killer.endswith(("(hang in real time)", "(ended early)")):
                killer = self.run(tests, seed, is_simulated, settings)
            if killer:
                known = self.hanging if "(hang" in killer else self.killers
                known[killer.partition(" ")[0]] += 1
                return f"{killer}, seed {seed}"
        return ""


def default_jobs(jobs: int | None) -> int:
    """Returns how many programs run at a time."""
    return jobs or os.cpu_count() or 1
