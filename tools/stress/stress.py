"""Repeats tests in real time, to find the rare failure.

`make stress`; README.md beside this file describes it. GNU parallel does the
scheduling.

Each run of a test is a process of its own, with a seed of its own. What failed
is kept in out/stress/, with its log; what passed leaves nothing. The exit
status is 0 if all passed, 1 if a run failed, 2 for a wrong argument, 130 if
interrupted; there is a summary in each case, of what was run to its end.
"""

import argparse
import secrets
import shlex
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT, events
from tools.command import (INTERRUPTED, Arguments, alone, disk_options, number,
                           on_interrupt, theirs_argument, writing)
from tools.seeds import seeds
from tools.seeds.farm import Done, Farm, NoFarm, check_machines

DEFAULT_RUNS = 100
MOST_RUNS = 1_000_000
SHOWN = 10  # commands that repeat a failure
RUNNER = "tools/seeds/one_run.sh"


@dataclass(frozen=True)
class Run:
    """One execution of one test."""
    test: str
    seed: int


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = Arguments(__doc__)
    parser.add_argument("program", help="relative to the project's root")
    parser.add_argument("--out", type=Path, default=Path("out/stress"),
                        help="where logs go")
    parser.texts("run", "seed", "sshlogins", "theirs", "lab")
    parser.number("n", DEFAULT_RUNS, 1, MOST_RUNS)
    parser.number("jobs", None, 1, seeds.MOST_JOBS)
    parser.disk()
    parser.choice("keep_going", "", "0", "1", hint="1, or leave it out")
    options = parser.read(arguments)
    # Two calls without a SEED do not look for the same thing.
    options.seed = number("SEED", options.seed, 0, seeds.LARGEST_SEED -
                          options.n) if options.seed else \
        secrets.randbelow(2**32)
    return options


def choose_runs(options: argparse.Namespace) -> list[Run]:
    """Returns all runs: each test once, then each again."""
    tests = [test.test for test in events.listed(
        options.program, events.selection(options.run, options.lab))]
    return [Run(test, options.seed + turn) for turn in range(options.n)
            for test in tests]


def command(options: argparse.Namespace, run: Run) -> str:
    """Returns the shell's command for one run."""
    return shlex.join([RUNNER, options.program, f"--run=^{run.test}$",
                       *disk_options(options.disk), f"--seed={run.seed}",
                       "--json",
                       f"--target=test{theirs_argument(options.theirs)}"])


class Summary:
    """What has come out so far."""

    def __init__(self, options: argparse.Namespace, out: Path) -> None:
        self.options = options
        self.out = out
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.failed: list[Run] = []
        self.repeats: list[str] = []  # commands
        self.begin = time.monotonic()

    def add(self, run: Run, done: Done) -> list[str]:
        """Takes one run in; returns the lines to print about it."""
        self.seconds[run.test].append(done.seconds)
        if done.status == 0:
            return []
        self.failed.append(run)
        result = events.read(done.output, done.status)
        why, repeat = self._reason(run, done, result)
        self.repeats.append(repeat)
        log = self.out / f"{run.test}-{run.seed}.log"
        log.write_text(result.text + done.errors)
        return [f"FAIL {run.test} seed {run.seed}: {why} ({done.seconds:.1f} s"
                f"{'' if done.host == ':' else f', on {done.host}'})",
                f"     log {log}"]

    def _reason(self, run: Run, done: Done,
                result: events.Run) -> tuple[str, str]:
        """Says in one line why a run failed, and what repeats it."""
        if result.failed:
            return result.failed[0].why, result.failed[0].repeat
        said = (result.text + done.errors).strip().rpartition("\n")[2]
        return (f"ended with status {done.status}: {said or 'no output'}",
                f"make test{theirs_argument(self.options.theirs)} "
                f"RUN='^{run.test}$' SEED={run.seed}"
                f"{' DISK=slow' if self.options.disk else ''}")

    def table(self) -> list[str]:
        """Returns a line for each test."""
        width = max(map(len, [*self.seconds, "test"]))
        lines = [f"{'test':{width}}   runs  failures   mean s  deviation s  "
                 "longest s"]
        for test, seconds in self.seconds.items():
            failures = sum(run.test == test for run in self.failed)
            spread = statistics.stdev(seconds) if len(seconds) > 1 else 0
            lines.append(f"{test:{width}} {len(seconds):6} {failures:9} "
                         f"{statistics.mean(seconds):8.2f} {spread:12.2f} "
                         f"{max(seconds):10.2f}")
        return lines

    def repeat_lines(self) -> list[str]:
        """Returns the commands that repeat what failed."""
        lines = [f"  {command}" for command in self.repeats[:SHOWN]]
        if len(self.repeats) > SHOWN:
            lines.append(f"  and {len(self.repeats) - SHOWN} more")
        return ["to try again:"] + lines if lines else []

    def lines(self) -> list[str]:
        """Returns the summary; the last line is the count."""
        runs = sum(map(len, self.seconds.values()))
        return [*(self.table() if runs else ()), *self.repeat_lines(),
                f"{runs} runs in {time.monotonic() - self.begin:.0f} s",
                f"{runs - len(self.failed)} passed, {len(self.failed)} failed"]


class Stress:
    """One call."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.runs = choose_runs(options)
        check_machines(options.sshlogins)
        self.out: Path = options.out
        self.is_terminal = sys.stdout.isatty() and sys.stderr.isatty()
        self.farm = Farm(ROOT, options.jobs, options.sshlogins,
                         halts=options.keep_going != "1", bar=self.is_terminal)
        self.interrupted = False

    def interrupt(self, *_: object) -> None:
        """Handles a signal; no exception, so that nothing is cut off."""
        self.interrupted = True
        self.farm.stop()

    def run(self) -> int:
        """Runs all and prints how it went."""
        print(f"{self.options.n} runs of {len(self.runs) // self.options.n} "
              f"tests, seeds from {self.options.seed} on"
              f"{', DISK=slow' if self.options.disk else ''}")
        on_interrupt(self.interrupt)
        self.out.mkdir(parents=True, exist_ok=True)
        summary = Summary(self.options, self.out)
        trouble = None
        try:
            commands = [command(self.options, run) for run in self.runs]
            for done in self.farm.results(commands, self.out / "joblog.tsv"):
                self.say(summary.add(self.runs[done.index], done))
        except NoFarm as error:
            trouble = error
        self.say(self.last_lines(summary))
        if trouble:
            raise trouble
        return INTERRUPTED if self.interrupted else 1 if summary.failed else 0

    def say(self, lines: list[str]) -> None:
        """Prints lines, in place of parallel's bar if there is one."""
        for line in lines:
            print(f"\r\x1b[K{line}" if self.is_terminal else line)

    def last_lines(self, summary: Summary) -> list[str]:
        """Returns the summary, and why it is not of all runs."""
        done = sum(map(len, summary.seconds.values()))
        count = f"after {done} of {len(self.runs)} runs"
        why = []
        if self.interrupted:
            why = [f"interrupted {count}"]
        elif done < len(self.runs) and summary.failed:
            why = [f"stopped at the first failure, {count}; KEEP_GOING=1 goes "
                   "on"]
        return [*why, *summary.lines()]


def main(arguments: list[str]) -> int:
    """Does what the command line says."""
    options = parse_arguments(arguments)
    with writing(options.out), alone(options.out, "make stress"):
        return Stress(options).run()
