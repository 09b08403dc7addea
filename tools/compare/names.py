"""The labs' tests: their names and titles, from 2018 to 2026.

lab_tests.txt has them. Always true: a test has one name here, ours, which is
the course's oldest, even where the course has numbered its part again, as in
2024. Names that are not the course's stay as they are.

A name may mean two tests: TestBasic4A is one of the key/value service in 2024,
and one of the state machine's in 2025. Then title or package tell which. A
title that two tests of a year print names neither.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from tools import ROOT


class Title(NamedTuple):
    """What a title says of the test that prints it."""
    name: str  # ours
    own: str   # the course's when it had that title
    is_first: bool = True  # of those that the test prints


KNOWN_TESTS: list[tuple[str, str]] = []  # names and titles
RANK: dict[str, int] = {}  # the place of each test in the order of the labs
_LAB: dict[str, str] = {}
_UNIT: dict[str, str] = {}
_LONGER: set[str] = set()
_NAMES: dict[str, list[str]] = {}  # all of a test, ours first
_TESTS: dict[str, list[str]] = {}  # all that have a name
_TITLES: dict[str, Title] = {}


def _add(lab: str, layout: str, line: str) -> None:
    """Adds a line of lab_tests.txt."""
    part, newer, work, test, text = line.split(maxsplit=4)
    test, _, then = test.partition("/")
    part = part.replace("-", "")
    name = f"Test{test}{part}"
    if work == "other":
        name += f" ({lab})"
    else:
        RANK.setdefault(name, len(RANK))
        _LAB[name] = lab
    _NAMES.setdefault(name, [])
    if work in ("time", "longer"):
        _UNIT[name] = "commit" if lab == "raft" else "op"
    if work == "longer":
        _LONGER.add(name)
    for each in [part] + [newer] * (newer != "-"):
        own = f"Test{then or test}{each}"
        number = each.lstrip("_")
        title = layout.format(part=number, title=text,
                              mark=f" ({number})" if number else "")
        if own not in _NAMES[name]:
            _NAMES[name].append(own)
            _TESTS.setdefault(own, []).append(name)
        if _TITLES.get(title, Title(name, own)).name != name:
            _TITLES[title] = Title(title, title)
        else:
            _TITLES[title] = Title(name, own, is_first=work != "more")
        if each == part and work != "other":
            KNOWN_TESTS.append((name, title))


def _add_all() -> None:
    lab = layout = ""
    for line in (ROOT / "tools/compare/lab_tests.txt").read_text().splitlines():
        if line.startswith("lab "):
            _, lab, layout = line.split(maxsplit=2)
        elif line and not line.startswith("#"):
            _add(lab, layout, line)


_add_all()
# The packages of each lab; 2025 has split the key/value lab in two, and its
# sharded service's controller is no package.
RAFT = ("raft",)
KV = ("kvraft", "rsm", "kvraft1")
SHARDED = ("shardctrler", "shardkv", "shardkv1")


def candidates(own: str) -> list[str]:
    """Returns ours of all tests that some year calls so; an unknown one is
    itself."""
    return _TESTS.get(own, [own])


def canonical(own: str, lab: str = "") -> str:
    """Returns the name that a test of the course has here; of several, of that
    of the lab `lab`."""
    found = candidates(own)
    of_lab = [name for name in found if lab and lab_of(name) == lab]
    return (of_lab or ([own] if own in found else found))[0]


def lab_of(name: str) -> str:
    """Returns the package of a test by our name, empty if it is unknown."""
    return _LAB.get(name, "")


def title_of(text: str, network: str) -> Title:
    """Returns whose title "Test (3A): ..." is; an unknown one names itself.

    `network` is "reliable" or "unreliable" if the log says so, else empty.
    """
    known = _TITLES.get(text, Title(text, text))
    return _TITLES.get(f"{text} [{network}]", known)


def unit(name: str) -> str:
    """Returns what a test that is bounded by time does more of if it is faster,
    "commit" or "op"; empty if it is bounded by what it does."""
    return _UNIT.get(name, "")


def is_longer(name: str) -> bool:
    """Whether ours gives such a test more time than the course."""
    return name in _LONGER


def is_selected(name: str, run: str) -> bool:
    """Whether RUN means that test of ours, by any of its names."""
    return any(re.search(run, each) for each in _NAMES.get(name, [name]))


def meant(run: str, tests: Iterable[tuple[str, str]]) -> set[str]:
    """Returns our names of those tests that RUN means; `tests` has what their
    year calls them, and our names.

    What their year calls so goes before what has that name here or in another
    year: since 2024, 3A is Raft's; before, it was the key/value service's.
    """
    both = list(tests)
    return ({name for own, name in both if re.search(run, own)} or
            {name for _, name in both if is_selected(name, run)})
