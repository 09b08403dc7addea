#!/usr/bin/env python3
"""Breaks the simulator in one place at a time; its tests must fail each time.

Who calls it: `make sim-mutants`, ONLY='name name' for some. Needs the standard
library only.

mutants.py lists the changes. Each is made in a copy of the tree in
out/mutants/sim-NAME/, which takes over the objects that are already built, so
that one file is compiled and the tests are linked anew. First comes a copy
without any change, whose tests must pass: it shows that the tests can be
believed, and how long they take.

A mutant is killed by the first test that fails, or if the tests end in another
way, or take far longer than they should; else it survives, and its folder is
kept. Exit status: 0 if all are killed, 1 if
one survives, 2 if something is wrong with the list, the build or the tests.
"""

import argparse
import os
import re
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True  # nothing but sources belongs beside this file
sys.path.append(str(Path(__file__).resolve().parents[1]))
import copies
from copies import BUILD_LIMIT_S, ROOT, Broken
from mutants import MUTANTS, Mutant

TARGET = "out/plain/sim_tests"
ORIGINAL = Mutant("original", "nothing", "", "", "")

# A broken simulator may do nothing at all, or everything ten times as slowly.
TIMES_AS_LONG = 4
AT_LEAST_S = 60


@dataclass
class Run:
    """What the tests of one copy said."""
    failed: list[str]
    seconds: float


def parse_arguments() -> argparse.Namespace:
    """Returns the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="these mutants only")
    parser.add_argument("--list", action="store_true", help="list the mutants")
    parser.add_argument("--check", action="store_true",
                        help="only check that each change fits the sources")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--run", default="", metavar="REGEX",
                        help="only the tests that match")
    parser.add_argument("--all", action="store_true",
                        help="go on behind the first test that fails")
    return parser.parse_args()


def selected(names: list[str]) -> list[Mutant]:
    """Returns the mutants with these names, or all of them."""
    unknown = set(names) - {mutant.name for mutant in MUTANTS}
    if unknown:
        raise Broken(f"no such mutant: {', '.join(sorted(unknown))}")
    return [m for m in MUTANTS if not names or m.name in names]


def mutated(mutant: Mutant, root: Path) -> str:
    """Returns the text of the changed file."""
    try:
        text = (root / mutant.path).read_text()
    except OSError as error:
        raise Broken(f"{mutant.name}: {error}") from error
    count = text.count(mutant.old)
    if count != 1:
        raise Broken(f"{mutant.name}: its text is {count} times, not once, in "
                     f"{mutant.path}")
    if mutant.old == mutant.new:
        raise Broken(f"{mutant.name} changes nothing")
    return text.replace(mutant.old, mutant.new)


def copy_mutated(mutant: Mutant) -> Path:
    """Copies sources and objects; changes one file."""
    tree = copies.copy_tree(f"sim-{mutant.name}", "plain")
    if mutant.path:
        (tree / mutant.path).write_text(mutated(mutant, ROOT))
    return tree


def failed_tests(status: int | None, lines: list[str]) -> list[str]:
    """Returns the tests that failed, or the one that ended everything."""
    if status == 0:
        return []
    failed = [match[1] for line in lines
              if (match := re.match(r"--- FAIL: (\w+)", line))]
    if not failed:
        begun = [line.split()[-1] for line in lines
                 if line.startswith("=== RUN")] or ["the beginning"]
        how = "did not end" if status is None else f"status {status}"
        failed = [f"{begun[-1]} ({how})"]
    return failed


def run_tests(tree: Path, options: argparse.Namespace, limit: float) -> Run:
    """Runs the tests of one copy."""
    begin = time.monotonic()
    status, lines = copies.run_limited(
        [TARGET, "--verbose=1", "--seed=1", f"--run={options.run}"], tree,
        limit, last_words="\0" if options.all else "--- FAIL:")
    (tree / "sim_tests.log").write_text("\n".join(lines) + "\n")
    if status == 2:
        raise Broken(f"sim_tests: {lines[-1] if lines else 'status 2'}")
    return Run(failed_tests(status, lines), time.monotonic() - begin)


def try_mutant(mutant: Mutant, options: argparse.Namespace,
               limit: float) -> Run:
    """Copies, builds and tests; only a survivor's folder is kept."""
    tree = copy_mutated(mutant)
    copies.build(mutant.name, tree, TARGET)
    run = run_tests(tree, options, limit)
    if run.failed:
        shutil.rmtree(tree)
    return run


def try_original(options: argparse.Namespace) -> float:
    """Tests the simulator as it is; returns how long a mutant may take."""
    tree = copy_mutated(ORIGINAL)
    copies.build(ORIGINAL.name, tree, TARGET)
    run = run_tests(tree, options, BUILD_LIMIT_S)
    if run.failed:
        raise Broken(f"the tests fail without any change: {run.failed[0]}; "
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


def try_all(mutants: list[Mutant], options: argparse.Namespace) -> int:
    """Tries them, some at a time; returns how many survived."""
    limit = try_original(options) * options.jobs
    survivors = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        tries = {pool.submit(try_mutant, mutant, options, limit): mutant
                 for mutant in mutants}
        try:
            for done in as_completed(tries):
                report(tries[done], done.result())
                survivors += not done.result().failed
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            copies.end_all()
            raise
    return survivors


def main() -> int:
    """Does what the command line says; returns the exit status."""
    options = parse_arguments()
    mutants = selected(options.names)
    for mutant in mutants:
        mutated(mutant, ROOT)
    if options.list or options.check:
        for mutant in mutants if options.list else []:
            print(f"{mutant.name:22} {mutant.breaks} ({mutant.path})")
        return 0
    survivors = try_all(mutants, options)
    print(f"{len(mutants) - survivors} killed, {survivors} survived")
    return 1 if survivors else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Broken as broken:
        print(f"mutate: {broken}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
