"""What is known of each mutant: out/mutants.json, and tables of it.

The file is written again after each mutant, so that a run that is interrupted
loses nothing. What was found out counts only for the same patch on the same
sources (`about`); anything else is forgotten.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tools.command import Problem, write_whole
from tools.mutants.corpus import LABS, STORAGE, Mutant
from tools.mutants.suite import Kill

# What is known of one mutant.
Facts = dict[str, Any]

# The columns of a full run: which failures count. Those of a service have no
# "original": the course's tests of it are one part.
COLUMNS = {
    "original": "original 18",  # the course's suite of 2020, no oracle
    "course": "course's 21",    # with the three tests that it added later
    "own": "own tests",         # the scenario tests, no oracle
    "oracle": "oracle",         # in any test
    "new": "own or oracle",
    "checks": "CHECKs",         # the folder's own, without the oracle
}


WHOSE = {"raft": "Raft", STORAGE: "storage"}


def digest_of_sources(root: Path) -> str:
    """Names the content of all that the lab's program is built from, and of
    what runs it."""
    digest = hashlib.sha256()
    for folder in ("base", "rpc", "labrpc", "persister", *LABS, "porcupine",
                   "sim", *(f"tests/{folder}" for folder in LABS),
                   "tests/storage", "tests/unit/persister",
                   "tests", "tests/harness", "tests/oracle", "tests/runner",
                   "cmake", "tools/mutants", ""):
        for path in sorted((root / folder).glob("*.*")):
            if path.suffix in (".h", ".cc", ".cmake", ".py") or \
                    path.name in ("CMakeLists.txt", "CMakePresets.json"):
                digest.update(str(path.relative_to(root)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Results:
    """The content of out/mutants.json."""

    def __init__(self, path: Path, sources: str) -> None:
        self.path = path
        self.sources = sources
        self.mutants: dict[str, Facts] = {}
        if path.exists():
            try:
                self.mutants = json.loads(path.read_text())["mutants"]
            except (ValueError, KeyError) as error:
                raise Problem(f"{path}: {error}; delete it") from error

    def entry(self, mutant: Mutant) -> Facts:
        """Returns what is known of this very mutant of these sources."""
        about = {"patch": mutant.digest, "sources": self.sources}
        entry = self.mutants.get(mutant.name, {})
        if entry.get("about") != about:
            entry = {"about": about}
        entry |= {"folder": mutant.folder, "rule": mutant.rule,
                  "breaks": mutant.what, "seen": mutant.seen,
                  "run": mutant.run}
        self.mutants[mutant.name] = entry
        return entry

    def write(self, mutants: list[Mutant]) -> None:
        """Saves all; drops those that are no more."""
        known = {mutant.name for mutant in mutants}
        self.mutants = {name: entry for name, entry
                        in sorted(self.mutants.items()) if name in known}
        write_whole(self.path,
                    json.dumps({"mutants": self.mutants}, indent=1) + "\n")


def as_json(kill: Kill | None) -> Facts | None:
    """Returns what the file says of a first kill."""
    if kill is None:
        return None
    return {key: value for key, value in asdict(kill).items()
            if key != "runs_raft_check"}


def kill_line(name: str, entry: Facts) -> str:
    """Returns a mutant's line of the short table."""
    kill = entry["kill"]
    if kill is None:
        return f"SURVIVED {name:26} {entry['rule']:4} {entry['breaks']}"
    return (f"killed   {name:26} {entry['rule']:4} seed {kill['seed']:<3} "
            f"{kill['way']:9} {kill['test']}: {kill['message'][:60]}")


def share(column: Facts) -> str:
    """Returns a column's cell: in how many seeds, or in which one first."""
    if column["seeds"]:
        return f"{len(column['seeds'])}/{column['of']}"
    if column["first"] is not None:
        return f"0/{column['of']}, seed {column['first']}"
    return f"0/{column['tried']}"


def cells_line(name: str, entry: Facts) -> str:
    """Returns a mutant's line while the whole table is filled."""
    cells = (f"{title} {share(entry['columns'][key])}"
             for key, title in COLUMNS.items())
    return f"{name:26} {'; '.join(cells)}"


def real_cell(entry: Facts) -> str:
    """Returns what a run in real time found."""
    if "real" not in entry:
        return ""
    return ", ".join(entry["real"]["failed"]).replace("Test", "") or "none"


def real_line(name: str, entry: Facts) -> str:
    """Returns a mutant's line of a run in real time."""
    return f"{name:26} {real_cell(entry)}"


def titles(folder: str) -> dict[str, str]:
    """Returns the columns of a folder's table."""
    if folder == "raft":
        return COLUMNS
    return {key: title for key, title in COLUMNS.items()
            if key != "original"} | {"course": "course's"}


def kill_cell(entry: Facts) -> str:
    """Returns the test that killed first, and how if that needs to be said."""
    if "kill" not in entry:
        return ""
    kill = entry["kill"]
    if kill is None:
        return "none"
    return kill["test"].removeprefix("Test") + \
        (", oracle" if kill["way"] == "oracle" else "") + \
        (f", seed {kill['seed']}" if kill["seed"] > 1 else "")


def row(name: str, entry: Facts) -> list[str]:
    """Returns a mutant's line of the whole table."""
    columns = entry.get("columns", {})
    return [name, f"{entry['rule']}: {entry['breaks']}", entry["seen"],
            kill_cell(entry),
            *(share(columns[key]) if key in columns else ""
              for key in titles(entry["folder"])), real_cell(entry)]


def table(folder: str, mutants: dict[str, Facts]) -> list[str]:
    """Returns the table of a folder's mutants, without empty columns."""
    whose = WHOSE.get(folder, "server")
    head = ["mutant", f"rule: this {whose} ...", "seen in", "first killed by",
            *titles(folder).values(), "real time, once"]
    rows = [row(name, entry) for name, entry in sorted(mutants.items())]
    filled = [column for column in zip(head, ["---"] * len(head), *rows)
              if any(column[2:])]
    return [f"| {' | '.join(cells)} |" for cells in zip(*filled)]


def markdown(mutants: dict[str, Facts]) -> list[str]:
    """Returns a table for each folder that is broken."""
    lines = []
    for folder in LABS:
        those = {name: entry for name, entry in mutants.items()
                 if entry["folder"] == folder}
        if those:
            lines += [f"### {folder}/", "", *table(folder, those), ""]
    return lines[:-1]
