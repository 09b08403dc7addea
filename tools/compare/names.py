"""The lab's tests: their names and titles, from 2018 to 2026.

lab_tests.txt has them. Always true: a test has one name here, its oldest, even
where the course has numbered its part again, as in 2024. Names that are not the
course's stay as they are.
"""

import re

from tools import ROOT

KNOWN_TESTS: list[tuple[str, str]] = []  # names and titles
_NEWER: dict[str, str] = {}
_OLDEST: dict[str, str] = {}
_NAME_OF_TITLE: dict[str, str] = {}

for _line in (ROOT / "tools/compare/lab_tests.txt").read_text().splitlines():
    if not _line.startswith("#"):
        _part, _newer_part, _test, _title = _line.split(maxsplit=3)
        _name = f"Test{_test}{_part}"
        KNOWN_TESTS.append((_name, _title))
        _NEWER[_name] = f"Test{_test}{_newer_part}"
        _OLDEST[_NEWER[_name]] = _name
        for _each in (_part, _newer_part):
            _NAME_OF_TITLE[f"Test ({_each}): {_title}"] = _name

# They last for a given time, in which a faster Raft commits more.
_BY_TIME = {"TestFigure82C", "TestFigure8Unreliable2C",
            "TestReliableChurn2C", "TestUnreliableChurn2C"}
RANK = {name: rank for rank, name in enumerate(_NEWER)}


def canonical(name: str) -> str:
    """Returns the name that a test of the course has here."""
    return _OLDEST.get(name, name)


def name_of_title(title: str, network: str) -> str:
    """Returns whose title "Test (3A): ..." is; an unknown one names itself.

    `network` is "reliable" or "unreliable" if the log says so, else empty.
    """
    name = _NAME_OF_TITLE.get(title, title)
    return _NAME_OF_TITLE.get(f"{title} [{network}]", name)


def is_by_time(name: str) -> bool:
    """Whether a test is bounded by time, not by what it does."""
    return name in _BY_TIME


def is_selected(name: str, run: str) -> bool:
    """Whether RUN means that test, by any of its names."""
    known = canonical(name)
    return any(re.search(run, each)
               for each in (name, known, _NEWER.get(known, known)))
