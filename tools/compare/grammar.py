"""The lines of `go test` and of our program that say something of a test.

Each is found anywhere in a line; one that begins with "compare:" is not theirs
but was added by text.py or sides.py.
"""

import re

# The methods of reader.py's _Reader are called like these.
_EVENTS = {
    # A name followed by a slash is a subtest's.
    "run": r"=== RUN +(?P<running>Test\w+)(?![\w/])",
    # "Test (2A): initial election ...", "Test: one client (3A) ..."; the first
    # end is 2025's, which also has "Test RSM basic (reliable network)...", and
    # "Test (5A): a group joins... (reliable network)...".
    "title": r"(?P<titled>Test(?:(?: \(\d[A-Z]\))?: .+?"
             r"| [\w ]+(?= \((?:un)?reliable network\)\.\.\.)))"
             r"(?:(?: ?\.\.\.)? \((?P<network>(?:un)?reliable) network\)\.\.\."
             r"| ?\.\.\.)",
    "passed": r"\.\.\. Passed(?= --|[ \t\r]*$)",
    # Seconds, servers, RPCs, bytes (neither in 2018 nor in a service's tests),
    # commits or a service's operations; 2025's second half has names.
    "figures": r"  +(?P<seconds>\d+\.\d) +\d+ +(?P<rpcs>\d+)"
               r"(?: +(?P<bytes>\d+))? +(?P<done>\d+)[ \t\r]*\n",
    "figures_2025": r"  time +(?P<seconds_2025>\d+\.\d)s +#peers +\d+"
                    r" +#RPCs +(?P<rpcs_2025>\d+) +#Ops +(?P<ops_2025>\d+)"
                    r"[ \t\r]*\n",
    "verdict": r"--- (?P<verdict_is>PASS|FAIL|SKIP): (?P<name>Test\w+)"
               r" \((?P<took>\d+\.\d+)s\)",
    "why": r"(?:    |\t)(?P<place>[\w.-]+\.(?:go|cc|h):\d+: .+"
           r"|(?:crashed|test hung|exit status \d+): .+"
           r"|C\+\+ exception .+)|Fatal: .+",
    "cause": r"(?:panic|fatal error|apply error): .+"
             r"|\*\*\* Test killed .+|^SIG[A-Z]+: .+",
    "race": r"WARNING: DATA RACE",
    # Of the check that a service's history is linearizable.
    "unknown": r"info: linearizability check timed out",
    "page": r"info: wrote (?:history )?visualization to (?P<file>\S+)",
    # The end of a program, perhaps before that of its tests.
    "exit": r"(?:^|(?<=\S))(?:exit status \d+|signal: .+?)[ \t\r]*$",
    "fail": r"\bFAIL[ \t]+\S+[ \t]+(?:\d+\.\d+s|\[.+\])|^FAIL[ \t\r]*$",
    # The end of its tests, if the last of them has ended.
    "end_of_tests": r"(?:PASS|FAIL)[ \t\r]*$|^\d+ passed, \d+ failed"
                    r"|\bok[ \t]+\S+[ \t]+(?:\d+\.\d+s|\(cached\))",
    # What text.py and sides.py have added.
    "began": r"^compare: began (?P<when>.+)",
    "package": r"^compare: package (?:\S*/)?(?P<folder>[\w.-]+)[ \t\r]*$",
    "used": r"^compare: (?P<user>Test\w+ )?used (?P<cpu>[\d.]+) CPU seconds"
            r"(?:, peak (?P<peak>[\d.]+) MB)?",
    "failed": r"^compare: Test\w+ failed: (?P<way>\w+): (?P<message>.+)",
    "seed": r"^seed (?P<number>\d+), log",
}
_EVENT = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern
                             in _EVENTS.items()), re.MULTILINE)
# A line without any of these is the lab's own, as most of a large log are, or
# the second half of a Passed line.
_WORDS = ("=== RUN", "Test", "... Passed", "---", ".go:", ".cc:", ".h:",
          "info:", "Fatal:", "crashed:", "hung:", "C++", "panic:", "error:",
          "DATA RACE", "exit status", "signal:", "SIG", "PASS", "FAIL", "ok ",
          "ok\t", " passed, ", "compare:", "seed ")


def find(line: str, may_be_half: bool) -> list[re.Match[str]]:
    """Returns what there is in a line; `lastgroup` says which of _EVENTS."""
    if may_be_half or any(map(line.__contains__, _WORDS)):
        return list(_EVENT.finditer(line))
    return []
