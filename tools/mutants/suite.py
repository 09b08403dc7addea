"""The suite as the judge of a mutant: what kills it, and how.

Who calls it: run.py. One run is the test program under one seed; sim.py reads
its output. A mutant is killed by the first test that fails, in whatever way:
by a check, by the oracle, or because the process crashes, hangs or is ended by
a sanitizer.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from tools.seeds import seeds
from tools.command import Problem
from tools.mutation import run_in

ALL = "2[A-C]$"
COURSE = "^Test(?!Scenario).*2[A-C]$"
OWN = "^TestScenario.*2[A-C]$"
# The course added these to its suite of 2020, "the original 18", later.
LATER = ("TestManyElections2A", "TestFollowerFailure2B", "TestLeaderFailure2B")

# A run of all tests takes seconds; the test program's own watchdog goes by the
# virtual clock, which a mutant that never waits may stop.
RUN_LIMIT_S = 300

# By the first that the text of a failure contains.
WAYS = (("oracle: ", "oracle"), ("DEADLOCK", "deadlock"),
        ("Sanitizer", "sanitizer"), ("runtime error:", "sanitizer"),
        ("test hung", "hang"), ("sim: HUNG", "hang"), ("crashed:", "crash"),
        ("Check failed", "crash"), ("exit status", "crash"))


def way_of(failure: seeds.Failure) -> str:
    """Says in a word how a test noticed the mutant."""
    text = "\n".join([*failure.messages, failure.cause])
    return next((way for part, way in WAYS if part in text), "check")


def message_of(failure: seeds.Failure) -> str:
    """Returns what tells most of a failure, without its place."""
    way = way_of(failure)
    for message in failure.messages:
        if way == "oracle" and "oracle: " in message:
            return message.partition("oracle: ")[2]
    if failure.cause and way != "check":
        return failure.cause
    message = (failure.messages or ["no message"])[0]
    return re.sub(r"^[\w/]+\.(cc|h):\d+: ", "", message)


@dataclass
class Kill:
    """A test that failed, or a program that did not get to its end."""
    test: str
    way: str
    message: str
    seed: int
    runs_raft_check: bool = False  # one of raft/'s own CHECKs ended it

    @property
    def by(self) -> str:
        """Names the part of the suite that the test belongs to."""
        if re.search(OWN, self.test):
            return "own"
        return "later" if self.test in LATER else "original"


@dataclass
class Program:
    """A mutant's test program."""
    tree: Path
    run: str  # of the mutant
    path: str
    checks: list[str] = field(default_factory=list)  # raft/'s file names

    def command(self, tests: str, seed: int) -> list[str]:
        """Returns what to start."""
        prefix = ["tools/fixed_addresses.sh"] \
            if self.run == "sim-race" else []
        return [*prefix, self.path, f"--run={tests}", f"--seed={seed}",
                "--verbose=0"]

    def settings(self, seed: int, oracle: bool) -> dict[str, str]:
        """Returns the environment that simulates."""
        engine = {"SIM_ENGINE": "native"} if self.run == "sim-race" else {}
        return {"SIM_SEED": str(seed), "SIM_ONLY": "--child",
                "SIM_PROFILE": "fair",
                "ORACLE": "on" if oracle else "off", **engine}

    def names(self) -> list[str]:
        """Returns the names of all tests of the lab."""
        ended = run_in(self.tree, [self.path, "--list", f"--run={ALL}"],
                       RUN_LIMIT_S)
        if ended.status != 0:
            raise Problem(f"{self.path} --list: status {ended.status}")
        return ended.output.split()

    def kills(self, tests: str, seed: int, oracle: bool = True) -> list[Kill]:
        """Runs the tests that match under one seed; returns what failed."""
        status, output = run_in(self.tree, self.command(tests, seed),
                                RUN_LIMIT_S, self.settings(seed, oracle))
        if status == 2:
            raise Problem(f"{self.path}: "
                          f"{output.strip().rpartition(chr(10))[2]}")
        result = seeds.parse_output(seed, output, status)
        if result.log:
            (self.tree / result.log).unlink(missing_ok=True)
        return self.judged(result, output)

    def judged(self, result: seeds.SeedResult, output: str) -> list[Kill]:
        """Turns what a run said into kills."""
        own_check = re.compile(
            rf"\b({'|'.join(self.checks) or '-'})\.cc:\d+\] Check failed")
        kills = []
        for failure in result.failures:
            text = output.partition(f"--- FAIL: {failure.test} ")[2]
            text = text.partition("\n--- ")[0]
            kills.append(Kill(failure.test, way_of(failure),
                              message_of(failure), result.seed,
                              bool(own_check.search(text))))
        if result.trouble and not kills:
            kills.append(Kill("the program", "hang", result.trouble,
                              result.seed))
        return kills


def first_kill(program: Program, killers: list[str], seeds: int) -> Kill | None:
    """Returns what kills first: the likeliest under seed 1, then all tests."""
    for killer in killers:
        if kills := program.kills(f"^({killer})$", 1):
            return kills[0]
    for seed in range(1, seeds + 1):
        if kills := program.kills(ALL, seed):
            return kills[0]
    return None
