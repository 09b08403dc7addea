"""Breaks raft/, a service or the storage in one place; the suite must notice.

`make mutants`; README.md beside this file has the table.

Each patch is put into a copy of the tree in out/mutants/, whose raft/, rsm/ and
services are compiled without their own CHECKs; then the suite, or the storage's
unit tests, run under the simulator until the first test fails. First comes a
copy without any change, whose tests must pass. --full fills the columns of the
table; --real runs the course's tests alone, in real time. out/mutants.json
keeps what came out.

Exit status: 0 if all were killed, 1 if one survived, 2 if a patch, a build or
the suite itself is wrong, 130 if interrupted.
"""

import argparse
import os
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools import ROOT, mutation
from tools.command import Problem, alone
from tools.mutants import corpus, full
from tools.mutants.corpus import ORIGINAL, Mutant
from tools.mutants.results import (Facts, Results, as_json, cells_line,
                                   digest_of_sources, kill_line, markdown,
                                   real_line)
from tools.mutants.suite import ALL, Program, first_kill
from tools.seeds import notice

HERE = ROOT / "tools/mutants"
RESULTS = ROOT / "out/mutants.json"
SEEDS_OF_ORIGINAL = {"sim": 3, "sim-slow": 3, "sim-race": 1, "sim-asan": 1}
# A seed changes little there: only how threads take turns.
SEEDS_OF_UNIT_TESTS = 3
# In real time the tests sleep most of the time.
REAL_JOBS = 6


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Returns the command line's options."""
    parser = mutation.arguments(__doc__)
    # The turns of a day share the mutants among them.
    parser.number("sample", None, 1, 10_000)
    parser.number("round", 1, 1, 10_000)
    parser.add_argument("--table", action="store_true",
                        help="only print what out/mutants.json says, for a "
                        "page in Markdown")
    parser.add_argument("--full", action="store_true",
                        help="fill all columns of the table")
    parser.add_argument("--real", action="store_true",
                        help="the course's tests alone, once, in real time")
    parser.number("seeds", 20, 1, 1000)     # for a column
    parser.number("most", 200, 1, 100_000)  # until the first kill
    return parser.read(arguments)


def sampled(mutants: list[Mutant], size: int, turn: int,
            day: str) -> list[Mutant]:
    """Returns the day's sample of that turn; the turns share the mutants."""
    drawn = mutants[:]
    random.Random(day).shuffle(drawn)
    sample = drawn[size * (turn - 1):size * turn]
    if not sample:
        raise Problem(f"ROUND={turn}: {len(mutants)} mutants have no more than "
                     f"{-(-len(mutants) // size)} samples of {size}")
    return sample


class Workshop:
    """Makes the programs: a base tree for each kind, and copies of it."""

    def __init__(self, with_checks: bool) -> None:
        self.with_checks = with_checks

    def tree(self, name: str) -> Path:
        """Returns where a mutant is made."""
        suffix = "-checks" if self.with_checks else ""
        return mutation.FOLDER / f"{name}{suffix}"

    def build(self, mutant: Mutant, tree: Path, **how: Any) -> Program:
        """Builds the program in a tree."""
        program = mutation.build_in(
            tree, mutant.name, mutant.program, mutant.variant,
            has_checks=self.with_checks,
            has_units=mutant.folder == corpus.STORAGE, **how)
        checks = [path.name for path in (ROOT / mutant.folder).glob("*.cc")]
        return Program(tree, mutant.run, program, corpus.LABS[mutant.folder],
                       checks)

    def base(self, mutant: Mutant) -> Path:
        """Returns the tree whose objects a mutant takes over."""
        return self.tree(f"base-{mutant.program}-{mutant.variant}")

    def make_base(self, mutant: Mutant) -> Program:
        """Builds the unchanged tree that a mutant begins with."""
        original = replace(ORIGINAL, run=mutant.run, folder=mutant.folder)
        tree = mutation.copy_tree(self.base(original).name, mutant.folder)
        return self.build(original, tree, jobs=os.cpu_count() or 1)

    def make(self, mutant: Mutant) -> Program:
        """Copies, patches and builds. The tree is the caller's to delete."""
        tree = mutation.copy_tree(self.tree(mutant.name).name, mutant.folder)
        corpus.apply(mutant, tree)
        base = mutation.place_of(self.base(mutant)).relative_to(ROOT)
        return self.build(mutant, tree, base=str(base))


class Judge:
    """One call of this program."""

    def __init__(self, options: argparse.Namespace, mutants: list[Mutant],
                 results: Results) -> None:
        self.options = options
        self.mutants = mutants
        self.results = results
        self.bare = Workshop(with_checks=False)
        self.checked = Workshop(with_checks=True)

    def prepare(self, workshop: Workshop, chosen: list[Mutant]) -> None:
        """Builds what the mutants begin with, and tests it."""
        for of, run in sorted({(m.program, m.run) for m in chosen}):
            alike = [m for m in chosen if (m.program, m.run) == (of, run)]
            program = workshop.make_base(alike[0])
            begin = time.monotonic()
            seeds = SEEDS_OF_ORIGINAL[run]
            for labs in sorted({corpus.LABS[m.folder] for m in alike}):
                program = replace(program, labs=labs)
                check_killers(program, [m for m in alike
                                        if corpus.LABS[m.folder] == labs])
                for seed in range(1, seeds + 1):
                    for kill in program.kills(ALL, seed):
                        raise Problem("the tests fail without any change: "
                                      f"{kill.test} seed {seed}: "
                                      f"{kill.message}")
            print(f"passed   original under {run}, {seeds} seeds in "
                  f"{time.monotonic() - begin:.1f} s", flush=True)

    def find_kill(self, mutant: Mutant) -> Facts:
        """Returns the first kill. A survivor's tree is kept."""
        program = self.bare.make(mutant)
        most = self.options.most if of_labs([mutant]) else SEEDS_OF_UNIT_TESTS
        kill = first_kill(program, mutant.killers, most)
        if kill is not None:
            shutil.rmtree(program.tree)
        return {"kill": as_json(kill)}

    def fill_columns(self, mutant: Mutant) -> Facts:
        """Returns all columns."""
        bare = self.bare.make(mutant)
        checked = self.checked.make(mutant)
        cells = full.columns(bare, checked, self.options.seeds,
                             self.options.most)
        shutil.rmtree(bare.tree)
        shutil.rmtree(checked.tree)
        return {"columns": cells}

    def run_real(self, mutant: Mutant) -> Facts:
        """Returns what the course's tests find; keeps a tree to confirm."""
        program = self.bare.make(mutant)
        real = full.in_real_time(program)
        if not real["late"]:
            shutil.rmtree(program.tree)
        return {"real": real}

    def confirm_real(self, mutant: Mutant) -> Facts:
        """Says which tests come too late even alone."""
        tree = self.bare.tree(mutant.name)
        real = full.confirmed(
            Program(tree, mutant.run, f"out/{mutant.variant}/{mutant.program}",
                    corpus.LABS[mutant.folder]),
            self.results.entry(mutant)["real"])
        shutil.rmtree(tree)
        return {"real": real}

    def for_each(self, chosen: list[Mutant], task: Callable[[Mutant], Facts],
                 show: Callable[[str, Facts], str],
                 jobs: int | None = None) -> None:
        """Does it for all, some at a time, and saves what comes out."""
        def report(mutant: Mutant, facts: Facts) -> None:
            entry = self.results.entry(mutant)
            entry |= facts
            self.results.write(self.mutants)
            print(show(mutant.name, entry), flush=True)
        mutation.for_each(chosen, jobs or self.options.jobs, task, report)

    def lacking(self, chosen: list[Mutant], fact: str) -> list[Mutant]:
        """Returns the mutants of which that is not known yet."""
        return [m for m in chosen if fact not in self.results.entry(m)]

    def kill_all(self, chosen: list[Mutant]) -> None:
        """The short table."""
        self.prepare(self.bare, chosen)
        self.for_each(chosen, self.find_kill, kill_line)

    def fill_all(self, chosen: list[Mutant]) -> None:
        """The whole table of the labs; what is known stays."""
        chosen = self.lacking(of_labs(chosen), "columns")
        self.prepare(self.checked, chosen)
        self.for_each(chosen, self.fill_columns, cells_line)

    def run_all_really(self, chosen: list[Mutant]) -> None:
        """The column of the course's tests in real time."""
        chosen = [replace(mutant, run="sim") for mutant in of_labs(chosen)]
        # Those that an interrupted run has not confirmed are run again.
        lacking = [m for m in chosen if self.results.entry(m).get(
            "real", {"late": True})["late"]]
        self.prepare(self.bare, lacking)
        self.for_each(lacking, self.run_real, real_line,
                      self.options.jobs or REAL_JOBS)
        late = [m for m in lacking if self.results.entry(m)["real"]["late"]]
        self.for_each(late, self.confirm_real, real_line, jobs=1)

    def clean_up(self) -> None:
        """Deletes what the mutants began with."""
        for workshop in (self.bare, self.checked):
            for mutant in self.mutants:
                shutil.rmtree(workshop.base(mutant), ignore_errors=True)

    def survivors(self, chosen: list[Mutant]) -> list[str]:
        """Returns the names of those that nothing has killed."""
        return [mutant.name for mutant in chosen
                if self.results.entry(mutant).get("kill", True) is None]


def of_labs(mutants: list[Mutant]) -> list[Mutant]:
    """Returns those that tests of labs judge."""
    return [mutant for mutant in mutants if corpus.LABS[mutant.folder]]


def check_killers(program: Program, chosen: list[Mutant]) -> None:
    """A killer that is no test any more is a mistake in the patch."""
    notice.show(program.tree / program.path)
    names = program.names()
    for mutant in chosen:
        if unknown := set(mutant.killers) - names:
            raise Problem(f"{mutant.name}.patch: Killers: no test "
                         f"{', '.join(sorted(unknown))}")


def main(arguments: list[str]) -> int:
    """Does what the command line says; returns the exit status."""
    options = parse_arguments(arguments)
    mutants = corpus.load(HERE, ROOT)
    chosen = mutation.selected(mutants, options.names)
    if options.sample:
        chosen = sampled(chosen, options.sample, options.round,
                         time.strftime("%Y-%m-%d"))
        print(f"sample   {' '.join(mutant.name for mutant in chosen)}")
    results = Results(RESULTS, digest_of_sources(ROOT))
    if options.check:
        return 0
    if options.table:
        print("\n".join(markdown({m.name: results.entry(m) for m in chosen})))
        return 0
    judge = Judge(options, mutants, results)
    with alone(mutation.FOLDER, "make mutants"):
        try:
            if options.real:
                judge.run_all_really(chosen)
                return 0
            judge.kill_all(chosen)
            if options.full:
                judge.fill_all(chosen)
        finally:
            judge.clean_up()
    return mutation.conclude(len(chosen), judge.survivors(chosen))
