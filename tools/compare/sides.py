"""Runs the two sides, and says what each run used.

Always true: all output of the runs is kept in a log, run after run, as it
comes, with lines that begin with "compare:" and say what else is known of a
run. Needs GNU time: what Linux itself tells of a child's peak memory includes
this Python's, from before the child was another program.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TextIO

from tools import ROOT, events
from tools.command import Problem
from tools.compare import names
from tools.compare.lab import Package
from tools.compare.logs import Cost
from tools.process import Ended, Launcher, ask, children_seconds

# Of our tests, those that the Go lab may have too; not labrpc's.
_COURSE = ("--origin=course", f"{events.ALL[0]},shardkv1")
# A hung test must end, but not a slow machine's whole run.
_GO_OPTIONS = ["-test.v", "-test.count=1", "-test.timeout=30m"]


class Command(NamedTuple):
    """What runs one side once, or one of its tests."""
    arguments: list[str]
    folder: Path | None = None
    package: str = ""  # of the Go lab
    test: str = ""  # that one, in a process of its own


def find_time() -> str:
    """Returns the path of GNU time."""
    found = shutil.which("time")
    if found is None:
        raise Problem("GNU time is missing; run: make deps")
    return found


def choose_go(package: Package, binary: Path, tests: list[str], is_all: bool,
              by_test: bool) -> list[Command]:
    """Returns the commands that run those of a package's tests, once."""
    program = [str(binary), *_GO_OPTIONS]
    if by_test:
        return [Command([*program, f"-test.run=^{test}$"], package.folder,
                        package.lab, test) for test in tests]
    chosen = [] if is_all else [f"-test.run=^({'|'.join(tests)})$"]
    return [Command(program + chosen, package.folder, package.lab)]


def _our_names(program: str, seed: str) -> list[str]:
    """Returns our tests; finds a wrong SEED before anything takes minutes."""
    try:
        return [test.test for test in events.listed(
            program, [*_COURSE, f"--seed={seed}"])]
    except OSError as error:
        raise Problem(f"cannot run {program}: {error.strerror}; "
                      "run: make build") from error


def choose_ours(program: str, run: str, seed: str, runs: int,
                labs: Iterable[str] = names.RAFT) -> list[Command]:
    """Returns a command for each run of our tests of these labs.

    They have seeds from `seed` on; without one, each draws its own.
    """
    seeds = [seed] * runs
    ours = _our_names(program, seed)
    if seed and runs > 1:
        seeds = [str(int(seed) + each) for each in range(runs)]
        _our_names(program, seeds[-1])
    found = [name for name in ours if names.lab_of(name) in labs
             and names.is_selected(name, run)]
    if not found:
        raise Problem(f'no lab test of ours matches RUN "{run}"; leave RUN '
                      "out, or give a part of a test's name")
    return [Command([program, *_COURSE, f"--run=^({'|'.join(found)})$",
                     f"--seed={each}", "--parallel=1", "--verbose=1", "--json"])
            for each in seeds]


def our_version() -> str:
    """Returns which version of ours this is."""
    said = ask(["git", "describe", "--always", "--dirty"], cwd=ROOT)
    return f"version {said.stdout.strip() or 'unknown'}"


def _begin_line(version: str) -> str:
    return (f"compare: began {time.strftime('%Y-%m-%d %H:%M:%S')}, load "
            f"{os.getloadavg()[0]:.2f} of {os.cpu_count()} processors, "
            f"{version}\n")


def _end_line(status: int) -> str:
    """Returns what go test says of a program that has ended so."""
    if status > 128:  # GNU time's word for a signal
        return f"signal: {signal.strsignal(status - 128)}\n"
    return f"exit status {status}\n"


def _used_line(test: str, costs: list[Cost]) -> str:
    cpu = sum(cost.cpu_seconds for cost in costs)
    peak = max(cost.peak_mb for cost in costs)
    return (f"compare: {test} used {cpu:.3f} CPU seconds\n" if test else
            f"compare: used {cpu:.3f} CPU seconds, peak {peak:.1f} MB\n")


class Runner:
    """Runs one side, and keeps what it says in `log`."""

    def __init__(self, log: Path, version: str, scratch: Path) -> None:
        self._log = log
        self._version = version
        self._peak = scratch / "peak"

    def run(self, commands: list[Command]) -> tuple[str, Ended]:
        """Runs the side once; returns its part of the log, and how the last
        command ended."""
        costs: list[Cost] = []
        with self._log.open("a", encoding="utf-8") as out:
            text = _begin_line(self._version)
            print(text, end="", file=out)
            for command in commands:
                if command.package:
                    begin = f"compare: package {command.package}\n"
                    print(begin, end="", file=out)
                    text += begin
                before = children_seconds()
                ended = self._run_one(command, out)
                assert ended.status is not None
                notes = _end_line(ended.status)
                # Its last line, in KB.
                peak = int(self._peak.read_text().split("\n")[-2])
                costs.append(Cost(children_seconds() - before, peak / 1024))
                if command.test:
                    notes += _used_line(command.test, costs[-1:])
                if len(costs) == len(commands):
                    notes += _used_line("", costs)
                print(notes, end="", file=out)
                text += ended.output + notes
        return text, ended

    def _run_one(self, command: Command, out: TextIO) -> Ended:
        print(f"running {' '.join(command.arguments)}", file=sys.stderr,
              flush=True)

        def tee(line: str) -> None:
            print(line, end="", file=out, flush=True)
            event = events.parse(line)
            print(event.get("Output", "") if event else line, end="",
                  file=sys.stderr, flush=True)

        return Launcher().run([find_time(), "-f", "%M", "-o", str(self._peak),
                               *command.arguments], cwd=command.folder,
                              on_line=tee)
