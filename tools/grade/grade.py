"""Grades a solution, or those of a whole class: points for each part, and why.

`make grade RAFT=folder`, or CLASS=folder, in which each folder is one Raft. For
labs 3 to 5, `make grade LAB=folder`, or CLASS=folder LAB=3, in which each
folder has any of the rooms that labs.py names. A solution is compiled into a
program of its own, without the tests; the tests are another program, which
never loads it and calls it through sockets (tests/isolation/). What it prints,
how it ends and what it does to its own process earns nothing. It runs confined,
N times in real time, under SEEDS seeds of the simulator, and under RACE_SEEDS
seeds with ThreadSanitizer.

OUT/grade.json has the result, for a class OUT/NAME/grade.json for each and
OUT/grades.csv and OUT/grades.txt for all. A class that was interrupted goes on
where it stopped: a folder that has not changed since is not graded again.

Exit status: 0 if everything passed, 1 if something failed or does not build, 2
for a wrong argument, 130 if interrupted.
"""

import argparse
import csv
import hashlib
import io
import json
import os
import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

from tools import ROOT, events
from tools.build import build
from tools.command import Arguments, Problem, on_interrupt, write_whole
from tools.grade import labs, submission
from tools.grade.grader import Grader, Judge, Settings
from tools.grade.result import Grade, check_parts, read_weights
from tools.process import children_seconds
from tools.seeds import notice

# What the tests and our rooms are made of, and the grading itself.
GRADES_BY = ("CMakeLists.txt", "CMakePresets.json", "cmake", *submission.OURS,
             "tools/grade")


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    cores = os.cpu_count() or 1
    parser = Arguments(__doc__)
    parser.texts(*labs.ROOMS, "class", "out", "lab")
    parser.number("n", 1, 0, 1000)
    parser.number("seeds", None, 0, 100_000)
    parser.number("race_seeds", None, 0, 10_000)
    parser.number("limit_minutes", 30, 1, 100_000, "LIMIT")
    parser.add_argument("--weights", type=Path)
    parser.number("jobs", cores, 1, 1024)
    options = parser.read(arguments)
    options.rooms = {room: getattr(options, room)
                     for room in labs.ROOMS if getattr(options, room)}
    options.lab = labs.lab_of(options.lab, options.rooms)
    for name in ("seeds", "race_seeds"):
        if getattr(options, name) is None:
            setattr(options, name, getattr(options.lab, name))
    options.weights = read_weights(options.weights or options.lab.weights)
    options.folder = getattr(options, "class")
    if options.folder and options.rooms:
        raise Problem("give RAFT= or the like for one or CLASS= for many, "
                      "not both")
    options.out = Path(options.out or
                       ROOT / ("out/grades" if options.folder else "out"))
    return options


def folders_of(name: str) -> list[Path]:
    """Returns the folders of a class."""
    try:
        folders = [path for path in sorted(Path(name).iterdir())
                   if path.is_dir() and not path.name.startswith(".")]
    except OSError as error:
        raise Problem(f"CLASS={name}: {error.strerror}; give a folder that has "
                      "a folder for each student") from error
    if not folders:
        raise Problem(f"CLASS={name} has no folders; give one that has a "
                      "folder for each student")
    return folders


def prepare(options: argparse.Namespace) -> Judge:
    """Builds the tests, once for all."""
    print("building the tests", flush=True)
    real, simulated = (ROOT / build(f"{options.lab.kind}_judge{how}",
                                    jobs=os.cpu_count() or 1)
                       for how in ("", "_sim"))
    judge = Judge(options.lab, real, simulated)
    notice.show(judge.simulated)
    judge.tests = events.listed(judge.real, events.ALL)
    check_parts(options.weights, judge.tests)
    if options.lab is not labs.RAFT:
        # Tests of one year say nothing of another's service.
        judge.select(test for test in judge.tests
                     if test.group in options.weights)
    return judge


def settings_of(options: argparse.Namespace, at_once: int) -> Settings:
    """Returns how each one is graded, `at_once` of them at a time."""
    jobs = max(1, options.jobs // at_once)
    return Settings(options.n, options.seeds, options.race_seeds,
                    options.limit_minutes * 60, jobs)


def fingerprint(options: argparse.Namespace) -> str:
    """Returns what a grade depends on, beside what is graded."""
    tree = hashlib.sha256()
    for name in GRADES_BY:
        path = ROOT / name
        tree.update((submission.digest(path) if path.is_dir()
                     else path.read_text()).encode())
    return " ".join([tree.hexdigest(), json.dumps(options.weights),
                     *(str(value) for value in (
                         options.lab.number, options.n, options.seeds,
                         options.race_seeds, options.limit_minutes))])


class Class:
    """Many solutions, some at a time."""

    def __init__(self, options: argparse.Namespace, judge: Judge) -> None:
        self.options = options
        self.judge = judge
        self.folders = folders_of(options.folder)
        self.settings = settings_of(options, min(options.jobs,
                                                 len(self.folders)))
        self.fingerprint = fingerprint(options)
        self.stopping = threading.Event()
        self.running: set[Grader] = set()

    def grade_all(self) -> list[dict[str, Any]]:
        """Grades what has not been graded; returns the results of all."""
        on_interrupt(self.stop)
        results = []
        with futures.ThreadPoolExecutor(self.options.jobs) as pool:
            for result in pool.map(self.grade_one, self.folders):
                results.append(result)
        if self.stopping.is_set():
            raise KeyboardInterrupt("interrupted; the same command goes on "
                                    "where it stopped")
        return results

    def stop(self, *_: object) -> None:
        """Ends all that runs; for a signal."""
        self.stopping.set()
        for grader in list(self.running):
            grader.stop()

    def grade_one(self, folder: Path) -> dict[str, Any]:
        """Returns the result of one folder."""
        path = self.options.out / folder.name / "grade.json"
        result = known(path)
        try:
            now = f"{submission.digest(folder)} {self.fingerprint}"
        except OSError as error:
            grade = Grade(str(folder),
                          build_error=f"it cannot be read: {error}")
            now = ""
        else:
            if result.get("of") == now or self.stopping.is_set():
                return result
            grade = self.run_one(folder)
        if self.stopping.is_set():
            return {}
        result = grade.as_json(self.options.weights) | {"of": now}
        write_whole(path, json.dumps(result, indent=2) + "\n")
        print(row_text(folder.name, result), flush=True)
        return result

    def run_one(self, folder: Path) -> Grade:
        """Grades one folder."""
        try:
            rooms = self.judge.lab.rooms_in(folder)
        except Problem as problem:
            return Grade(str(folder), build_error=str(problem))
        grader = Grader(str(folder), rooms, self.judge, self.settings)
        self.running.add(grader)
        grade = grader.run()
        self.running.discard(grader)
        return grade

    def write_tables(self, results: list[dict[str, Any]]) -> None:
        """Writes the tables of all."""
        parts = list(self.options.weights)
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["name", "total", "of", *parts, "failed", "race",
                         "problem", "look"])
        rows = []
        for folder, result in zip(self.folders, results):
            points = [result["points"][part]["earned"] for part in parts]
            writer.writerow([folder.name, result["total"]["earned"],
                             result["total"]["of"], *points,
                             result["failures"], result["race"]["report"],
                             result["build_error"] or result["trouble"],
                             "; ".join(result["to_look_at"])])
            rows.append(row_text(folder.name, result))
        write_whole(self.options.out / "grades.csv", printable(text.getvalue()))
        write_whole(self.options.out / "grades.txt", "\n".join(rows) + "\n")


def known(path: Path) -> dict[str, Any]:
    """Returns the result of an earlier call; empty if there is none."""
    try:
        result = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return result if isinstance(result, dict) else {}


def printable(text: str) -> str:
    """Returns a text with names in it, which need not be UTF-8."""
    return os.fsencode(text).decode(errors="replace")


def row_text(name: str, result: dict[str, Any]) -> str:
    """Returns one line for people."""
    total = result["total"]
    why = result["build_error"] or result["trouble"] or result["failures"]
    return printable(f"{name:24} {total['earned']:7.2f} of "
                     f"{total['of']:g}  {why}".strip())


def grade_one(options: argparse.Namespace, judge: Judge) -> bool:
    """Grades one solution; returns whether everything passed."""
    name = " ".join(options.rooms.values()) or f"ours of lab {judge.lab.number}"
    grader = Grader(name, options.rooms, judge, settings_of(options, 1), print)
    stopped: list[int] = []

    def stop(*_: object) -> None:
        stopped.append(1)
        grader.stop()

    on_interrupt(stop)
    before = children_seconds()
    grade: Grade = grader.run()
    grade.cpu_seconds = round(children_seconds() - before, 1)
    if stopped:
        raise KeyboardInterrupt("interrupted, nothing was written")
    path = options.out / "grade.json"
    write_whole(path, json.dumps(grade.as_json(options.weights), indent=2)
                + "\n")
    print("\n".join(grade.table(options.weights)))
    print(f"written: {shown(path)}")
    return grade.passed_all


def shown(path: Path) -> str:
    """Returns a path as it is shortest to read."""
    path = path.resolve()
    return str(path.relative_to(ROOT)) if ROOT in path.parents else str(path)


def written(options: argparse.Namespace) -> Iterator[str]:
    """Yields where the tables of a class are."""
    for name in ("grades.txt", "grades.csv"):
        yield f"written: {shown(options.out / name)}"


def main(arguments: list[str]) -> int:
    """Does what the command line says."""
    options = parse_arguments(arguments)
    if not options.folder:
        return 0 if grade_one(options, prepare(options)) else 1
    graded = Class(options, prepare(options))
    before = children_seconds()
    results = graded.grade_all()
    print(f"{children_seconds() - before:.0f} s of CPU")
    graded.write_tables(results)
    print("\n".join(written(options)))
    return 0 if all(result["passed_all"] for result in results) else 1
