#!/usr/bin/env python3
"""Breaks raft/ in one place at a time; the suite must notice each time.

Who calls it: `make mutants` (README.md beside this file). Needs Debian's Python
with tqdm, because it reads the suite's output with sim.py.

Each patch is put into a copy of the tree in out/mutants/, whose raft/ is
compiled without its own CHECKs; then the suite runs under the simulator until
the first test fails. First comes a copy without any change, whose tests must
pass. --full fills the columns of the table; --real runs the course's tests
alone, in real time. out/mutants.json keeps what came out.

Exit status: 0 if all were killed, 1 if one survived, 2 if a patch, a build or
the suite itself is wrong, 130 if interrupted.
"""

import argparse
import os
import random
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Callable

sys.dont_write_bytecode = True  # nothing but sources belongs beside this file
TOOLS = Path(__file__).resolve().parents[1]
sys.path += [str(TOOLS), str(TOOLS / "seeds")]
import copies
import corpus
import full
import notice
from copies import ROOT, Broken
from corpus import ORIGINAL, Mutant
from results import (Facts, Results, as_json, cells_line, digest_of_sources,
                     kill_line, markdown, real_line)
from suite import ALL, Program, first_kill

HERE = Path(__file__).resolve().parent
RESULTS = ROOT / "out/mutants.json"
SEEDS_OF_ORIGINAL = {"sim": 3, "sim-race": 1, "sim-asan": 1}
# In real time the tests sleep most of the time.
REAL_JOBS = 6
# Nothing of the lab's program, and large.
NOT_COPIED = ("tests/unit", "examples", "sim/test")


def positive(text: str) -> int:
    """Returns the number."""
    if not text.isdecimal() or int(text) == 0:
        raise Broken(f"SAMPLE and ROUND: '{text}' is no positive number")
    return int(text)


def parse_arguments() -> argparse.Namespace:
    """Returns the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="these mutants only")
    parser.add_argument("--sample", type=positive, metavar="N",
                        help="N mutants only, which the day draws")
    parser.add_argument("--round", type=positive, default=1, metavar="K",
                        help="of the samples of the day the K-th; each mutant "
                        "is in one of them")
    parser.add_argument("--check", action="store_true",
                        help="only check that each patch applies")
    parser.add_argument("--table", action="store_true",
                        help="only print what out/mutants.json says, for a "
                        "page in Markdown")
    parser.add_argument("--full", action="store_true",
                        help="fill all columns of the table")
    parser.add_argument("--real", action="store_true",
                        help="the course's tests alone, once, in real time")
    parser.add_argument("--jobs", type=int, default=0,
                        help="how many at a time")
    parser.add_argument("--seeds", type=int, default=20,
                        help="how many for a column")
    parser.add_argument("--most", type=int, default=200,
                        help="how many until the first kill")
    return parser.parse_args()


def selected(mutants: list[Mutant], names: list[str]) -> list[Mutant]:
    """Returns the mutants with these names, or all of them."""
    unknown = set(names) - {mutant.name for mutant in mutants}
    if unknown:
        raise Broken(f"no such mutant: {', '.join(sorted(unknown))}")
    return [m for m in mutants if not names or m.name in names]


def sampled(mutants: list[Mutant], size: int, turn: int,
            day: str) -> list[Mutant]:
    """Returns the day's sample of that turn; the turns share the mutants."""
    drawn = mutants[:]
    random.Random(day).shuffle(drawn)
    sample = drawn[size * (turn - 1):size * turn]
    if not sample:
        raise Broken(f"ROUND={turn}: {len(mutants)} mutants have no more than "
                     f"{-(-len(mutants) // size)} samples of {size}")
    return sample


class Workshop:
    """Makes the programs: a base tree for each kind, and copies of it."""

    def __init__(self, with_checks: bool) -> None:
        self.with_checks = with_checks
        self.sources = [path.stem for path in (ROOT / "raft").glob("*.cc")]

    def tree(self, name: str) -> Path:
        """Returns where a mutant is made."""
        suffix = "-checks" if self.with_checks else ""
        return ROOT / copies.FOLDER / f"{name}{suffix}"

    def build(self, mutant: Mutant, tree: Path, *flags: str) -> Program:
        """Builds the program in a tree."""
        program = f"out/{mutant.variant}/raft_sim"
        checks = "on" if self.with_checks else "off"
        copies.build(mutant.name, tree, program, f"RAFT_CHECKS={checks}",
                     *flags)
        return Program(tree, mutant.run, program, self.sources)

    def make_base(self, run: str) -> Program:
        """Builds the unchanged Raft, whose objects the mutants take over."""
        original = replace(ORIGINAL, run=run)
        all_cores = f"-j{os.cpu_count() or 1}"
        # Here first, so that the next call finds the objects.
        copies.build(original.name, ROOT, f"out/{original.variant}/raft_sim",
                     all_cores)
        tree = self.tree(f"base-{original.variant}")
        copies.copy_tree(tree.name, original.variant)
        objects = tree / "out" / original.variant / "obj"
        for folder in NOT_COPIED if self.with_checks else (*NOT_COPIED, "raft"):
            shutil.rmtree(objects / folder, ignore_errors=True)
        return self.build(original, tree, all_cores)

    def make(self, mutant: Mutant) -> Program:
        """Copies, patches and builds. The tree is the caller's to delete."""
        tree = self.tree(mutant.name)
        shutil.rmtree(tree, ignore_errors=True)
        shutil.copytree(self.tree(f"base-{mutant.variant}"), tree)
        corpus.apply(mutant, tree)
        return self.build(mutant, tree)


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
        for run in sorted({mutant.run for mutant in chosen}):
            program = workshop.make_base(run)
            check_killers(program, chosen)
            begin = time.monotonic()
            seeds = SEEDS_OF_ORIGINAL[run]
            for seed in range(1, seeds + 1):
                for kill in program.kills(ALL, seed):
                    raise Broken("the tests fail without any change: "
                                 f"{kill.test} seed {seed}: {kill.message}")
            print(f"passed   original under {run}, {seeds} seeds in "
                  f"{time.monotonic() - begin:.1f} s", flush=True)

    def find_kill(self, mutant: Mutant) -> Facts:
        """Returns the first kill. A survivor's tree is kept."""
        program = self.bare.make(mutant)
        kill = first_kill(program, mutant.killers, self.options.most)
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
            Program(tree, mutant.run, f"out/{mutant.variant}/raft_sim"),
            self.results.entry(mutant)["real"])
        shutil.rmtree(tree)
        return {"real": real}

    def for_each(self, chosen: list[Mutant], jobs: int,
                 task: Callable[[Mutant], Facts],
                 report: Callable[[str, Facts], str]) -> None:
        """Does it for all, some at a time, and saves what comes out."""
        with ThreadPoolExecutor(jobs) as pool:
            tasks = {pool.submit(task, mutant): mutant for mutant in chosen}
            try:
                for done in as_completed(tasks):
                    entry = self.results.entry(tasks[done])
                    entry |= done.result()
                    self.results.write(self.mutants)
                    print(report(tasks[done].name, entry), flush=True)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                copies.end_all()
                raise

    def lacking(self, chosen: list[Mutant], fact: str) -> list[Mutant]:
        """Returns the mutants of which that is not known yet."""
        return [m for m in chosen if fact not in self.results.entry(m)]

    def kill_all(self, chosen: list[Mutant]) -> None:
        """The short table."""
        self.prepare(self.bare, chosen)
        self.for_each(chosen, self.jobs(), self.find_kill, kill_line)

    def fill_all(self, chosen: list[Mutant]) -> None:
        """The whole table; what is known stays."""
        chosen = self.lacking(chosen, "columns")
        self.prepare(self.checked, chosen)
        self.for_each(chosen, self.jobs(), self.fill_columns, cells_line)

    def run_all_really(self, chosen: list[Mutant]) -> None:
        """The column of the course's tests in real time."""
        chosen = [replace(mutant, run="sim")
                  for mutant in self.lacking(chosen, "real")]
        self.prepare(self.bare, chosen)
        self.for_each(chosen, self.jobs(REAL_JOBS), self.run_real, real_line)
        late = [m for m in chosen if self.results.entry(m)["real"]["late"]]
        self.for_each(late, 1, self.confirm_real, real_line)

    def clean_up(self) -> None:
        """Deletes what the mutants began with."""
        for workshop in (self.bare, self.checked):
            for variant in corpus.VARIANTS.values():
                shutil.rmtree(workshop.tree(f"base-{variant}"),
                              ignore_errors=True)

    def jobs(self, otherwise: int = 0) -> int:
        """Returns how many to do at a time."""
        return self.options.jobs or otherwise or os.cpu_count() or 1

    def survivors(self, chosen: list[Mutant]) -> list[str]:
        """Returns the names of those that nothing has killed."""
        return [mutant.name for mutant in chosen
                if self.results.entry(mutant).get("kill", True) is None]


def check_killers(program: Program, chosen: list[Mutant]) -> None:
    """A killer that is no test any more is a mistake in the patch."""
    notice.show(program.tree / program.path)
    names = set(program.names())
    for mutant in chosen:
        if unknown := set(mutant.killers) - names:
            raise Broken(f"{mutant.name}.patch: Killers: no test "
                         f"{', '.join(sorted(unknown))}")


def main() -> int:
    """Does what the command line says; returns the exit status."""
    options = parse_arguments()
    mutants = corpus.load(HERE, ROOT)
    chosen = selected(mutants, options.names)
    if options.sample:
        chosen = sampled(chosen, options.sample, options.round,
                         time.strftime("%Y-%m-%d"))
        print(f"sample   {' '.join(mutant.name for mutant in chosen)}",
              flush=True)
    results = Results(RESULTS, digest_of_sources(ROOT))
    if options.check:
        return 0
    if options.table:
        print("\n".join(markdown({m.name: results.entry(m) for m in chosen})))
        return 0
    judge = Judge(options, mutants, results)
    try:
        if options.real:
            judge.run_all_really(chosen)
            return 0
        judge.kill_all(chosen)
        if options.full:
            judge.fill_all(chosen)
    finally:
        judge.clean_up()
    survivors = judge.survivors(chosen)
    print(f"{len(chosen) - len(survivors)} killed, {len(survivors)} survived"
          f"{': ' if survivors else ''}{' '.join(survivors)}")
    return 1 if survivors else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Broken as broken:
        print(f"mutants: {broken}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
