"""Reads and checks a trace: NDJSON, in the format that README.md describes.

It refuses what is no trace, and takes what a crashed or hung test leaves: a
last line that broke off, and no "end". What it returns has "run" first, the
rest ordered by time, and only servers that exist.
"""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from tools.command import Problem

SCHEMA = 1
MAX_SERVERS = 99
AGAIN = "make one with: make trace RUN=TestName"

Event = dict[str, Any]


class BadTrace(Problem):
    """What is wrong with the file."""


@dataclass
class Trace:
    """A run, as it was recorded."""
    events: list[Event]  # the first is "run"
    notes: list[str] = field(default_factory=list)  # what is to be told of it

    @property
    def groups(self) -> dict[int, int]:
        """How many servers each group has, in their order; most have one."""
        return groups_of(self.events)

    @property
    def servers(self) -> int:
        """How many servers there are, in all groups."""
        return sum(self.groups.values())


def groups_of(events: list[Event]) -> dict[int, int]:
    """Returns how many servers each group has; 0 is the head's."""
    return {0: events[0]["servers"]} | {
        event["group"]: event["servers"] for event in events
        if event["event"] == "group"}


def is_count(value: Any) -> bool:
    """True for a whole number; JSON's true is none, though Python's is."""
    return isinstance(value, int) and not isinstance(value, bool) \
        and value >= 0


def is_time(value: Any) -> bool:
    """True for a time in seconds."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) \
        and math.isfinite(value)


def is_counts(value: Any) -> bool:
    """True for a list of whole numbers."""
    return isinstance(value, list) and all(is_count(each) for each in value)


def is_partition(value: Any) -> bool:
    """True for a list of lists."""
    return isinstance(value, list) \
        and all(isinstance(part, list) for part in value)


def no_constant(name: str) -> NoReturn:
    """Refuses NaN and Infinity: a browser's JSON has none."""
    raise ValueError(f"{name} is no JSON")


def parse(line: str) -> Event:
    """Returns the line's event. Raises ValueError, saying why it is none."""
    event = json.loads(line, parse_constant=no_constant)
    if not isinstance(event, dict):
        raise ValueError("no object")
    if not is_time(event.get("t")):
        raise ValueError('no time "t"')
    if not isinstance(event.get("event"), str):
        raise ValueError('no "event"')
    return event


def check_run(path: Path, run: Event) -> None:
    """Refuses what is not the head of a trace that this program can read."""
    if run["event"] != "run":
        raise BadTrace(f"{path} is no trace, its first line is no \"run\"; "
                       f"{AGAIN}")
    if run.get("schema") != SCHEMA:
        raise BadTrace(f"{path} has schema {run.get('schema')}, this reads "
                       f"schema {SCHEMA}; {AGAIN}")
    if not is_count(run.get("servers")) \
            or not 1 <= run["servers"] <= MAX_SERVERS:
        raise BadTrace(f"{path}:1: servers is {run.get('servers')}, not 1 to "
                       f"{MAX_SERVERS}; {AGAIN}")


def check_group(event: Event, groups: dict[int, int]) -> None:
    """Raises ValueError if the event is no group: one may be made again."""
    group = event.get("group")
    servers: Any = event.get("servers")
    if not is_count(group) or group == 0:
        raise ValueError(f"group {group} is no number of another")
    if group in groups and servers == groups[group]:
        return
    room = 0 if group in groups else MAX_SERVERS - sum(groups.values())
    if not is_count(servers) or not 1 <= servers <= room:
        raise ValueError(f"servers is {servers}, not 1 to {room}")


def check_shards(event: Event) -> None:
    """Raises ValueError if a configuration, or what a server knows of its
    shards, cannot be drawn."""
    if event["event"] == "config" and not (
            is_count(event.get("config")) and is_counts(event.get("shards"))):
        raise ValueError('a config without "config" or "shards"')
    fields = event.get("fields", {})
    if event["event"] == "shards" and not (
            is_count(fields.get("config")) and all(
                is_counts(fields.get(name, []))
                for name in ("served", "to_confirm", "coming", "leaving"))):
        raise ValueError('shards without "config", or no lists')


def check_event(event: Event, groups: dict[int, int]) -> None:
    """Raises ValueError if the event is about a server that there is not, or
    cannot be drawn."""
    if event["event"] == "group":
        check_group(event, groups)
    elif event.get("group", 0) not in groups:
        raise ValueError(f"group {event['group']} is none")
    servers = groups.get(event.get("group", 0), 0)
    for key in ("server", "peer"):
        if key in event and (not is_count(event[key])
                             or event[key] >= servers):
            raise ValueError(f"{key} {event[key]} of {servers} servers")
    if event["event"] == "partition" and not is_partition(event.get("parts")):
        raise ValueError('"parts" is no list of lists')
    for key in ("client", "operation"):
        if event["event"] == "operation" and not is_count(event.get(key)):
            raise ValueError(f'an operation without "{key}"')
    for key in ("sent", "arrives", "began"):
        if key in event and not is_time(event[key]):
            raise ValueError(f'"{key}" is no time')
    if not isinstance(event.get("fields", {}), dict):
        raise ValueError('"fields" is no object')
    check_shards(event)


def read_lines(path: Path) -> list[str]:
    """Returns the file's lines that are not blank."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadTrace(f"{path}: {error.strerror}; {AGAIN}") from error
    # Not splitlines(): U+2028 within a text ends no line.
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        raise BadTrace(f"{path} is empty; {AGAIN}")
    return lines


def head(path: Path, line: str) -> Event:
    """Returns the event "run"."""
    try:
        run = parse(line)
    except (ValueError, RecursionError) as error:
        raise BadTrace(f"{path} is no trace, its first line is no JSON event "
                       f"({first_line(error)}); {AGAIN}") from error
    check_run(path, run)
    return run


def first_line(error: Exception) -> str:
    """Returns what an error says, on one line."""
    return str(error).partition("\n")[0]


def read(path: Path) -> Trace:
    """Returns the trace in this file. Raises BadTrace."""
    lines = read_lines(path)
    run = head(path, lines[0])
    groups = groups_of([run])
    events, notes = [], []
    for number, line in enumerate(lines[1:], 2):
        try:
            event = parse(line)
            check_event(event, groups)
        except (ValueError, RecursionError) as error:
            if number < len(lines):
                raise BadTrace(f"{path}:{number}: {first_line(error)}; "
                               f"{AGAIN}") from error
            notes.append(f"The last line, {number}, is broken off and left "
                         "out.")
            break
        events.append(event)
        if event["event"] == "group":
            groups[event["group"]] = event["servers"]
    if not any(event["event"] == "end" for event in events):
        notes.append("The trace has no end: the test crashed, hung or was "
                     "interrupted.")
    # Threads may tell the recorder a little out of order.
    events.sort(key=lambda event: event["t"])
    return Trace([run, *events], notes)
