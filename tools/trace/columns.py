"""The terminal's view of a trace: a column for each server, time at the left.

Each event stands in its server's column, in the color of the server's role
then; an event of no server goes across. Colors only on a terminal (rich
decides, and heeds NO_COLOR).
"""

import textwrap
from typing import Any, Callable

from rich.console import Console
from rich.text import Text

from tools.trace.reading import Event, Trace

TIME_WIDTH = 11
GAP = 2
MIN_COLUMN = 10
ROLE_STYLES = {"leader": "bold bright_blue", "candidate": "yellow",
               "follower": "", "down": "dim"}
ACROSS_STYLES = {"violation": "bold red", "failure": "bold red",
                 "history": "bold red", "operation": "magenta",
                 "run": "bold", "config": "bold green",
                 "begin": "bold", "step": "cyan"}
LONGEST_VALUE = 60  # of a call; the page has more
KNOWN = {"t", "event", "group", "server", "term", "role"}


def pairs(values: dict[str, Any]) -> str:
    """Returns key=value for each."""
    return " ".join(f"{key}={value}" for key, value in values.items())


def position(fields: dict[str, Any], name: str, field: str) -> str:
    """Takes a log position out of the fields; returns "name=(index,term)"."""
    index, term = f"{field}_index", f"{field}_term"
    if index not in fields or term not in fields:
        return ""
    return f"{name}=({fields.pop(index)},{fields.pop(term)})"


def request(event: Event, fields: dict[str, Any]) -> list[str]:
    """Returns the words of a request; what is left in fields is not in them."""
    verb = event.get("rpc", "?")
    entries = fields.pop("entries", None)
    if verb == "AppendEntries" and entries == 0:
        verb = "heartbeat"
    words = [verb, f"T{fields.pop('term', '?')}"]
    if entries:
        words.append(f"+{entries}")
    words += [position(fields, "prev", "prev_log"),
              position(fields, "last", "last_log"),
              position(fields, "last", "last_included")]
    if "leader_commit" in fields:
        words.append(f"commit={fields.pop('leader_commit')}")
    if "offset" in fields:
        words.append(f"offset={fields.pop('offset')} "
                     f"bytes={fields.pop('bytes', '?')}")
    if fields.pop("done", False):
        words.append("done")
    return words


def reply(event: Event, fields: dict[str, Any]) -> list[str]:
    """As request(), of a reply."""
    term = f"T{fields.pop('term', '?')}"
    for name, yes, no in (("granted", "vote", "no vote"),
                          ("success", "ok", "no")):
        if name in fields:
            if not fields.pop(name):
                return [no, term]
            for rest in [key for key in fields if key.startswith("conflict")]:
                del fields[rest]  # means nothing then
            return [yes, term]
    if fields.pop("installed", False):
        return ["installed", term]
    if "next_offset" in fields:
        return ["continue", term, f"at={fields.pop('next_offset')}"]
    return [f"reply to {event.get('rpc', '?')}", term]


def message(event: Event) -> str:
    """Returns what a request or a reply says."""
    fields = dict(event.get("fields", {}))
    words = [f"->S{event.get('peer', '?')}"]
    words += (reply if event["event"] == "reply" else request)(event, fields)
    fate = event.get("fate", "delivered")
    if fate != "delivered":
        words.append(str(fate).upper())
    if "arrives" in event:
        words.append(f"arrives={event['arrives']}")
    return " ".join(word for word in (*words, pairs(fields)) if word)


def of_disk_and_log(event: Event) -> str:
    """Returns what a save, a start, an apply or a snapshot says."""
    kind, fields = event["event"], dict(event.get("fields", {}))
    words = [kind, position(fields, "last", "last_included")]
    if kind == "save" and "current_term" in fields:
        words.append(f"T{fields.pop('current_term')}")
    elif "index" in fields:
        words.append(str(fields.pop("index")))
    if fields.get("voted_for", 0) is None:
        fields["voted_for"] = "none"
    if fields.get("is_leader") is False:
        words = [kind, "refused"]
    fields.pop("is_leader", None)
    return " ".join(word for word in (*words, pairs(fields)) if word)


def shards(event: Event) -> str:
    """Returns what a server knows of its group's shards."""
    fields = event.get("fields", {})
    parts = [f"{name.replace('_', ' ')} {' '.join(map(str, numbers))}"
             for name, numbers in fields.items()
             if name != "config" and numbers]
    return f"config {fields.get('config', '?')}: {', '.join(parts) or 'none'}"


def flush(event: Event) -> str:
    """Returns how long a flush took, and what is durable."""
    took = 1000 * (event["t"] - event.get("began", event["t"]))
    return f"flush {took:.1f} ms {pairs(event.get('fields', {}))}".strip()


OF_FIELDS: dict[str, Callable[[Event], str]] = {
    **dict.fromkeys(("save", "apply", "start", "snapshot", "restore"),
                    of_disk_and_log),
    "flush": flush,
    "shards": shards}


def of_server(event: Event) -> str:
    """Returns what an event of one server says."""
    kind = event["event"]
    if kind in ("request", "reply"):
        return message(event)
    if kind == "role":
        return f"{event.get('role', '?')} T{event.get('term', '?')}".upper()
    if kind == "life":
        verb = "starts" if event.get("up") else "is down"
        return f"{verb}, life {event.get('life', '?')}"
    if kind == "link":
        return "connected" if event.get("connected") else "DISCONNECTED"
    if kind in OF_FIELDS:
        return OF_FIELDS[kind](event)
    rest = {key: value for key, value in event.items() if key not in KNOWN}
    return f"{kind} {pairs(rest)}".strip()


def quoted(text: object) -> str:
    """Returns a value as it stands in a call, without the middle of a long
    one."""
    value = str(text)
    if len(value) > LONGEST_VALUE:
        half = LONGEST_VALUE // 2
        value = f"{value[:half]}...{value[-half:]}"
    return f'"{value}"'


def operation(event: Event) -> str:
    """Returns what a client calls, or what it is answered."""
    asked = [quoted(event.get(name)) for name in ("key", "value")
             if name in event]
    if "version" in event:
        asked.append(f"version {event['version']}")
    kind = str(event.get("kind", "?")).removeprefix("versioned_")
    call = f"C{event['client']} {kind}({', '.join(asked)})"
    if event.get("phase") != "end":
        return f"{call} is called"
    answer = [quoted(event["result"])] if "result" in event else []
    if "result_version" in event:
        answer.append(f"version {event['result_version']}")
    if not answer or event.get("answer") != "OK":
        answer.append(str(event.get("answer", "?")))
    return f"{call} -> {', '.join(answer)}"


def partition(event: Event) -> str:
    """Returns how the network is divided."""
    parts = [" ".join(f"S{server}" for server in part)
             for part in event["parts"]]
    return f"DIVIDED {' | '.join(parts)}" if parts else "not divided"


def step(event: Event) -> str:
    """Returns a step of the test."""
    mark = {"begin": "{", "end": "}"}.get(event.get("phase", ""), "")
    words = (mark, event.get("name"), event.get("text"), event.get("where"))
    return " ".join(str(word) for word in words if word)


SAID_ACROSS: dict[str, Callable[[Event], str]] = {
    "group": lambda event:
        f"group {event['group']} of {event['servers']} servers",
    "config": lambda event:
        f"CONFIG {event['config']}: {' '.join(map(str, event['shards']))}",
    "begin": lambda event: str(event.get("title", "")),
    "step": step,
    "partition": partition,
    "operation": operation,
    "history": lambda event: f"NOT LINEARIZABLE {event.get('text')}",
    "violation": lambda event: (
        f"VIOLATION {event.get('rule')} ({event.get('section')}): "
        f"{event.get('text')}"),
    "failure": lambda event:
        f"FAILURE {event.get('text')} {event.get('where', '')}",
    "end": lambda event: "passed" if event.get("passed") else "FAILED",
}


def across(event: Event) -> str:
    """Returns what an event of no server says."""
    kind = event["event"]
    if kind in SAID_ACROSS:
        return SAID_ACROSS[kind](event)
    rest = {key: value for key, value in event.items() if key not in KNOWN}
    return f"{kind} {pairs(rest)}".strip()


def plain(text: str) -> str:
    """Returns it without what could steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def style_of(event: Event) -> str:
    """Returns the color of an event in its server's column."""
    if event.get("fate", "delivered") in ("lost", "undeliverable", "refused"):
        return "red"
    return ROLE_STYLES.get(event.get("role", ""), "")


def rows(event: Event, groups: dict[int, int],
         width: int) -> list[tuple[str, str]]:
    """Returns the event's lines, without the time, and their style."""
    if "server" not in event:
        kind = event["event"]
        style = ACROSS_STYLES.get(kind, "")
        if kind == "end":
            style = "bold green" if event.get("passed") else "bold red"
        lines = textwrap.wrap(plain(across(event)), width - TIME_WIDTH)
        return [(line, style) for line in lines or [""]]
    column = max(MIN_COLUMN, (width - TIME_WIDTH) // sum(groups.values()))
    names = list(groups)
    before = names[:names.index(event.get("group", 0))]
    indent = " " * (column * (sum(groups[group] for group in before) +
                              event["server"]))
    lines = textwrap.wrap(plain(of_server(event)), column - GAP)
    return [(indent + line, style_of(event)) for line in lines]


def heading(groups: dict[int, int], width: int) -> str:
    """Returns the line that names the columns."""
    column = max(MIN_COLUMN, (width - TIME_WIDTH) // sum(groups.values()))
    names = "".join(
        f"{f'G{group}/' if group else ''}S{server}".ljust(column)
        for group, servers in groups.items() for server in range(servers))
    return " " * TIME_WIDTH + names.rstrip()


def show(trace: Trace, width: int | None) -> None:
    """Prints the trace to standard output."""
    console = Console(highlight=False, markup=False, emoji=False)
    width = width or console.width
    # Narrower columns than MIN_COLUMN are no help: the lines get longer then.
    console.width = max(width, TIME_WIDTH + MIN_COLUMN * trace.servers)
    groups = trace.groups
    console.print(Text(heading(groups, width), "bold underline"))
    for event in trace.events:
        time = f"{event['t']:9.4f}"
        for text, style in rows(event, groups, width):
            line = Text.assemble((time.ljust(TIME_WIDTH), "dim"), (text, style))
            console.print(line, no_wrap=True, overflow="ignore", crop=False)
            time = ""
    for note in trace.notes:
        console.print(Text(note, "bold red"))
