"""Reads what the test programs say of a run and of their tests: events, a line
of JSON each, in the format that tests/runner/README.md describes.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tools.command import Problem
from tools.process import ask

Event = dict[str, Any]
# All tests of the labs, without those of the network.
ALL = ("--lab=raft,rsm,kvraft,shardctrler,shardkv,shardkv1",)


class Test(NamedTuple):
    """A test in a list, or how one ended; a field that is not said is empty."""
    test: str
    part: str = ""
    origin: str = ""  # "course", "scenario", "economy"
    action: str = ""  # "pass", "fail", "skip"
    kind: str = ""    # "safety", "liveness", "economy", "harness"
    way: str = ""     # "check", "oracle", "crash", ...
    place: str = ""
    message: str = ""
    cause: str = ""
    repeat: str = ""  # the command
    lab: str = ""     # the package, "raft"

    @property
    def group(self) -> str:
        """The part of the lab, or the lab if it has no parts, and the origin if
        it is not the course."""
        return ("" if self.origin == "course" else self.origin.title()) + (
            self.part or self.lab)

    @property
    def says_nothing(self) -> bool:
        """True if a scenario could not be set up, through no fault that is
        known of the Raft."""
        return self.kind == "harness" and self.way == "check"

    @property
    def is_only_costly(self) -> bool:
        """True if it fails for its costs, and is no test of these."""
        return self.kind == "economy" and self.origin == "scenario"

    @property
    def why(self) -> str:
        """Says in a line why it failed."""
        where = f"{self.place}: " if self.place else ""
        more = f"; {self.cause}" if self.cause not in ("", self.message) else ""
        return f"{where}{self.message}{more}"


@dataclass
class Run:
    """One run of a program."""
    tests: list[Test] = field(default_factory=list)
    text: str = ""     # what it prints without --json
    log: str = ""
    last_begun: str = ""  # the last test that began
    trouble: str = ""  # why not all of it can be believed
    is_interrupted: bool = False

    @property
    def failed(self) -> list[Test]:
        """The tests that failed."""
        return [test for test in self.tests if test.action == "fail"]

    @property
    def passed(self) -> int:
        """How many passed."""
        return sum(test.action == "pass" for test in self.tests)


def parse(line: str) -> Event:
    """Returns a line's event; an empty one if the line is none."""
    try:
        event = json.loads(line) if line.startswith("{") else {}
    except ValueError:
        return {}
    return event if "Action" in event or "Test" in event else {}


def test_of(event: Event) -> Test:
    """Returns the test that an event, or a line of a list, is about; of what
    has several lines the first."""
    return Test(*(event.get(name.title(), "").partition("\n")[0]
                  for name in Test._fields))


def selection(run: str, lab: str = "") -> list[str]:
    """Returns the options that select what RUN= and LAB= mean; ALL if both are
    empty."""
    options = [f"--{name}={value}" for name, value in
               (("run", run), ("lab", lab)) if value]
    return options or list(ALL)


def listed(program: str | Path, options: Iterable[str],
           cwd: Path | None = None) -> list[Test]:
    """Returns the tests that the options select; there is at least one."""
    listing = ask([program, "--list", "--json", *options], cwd=cwd)
    if listing.returncode == 2:
        raise Problem(listing.stderr.strip().partition(": ")[2])
    if listing.returncode != 0:
        raise Problem(f"{program} --list ended with {listing.returncode}: see "
                      "what it prints")
    return [test_of(event) for event in
            map(parse, listing.stdout.split("\n")) if event]


def printed(said: Iterable[Event]) -> str:
    """Returns what the program printed in place of these events: tests that run
    side by side say things as they happen, and are printed in order."""
    index: dict[str, float] = {}
    pieces: list[tuple[float, str]] = []
    for event in said:
        test = event.get("Test")
        if event.get("Action") == "run":
            index[event["Test"]] = event.get("Index", len(index))
        if "Output" in event:
            beside = math.inf if index else -1  # of no test: first or last
            pieces.append((index.get(test, beside) if test else beside,
                           event["Output"]))
    pieces.sort(key=lambda piece: piece[0])
    return "".join(text for _, text in pieces)


def _trouble(run: Run, last: Event, status: int | None, said: str) -> str:
    """Returns why a run cannot be believed; nothing if it can."""
    if not last:
        return f"ended early (status {status}): {said or 'no output'}"
    counts = (last.get("Passed"), last.get("Failed"))
    if counts != (run.passed, len(run.failed)):
        return f"{counts[1]} failed, but not all are named"
    if status != (1 if run.failed else 0):
        return (f"exit status {status} after \"{counts[0]} passed, {counts[1]} "
                'failed"')
    return ""


def read(output: str, status: int | None) -> Run:
    """Returns what a program that ran with --json has said."""
    run, last, heard, said = Run(), Event(), [], ""
    for line in output.split("\n"):
        event = parse(line)
        heard.append(event)
        action = event.get("Action")
        if not event:
            said = line.strip() or said
        elif action == "start":
            run.log = event.get("Log", "")
        elif action == "run":
            run.last_begun = event["Test"]
        elif action == "output":
            said = event["Output"].strip().rpartition("\n")[2] or said
        elif action in ("pass", "fail", "skip"):
            if "Test" in event:
                run.tests.append(test_of(event))
            else:
                last = event
    run.text = printed(heard)
    run.is_interrupted = last.get("Way") == "interrupted"
    if not run.is_interrupted:
        run.trouble = _trouble(run, last, status, said)
    return run
