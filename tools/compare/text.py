"""What a log says, as text: without its encoding, colors, stamps and events.

Always true: all that was printed is there, and what a test printed while others
ran too is in one piece.
"""

import codecs
import io
import re

from tools import events

_COLOR = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI: colors, the cursor
                    r"|\][^\x07\x1b]*(?:\x07|\x1b\\))"  # OSC: titles, links
                    r"|\^\[\[[\d;]*m")  # as cat -v shows it
# What a build server puts before each line.
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ", re.MULTILINE)
_HAS_EVENTS = re.compile(r'^\{.*"Action":', re.MULTILINE)


def decode(data: bytes) -> str:
    """Returns the text; shells of Windows write UTF-16, some without a mark."""
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = data.decode("utf-16" if is_wide else "utf-8-sig", errors="replace")
    return _STAMP.sub("", _COLOR.sub("", text.replace("\0", "")))


def _note(event: events.Event) -> str:
    """Returns what an event of ours says beyond the text when a test ends."""
    note = ""
    if event["Action"] == "fail" and "Way" in event:
        test = events.test_of(event)
        why = test.why
        if "Late" in event:
            why += f" (threads woke up to {event['Late']} s late)"
        note = f"compare: {test.test} failed: {test.way}: {why}\n"
    if "Cpu" in event:
        note += f"compare: {event['Test']} used {event['Cpu']} CPU seconds\n"
    return note


class _Package:
    """What one package printed."""

    def __init__(self, name: str = "") -> None:
        self.done = [f"compare: package {name}\n"] if name else []
        self._open: dict[str, list[str]] = {}  # what running tests printed

    def add(self, event: events.Event) -> None:
        """Takes the next event."""
        # A subtest's output is its test's.
        test, subtest, _ = str(event.get("Test", "")).partition("/")
        if "Output" in event:
            self.print(str(event["Output"]), test)
        elif test and not subtest and event["Action"] in ("pass", "fail",
                                                          "skip"):
            self.done += [*self._open.pop(test, []), _note(event)]

    def print(self, output: str, test: str = "") -> None:
        """Takes what `test`, or no test that is known, has printed."""
        if test:
            self._open.setdefault(test, []).append(output)
            return
        if len(self._open) == 1:  # of several, the order is unknown
            self.flush()
        self.done.append(output)

    def flush(self) -> None:
        """Adds what tests have printed that did not end."""
        for test in list(self._open):
            self.done += self._open.pop(test)


def printed(text: str) -> str:
    """Returns what was printed, if there are events of -json in `text`."""
    if not _HAS_EVENTS.search(text):
        return text
    package = _Package()
    packages = {"": package}
    began = "compare: began" if "compare: began" in text else ""
    for line in io.StringIO(text, newline="\n"):
        event = events.parse(line)
        if "Time" in event and not began:
            began = str(event["Time"])[:19].replace("T", " ")
            package.print(f"compare: began {began} UTC\n")
        if "Action" in event:
            name = str(event.get("Package", ""))
            package = packages.setdefault(name, _Package(name))
            package.add(event)
        else:
            package.print(line)
    for package in packages.values():
        package.flush()
    return "".join("".join(package.done) for package in packages.values())
