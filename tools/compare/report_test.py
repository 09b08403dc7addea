"""Tests of report.py and summary.py: the table, and the lines around it.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.report_test`, in the root.
"""

import itertools
import unittest

from tools.compare import logs, pairing, reader
from tools.compare.logs import Cost
from tools.compare.pairing_test import (CRASHED, FAILED, churn, clients,
                                        partitions, passed, speed)
from tools.compare.samples import (AGREE, BACKUP, DATA, LOGS, OURS, PASSED,
                                   report_of, side)

SMALL_REPORT = """\
Go lab: 1 passed, 2 failed; 1 of the tests only on this side
    Go lab.txt; of unknown date
ours: 2 passed, 1 failed; 1 of the tests only on this side
    ours.txt; of unknown date; seed 7
verdict: in tests that both passed, ours has of the Go lab's
    fixed work (1): 1.00 of the seconds, 1.00 of the RPCs, 1.00 of the bytes
    (less is better, but of commits more)

                         --result-  ---seconds---  ----RPCs----  -----bytes------  --commits---
test                       Go ours   Go ours  /Go  Go ours  /Go     Go  ours  /Go  Go ours  /Go
-----------------------------------------------------------------------------------------------
all passed                  1    2  1.5  3.3       20   47       3,000 4,498        4    4
both passed: fixed work     1    1  1.5  1.5 1.00  20   20 1.00  3,000 3,000 1.00   4    4 1.00
-----------------------------------------------------------------------------------------------
TestInitialElection2A    FAIL PASS  5.1  1.8            27             1,498             0
TestReElection2A         FAIL    -  5.0
TestBasicAgree2B         PASS PASS  1.5  1.5 1.00  20   20 1.00  3,000 3,000 1.00   4    4 1.00
TestFollowerFailure2B       - FAIL       4.6

Go lab: TestInitialElection2A: config.go:330: expected one leader, got none
Go lab: TestReElection2A: config.go:330: expected one leader, got none
ours: TestFollowerFailure2B: test.cc:7: expected index 4, got 5
/Go: ours divided by the Go lab's, where both passed
-: no such test on that side
"""


def our_side(text: str = OURS) -> pairing.Side:
    """Returns the lab tests in a log of ours."""
    return side("ours", logs.select_ours(reader.read(text), "", "ours.txt"))


def go_side(text: str) -> pairing.Side:
    """Returns the Go lab's side."""
    return side("Go lab", reader.read(text))


class Table(unittest.TestCase):
    """What the table says."""

    def setUp(self) -> None:
        go = side("Go lab", reader.read_file(str(DATA / "go-lab-a.txt")))
        self.lines = report_of(go, our_side()).split("\n")

    def row(self, label: str) -> str:
        """Returns the cells of the row with that label, a blank between."""
        found = [line for line in self.lines if line.startswith(label)]
        self.assertEqual(1, len(found), label)
        return " ".join(found[0].removeprefix(label).split())

    def test_the_columns_are_aligned(self) -> None:
        text = (DATA / "go-lab-unsolved.txt").read_text("utf-8")
        text = text[:text.index("Test (2B)")]
        self.assertEqual(SMALL_REPORT, report_of(
            go_side(f"{text}Test (2B): basic agreement ...\n{PASSED}PASS\n"),
            our_side()))

    def test_a_test_of_both(self) -> None:
        self.assertEqual(
            "PASS PASS 3.6 1.8 0.50 54 27 0.50 14,980 1,498 0.10 0 0",
            self.row("TestInitialElection2A"))

    def test_a_test_of_one_side(self) -> None:
        self.assertEqual("PASS - 31.2 2,180 1,623,943 103",
                         self.row("TestBackup2B"))
        self.assertEqual("- FAIL 4.6", self.row("TestFollowerFailure2B"))

    def test_totals(self) -> None:
        self.assertEqual("18 2 199.4 3.3 8,976 47 6,707,023 4,498 1,355 4",
                         self.row("all passed"))
        self.assertEqual(
            "2 2 4.8 3.3 0.69 70 47 0.67 19,430 4,498 0.23 3 4 1.33",
            self.row("both passed: fixed work"))

    def test_they_are_above_the_tests_and_below_the_verdict(self) -> None:
        text = "\n".join(self.lines)
        found = [text.index(part) for part in ("verdict:", "all passed",
                                               "both passed:", "TestInitial")]
        self.assertEqual(sorted(found), found)

    def test_the_order_is_the_labs(self) -> None:
        names = [line.split()[0] for line in self.lines
                 if line.startswith("Test")]
        self.assertEqual("TestRPCBytes2B TestFollowerFailure2B TestFailAgree2B",
                         " ".join(names[3:6]))

    def test_a_table_without_cpu_fits_into_120_columns(self) -> None:
        texts = {log.stem: log.read_text(encoding="utf-8") for log in LOGS}
        for (go_name, go), (our_name, ours) in itertools.product(
                texts.items(), repeat=2):
            if go_name[:6] == our_name[:6]:  # of the same lab
                for times in (1, 9):
                    text = report_of(go_side(go * times),
                                     side("ours", reader.read(ours * times)))
                    table = text.split("\n\n")[1]
                    self.assertLessEqual(max(map(len, table.split("\n"))), 120)

    def test_a_long_name_has_a_line_of_its_own(self) -> None:
        name = ("TestSnapshotUnreliableRecoverConcurrentPartitionLinearizable"
                "3B")
        text = (DATA / "go-kv-2022.txt").read_text("utf-8")
        lines = report_of(go_side(text), go_side(text)).splitlines()
        self.assertRegex(lines[lines.index(name) + 1],
                         r"\A {44,}PASS PASS +32\.4 +32\.4 1\.00 ")

    def test_the_range_is_below_the_median(self) -> None:
        text = report_of(go_side(passed(3.0, 10) + passed(1.0, 60)),
                         go_side(passed(1.5, 30)))
        lines = [line.split() for line in text.split("\n")]
        first = [line[:1] for line in lines].index(["TestBasicAgree2B"])
        self.assertEqual(["2/2", "PASS", "2.0", "1.5"], lines[first][1:5])
        self.assertEqual("min 1.0 10 3,000 4".split(), lines[first + 1])
        self.assertEqual("max 3.0 60 3,000 4".split(), lines[first + 2])
        self.assertIn("repeated tests: the median", text)

    def test_without_repetitions_there_is_no_range(self) -> None:
        text = report_of(go_side(passed(3.0, 10)), go_side(passed(3.0, 10)))
        self.assertNotIn("min", text)
        self.assertNotIn("repeated", text)

    def test_what_a_commit_costs(self) -> None:
        text = report_of(go_side(churn(16.0, 600, 300)),
                         go_side(churn(16.0, 4000, 6000)))
        self.assertRegex(text, r"\n  per commit +2\.0 +0\.7 0\.33 +10 +0 0\.05")

    def test_what_an_operation_costs(self) -> None:
        text = report_of(go_side(clients(15.0, 6000, 300)),
                         go_side(clients(15.0, 9000, 900)))
        self.assertRegex(text, r"\nTestBasic3A +PASS PASS +15\.0 +15\.0 1\.00 +"
                         r"6,000 +9,000 +300 +900 3\.00\n"
                         r"  per op +20\.0 +10\.0 0\.50\n")


class Lines(unittest.TestCase):
    """What is said above and below the table."""

    def test_counts(self) -> None:
        text = report_of(side("Go lab", reader.read_file(
            str(DATA / "go-lab-a.txt"))), our_side())
        self.assertIn("Go lab: 18 passed, 0 failed; 16 of the tests only on "
                      "this side\n", text)
        self.assertIn("ours: 2 passed, 1 failed; 1 of the tests only on this "
                      "side\n", text)

    def test_a_log_that_ends_in_a_test(self) -> None:
        text = report_of(go_side(AGREE + BACKUP), our_side())
        self.assertIn("1 passed, 0 failed, 1 cut off before the end", text)
        self.assertIn("Go lab: TRUNCATED: its output (Go lab.txt) breaks off "
                      "in TestBackup2B; ", text)
        self.assertNotIn("ours: TRUNCATED", text)

    def test_crashes(self) -> None:
        ours = our_side(OURS + passed(1.0, 3, "(2C): churn"))
        text = report_of(go_side(CRASHED), ours)
        self.assertIn("Go lab: 1 passed, 0 failed, 1 crashed, 1 not run;", text)
        self.assertIn("\nGo lab: CRASHED in TestBackup2B: panic: oops\n", text)
        text = report_of(go_side(CRASHED * 3), ours)
        self.assertIn("in TestBackup2B: panic: oops (3 times)\n", text)

    def test_why_tests_failed(self) -> None:
        text = report_of(go_side(FAILED * 2), our_side())
        self.assertIn("\nGo lab: TestBasicAgree2B: its output does not say why "
                      "it failed (2 times)\n", text)
        self.assertIn("\nours: TestFollowerFailure2B: test.cc:7: expected "
                      "index 4, got 5\n", text)

    def test_the_verdict(self) -> None:
        text = report_of(go_side(churn(16.0, 600, 300) + passed(2.0, 10)),
                         go_side(churn(16.0, 6000, 6000) + passed(1.0, 30)))
        self.assertIn(
            "verdict: in tests that both passed, ours has of the Go lab's\n"
            "    fixed work (1): 0.50 of the seconds, 3.00 of the RPCs, 1.00 "
            "of the bytes\n"
            "    by time (1): 1.00 of the seconds, 20.00 of the commits\n"
            "    for each of their commits: 0.50 of the RPCs, 0.05 of the "
            "bytes\n    (less is better, but of commits more)\n", text)
        both = [go_side(clients(15.0, rpcs, ops) + speed(seconds, 2000))
                for rpcs, ops, seconds in ((6000, 300, 2.0), (9000, 900, 1.0))]
        self.assertIn(
            "    fixed work (1): 0.50 of the seconds, 1.00 of the RPCs\n"
            "    clients by time (1): 1.00 of the seconds, 3.00 of the ops\n"
            "    for each of their ops: 0.50 of the RPCs\n"
            "    (less is better, but of ops more)\n", report_of(*both))
        both = [go_side(partitions(10.0, rpcs, ops))
                for rpcs, ops in ((6000, 300), (9000, 900))]
        self.assertIn("ours has of the Go lab's\n    ours longer (1), for each "
                      "of their ops: 0.50 of the RPCs\n    (less is",
                      report_of(*both))
        self.assertIn("verdict: no figures of a test that passed on both",
                      report_of(go_side(FAILED), our_side()))

    def test_when_and_with_what(self) -> None:
        began = "compare: began 2026-01-0{}, load 0.{} of 2 processors, go1\n"
        go = go_side(began.format(1, 1) + AGREE + began.format(2, 2) + AGREE)
        ours = our_side("seed 5, log a\n" + OURS)
        text = report_of(go, ours)
        self.assertIn("    Go lab.txt; 2026-01-01, load 0.1 of 2 processors, "
                      "go1; the last of 2 runs 2026-01-02, load 0.2 of 2 "
                      "processors\n", text)
        self.assertIn("    ours.txt; of unknown date; seeds 5, 7\n", text)

    def test_costs(self) -> None:
        go, ours = go_side(passed(3.0, 10)), go_side(passed(3.0, 10))
        self.assertNotIn("CPU", report_of(go, ours))
        go.log.costs = [Cost(2.0, 40.0), Cost(4.0, 50.0)]
        self.assertIn("CPU seconds of a run: Go 3.00 (2.00..4.00), ours not "
                      "run here\n", report_of(go, ours))
        ours.log.costs = [Cost(1.5, 9.0)]
        text = report_of(go, ours)
        self.assertIn("ours 1.50, /Go 0.50\n", text)
        self.assertIn("peak MB of a run: Go 45.0 (40.0..50.0), ours 9.0, "
                      "/Go 0.20\n", text)
