#!/usr/bin/env python3
"""Holds the language of the sources and pages to the field's standard terms.

Called by lint.sh with all text files. Each finding is a line `file:line: what`;
the exit status is 1 if there is any. WORDS is the list: a pattern, what to
write instead, and the kinds of files in which it counts. Sample output of other
programs (testdata/) is not ours to change.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

CODE = (".h", ".cc")
ALL = (*CODE, ".py", ".sh", ".md", ".js", ".html", ".css", ".in", ".patch",
       ".txt", ".toml", ".cmake", "")
NOT_OURS = ("/testdata/", "tools/lint/words.py")


class Word(NamedTuple):
    """A term that is not the field's."""
    pattern: str
    instead: str
    files: tuple[str, ...] = ALL


WORDS = (
    Word(r"heart-?\s?beats?(?<!heartbeat)(?<!heartbeats)", "heartbeat"),
    Word(r"\btime-outs?\b", "timeout"),
    Word(r"\bwake-ups?\b", "wakeup"),
    Word(r"\b(a|an|its|one|new|next|former|earlier|later|each|every|that|"
         r"another|same|own|whole) (life|lives)\b", "incarnation"),
    Word(r"\bbase_index\b|\blog's base\b", "last included index"),
    Word(r"\bwitness(es)?\b", "observer, checked state"),
    Word(r"(?<!is )(?<!are )(?<!falls )(?<!fall )(?<!far )(?<!fell )"
         r"(?<!left )\bbehind\b", "after"),
    Word(r"\bwhoever\b|\b(no|some|any|every)body\b",
         "name the thread, server or caller"),
    Word(r"\bwho\b", "name the thread, server or caller", CODE),
    Word(r"\bso (long|many)\b", "the quantity: maximum, minimum, grace period",
         CODE),
    Word(r"\bcircles? of\b|\bjoin_circle\b|\bDieOnCircle\b",
         "cycle; wait-for graph"),
    Word(r"\bstand(s|ing)? for (an )?election\b", "starts an election"),
    Word(r"\bof the network's\b", "network thread"),
    Word(r"\bparts from\b", "diverges from"),
    Word(r"\b(goes|go|went|going) back\b", "backs up, decreases, returns"),
    Word(r"\banew\b", "again"),
    Word(r"\bof nobody's\b", "discarded"),
    Word(r"\bfor ever\b", "without end, forever"),
    Word(r"\b(DieOfOldAge|Doom|Doomed|Errand|GoOn)\b",
         "ReportTimeLimit, Kill, RunningCall, Schedule"),
    Word(r"\b[Ss]pecimens?\b|\bspecimen_|\b[Gg]hosts?\b|\bscenes?\b",
         "test program, stale instance, scenario"),
    Word(r"\b\w*([Bb]ehaviour|[Cc]olour|[Nn]eighbour|[Ff]avour)\w*|"
         r"\b\w*(initialis|randomis|normalis|recognis|organis|optimis|"
         r"serialis|summaris|minimis|synchronis)\w*",
         "American spelling"),
)
PATTERNS = [(re.compile(word.pattern, re.IGNORECASE), word) for word in WORDS]


def check_words(path: str, lines: list[str]) -> list[str]:
    """Returns a finding for each term that is on the list."""
    suffix = Path(path).suffix
    if any(part in path for part in NOT_OURS):
        return []
    return [f"{path}:{number}: \"{match[0]}\": write {word.instead}"
            for number, line in enumerate(lines, 1)
            for pattern, word in PATTERNS
            if suffix in word.files and (match := pattern.search(line))]


def main(paths: list[str]) -> int:
    """Checks the files named on the command line."""
    found = []
    for path in paths:
        if Path(path).suffix in ALL:
            text = Path(path).read_text(encoding="utf-8")
            found += check_words(path, text.splitlines())
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
