"""Puts all mutants of a file into it at once, switched at run time.

An expression `a < b` becomes `(::mutate::On(17) ? (a <= b) : (a < b))`, a
statement `{ if (::mutate::Off(18)) ... }`. In what is mutated other mutants are
nested; in what replaces it there are none, since only one is in force.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.command import Problem, write_whole
from tools.mutate import operators
from tools.mutate.operators import Mutant

# A mutant's own part of the text stands between these while it is made.
BEGIN, END = "\x01", "\x02"
MARK = re.compile(rf"{BEGIN}(\d+){BEGIN}|{END}")
MOST_ROUNDS = 20


@dataclass(frozen=True)
class Placed:
    """A mutant that can be switched on."""
    number: int
    file: str
    line: int
    function: str
    operator: str
    before: str  # the lines that it changes, as one
    after: str
    copy: int    # 1, or more if the function has the same change before

    @property
    def key(self) -> str:
        """Names it, wherever in its function it stands."""
        again = f" (#{self.copy})" if self.copy > 1 else ""
        return (f"{self.file} {self.function}{again}\n- {self.before}\n"
                f"+ {self.after}")

    @property
    def name(self) -> str:
        """Names it where it is."""
        return f"{self.file}:{self.line}"

    @property
    def folder(self) -> str:
        """Names the folder of the tree."""
        return self.file.rpartition("/")[0]


def one_line(text: str) -> str:
    """Returns it without line ends and indentation."""
    return re.sub(r"\s+", " ", text).strip()


def place(text: str, file: str, mutants: dict[int, Mutant]) -> list[Placed]:
    """Says which lines they change."""
    copies: Counter[tuple[str, str, str]] = Counter()
    placed = []
    for number, mutant in mutants.items():
        first = text.rfind("\n", 0, mutant.start) + 1
        last = text.find("\n", mutant.end)
        before = one_line(text[first:last])
        after = one_line(text[first:mutant.start] + mutant.after +
                         text[mutant.end:last]) or "(nothing)"
        change = mutant.function, before, after
        copies[change] += 1
        line = text.count("\n", 0, mutant.start) + 1
        placed.append(Placed(number, file, line, mutant.function,
                             mutant.operator, before, after, copies[change]))
    return placed


def wrap(number: int, mutant: Mutant, inner: str) -> str:
    """Returns the text with one mutant more."""
    def mine(text: str) -> str:
        return f"{BEGIN}{number}{BEGIN}{text}{END}"

    on, off = f"::mutate::On({number})", f"::mutate::Off({number})"
    if mutant.schema == "expression":
        return mine(f"({on} ? ({mutant.after})") + f" : ({inner}))"
    if mutant.schema == "return":
        return "{ " + mine(f"if ({on}) {mutant.after}") + f" {inner} }}"
    if mutant.schema == "lock":
        lock = re.sub(
            r"(?:const )?([\w:]+) (\w+)\((.*)\);",
            rf"std::optional<\1> \2; if ({off}) \2.emplace(\3);", inner)
        return mine(lock)
    return mine(f"{{ if ({off})") + f" {inner} }}"


def render(text: str, mutants: list[tuple[int, Mutant]], start: int,
           end: int) -> str:
    """Returns text[start:end] with all mutants in it; they are in order."""
    result = []
    while mutants:
        number, mutant = mutants.pop(0)
        inside = [m for m in mutants if m[1].end <= mutant.end]
        mutants = [m for m in mutants if m[1].start >= mutant.end]
        result += [text[start:mutant.start],
                   wrap(number, mutant, render(text, inside, mutant.start,
                                               mutant.end))]
        start = mutant.end
    return "".join(result) + text[start:end]


def mutated(text: str, mutants: dict[int, Mutant]
            ) -> tuple[str, list[tuple[int, int, int]]]:
    """Returns the whole file, and which bytes of it are whose."""
    inside = render(text, list(mutants.items()), 0, len(text))
    if mutants:
        guard = re.search(r"^#include|^namespace", inside, re.M)
        at = guard.start() if guard else 0
        inside = inside[:at] + '#include "base/mutate.h"\n' + inside[at:]
    result, ranges, open_ones, last, size = [], [], [], 0, 0
    for mark in MARK.finditer(inside):
        result.append(inside[last:mark.start()])
        size += mark.start() - last
        last = mark.end()
        if mark[1]:
            open_ones.append((int(mark[1]), size))
        else:
            number, begin = open_ones.pop()
            ranges.append((begin, size, number))
    return "".join(result) + inside[last:], ranges


def owners(ranges: list[tuple[int, int, int]], offset: int) -> Iterator[int]:
    """Yields the mutant at this byte; else, if none is, the last before it."""
    around = [r for r in ranges if r[0] <= offset <= r[1]]
    before = [r for r in ranges if r[1] < offset]
    if around:
        yield min(around, key=lambda r: r[1] - r[0])[2]
    elif before:
        yield max(before, key=lambda r: r[1])[2]


class Schema:
    """The mutated copy of one file."""

    def __init__(self, root: Path, tree: Path, file: str, base: int) -> None:
        self.root, self.tree, self.file, self.base = root, tree, file, base
        self.text = (root / file).read_text("latin-1")
        self.digest = hashlib.sha256(self.text.encode()).hexdigest()[:16]
        self.mutants: dict[int, Mutant] = {}

    def make(self, known: Path) -> list[Placed]:
        """Writes the copy, with all mutants that compile; returns these."""
        about = [self.digest, self.base, _digest_of_tool()]
        entry: Any = json.loads(known.read_text()) if known.exists() else {}
        if entry.get("about") == about:
            self.mutants = {m.pop("number"): Mutant(**m)
                            for m in entry["mutants"]}
        else:
            found = operators.mutants_of(self.root / self.file, self.root)
            self.mutants = dict(enumerate(_nested(found), self.base))
            self.drop_what_does_not_compile()
            write_whole(known, json.dumps({"about": about, "mutants": [
                {"number": n, **vars(m)} for n, m in self.mutants.items()]}))
        self.write()
        return place(self.text, self.file, self.mutants)

    def is_seen_by_clang(self, number: int) -> bool:
        """Says whether a removed lock does not pass `make lint`."""
        mutant = self.mutants[number]
        if mutant.schema != "lock":
            return False
        text = self.text[:mutant.start] + self.text[mutant.end:]
        return operators.finds_unlocked(self.root / self.file, self.root, text)

    def write(self) -> None:
        """Writes the copy, if it is another than before."""
        text, _ = mutated(self.text, self.mutants)
        path = self.tree / self.file
        if not path.exists() or path.read_text("latin-1") != text:
            path.write_text(text, "latin-1")

    def drop_what_does_not_compile(self) -> None:
        """Until the rest does, beside files without mutants."""
        for _ in range(MOST_ROUNDS):
            text, ranges = mutated(self.text, self.mutants)
            errors = operators.errors(self.root / self.file,
                                      [self.root, self.tree], text)
            if not errors:
                return
            wrong = {number for offset, _ in errors
                     for number in owners(ranges, offset)}
            if not wrong:
                break
            for number in wrong:
                self.mutants.pop(number, None)
        raise Problem(f"{self.file} does not compile with its mutants: "
                      f"{errors[0][1]}")


def _nested(mutants: list[Mutant]) -> list[Mutant]:
    """Returns those that lie within each other or apart."""
    kept: list[Mutant] = []
    around: list[Mutant] = []
    for mutant in mutants:
        around = [m for m in around if m.end > mutant.start]
        if all(mutant.end <= m.end for m in around):
            kept.append(mutant)
            around.append(mutant)
    return kept


def _digest_of_tool() -> str:
    texts = [Path(module).read_bytes()
             for module in (operators.__file__, __file__)]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:16]
