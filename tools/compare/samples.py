"""What the tests of this folder share: logs, and how to look at them.

testdata/ holds real output of `go test` over the Go lab; only go-lab-2025.txt
was written, from a description of that year's format.
"""

import re

from tools import ROOT
from tools.compare import logs, pairing

DATA = ROOT / "tools/compare/testdata"
LOGS = sorted(DATA.glob("*.txt"), key=lambda log: log.stem)

PASSED = "  ... Passed --   1.5  3   20    3000    4\n"
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
=== RUN   TestBasicAgree2B
Test (2B): basic agreement ...
{PASSED}--- PASS: TestBasicAgree2B (1.51s)
=== RUN   TestFollowerFailure2B
Test (2B): test progressive failure of followers ...
    test.cc:7: expected index 4, got 5
--- FAIL: TestFollowerFailure2B (4.56s)
    repeat: make test RUN='^TestFollowerFailure2B$' SEED=7
FAIL
3 passed, 1 failed
"""


def read(text: str) -> list[logs.Test]:
    """Returns the tests in a log."""
    return logs.read(text).tests


def side(name: str, log: logs.Log) -> pairing.Side:
    """Returns a side that was read from a file."""
    return pairing.Side(name, f"{name}.txt", log)


def names_and_results(text: str) -> list[tuple[str, str]]:
    """Returns what the log's tests are called and how they ended."""
    return [(test.name, test.result) for test in read(text)]


def without_v(log: str) -> str:
    """Returns what go test would have printed without -v."""
    return re.sub(r"(=== RUN .*|--- PASS: .*)\n", "", log)
