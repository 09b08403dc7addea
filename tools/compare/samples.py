"""What the tests of this folder share: logs, and how to look at them.

testdata/ holds real output of `go test` over the Go lab; only go-lab-2025.txt
was written, from a description of that year's format.
"""

import json
import re

from tools import ROOT
from tools.compare import logs, pairing, reader, report, summary

DATA = ROOT / "tools/compare/testdata"
LOGS = sorted(DATA.glob("*.txt"), key=lambda log: log.stem)

PASSED = "  ... Passed --   1.5  3   20    3000    4\n"
AGREE = f"""=== RUN   TestBasicAgree2B
Test (2B): basic agreement ...
{PASSED}--- PASS: TestBasicAgree2B (1.51s)
"""
BACKUP = """=== RUN   TestBackup2B
Test (2B): leader backs up quickly over incorrect follower logs ...
"""
OURS = f"""seed 7, log out/logs/x.log
=== RUN   TestUnitLogBasic
--- PASS: TestUnitLogBasic (0.01s)
=== RUN   TestBasic
Test: Basic ...
--- PASS: TestBasic (0.01s)
=== RUN   TestInitialElection2A
Test (2A): initial election ...
  ... Passed --   1.8  3   27    1498    0
--- PASS: TestInitialElection2A (1.81s)
{AGREE}=== RUN   TestFollowerFailure2B
Test (2B): test progressive failure of followers ...
    test.cc:7: expected index 4, got 5
--- FAIL: TestFollowerFailure2B (4.56s)
    repeat: make test RUN='^TestFollowerFailure2B$' SEED=7
FAIL
3 passed, 1 failed
"""


def as_events(text: str, **last: object) -> str:
    """Returns the events that stand for a text, one for each line.

    Each event at a test's end has the fields of `last`, too.
    """
    events: list[dict[str, object]] = []
    test: dict[str, object] = {}
    for line in text.splitlines(keepends=True):
        if name := re.match(r"=== RUN +(\w+)", line):
            test = {"Test": name[1]}
            events.append({"Action": "run", **test})
        events.append({"Action": "output", "Output": line, **test})
        if verdict := re.match(r"--- (PASS|FAIL): ", line):
            events.append({"Action": verdict[1].lower(), **test, **last})
            test = {}
    return "".join(json.dumps(event) + "\n" for event in events)


def read(text: str) -> list[logs.Test]:
    """Returns the tests in a log."""
    return reader.read(text).tests


def side(name: str, log: logs.Log) -> pairing.Side:
    """Returns a side that was read from a file."""
    return pairing.Side(name, f"{name}.txt", log)


def compare(go: str, ours: str) -> pairing.Comparison:
    """Returns the comparison of two logs."""
    return pairing.compare(side("Go lab", reader.read(go)),
                           side("ours", reader.read(ours)))


def report_of(go: pairing.Side, ours: pairing.Side) -> str:
    """Returns the text for two sides."""
    comparison = pairing.compare(go, ours)
    return report.report(comparison,
                         summary.summarize(comparison, go, ours))


def names_and_results(text: str) -> list[tuple[str, str]]:
    """Returns what the log's tests are called and how they ended."""
    return [(test.name, test.result) for test in read(text)]


def without_v(log: str) -> str:
    """Returns what go test would have printed without -v."""
    return re.sub(r"(=== RUN .*|--- PASS: .*)\n", "", log)
