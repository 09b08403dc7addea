#!/usr/bin/env python3
"""Runs the lab's tests under the simulator for many seeds.

Who calls it: `make sim`, `make sim-race`, `make sim-mem`. Each seed is one run
of the test program, which starts each test as a simulated process of its own;
`jobs` seeds run at a time. One seed alone is a replay: the program's own
output. The exit status is 0 if all tests passed, 1 if one failed, 2 for a
wrong argument, 130 if interrupted.

Under the profile "harsh" tests whose limits presume a machine that works may
fail rightly: a leader that is kept from running loses its office. Failures of
that kind (see LIVENESS) are counted and listed apart, and do not make the exit
status 1; any other failure does.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterable, Iterator, NoReturn

from tqdm import tqdm

LAB_TESTS = "2[A-C]$"
DEFAULT_SEEDS = 100
REPLAYS_SHOWN = 10
LARGEST_SEED = 2**64 - 1

# The messages of checks that only say that something came too late, or took
# more messages than a machine that works would need.
LIVENESS = re.compile(
    r"failed to reach agreement|expected one leader, got none"
    r"|only \d+ decided for index|term changed too often|too many RPCs"
    r"|too many or few RPCs|test took longer than|servers disagree on term"
    r"|leader rejected Start|leader2 rejected Start|Start\(\) failed"
    r"|but should be at least 1|got index \d+ but expected"
    r"|too many RPC bytes|but expected at most|didn't find a value")


@dataclass
class Failure:
    """One test that failed under one seed."""
    test: str
    seed: int
    message: str

    @property
    def is_liveness(self) -> bool:
        """True if it only came too late."""
        return LIVENESS.search(self.message) is not None


@dataclass
class SeedResult:
    """What one run of the program said."""
    seed: int
    passed: int = 0
    failures: list[Failure] = field(default_factory=list)
    virtual_ms: float = 0
    log: str = ""
    trouble: str = ""  # why it ran no test at all


class BadArgument(Exception):
    """One line that says what to do instead."""


def fail(message: str) -> NoReturn:
    """Ends with what is wrong with the arguments."""
    raise BadArgument(message)


def parse_number(name: str, text: str, default: int, least: int = 1) -> int:
    """Returns the number in `text`, or the default if it is empty."""
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or \
            not least <= int(text) <= LARGEST_SEED:
        fail(f"{name}={text} is wrong: give a whole number from {least} on")
    return int(text)


def parse_output(seed: int, output: str) -> SeedResult:
    """Takes the program's output apart (without -v)."""
    result = SeedResult(seed)
    lines = output.splitlines()
    for number, line in enumerate(lines):
        if match := re.match(r"--- FAIL: (\S+)", line):
            follow = lines[number + 1:number + 2]
            message = follow[0].strip() if follow else ""
            result.failures.append(Failure(match[1], seed, message))
        elif match := re.match(r"seed \d+, log (.*)", line):
            result.log = match[1]
        elif match := re.match(r"(\d+) passed, (\d+) failed$", line):
            result.passed = int(match[1])
            if int(match[2]) != len(result.failures):
                result.trouble = f"{match[2]} failed, but not all are named"
    if not re.search(r"^\d+ passed, \d+ failed$", output, re.MULTILINE):
        result.trouble = (lines or ["no output"])[-1]
    return result


def virtual_milliseconds(stats: Path) -> float:
    """Returns how long the simulated processes of one run lasted."""
    if not stats.exists():
        return 0
    return sum(map(float, re.findall(r"\bvirtual_ms=([\d.]+)",
                                     stats.read_text())))


class Session:
    """All runs of one call."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.running: set[subprocess.Popen[str]] = set()
        self.interrupted = False

    def command(self, seed: int, verbose: str) -> list[str]:
        """Returns what to start for one seed."""
        return [self.options.program, f"--run={self.options.run}",
                f"--seed={seed}", f"--verbose={verbose}",
                f"--target={self.replay_target()}"]

    def replay_target(self) -> str:
        """Returns what to make for one seed alone."""
        profile = f" PROFILE={self.options.profile}"
        is_plain = self.options.target == "sim"
        return f"{self.options.target} SEEDS=1{profile if is_plain else ''}"

    def environment(self, seed: int) -> dict[str, str]:
        """Returns what makes the tests' processes simulated ones."""
        return os.environ | {
            "SIM_SEED": str(seed), "SIM_ONLY": "--child",
            "SIM_PROFILE": self.options.profile}

    def run_seed(self, seed: int) -> SeedResult:
        """Runs the tests under one seed."""
        if self.interrupted:
            return SeedResult(seed, trouble="not run")
        stats = self.folder / str(seed)
        environment = self.environment(seed) | {"SIM_STATS": str(stats)}
        with subprocess.Popen(
                self.command(seed, "0"), env=environment, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                errors="replace", start_new_session=True) as process:
            self.running.add(process)
            output = process.communicate()[0]
            self.running.discard(process)
        result = parse_output(seed, output)
        result.virtual_ms = virtual_milliseconds(stats)
        stats.unlink(missing_ok=True)
        if result.log and not result.failures and not result.trouble:
            Path(result.log).unlink(missing_ok=True)
        return result

    def stop(self) -> None:
        """Ends all that runs."""
        self.interrupted = True
        for process in list(self.running):
            process.send_signal(signal.SIGINT)

    def results(self, seeds: Iterable[int]) -> Iterator[SeedResult]:
        """Yields the results as they come; fewer if interrupted."""
        with futures.ThreadPoolExecutor(self.options.jobs) as pool:
            try:
                waiting = [pool.submit(self.run_seed, seed) for seed in seeds]
                for done in futures.as_completed(waiting):
                    yield done.result()
            except KeyboardInterrupt:
                self.stop()
                pool.shutdown(cancel_futures=True)


class Summary:
    """What has come out so far."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.seeds = 0
        self.passed = 0
        self.virtual_ms = 0.0
        self.failures: list[Failure] = []
        self.troubles: list[str] = []
        self.begin = time.monotonic()

    def add(self, result: SeedResult) -> list[str]:
        """Takes one run in; returns the lines to print about it."""
        self.passed += result.passed
        self.virtual_ms += result.virtual_ms
        self.failures += result.failures
        lines = [f"FAIL {failure.test} seed {failure.seed}: {failure.message}"
                 for failure in result.failures]
        if result.trouble:
            lines.append(f"seed {result.seed}: {result.trouble}")
            self.troubles.append(lines[-1])
        else:
            self.seeds += 1
        if lines and result.log:
            lines.append(f"     log {result.log}")
        return lines

    def is_harsh(self) -> bool:
        """True if tests may come too late."""
        return self.session.options.profile == "harsh"

    def counted(self) -> list[Failure]:
        """Returns the failures that make the exit status 1."""
        return [failure for failure in self.failures
                if not (self.is_harsh() and failure.is_liveness)]

    def speed_line(self) -> str:
        """Says how much virtual time was run, and how fast."""
        real = time.monotonic() - self.begin
        virtual = self.virtual_ms / 1000
        return (f"{self.seeds} seeds, {virtual:.0f} virtual seconds in "
                f"{real:.1f} s: {virtual / real:.0f} times real time")

    def replay_lines(self) -> list[str]:
        """Returns the commands that repeat what failed."""
        shown = self.counted()[:REPLAYS_SHOWN]
        lines = [f"  make {self.session.replay_target()} "
                 f"RUN='^{failure.test}$' SEED={failure.seed}"
                 for failure in shown]
        more = len(self.counted()) - len(shown)
        if more:
            lines.append(f"  and {more} more")
        return ["to replay:"] + lines if lines else []

    def liveness_lines(self) -> list[str]:
        """Returns the share of each test that came too late."""
        late = Counter(failure.test for failure in self.failures
                       if self.is_harsh() and failure.is_liveness)
        lines = [f"  {test}: {count} of {self.seeds} "
                 f"({100 * count / max(self.seeds, 1):.1f} %)"
                 for test, count in sorted(late.items())]
        return ["came too late, which the profile harsh allows:"] + lines \
            if lines else []

    def lines(self) -> list[str]:
        """Returns the summary; the last line is the count."""
        safety = [f"{len(self.counted())} safety failures"] \
            if self.is_harsh() else []
        return [*self.liveness_lines(), *self.replay_lines(), *safety,
                self.speed_line(),
                f"{self.passed} passed, {len(self.failures)} failed"]

    def status(self) -> int:
        """Returns the exit status."""
        if self.session.interrupted:
            return 130
        return 1 if self.counted() or self.troubles else 0


def run_many(session: Session, seeds: list[int]) -> int:
    """Runs all seeds and prints how it went."""
    print(f"{session.options.profile} profile, "
          f"{describe_seeds(seeds)}, {session.options.jobs} at a time")
    summary = Summary(session)
    # disable=None: no bar where the output is no terminal.
    with tqdm(total=len(seeds), unit="seed", disable=None,
              file=sys.stdout) as progress:
        for result in session.results(seeds):
            for line in summary.add(result):
                progress.write(line)
            progress.set_postfix(failed=len(summary.failures), refresh=False)
            progress.update()
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
    command = session.command(seed, session.options.verbose)
    sys.stdout.flush()
    os.execve(command[0], command, session.environment(seed))


def check_selection(options: argparse.Namespace) -> None:
    """Ends if no test matches."""
    listing = subprocess.run(
        [options.program, "--list", f"--run={options.run}"], text=True,
        capture_output=True, check=False)
    if listing.returncode != 0:
        fail(listing.stderr.strip().removeprefix("raft_tests: "))


def choose_seeds(options: argparse.Namespace) -> list[int]:
    """Returns the seeds that SEED, SEEDS, or a list asks for."""
    if options.seed_list:
        return [parse_number("--seed_list", text, 0, 0)
                for text in options.seed_list.split(",")]
    first = parse_number("SEED", options.seed, 1, 0)
    count = parse_number("SEEDS", options.seeds, options.default_seeds)
    return list(range(first, first + count))


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line; empty values are those that make was not given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    for name in ("run", "seed", "seeds", "seed_list", "verbose", "profile"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--jobs", default=str(os.cpu_count() or 1))
    parser.add_argument("--target", default="sim")
    parser.add_argument("--default_seeds", type=int, default=DEFAULT_SEEDS)
    options = parser.parse_args(arguments)
    options.run = options.run or LAB_TESTS
    options.profile = options.profile or "fair"
    if options.profile not in ("fair", "harsh"):
        fail(f"PROFILE={options.profile} is wrong: give fair or harsh")
    options.jobs = parse_number("JOBS", options.jobs, 1)
    return options


def main(arguments: list[str]) -> int:
    """Does what the command line says."""
    try:
        options = parse_arguments(arguments)
        seeds = choose_seeds(options)
        check_selection(options)
    except BadArgument as error:
        print(f"sim: {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="sim-") as folder:
        session = Session(options, Path(folder))
        if len(seeds) > 1 or options.seed_list:
            return run_many(session, seeds)
    replay(session, seeds[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
