"""Breaks the simulator in one place at a time; its tests must fail each time.

changes.py lists the changes. Each is made in a copy of the tree in
out/mutants/sim-NAME/, which takes over the objects that are already built, so
that one file is compiled and the tests are linked again. First comes a copy
without any change, whose tests must pass: it shows that the tests can be
believed, and how long they take.

A mutant is killed by the first test that fails, or if the tests end in another
way, or take far longer than they should; else it survives, and its folder is
kept. Exit status: 0 if all are killed, 1 if one survives, 2 if something is
wrong with the list, the build or the tests.
"""

import argparse
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT, events, mutation
from tools.build import LIMIT_S
from tools.command import Problem
from tools.process import Ended
from tools.sim_mutants.changes import MUTANTS, Mutant

PROGRAM = "sim_tests"
ORIGINAL = Mutant("original", "nothing", "", "", "")

# A broken simulator may do nothing at all, or everything ten times as slowly.
TIMES_AS_LONG = 4
AT_LEAST_S = 60


@dataclass
class Run:
    """What the tests of one copy said."""
    failed: list[str]
    seconds: float


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Returns the command line's options."""
    parser = mutation.arguments(__doc__)
    parser.add_argument("--list", action="store_true", help="list the mutants")
    parser.texts("run")
    parser.add_argument("--all", action="store_true",
                        help="go on after the first test that fails")
    return parser.read(arguments)


def mutated(mutant: Mutant, root: Path) -> str:
    """Returns the text of the changed file."""
    try:
        text = (root / mutant.path).read_text()
    except OSError as error:
        raise Problem(f"{mutant.name}: {error}") from error
    count = text.count(mutant.old)
    if count != 1:
        raise Problem(f"{mutant.name}: its text is {count} times, not once, in "
                     f"{mutant.path}")
    if mutant.old == mutant.new:
        raise Problem(f"{mutant.name} changes nothing")
    return text.replace(mutant.old, mutant.new)


def build_mutated(mutant: Mutant) -> Path:
    """Copies sources and objects, changes one file, and builds."""
    tree = mutation.copy_tree(f"sim-{mutant.name}", "sim")
    if mutant.path:
        (tree / mutant.path).write_text(mutated(mutant, ROOT))
    mutation.build_in(tree, mutant.name, PROGRAM)
    return tree


def failed_tests(ended: Ended) -> list[str]:
    """Returns the tests that failed, or the one that ended everything."""
    run = events.read(ended.output, ended.status)
    how = "did not end" if ended.status is None else f"status {ended.status}"
    failed = [test.test for test in run.failed]
    if not failed and ended.status != 0:
        failed = [f"{run.last_begun or 'the beginning'} ({how})"]
    return failed


def run_tests(tree: Path, options: argparse.Namespace, limit: float) -> Run:
    """Runs the tests of one copy."""
    begin = time.monotonic()
    ended = mutation.run_in(
        tree, [f"out/plain/{PROGRAM}", "--json", "--seed=1",
               "--parallel=1", f"--run={options.run}"], limit,
        on_line=None if options.all else
        lambda line: events.parse(line).get("Action") == "fail")
    run = events.read(ended.output, ended.status)
    (tree / "sim_tests.log").write_text(run.text)
    if ended.status == 2:
        raise Problem(f"sim_tests: {run.trouble}")
    return Run(failed_tests(ended), time.monotonic() - begin)


def try_mutant(mutant: Mutant, options: argparse.Namespace,
               limit: float) -> Run:
    """Copies, builds and tests; only a survivor's folder is kept."""
    tree = build_mutated(mutant)
    run = run_tests(tree, options, limit)
    if run.failed:
        shutil.rmtree(tree)
    return run


def try_original(options: argparse.Namespace) -> float:
    """Tests the simulator as it is; returns how long a mutant may take."""
    tree = build_mutated(ORIGINAL)
    run = run_tests(tree, options, LIMIT_S)
    if run.failed:
        raise Problem(f"the tests fail without any change: {run.failed[0]}; "
                     f"see {tree / 'sim_tests.log'}")
    shutil.rmtree(tree)
    print(f"passed    {'original':22} {run.seconds:6.1f} s", flush=True)
    return max(AT_LEAST_S, TIMES_AS_LONG * run.seconds)


def report(mutant: Mutant, run: Run) -> None:
    """Prints a mutant's line."""
    verdict = "killed" if run.failed else "SURVIVED"
    by = ", ".join(run.failed[:3]) or f"it {mutant.breaks}"
    print(f"{verdict:9} {mutant.name:22} {run.seconds:6.1f} s  {by}",
          flush=True)


def main(arguments: list[str]) -> int:
    """Does what the command line says; returns the exit status."""
    options = parse_arguments(arguments)
    mutants = mutation.selected(MUTANTS, options.names)
    for mutant in mutants:
        mutated(mutant, ROOT)
    if options.list or options.check:
        for mutant in mutants if options.list else []:
            print(f"{mutant.name:22} {mutant.breaks} ({mutant.path})")
        return 0
    limit = try_original(options) * (options.jobs or os.cpu_count() or 1)
    survivors: list[str] = []

    def take(mutant: Mutant, run: Run) -> None:
        report(mutant, run)
        if not run.failed:
            survivors.append(mutant.name)

    mutation.for_each(mutants, options.jobs,
                      lambda mutant: try_mutant(mutant, options, limit), take)
    return mutation.conclude(len(mutants), survivors)
