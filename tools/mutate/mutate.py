"""Breaks every expression and statement of the module; the tests must notice.

`make mutate`; README.md beside this file has the table.

The mutants of the chosen files are compiled into one program and switched at
run time. First all tests run without any, which tells which of them reach which
mutant; then for each mutant those that reach it, until one fails. out/
mutate.json keeps what came out: a call that was interrupted goes on there.

Exit status: 0 if all survivors are listed in equivalent.txt, 1 if not, 2 if
something is wrong, 130 if interrupted.
"""

import argparse
import random
import resource
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import ROOT, mutation
from tools.build import build
from tools.command import Arguments, Problem
from tools.mutate.results import (Results, equivalents, obsolete,
                                  score_lines)
from tools.mutate.runs import Program, default_jobs
from tools.mutate.schema import Placed, Schema

FOLDERS = ["base", "rpc", "labrpc", "persister", "persister/files", "raft"]
# Not in the program.
COMMANDS = ["persister/files/main.cc"]
LINKED = ["rsm", "kvraft", "shardctrler", "shardkv", "shardkv1", "porcupine",
          "sim", "tests", "examples", "bench"]
PLACE = ROOT / "out/mutate"
RESULTS = ROOT / "out/mutate.json"
PROGRAM = "raft_sim_units"
HERE = ROOT / "tools/mutate"
NUMBERS_OF_A_FILE = 1000
BUILD_LIMIT_S = 7200


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Returns the command line's options."""
    parser = Arguments(__doc__)
    parser.add_argument("names", nargs="*", help="these folders or files only")
    parser.number("sample", None, 1, 10_000)  # of the mutants of a file
    parser.number("round", 1, 1, 10_000)      # which file of the day
    parser.number("jobs", None, 1, mutation.MOST_JOBS)
    parser.number("seeds", 3, 1, 1000)
    parser.add_argument("--again", action="store_true",
                        help="run known survivors again")
    parser.add_argument("--race", action="store_true",
                        help="removed locks that survived, under "
                        "ThreadSanitizer")
    return parser.read(arguments)


def sources() -> list[str]:
    """Returns the files that can be mutated."""
    found = [f"{folder}/{path.name}" for folder in FOLDERS
             for path in sorted((ROOT / folder).glob("*.*"))
             if path.suffix in (".h", ".cc")]
    return [file for file in found if file not in COMMANDS]


def chosen(files: list[str], options: argparse.Namespace,
           day: str) -> list[str]:
    """Returns the files that are asked for."""
    for name in options.names:
        if name.strip("/") not in [*FOLDERS, *files]:
            raise Problem(f"ONLY={name}: give folders of "
                          f"{', '.join(FOLDERS)}, or files in them")
    names = {name.strip("/") for name in options.names}
    files = [file for file in files if not names or file in names
             or file.rpartition("/")[0] in names]
    if options.sample is None:
        return files
    # A header would compile everything again.
    files = [file for file in files if file.endswith(".cc")]
    random.Random(day).shuffle(files)
    return [files[(options.round - 1) % len(files)]]


class Workshop:
    """The mutated tree, and the program of it."""

    def __init__(self, place: Path, chosen: list[str]) -> None:
        self.place, self.chosen = place, chosen
        self.tree = place / "tree"
        self.schemas: dict[str, Schema] = {}

    def make_tree(self, jobs: int) -> list[Placed]:
        """Writes it; returns the mutants in it."""
        files = sources()
        self.copy_rest(files)
        for name in LINKED:
            link = self.tree / name
            if not link.is_symlink():
                link.symlink_to(ROOT / name)

        def mutants_of(file: str) -> list[Placed]:
            schema = Schema(ROOT, self.tree, file,
                            NUMBERS_OF_A_FILE * (1 + files.index(file)))
            placed = schema.make(self.place / "found" /
                                 f"{file.replace('/', '_')}.json")
            self.schemas[file] = schema
            if len(placed) >= NUMBERS_OF_A_FILE:
                raise Problem(f"{file} has {len(placed)} mutants")
            return placed

        with ThreadPoolExecutor(jobs) as pool:
            return [mutant for mutants in pool.map(mutants_of, self.chosen)
                    for mutant in mutants]

    def copy_rest(self, files: list[str]) -> None:
        """Copies what is not mutated and has changed, and deletes what is not
        there any more."""
        rest = {file: ROOT / file for file in files if file not in self.chosen}
        rest["base/mutate.h"] = HERE / "mutate.h"
        for folder in FOLDERS:
            (self.tree / folder).mkdir(parents=True, exist_ok=True)
            for path in (self.tree / folder).iterdir():
                if path.is_file() and \
                        f"{folder}/{path.name}" not in [*rest, *self.chosen]:
                    path.unlink()
        for file, path in rest.items():
            copy = self.tree / file
            if not copy.exists() or copy.read_bytes() != path.read_bytes():
                shutil.copy(path, copy)

    def build(self, jobs: int, seeds: int, variant: str) -> Program:
        """Builds it."""
        path = build(PROGRAM, variant, place=str(self.place.relative_to(ROOT)),
                     jobs=jobs, has_units=True, launcher=mutation.LAUNCHER,
                     limit=BUILD_LIMIT_S)
        return Program(ROOT / path, self.place, seeds, variant)


def is_asked_for(mutant: Placed, options: argparse.Namespace,
                 results: Results) -> bool:
    """Says whether it is to be run."""
    if options.race:
        return mutant.operator == "lock removed" and results.survived(mutant)
    return not results.is_known(mutant, options.again)


def judge(kill: Callable[[Placed], str], mutants: list[Placed],
          results: Results, jobs: int) -> None:
    """Finds what kills each mutant."""
    begin = time.monotonic()

    def done(mutant: Placed, killer: str) -> None:
        results.note(mutant, killer)
        show(mutant, killer)

    try:
        mutation.for_each(mutants, jobs, kill, done)
    finally:
        results.write()
    print(f"{len(mutants)} run in {time.monotonic() - begin:.0f} s")


def show(mutant: Placed, killer: str) -> None:
    """Prints a line for what was killed, three for what was not."""
    if killer:
        print(f"killed   {mutant.name:28} {mutant.operator:18} {killer}")
    else:
        print(f"SURVIVED {mutant.name:28} {mutant.operator:18} "
              f"{mutant.function}\n"
              f"  - {mutant.before}\n  + {mutant.after}")


def cpu_seconds() -> float:
    """Returns the processor time of all programs so far, and our own."""
    return sum(used.ru_utime + used.ru_stime for used in map(
        resource.getrusage, (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)))


def conclude(mutants: list[Placed], results: Results, is_all: bool) -> int:
    """Prints the score; returns the exit status."""
    listed = equivalents(HERE / "equivalent.txt")
    lines, unlisted = score_lines(mutants, results, listed)
    print(*lines, sep="\n")
    for key in obsolete(mutants, results, listed) if is_all else []:
        print(f"equivalent.txt need not list:\n{key}")
    return 1 if unlisted else 0


def main(arguments: list[str]) -> int:
    """Runs the command; returns the exit status."""
    options = parse_arguments(arguments)
    jobs = default_jobs(options.jobs)
    day = time.strftime("%Y-%m-%d")
    place = PLACE if options.sample is None else PLACE.with_name(
        "mutate-sample")
    workshop = Workshop(place, chosen(sources(), options, day))
    mutants = workshop.make_tree(jobs)
    print(f"{len(mutants)} mutants in {len(workshop.chosen)} files, made in "
          f"{cpu_seconds():.0f} s of processor time")
    variant = "race" if options.race else "plain"
    program = workshop.build(jobs, options.seeds, variant)
    program.learn(jobs, place / f"reached-{variant}.json", print)
    if options.sample:
        random.Random(day).shuffle(mutants)
        mutants = mutants[:options.sample]
    before = cpu_seconds()
    print(f"built and learned, {before:.0f} s of processor time so far")
    results = Results(RESULTS, ROOT, {file: schema.digest for file, schema
                                      in workshop.schemas.items()})

    def kill(mutant: Placed) -> str:
        if workshop.schemas[mutant.file].is_seen_by_clang(mutant.number):
            return "clang (thread safety)"
        return program.kill(mutant.number)

    judge(kill, [mutant for mutant in mutants
                 if is_asked_for(mutant, options, results)], results, jobs)
    print(f"{cpu_seconds() - before:.0f} s of processor time")
    return conclude(mutants, results, is_all=not options.sample)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
