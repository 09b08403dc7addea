"""The terminal's view of a trace: a column for each server, time at the left.

Who calls it: trace.py --text; its tests. Each event stands in its server's
column, in the colour of the server's role then; what is about no server goes
across. Colours only on a terminal (rich decides, and heeds NO_COLOR).
"""

import sys
import textwrap
from typing import Any

from rich.console import Console
from rich.text import Text

from reading import Event, Trace

TIME_WIDTH = 11
GAP = 2
MIN_COLUMN = 10
ROLE_STYLES = {"leader": "bold bright_blue", "candidate": "yellow",
               "follower": "", "down": "dim"}
ACROSS_STYLES = {"violation": "bold red", "failure": "bold red",
                 "run": "bold", "begin": "bold", "step": "cyan"}
FATES = {"delivered": "", "lost": " LOST", "undeliverable": " UNDELIVERABLE",
         "refused": " REFUSED", "late": " LATE"}
KNOWN = {"t", "event", "server", "term", "role"}


def pairs(values: dict[str, Any]) -> str:
    """Returns key=value for each."""
    return " ".join(f"{key}={value}" for key, value in values.items())


def message(event: Event) -> str:
    """Returns what a request or a reply says."""
    fields = dict(event.get("fields", {}))
    is_reply = event["event"] == "reply"
    verb = event.get("rpc", "?")
    if is_reply:
        verb += " reply"
    elif verb == "AppendEntries" and fields.get("entries") == 0:
        verb = "heart-beat"
        del fields["entries"]
    term = fields.pop("term", event.get("term", "?"))
    fate = FATES.get(event.get("fate", ""), f" {event.get('fate')}")
    text = f"->S{event.get('peer', '?')} {verb} T{term}{fate}"
    if "arrives" in event:
        text += f" arrives={event['arrives']}"
    return f"{text} {pairs(fields)}".strip()


def of_server(event: Event) -> str:
    """Returns what an event of one server says."""
    kind, fields = event["event"], event.get("fields", {})
    if kind in ("request", "reply"):
        return message(event)
    if kind == "role":
        return f"{event.get('role', '?')} T{event.get('term', '?')}".upper()
    if kind == "life":
        verb = "starts" if event.get("up") else "is down"
        return f"{verb}, life {event.get('life', '?')}"
    if kind == "link":
        return "connected" if event.get("connected") else "DISCONNECTED"
    if kind in ("save", "apply", "start"):
        return f"{kind} {pairs(fields)}"
    rest = {key: value for key, value in event.items() if key not in KNOWN}
    return f"{kind} {pairs(rest)}".strip()


def across(event: Event) -> str:
    """Returns what an event of no server says."""
    kind = event["event"]
    rest = {key: value for key, value in event.items() if key not in KNOWN}
    if kind == "begin":
        return str(event.get("title", ""))
    if kind == "step":
        mark = {"begin": "{", "end": "}"}.get(event.get("phase", ""), "")
        words = (mark, event.get("name"), event.get("text"),
                 event.get("where"))
        return " ".join(str(word) for word in words if word)
    if kind == "violation":
        return (f"VIOLATION {event.get('rule')} ({event.get('section')}): "
                f"{event.get('text')}")
    if kind == "failure":
        return f"FAILURE {event.get('text')} {event.get('where', '')}"
    if kind == "end":
        return "passed" if event.get("passed") else "FAILED"
    return f"{kind} {pairs(rest)}".strip()


def plain(text: str) -> str:
    """Returns it without what could steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def style_of(event: Event) -> str:
    """Returns the colour of an event in its server's column."""
    if event.get("fate", "delivered") in ("lost", "undeliverable", "refused"):
        return "red"
    return ROLE_STYLES.get(event.get("role", ""), "")


def rows(event: Event, servers: int, width: int) -> list[tuple[str, str]]:
    """Returns the event's lines, without the time, and their style."""
    if "server" not in event:
        kind = event["event"]
        style = ACROSS_STYLES.get(kind, "")
        if kind == "end":
            style = "bold green" if event.get("passed") else "bold red"
        lines = textwrap.wrap(plain(across(event)), width - TIME_WIDTH)
        return [(line, style) for line in lines or [""]]
    column = max(MIN_COLUMN, (width - TIME_WIDTH) // servers)
    indent = " " * (column * event["server"])
    lines = textwrap.wrap(plain(of_server(event)), column - GAP)
    return [(indent + line, style_of(event)) for line in lines]


def heading(servers: int, width: int) -> str:
    """Returns the line that names the columns."""
    column = max(MIN_COLUMN, (width - TIME_WIDTH) // servers)
    names = "".join(f"S{server}".ljust(column) for server in range(servers))
    return " " * TIME_WIDTH + names.rstrip()


def show(trace: Trace, width: int | None) -> None:
    """Prints the trace to standard output."""
    sys.stdout.reconfigure(errors="replace")
    console = Console(highlight=False, markup=False, emoji=False)
    width = width or console.width
    # Narrower columns than MIN_COLUMN are no help: the lines get longer then.
    console.width = max(width, TIME_WIDTH + MIN_COLUMN * trace.servers)
    console.print(Text(heading(trace.servers, width), "bold underline"))
    for event in trace.events:
        time = f"{event['t']:9.4f}"
        for text, style in rows(event, trace.servers, width):
            line = Text.assemble((time.ljust(TIME_WIDTH), "dim"), (text, style))
            console.print(line, no_wrap=True, overflow="ignore", crop=False)
            time = ""
    for note in trace.notes:
        console.print(Text(note, "bold red"))
