"""Runs the lab's tests under the simulator for many seeds.

`make sim`, `make sim-race`, `make sim-mem`. Each seed is one run of the test
program, which starts each test as a simulated process of its own; `jobs` seeds
run at a time; with a list of machines (`sshlogins`) GNU parallel spreads them.
One seed alone is a replay: the program's own output. The exit status is 0 if
all tests passed, 1 if one failed, 2 for a wrong argument, 130 if interrupted.

Under the profile "harsh" tests whose limits presume a machine that works may
fail rightly: a leader that is kept from running loses its office; so may those
that presume a disk without delay with slow disks. Failures that
say only that something came too late, cost too much, or could not be set up are
listed apart, with the share of each test, and do not make the exit status 1;
any other failure does. The last line, `N passed, N
failed`, counts all.
"""

import argparse
import os
import re
import shlex
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from tools import ROOT, events
from tools.command import (INTERRUPTED, Arguments, Problem, disk_options,
                           number, on_interrupt, theirs_argument)
from tools.process import INTERRUPTED_STATUSES, Launcher, Stopped
from tools.seeds import notice
from tools.seeds.farm import Farm, NoFarm, check_machines

RUNNER = "tools/seeds/one_run.sh"
DEFAULT_SEEDS = 100
REPLAYS_SHOWN = 10
LARGEST_SEED = 2**64 - 1

MOST_SEEDS = 1_000_000
MOST_JOBS = 1024


@dataclass
class SeedResult:
    """One run of the program, under one seed."""
    seed: int
    run: events.Run = field(default_factory=events.Run)
    virtual_ms: float = 0
    is_whole: bool = True  # false: it was interrupted


def virtual_milliseconds(stats: str) -> float:
    """Returns how long the simulated processes of one run lasted."""
    return sum(map(float, re.findall(r"\bvirtual_ms=([\d.]+)", stats)))


def jobs_of(options: argparse.Namespace) -> int:
    """Returns how many seeds run at a time on this machine."""
    return options.jobs or os.cpu_count() or 1


class Session:
    """All runs of one call."""

    def __init__(self, options: argparse.Namespace, folder: Path,
                 extra: Mapping[str, str] | None = None) -> None:
        self.options = options
        self.folder = folder
        self.inherited: Mapping[str, str] = os.environ
        self.extra = dict(extra or {})  # to the environment
        self.prefix: list[str] = []  # to the command
        self.limit_s: Callable[[], float | None] = lambda: None  # of a run
        self.launcher = Launcher()
        self.farm: Farm | None = None
        self.interrupted = False  # the user asked for that

    def command(self, seed: int, how: str) -> list[str]:
        """Returns what to start for one seed."""
        options = self.options
        target = options.target + (" ISOLATED=1" if options.isolated else "")
        target += f"{theirs_argument(options.theirs)} SEEDS=1"
        if options.target == "sim":
            target += f" PROFILE={options.profile}"
        return [*self.prefix, options.program,
                *events.selection(options.run, options.lab),
                *disk_options(options.disk), f"--seed={seed}", how,
                f"--target={target}"]

    def simulated(self, seed: int) -> dict[str, str]:
        """Returns what makes the tests' processes simulated ones."""
        return {"SIM_SEED": str(seed), "SIM_ONLY": "--child",
                "SIM_PROFILE": self.options.profile}

    def environment(self, seed: int) -> dict[str, str]:
        """Returns all that a run on this machine finds."""
        return {**self.inherited, **self.simulated(seed), **self.extra}

    def run_seed(self, seed: int) -> SeedResult:
        """Runs the tests under one seed."""
        stats = self.folder / str(seed)
        environment = self.environment(seed) | {"SIM_STATS": str(stats)}
        try:
            ended = self.launcher.run(self.command(seed, "--json"),
                                      env=environment, limit=self.limit_s())
        except Stopped:
            return SeedResult(seed, is_whole=False)
        result = SeedResult(seed, events.read(ended.output, ended.status))
        if ended.status in INTERRUPTED_STATUSES and self.launcher.is_stopped:
            result.is_whole = False
            result.run.trouble = ""
        if stats.exists():
            result.virtual_ms = virtual_milliseconds(stats.read_text())
            stats.unlink()
        run = result.run
        if run.log and not run.failed and not run.trouble:
            Path(run.log).unlink(missing_ok=True)
        return result

    def stop(self) -> None:
        """Ends all that runs, and starts nothing new."""
        self.launcher.stop()
        if self.farm:
            self.farm.stop()

    def interrupt(self, *_: object) -> None:
        """Handles a signal; no exception, so that nothing is cut off."""
        self.interrupted = True
        self.stop()

    def results(self, seeds: list[int]) -> Iterator[SeedResult]:
        """Yields the results as they come, also those of interrupted runs."""
        if self.options.sshlogins:
            return self.results_of_machines(seeds)
        return self.results_here(seeds)

    def results_of_machines(self, seeds: list[int]) -> Iterator[SeedResult]:
        """Yields the results of all machines; none of interrupted runs."""
        self.farm = Farm(ROOT, self.options.jobs, self.options.sshlogins)
        if self.launcher.is_stopped:
            self.farm.stop()
        names = sorted(self.passed_on())
        given = [f"{name}={os.environ[name]}" for name in names]
        commands = [shlex.join(
            ["env", *given, *(f"{name}={value}" for name, value
                              in self.simulated(seed).items()),
             RUNNER, *self.command(seed, "--json")]) for seed in seeds]
        for done in self.farm.results(commands, self.folder / "joblog"):
            run = events.read(done.output, done.status)
            if done.host != ":" and run.log:
                run.log = f"{done.host}:{run.log}"
            if run.trouble and done.errors:
                run.trouble += f" ({done.errors.splitlines()[-1]})"
            yield SeedResult(seeds[done.index], run,
                             virtual_milliseconds(done.errors))

    @staticmethod
    def passed_on() -> list[str]:
        """Names what of this machine's environment a run depends on."""
        return [name for name in os.environ
                if name.startswith(("SIM_", "GLOG_", "TSAN_", "ASAN_",
                                    "RAFT_", "ORACLE"))]

    def results_here(self, seeds: list[int]) -> Iterator[SeedResult]:
        """Yields the results of this machine's runs."""
        with futures.ThreadPoolExecutor(jobs_of(self.options)) as pool:
            waiting = [pool.submit(self.run_seed, seed) for seed in seeds]
            try:
                for done in futures.as_completed(waiting):
                    yield done.result()
            finally:
                self.stop()  # a caller that failed waits for nothing


class Summary:
    """What has come out so far."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.seeds = 0
        self.passed = 0
        self.virtual_ms = 0.0
        self.failures: list[tuple[int, events.Test]] = []  # with their seeds
        self.troubles = 0
        self.begin = time.monotonic()

    def add(self, result: SeedResult) -> list[str]:
        """Takes one run in; returns the lines to print about it."""
        run = result.run
        self.passed += run.passed
        self.virtual_ms += result.virtual_ms
        self.failures += [(result.seed, test) for test in run.failed]
        lines = [f"FAIL {test.test} seed {result.seed}: {test.why}"
                 for test in run.failed]
        if run.trouble:
            lines.append(f"seed {result.seed}: {run.trouble}")
            self.troubles += 1
        elif result.is_whole:
            self.seeds += 1
        if lines and run.log:
            lines.append(f"     log {run.log}")
        return lines

    def may_be_late(self) -> bool:
        """True if tests may come too late: their limits presume threads that
        are not kept from running, and disks that take no time."""
        options = self.session.options
        return options.profile == "harsh" or bool(options.disk)

    def is_allowed(self, test: events.Test) -> bool:
        """True for a failure that does not make the exit status 1."""
        return self.may_be_late() and (test.kind in ("liveness", "economy")
                                    or test.says_nothing)

    def counted(self) -> list[tuple[int, events.Test]]:
        """Returns the failures that make the exit status 1."""
        return [(seed, test) for seed, test in self.failures
                if not self.is_allowed(test)]

    def speed_line(self) -> str:
        """Says how much virtual time was run, and how fast."""
        real = time.monotonic() - self.begin
        virtual = self.virtual_ms / 1000
        return (f"{self.seeds} seeds, {virtual:.0f} virtual seconds in "
                f"{real:.1f} s: {virtual / real:.0f} times real time")

    def replay_lines(self) -> list[str]:
        """Returns the commands that repeat what failed."""
        counted = self.counted()
        if not counted:
            return []
        lines = ["to replay:"]
        lines += [f"  {test.repeat}" for _, test in counted[:REPLAYS_SHOWN]]
        if len(counted) > REPLAYS_SHOWN:
            lines.append(f"  and {len(counted) - REPLAYS_SHOWN} more")
        options = self.session.options
        if options.target == "sim":  # a sanitizer's schedule is another
            seed, test = counted[0]
            lines += ["to see what happened, on a page:",
                      f"  make trace{theirs_argument(options.theirs)} PROFILE="
                      f"{options.profile} RUN='^{test.test}$' SEED={seed}"
                      f"{' DISK=slow' if options.disk else ''}"]
        return lines

    def liveness_lines(self) -> list[str]:
        """Returns the share of each test that came too late."""
        late = Counter(test.test for _, test in self.failures
                       if self.is_allowed(test))
        lines = [f"  {test}: {count} of {self.seeds} "
                 f"({100 * count / max(self.seeds, 1):.1f} %)"
                 for test, count in sorted(late.items())]
        allows = "profile harsh" if self.session.options.profile == "harsh" \
            else "slow disk"
        return [f"came too late, which the {allows} allows:"] + lines \
            if lines else []

    def lines(self) -> list[str]:
        """Returns the summary; the last line is the count."""
        safety = [f"{len(self.counted())} safety failures"] \
            if self.may_be_late() else []
        troubles = [f"{self.troubles} seeds without a whole result"] \
            if self.troubles else []
        return [*self.liveness_lines(), *self.replay_lines(), *safety,
                *troubles, self.speed_line(),
                f"{self.passed} passed, {len(self.failures)} failed"]

    def status(self) -> int:
        """Returns the exit status."""
        if self.session.interrupted:
            return INTERRUPTED
        return 1 if self.counted() or self.troubles else 0


def run_many(session: Session, seeds: list[int]) -> int:
    """Runs all seeds and prints how it went."""
    where = (f"on the machines of {session.options.sshlogins}"
             if session.options.sshlogins else
             f"{jobs_of(session.options)} at a time")
    disks = ", DISK=slow" if session.options.disk else ""
    print(f"{session.options.profile} profile{disks}, "
          f"{describe_seeds(seeds)}, {where}")
    on_interrupt(session.interrupt)
    summary = Summary(session)
    with tqdm(total=len(seeds), unit="seed", file=sys.stdout,
              disable=not sys.stdout.isatty()) as progress:
        try:
            for result in session.results(seeds):
                for line in summary.add(result):
                    progress.write(line)
                progress.set_postfix(failed=len(summary.failures),
                                     refresh=False)
                progress.update(int(result.is_whole))
        except NoFarm as error:
            progress.write(str(error))
            summary.troubles += 1
    if session.interrupted:
        print(f"interrupted after {summary.seeds} of {len(seeds)} seeds")
    print("\n".join(summary.lines()))
    return summary.status()


def describe_seeds(seeds: list[int]) -> str:
    """Names them."""
    if seeds == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"seeds {seeds[0]} to {seeds[-1]}"
    return "seeds " + " ".join(map(str, seeds))


def replay(session: Session, seed: int) -> NoReturn:
    """Becomes the test program, so that its output is that of `make test`."""
    command = session.command(seed, f"--verbose={session.options.verbose}")
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
        signal.signal(number, signal.SIG_DFL)
    sys.stdout.flush()
    os.execve(command[0], command, session.environment(seed))


def choose_seeds(options: argparse.Namespace) -> list[int]:
    """Returns the seeds that SEED, SEEDS, or a list asks for."""
    if options.seed_list:
        return [number("SEED_LIST", text, 0, LARGEST_SEED)
                for text in options.seed_list.split(",")]
    count = number("SEEDS", options.seeds or str(options.default_seeds), 1,
                   min(MOST_SEEDS, LARGEST_SEED - options.seed + 1))
    return list(range(options.seed, options.seed + count))


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = Arguments(__doc__)
    parser.add_argument("program")
    parser.texts("run", "seeds", "seed_list", "verbose", "sshlogins", "theirs",
                 "lab",
                 "isolated")
    parser.texts("target", default="sim")
    parser.choice("profile", "fair", "harsh", hint="fair or harsh")
    parser.disk()
    parser.number("seed", 1, 0, LARGEST_SEED)
    parser.number("jobs", None, 1, MOST_JOBS)
    parser.number("default_seeds", DEFAULT_SEEDS, 1, MOST_SEEDS)
    return parser.read(arguments)


def main(arguments: list[str]) -> int:
    """Does what the command line says."""
    options = parse_arguments(arguments)
    seeds = choose_seeds(options)
    events.listed(options.program,
                  events.selection(options.run, options.lab))
    check_machines(options.sshlogins)
    if options.sshlogins and options.target != "sim":
        raise Problem("SSHLOGINS is for make sim and make stress; leave it "
                      "out")
    with tempfile.TemporaryDirectory(prefix="sim-") as folder:
        session = Session(options, Path(folder))
        if len(seeds) > 1 or options.seed_list:
            notice.show(options.program)
            return run_many(session, seeds)
    replay(session, seeds[0])
