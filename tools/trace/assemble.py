"""Makes the page: one HTML file that needs nothing else, and no network.

It is page/page.html with d3, page.css, the scripts and the data in it. Its
Content-Security-Policy forbids every request.
"""

import json
import re
from pathlib import Path

from tools import ROOT
from tools.command import Problem
from tools.trace.reading import Trace

HERE = ROOT / "tools/trace/page"
# Where Debian's and Ubuntu's node-d3 has it.
D3 = Path("/usr/share/nodejs/d3/dist/d3.min.js")
# In the order of their use; all in one function, so that they share names.
SCRIPTS = ("format", "shards", "model", "messages", "look", "rows",
           "progress", "lanes", "clients", "arrows", "density", "overview",
           "highlight", "hit", "search", "panel", "keys", "controls", "main")
SLOT = re.compile(r"\{\{(\w+)\}\}")


def d3_source(place: Path) -> str:
    """Returns d3, as the distribution has it."""
    try:
        return place.read_text(encoding="utf-8")
    except OSError as error:
        raise Problem("node-d3 is missing; run: make deps") from error


def as_script(source: str) -> str:
    """Returns a script that cannot end its own element."""
    return source.replace("</script", "<\\/script")


def as_data(trace: Trace) -> str:
    """Returns the data as JSON in which no character can end an element."""
    data = json.dumps({"events": trace.events, "notes": trace.notes},
                      separators=(",", ":"))
    return data.replace("<", "\\u003c")


def scripts() -> str:
    """Returns the page's own scripts, as one."""
    parts = [(HERE / f"{name}.js").read_text(encoding="utf-8")
             for name in SCRIPTS]
    return "(() => {\n'use strict';\n" + "\n".join(parts) + "})();"


def as_text(value: object) -> str:
    """Returns it for use in HTML."""
    text = str(value).encode("utf-8", "replace").decode()
    return text.replace("&", "&amp;").replace("<", "&lt;")


def assemble(trace: Trace, library: Path = D3) -> str:
    """Returns the page's HTML."""
    run = trace.events[0]
    parts = {
        "title": as_text(f"{run.get('test', 'trace')} "
                         f"seed {run.get('seed', '?')}"),
        "style": (HERE / "page.css").read_text(encoding="utf-8"),
        "d3": as_script(d3_source(library)),
        "scripts": as_script(scripts()),
        "data": as_data(trace),
    }
    page = (HERE / "page.html").read_text(encoding="utf-8")
    # In one pass: what the data holds is no slot.
    return SLOT.sub(lambda slot: parts[slot[1]], page)
