"""What is known of each mutant, and the score.

A mutant is known by the text that it changes (schema.py). That it was killed
counts for the same source file; that it survived, for the same tests as well.
"""

import hashlib
import json
import threading
import time
from pathlib import Path
from typing import Any

from tools.command import Problem, write_whole
from tools.mutate.schema import Placed

WRITTEN_EVERY_S = 10
HARD_TO_SEE = "Not equivalent: "  # so begins the reason of a real survivor


def digest_of_tests(root: Path) -> str:
    """Names the content of the tests and the simulator."""
    digest = hashlib.sha256()
    for folder in ("tests", "sim"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cc"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Results:
    """The content of out/mutate.json."""

    def __init__(self, path: Path, root: Path,
                 digests: dict[str, str]) -> None:
        self.path = path
        self.digests = digests  # of the sources
        self.tests = digest_of_tests(root)
        self.known: dict[str, Any] = {}
        if path.exists():
            try:
                self.known = json.loads(path.read_text())
            except ValueError as error:
                raise Problem(f"{path}: {error}; delete it") from error
        self.lock = threading.Lock()
        self.written = time.monotonic()

    def is_known(self, mutant: Placed, again: bool) -> bool:
        """Says whether there is nothing to run; `again` for survivors."""
        entry = self.known.get(mutant.key, {})
        return entry.get("source") == self.digests[mutant.file] and (
            bool(entry["killer"]) or
            (entry["tests"] == self.tests and not again))

    def note(self, mutant: Placed, killer: str) -> None:
        """Keeps what came out; written now and then."""
        with self.lock:
            self.known[mutant.key] = {
                "source": self.digests[mutant.file], "tests": self.tests,
                "operator": mutant.operator, "killer": killer}
            if time.monotonic() > self.written + WRITTEN_EVERY_S:
                self.write()

    def write(self) -> None:
        """Saves all."""
        write_whole(self.path, json.dumps(self.known, indent=1) + "\n")
        self.written = time.monotonic()

    def survived(self, mutant: Placed) -> bool:
        """Says whether it was run, and no test failed."""
        entry = self.known.get(mutant.key)
        return entry is not None and not entry["killer"]


def equivalents(path: Path) -> dict[str, str]:
    """Returns the reasons of survivors by their keys.

    The file has a paragraph for each: where, `- before`, `+ after`, and the
    reason; or one for all of a function, with `- *` and `+ *`. A line that
    begins with # is a comment.
    """
    reasons = {}
    text = "\n".join(line for line in path.read_text().splitlines()
                     if not line.startswith("#"))
    for paragraph in filter(None, map(str.strip, text.split("\n\n"))):
        lines = paragraph.split("\n")
        if len(lines) < 4 or not lines[1].startswith("- ") or \
                not lines[2].startswith("+ "):
            raise Problem(f"{path.name}: no place, change and reason: "
                          f"{lines[0]}")
        reasons["\n".join(lines[:3])] = " ".join(lines[3:])
    return reasons


def reason_of(mutant: Placed, listed: dict[str, str]) -> str:
    """Returns why no test kills it, if that is listed."""
    return listed.get(mutant.key, listed.get(all_of(mutant), ""))


def all_of(mutant: Placed) -> str:
    """Names all mutants of its function."""
    return f"{mutant.file} {mutant.function}\n- *\n+ *"


def score_lines(mutants: list[Placed], results: Results,
                listed: dict[str, str]) -> tuple[list[str], list[Placed]]:
    """Returns a table, and the survivors that are not listed."""
    lines = ["| folder | mutants | killed | equivalent | survivors | "
             "not listed | score |", "| --- | --- | --- | --- | --- | --- | "
             "--- |"]
    unlisted = []
    for folder in dict.fromkeys(mutant.folder for mutant in mutants):
        ours = [m for m in mutants if m.folder == folder]
        alive = [m for m in ours if results.survived(m)]
        reasons = [reason_of(m, listed) for m in alive]
        new = [m for m, reason in zip(alive, reasons) if not reason]
        unlisted += new
        hard = sum(reason.startswith(HARD_TO_SEE) for reason in reasons)
        equivalent = len(alive) - hard - len(new)
        killed = len(ours) - len(alive)
        counted = len(ours) - equivalent
        score = 100 * killed / counted if counted else 100
        lines.append(f"| {folder} | {len(ours)} | {killed} | {equivalent} | "
                     f"{hard + len(new)} | {len(new)} | {score:.1f} % |")
    return lines, unlisted


def obsolete(mutants: list[Placed], results: Results,
             listed: dict[str, str]) -> list[str]:
    """Returns what is listed though no survivor of these files is like it."""
    files = {mutant.file for mutant in mutants}
    needed = {key for mutant in mutants if results.survived(mutant)
              for key in (mutant.key, all_of(mutant))}
    return [key for key in listed
            if key.partition(" ")[0] in files and key not in needed]
