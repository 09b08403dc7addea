"""What continuous integration runs, and how much of it fits into its time.

Called by ci.py. Invariants: a step's minimum always runs, whatever it takes;
further rounds are begun only if they end within the budget, judged by how long
the step's last round took. A step without a minimum has a build of its own: its
first round is judged by how long BUILD took.
"""

import random
import shlex
from dataclasses import dataclass, field
from typing import Iterator

MUTANTS_AT_A_TIME = 8
BUILD = "build"  # the step that builds everything


@dataclass(frozen=True)
class Command:
    """What is typed, and how many lines `N passed, N failed` it must print."""
    words: tuple[str, ...]
    results: int = 0

    def __str__(self) -> str:
        return shlex.join(self.words)


def make(*words: str, results: int = 0) -> Command:
    """Returns a call of make."""
    return Command(("make", *words), results)


@dataclass
class Step:
    """A part of the run: its minimum, and what it may do beyond."""
    name: str
    minimum: list[Command]
    further: list[Command] = field(default_factory=list)
    # What has run so far.
    rounds: int = 0  # further ones
    seconds: float = 0.0
    further_seconds: float = 0.0
    last_seconds: float = 0.0  # of the minimum, then of the last round
    failed: list[str] = field(default_factory=list)

    def has_run(self, seconds: float, *, further: bool) -> None:
        """Notes the minimum, or a further round."""
        self.seconds += seconds
        self.last_seconds = seconds
        if further:
            self.rounds += 1
            self.further_seconds += seconds


def next_step(steps: list[Step], left_s: float) -> Step | None:
    """Returns which step gets a further round: of those whose next round fits
    one that has not run at all, or the one that had the least time for further
    rounds."""
    build_s = sum(step.seconds for step in steps if step.name == BUILD)
    fitting = [step for step in steps if step.rounds < len(step.further)
               and (step.last_seconds or build_s) <= left_s]
    if not fitting:
        return None
    return min(fitting, key=lambda step: (step.seconds > 0,
                                          step.further_seconds))


def drawn_seeds(day: str, count: int) -> Iterator[str]:
    """Yields lists of seeds that the day draws, without end."""
    draw = random.Random(day)
    while True:
        yield ",".join(str(draw.randrange(2**32)) for _ in range(count))


def steps_of(day: str, since: str, mutants: int) -> list[Step]:
    """Returns all steps of a day, in the order in which their minima run."""
    few, many = drawn_seeds(day, 10), drawn_seeds(day + " more", 50)
    some = drawn_seeds(day + " lab 3", 8)  # a seed takes four times as long
    one = drawn_seeds(day + " slow disk", 1)
    samples = [make("mutants", f"SAMPLE={MUTANTS_AT_A_TIME}", f"ROUND={n}")
               for n in range(1, -(-mutants // MUTANTS_AT_A_TIME) + 1)]
    # Each of another file, of the folders all of whose survivors are listed.
    files = [make("mutate", "SAMPLE=12", f"ROUND={n}",
                  "ONLY=base rpc labrpc persister raft") for n in range(1, 7)]
    return [
        # Always whole.
        Step("lint", [make("lint", *([f"SINCE={since}"] if since else []))]),
        Step(BUILD, [make("build")]),
        Step("test", [make("test", results=2)]),
        Step("race", [make("race", results=1)]),
        # At least this much, and more if there is time.
        Step("sim", [make("sim", "LAB=2", "SEEDS=30", results=1),
                     make("sim", "LAB=2", f"SEED_LIST={next(few)}", results=1),
                     make("sim", "LAB=3", f"SEED_LIST={next(some)}",
                          results=1),
                     make("sim", "LAB=4", f"SEED_LIST={next(few)}", results=1),
                     # The suite is fair to a plain Raft, but for its costs.
                     make("sim", "RAFT=tests/plain_raft", "SEEDS=10",
                          "RUN=^Test(?!Economy).*2[ABCD]$", results=1)],
             [make("sim", f"LAB={lab}", f"SEED_LIST={next(seeds)}", results=1)
              for _ in range(10)
              for lab, seeds in ((2, many), (3, some), (4, many))]),
        # Crashes, failures and rot by the seed, kills, any bytes.
        Step("storage", [make("storage-seeds", "SEEDS=2000"),
                         make("storage-kill", "ROUNDS=50")],
             [make("storage-seeds", f"SEED={seed}", "SEEDS=10000")
              for seed in range(2001, 52001, 10000)]),
        Step("fuzz", [make("fuzz", "MINUTES=1")]),
        # Lists: so that what comes too late is allowed.
        Step("slow disk", [make("sim", "DISK=slow", "LAB=2",
                                f"SEED_LIST={next(one)}", results=1)],
             [make("sim", "DISK=slow", f"LAB={lab}", f"SEED_LIST={next(one)}",
                   results=1) for _ in range(5) for lab in (3, 4, 2)]),
        Step("hidden fsgsbase", [Command(
            ("env", "SIM_FSGSBASE=off", "make", "sim-test"), results=1)]),
        # All of lab 3 takes minutes there.
        Step("sim-race", [make("sim-race", "LAB=2", "SEEDS=2", results=1),
                          make("sim-race", "LAB=3", "SEEDS=1",
                               "RUN=^TestScenario|4A$", results=1)],
             [make("sim-race", "LAB=2", "SEEDS=3", f"SEED={seed}", results=1)
              for seed in range(3, 60, 3)]),
        # One of the ways is AddressSanitizer, which a slow machine takes too
        # long to build.
        Step("sim-same, asan", [],
             [make("sim-same", "LAB=2", "SEEDS=1"),
              *(make("asan", f"ORIGIN={origin}", results=1)
                for origin in ("unit", "scenario,economy", "course"))]),
        Step("mutants", samples[:1], samples[1:]),
        Step("mutate", files[:1], files[1:]),
        Step("mutate-test", [make("mutate-test")]),
        Step("skeleton-test", [make("skeleton-test")]),
        # As it is graded, and what students' folders may try.
        Step("isolated", [make("sim", "ISOLATED=1", "SEEDS=2", results=1),
                          make("sim", "ISOLATED=1", "LAB=4", "SEEDS=1",
                               "RUN=^Test(Minimal|JoinLeave)", results=1),
                          make("sim", "ISOLATED=1", "LAB=5", "SEEDS=1",
                               "RUN=^Test(DeleteBasic5A|JoinLeave5B)$",
                               results=1),
                          make("grade-test")]),
        Step("install-test", [make("install-test")], [make("build-test")]),
        Step("browser", [make("trace", "RUN=Figure8Unreliable"),
                         make("trace-test")]),
        Step("bench-test", [make("bench-test")]),
    ]
