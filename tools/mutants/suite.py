"""The suite as the judge of a mutant: what kills it, and how.

One run is the test program under one seed. A mutant is killed by the first test
that fails, in whatever way (tests/runner/README.md lists the ways).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tools import events
from tools.command import Problem, disk_options
from tools.mutants.corpus import LABS
from tools.mutation import run_in

# Selections among the tests of a mutant's labs.
ALL: tuple[str, ...] = ()
COURSE = ("--origin=course",)
OWN = ("--origin=scenario,economy",)
# The course added these to its suite of 2020, "the original 18", later.
LATER = ("TestManyElections", "TestFollowerFailure", "TestLeaderFailure")

# A run of all tests takes seconds; the test program's own watchdog goes by the
# virtual clock, which a mutant that never waits may stop.
RUN_LIMIT_S = 300

@dataclass
class Kill:
    """A test that failed, or a program that did not get to its end."""
    test: str
    way: str
    message: str
    seed: int
    by: str = "original"  # the part of the suite that the test belongs to
    runs_raft_check: bool = False  # one of the folder's own CHECKs ended it


def part_of_suite(test: events.Test) -> str:
    """Names the part of the suite that the test belongs to."""
    if test.origin != "course":
        return "own"
    return "later" if test.test.removesuffix(test.part) in LATER \
        else "original"


@dataclass
class Program:
    """A mutant's test program."""
    tree: Path
    run: str  # of the mutant
    path: str
    labs: str = LABS["raft"]
    checks: list[str] = field(default_factory=list)  # file names of the folder

    def command(self, tests: Iterable[str], seed: int) -> list[str]:
        """Returns what to start."""
        prefix = ["tools/fixed_addresses.sh"] \
            if self.run == "sim-race" else []
        disk = disk_options("slow" if self.run == "sim-slow" else "")
        return [*prefix, self.path, f"--lab={self.labs}", *tests, *disk,
                f"--seed={seed}", "--json"]

    def settings(self, seed: int, oracle: bool) -> dict[str, str]:
        """Returns the environment that simulates."""
        engine = {"SIM_ENGINE": "native"} if self.run == "sim-race" else {}
        return {"SIM_SEED": str(seed), "SIM_ONLY": "--child",
                "SIM_PROFILE": "fair",
                "ORACLE": "on" if oracle else "off", **engine}

    def names(self) -> set[str]:
        """Returns the names of all tests of the labs."""
        listing = events.listed(self.tree / self.path, [f"--lab={self.labs}"],
                                cwd=self.tree)
        return {test.test for test in listing}

    def is_allowed(self, test: events.Test) -> bool:
        """True for a failure that tells nothing of the Raft: slow disks may
        come too late for the course's limits."""
        return test.says_nothing or (self.run == "sim-slow" and
                                     test.kind in ("liveness", "economy"))

    def kills(self, tests: Iterable[str], seed: int,
              oracle: bool = True) -> list[Kill]:
        """Runs the selected tests under one seed; returns what failed."""
        status, output = run_in(self.tree, self.command(tests, seed),
                                RUN_LIMIT_S, self.settings(seed, oracle))
        run = events.read(output, status)
        if status == 2:
            raise Problem(f"{self.path}: {run.trouble}")
        if run.log:
            (self.tree / run.log).unlink(missing_ok=True)
        kills = [Kill(test.test, test.way, test.message, seed,
                      part_of_suite(test),
                      test.place.partition(":")[0] in self.checks)
                 for test in run.failed if not self.is_allowed(test)]
        if run.trouble and not kills:
            kills.append(Kill("the program", "hang", run.trouble, seed))
        return kills


def first_kill(program: Program, killers: list[str], seeds: int) -> Kill | None:
    """Returns what kills first: the likeliest under seed 1, then all tests."""
    for killer in killers:
        if kills := program.kills([f"--run=^({killer})$"], 1):
            return kills[0]
    for seed in range(1, seeds + 1):
        if kills := program.kills(ALL, seed):
            return kills[0]
    return None
