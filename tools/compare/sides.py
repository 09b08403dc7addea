"""Runs the two sides, and says what each run used.

Always true: whatever can be wrong is looked at by find_lab(), choose_ours() and
build() before a test runs; all output of the runs is kept in a log, run after
run, as it comes. Needs GNU time: what Linux itself tells of a child's peak
memory includes this Python's, from before the child was another program.
"""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from tools import events
from tools.command import Problem
from tools.compare import names
from tools.compare.pairing import Cost
from tools.process import Launcher, ask

# The tests that the Go lab has too.
_COURSE = (*events.ALL, "--origin=course")
_GO_TEST = re.compile(r"^func (Test\w+)\(", re.MULTILINE)
_FOLDERS = (".", "src/raft1", "src/raft", "raft1", "raft")
# A hung test must end, but not a slow machine's whole run.
_GO_OPTIONS = ["-test.v", "-test.count=1", "-test.timeout=30m"]
_ERROR_LINES = 10


class Command(NamedTuple):
    """What runs one side once."""
    arguments: list[str]
    folder: Path | None = None


def has_lab_tests(folder: Path) -> bool:
    """Tells a folder that holds the raft package from another."""
    return any(names.canonical(name) in names.RANK
               for file in sorted(folder.glob("*_test.go"))
               for name in _GO_TEST.findall(file.read_text(errors="replace")))


def find_lab(path: str) -> Path:
    """Returns the folder of the raft package in or below `path`."""
    top = Path(path).expanduser().resolve()
    if not top.is_dir():
        raise Problem(f"GO_LAB: {path} is no directory; give the lab's, which "
                      "has src/raft or src/raft1 in it")
    try:
        for folder in _FOLDERS:
            if has_lab_tests(top / folder):
                return top / folder
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}; give GO_LAB a "
                      "folder that you may read") from error
    raise Problem(f"GO_LAB: no raft package with the course's tests "
                  f"in {path} or its {', '.join(_FOLDERS[1:])}")


def find_go() -> str:
    """Returns the path of the Go toolchain."""
    go = shutil.which("go")
    if go is None:
        raise Problem("there is no Go toolchain on the PATH: run make deps "
                      "FOR=compare, or compare with a saved log, GO_LOG=file")
    return go


def find_time() -> str:
    """Returns the path of GNU time."""
    found = shutil.which("time")
    if found is None:
        raise Problem("GNU time is missing; run: make deps")
    return found


def go_environment(lab: Path) -> dict[str, str]:
    """Older years of the lab are no modules and import by relative path."""
    is_module = any((folder / "go.mod").exists()
                    for folder in (lab, *lab.parents))
    return {**os.environ} if is_module else {**os.environ, "GO111MODULE": "off"}


def build(lab: Path, binary: Path) -> None:
    """Builds the Go lab's tests, so that no run pays for the compiler."""
    command = [find_go(), "test", "-c", "-o", str(binary)]
    print(f"building {lab}", file=sys.stderr, flush=True)
    ended = Launcher().run(command, cwd=lab, env=go_environment(lab))
    if ended.status == 0 and binary.exists():
        return
    said = [line for line in ended.output.splitlines() if line.strip()]
    details = said[:_ERROR_LINES]
    if len(said) > len(details):
        details.append(f"({len(said) - len(details)} lines more)")
    raise Problem(f"the Go lab in {lab} does not build: mend that, or compare "
                  "with a saved log, GO_LOG=file", details)


def choose_go(lab: Path, binary: Path, run: str) -> Command:
    """Returns the command that runs those of the lab's tests that RUN means."""
    chosen = [str(binary), *_GO_OPTIONS]
    if run:
        asked = ask([binary, "-test.list", "."], cwd=lab)
        found = [n for n in re.findall(r"^Test\w+$", asked.stdout, re.MULTILINE)
                 if names.is_selected(n, run)]
        if not found:
            raise Problem(f'no test in {lab} matches RUN "{run}"; leave RUN '
                          "out, or give a part of a test's name")
        chosen.append(f"-test.run=^({'|'.join(found)})$")
    return Command(chosen, lab)


def _our_names(program: str, seed: str) -> list[str]:
    """Returns our tests; finds a wrong SEED before anything takes minutes."""
    try:
        return [test.test for test in events.listed(
            program, [*_COURSE, f"--seed={seed}"])]
    except OSError as error:
        raise Problem(f"cannot run {program}: {error.strerror}; "
                      "run: make build") from error


def choose_ours(program: str, run: str, seed: str,
                runs: int) -> list[Command]:
    """Returns a command for each run of our lab tests.

    They have seeds from `seed` on; without one, each draws its own.
    """
    seeds = [seed] * runs
    ours = _our_names(program, seed)
    if seed and runs > 1:
        seeds = [str(int(seed) + each) for each in range(runs)]
        _our_names(program, seeds[-1])
    found = [name for name in ours if names.is_selected(name, run)]
    if not found:
        raise Problem(f'no lab test of ours matches RUN "{run}"; leave RUN '
                      "out, or give a part of a test's name")
    chosen = [f"--run=^({'|'.join(found)})$"] if run else []
    return [Command([program, *_COURSE, *chosen, f"--seed={each}",
                     "--parallel=1", "--verbose=1"]) for each in seeds]


def _read_cost(file: Path) -> Cost:
    """Returns what GNU time wrote in its last line."""
    user, system, peak_kb = file.read_text().split("\n")[-2].split()
    return Cost(float(user) + float(system), int(peak_kb) / 1024)


def run(command: Command, log: Path, scratch: Path) -> tuple[int, str, Cost]:
    """Runs a side once; returns its exit status, output and cost."""
    print(f"running {' '.join(command.arguments)}", file=sys.stderr, flush=True)
    cost = scratch / "cost"
    timed = [find_time(), "-f", "%U %S %M", "-o", str(cost),
             *command.arguments]
    with log.open("a", encoding="utf-8") as out:
        def tee(line: str) -> None:
            for file in (sys.stderr, out):
                print(line, end="", file=file, flush=True)

        ended = Launcher().run(timed, cwd=command.folder, on_line=tee)
    assert ended.status is not None
    return ended.status, ended.output, _read_cost(cost)
