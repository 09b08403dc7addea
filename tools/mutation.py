"""Breaks copies of the tree: what mutants of raft/ and of sim/ share.

A copy lies in out/mutants/: of one folder; all else is linked there, and what
is built of it is taken over (cmake/derived.cmake), so that only what was
changed is compiled. LAUNCHER runs what runs in the copies.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tools import ROOT
from tools.build import NOT_INHERITED, build
from tools.command import Arguments, Problem
from tools.process import Ended, Launcher, inherited

FOLDER = ROOT / "out/mutants"
SOURCES = ["base", "rpc", "labrpc", "persister", "raft", "rsm", "kvraft",
           "shardctrler", "shardkv", "shardkv1", "porcupine", "sim", "tests"]
MOST_JOBS = 1024
LAUNCHER = Launcher()


class Named(Protocol):
    """A mutant, of whatever."""
    @property
    def name(self) -> str:
        """Its name, as ONLY= takes it."""


Mutant = TypeVar("Mutant", bound=Named)
Result = TypeVar("Result")


def arguments(description: str | None) -> Arguments:
    """Returns a reader of what both commands take."""
    parser = Arguments(description)
    parser.add_argument("names", nargs="*", help="these mutants only")
    parser.add_argument("--check", action="store_true",
                        help="only check that each change fits the sources")
    parser.number("jobs", None, 1, MOST_JOBS)
    return parser


def selected(mutants: Sequence[Mutant], names: list[str]) -> list[Mutant]:
    """Returns the mutants with these names, or all of them."""
    unknown = set(names) - {mutant.name for mutant in mutants}
    if unknown:
        raise Problem(f"no such mutant: {', '.join(sorted(unknown))}")
    return [m for m in mutants if not names or m.name in names]


def copy_tree(name: str, folder: str) -> Path:
    """Makes a tree in which `folder` is a copy to break; returns it."""
    tree = FOLDER / name
    room = folder.partition("/")[0]
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(ROOT / room, tree / room)
    (tree / "tools").symlink_to(ROOT / "tools")
    links = place_of(tree) / "tree"
    links.mkdir(parents=True)
    for source in SOURCES:
        home = tree if source == room else ROOT
        (links / source).symlink_to(home / source)
    return tree


def place_of(tree: Path) -> Path:
    """Returns where the programs of such a tree are built."""
    return tree / "out"


def build_in(tree: Path, name: str, program: str, variant: str = "plain",
             **how: Any) -> str:
    """Builds a mutant's program; what is no C++ is a mistake in the mutant."""
    try:
        path = build(program, variant, launcher=LAUNCHER,
                     place=str(place_of(tree).relative_to(ROOT)), **how)
        return str((ROOT / path).relative_to(tree))
    except Problem as problem:
        raise Problem(f"{name} does not build: {problem}") from problem


def run_in(tree: Path, command: list[str], limit: float,
           settings: dict[str, str] | None = None,
           on_line: Callable[[str], object] | None = None) -> Ended:
    """Runs a command in a copy, with these settings in its environment."""
    return LAUNCHER.run(command, cwd=tree, limit=limit, on_line=on_line,
                        env=inherited(*NOT_INHERITED) | (settings or {}))


def for_each(mutants: Sequence[Mutant], jobs: int | None,
             task: Callable[[Mutant], Result],
             report: Callable[[Mutant, Result], object]) -> None:
    """Does the task for all, some at a time, and reports what comes out."""
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        tasks = {pool.submit(task, mutant): mutant for mutant in mutants}
        try:
            for done in as_completed(tasks):
                report(tasks[done], done.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            LAUNCHER.stop()
            raise


def conclude(count: int, survivors: list[str]) -> int:
    """Prints the last line; returns the exit status."""
    print(f"{count - len(survivors)} killed, {len(survivors)} survived"
          f"{': ' if survivors else ''}{' '.join(survivors)}")
    return 1 if survivors else 0
