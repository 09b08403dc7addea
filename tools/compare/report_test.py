"""Tests of figures.py and report.py.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.report_test`, in the root.
"""

import unittest

from tools.compare import logs, pairing, report
from tools.compare.pairing import Cost
from tools.compare.samples import DATA, LOGS, OURS, PASSED, read, side

SMALL_REPORT = """\
                       --result-  ---seconds---  ----RPCs----  -----bytes------  --commits---
test                     Go ours   Go ours  /Go  Go ours  /Go     Go  ours  /Go  Go ours  /Go
---------------------------------------------------------------------------------------------
TestInitialElection2A  FAIL PASS  5.1  1.8            27             1,498             0
TestReElection2A       FAIL    -  5.0
TestBasicAgree2B       PASS PASS  1.5  1.5 1.00  20   20 1.00  3,000 3,000 1.00   4    4 1.00
TestFollowerFailure2B     - FAIL       4.6
---------------------------------------------------------------------------------------------
all Passed lines          1    2  1.5  3.3       20   47       3,000 4,498        4    4
both passed               1    1  1.5  1.5 1.00  20   20 1.00  3,000 3,000 1.00   4    4 1.00

Go lab: 1 passed, 2 failed; 1 of the tests only on this side
ours: 2 passed, 1 failed; 1 of the tests only on this side
/Go: ours divided by the Go lab's, where all passed
-: no such test on that side
"""


def our_log(text: str) -> logs.Log:
    """Returns the lab tests in a log of ours."""
    return logs.select_ours(logs.read(text), "", "ours.txt")


def report_of(go: logs.Log, ours: logs.Log) -> str:
    """Returns the text for two logs."""
    return report.report(pairing.compare(side("Go lab", go),
                                         side("ours", ours)))


def passed(seconds: float, rpcs: int) -> str:
    """Returns the log of a basic agreement that passed."""
    return ("Test (2B): basic agreement ...\n"
            f"  ... Passed --   {seconds}  3   {rpcs}    3000    4\nPASS\n")


class Table(unittest.TestCase):
    """What the table says."""

    def setUp(self) -> None:
        go = logs.read_file(str(DATA / "go-lab-a.txt"))
        self.lines = report_of(go, our_log(OURS)).split("\n")

    def row(self, label: str) -> str:
        """Returns the cells of the row with that label, a blank between."""
        found = [line for line in self.lines if line.startswith(label)]
        self.assertEqual(1, len(found), label)
        return " ".join(found[0].removeprefix(label).split())

    def test_the_columns_are_aligned(self) -> None:
        go = logs.read_file(str(DATA / "go-lab-unsolved.txt")).tests[:2]
        go += read(f"Test (2B): basic agreement ...\n{PASSED}")
        self.assertEqual(SMALL_REPORT, report_of(logs.Log(go), our_log(OURS)))

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
                         self.row("all Passed lines"))
        self.assertEqual(
            "2 2 4.8 3.3 0.69 70 47 0.67 19,430 4,498 0.23 3 4 1.33",
            self.row("both passed"))

    def test_counts(self) -> None:
        self.assertEqual("18 passed, 0 failed; 16 of the tests only on this "
                         "side", self.row("Go lab:"))
        self.assertEqual("2 passed, 1 failed; 1 of the tests only on this "
                         "side", self.row("ours:"))

    def test_the_order_is_the_labs(self) -> None:
        names = [line.split()[0] for line in self.lines
                 if line.startswith("Test")]
        self.assertEqual("TestRPCBytes2B TestFollowerFailure2B TestFailAgree2B",
                         " ".join(names[3:6]))

    def test_a_table_fits_into_120_columns(self) -> None:
        texts = [log.read_text(encoding="utf-8") for log in LOGS]
        for go in texts:
            for ours in texts:
                for times in (1, 9):
                    lines = report_of(logs.read(go * times),
                                      logs.read(ours * times)).split("\n")
                    wide = max(map(len, lines[:-8]))
                    self.assertLessEqual(wide, 120)

    def test_a_log_that_ends_in_a_test(self) -> None:
        log = logs.read(
            "=== RUN   TestBasicAgree2B\nTest (2B): basic agreement ...\n"
            f"{PASSED}--- PASS: TestBasicAgree2B (1.50s)\n"
            "=== RUN   TestBackup2B\npanic: test timed out after 10m0s\n")
        text = report_of(log, our_log(OURS))
        self.assertIn("1 passed, 0 failed, 1 cut off before the end", text)
        self.assertIn("Go lab: TRUNCATED: its output (Go lab.txt) breaks off "
                      "in TestBackup2B; ", text)
        self.assertNotIn("ours: TRUNCATED", text)

    def test_a_figure_that_a_year_does_not_count(self) -> None:
        go = logs.read_file(str(DATA / "go-lab-2025.txt"))
        text = report_of(go, our_log(OURS))
        rows = {line.split()[0]: line.split() for line in text.split("\n")
                if line.startswith(("TestInit", "both"))}
        self.assertEqual("PASS PASS 3.5 1.8 0.51 113 27 0.24 1,498 0".split(),
                         rows["TestInitialElection2A"][1:])
        # No ratio: the Go side has no bytes.
        self.assertEqual("3.3 0.67 248 47 0.19 4,498 4".split(),
                         rows["both"][5:])


class Repetitions(unittest.TestCase):
    """Several runs of a side."""

    def compare(self, go: str, ours: str) -> pairing.Comparison:
        """Returns the comparison of two logs."""
        return pairing.compare(side("Go lab", logs.read(go)),
                               side("ours", logs.read(ours)))

    def test_median_and_range(self) -> None:
        go = passed(3.0, 10) + passed(1.0, 60) + passed(2.0, 20)
        compared = self.compare(go, passed(1.0, 30) + passed(2.0, 31))
        row, = compared.rows
        self.assertEqual(("3/3", "2/2"), row.results)
        self.assertEqual(pairing.Spread(2.0, 1.0, 3.0, 3), row.cells[0].go)
        self.assertEqual(pairing.Spread(20, 10, 60, 3), row.cells[1].go)
        self.assertEqual(pairing.Spread(30.5, 30, 31, 2), row.cells[1].ours)
        self.assertEqual(0.75, row.cells[0].ratio)
        self.assertEqual(1.525, row.cells[1].ratio)

    def test_the_range_is_below_the_median(self) -> None:
        text = report.report(self.compare(passed(3.0, 10) + passed(1.0, 60),
                                          passed(1.5, 30)))
        lines = [line.split() for line in text.split("\n")]
        self.assertEqual(["TestBasicAgree2B", "2/2", "PASS", "2.0", "1.5"],
                         lines[3][:5])
        self.assertEqual("min 1.0 10 3,000 4".split(), lines[4])
        self.assertEqual("max 3.0 60 3,000 4".split(), lines[5])
        self.assertIn("repeated tests: the median", text)

    def test_without_repetitions_there_is_no_range(self) -> None:
        text = report_of(logs.read(passed(3.0, 10)), logs.read(passed(3.0, 10)))
        self.assertNotIn("min", text)
        self.assertNotIn("repeated", text)

    def test_one_failure_of_several_ends_the_ratio(self) -> None:
        failed = ("Test (2B): basic agreement ...\n"
                  "--- FAIL: TestBasicAgree2B (9.00s)\nFAIL\n")
        compared = self.compare(passed(3.0, 10) + failed, passed(1.0, 30))
        row, = compared.rows
        self.assertEqual(("1/2", "PASS"), row.results)
        self.assertIsNone(row.cells[0].ratio)
        self.assertEqual(pairing.Spread(3.0, 3.0, 3.0, 1), row.cells[0].go)
        self.assertEqual(("0", "0"), compared.totals[1].results)


class Costs(unittest.TestCase):
    """CPU time and memory."""

    def test_of_both_sides(self) -> None:
        go = side("Go lab", logs.read(passed(3.0, 10)))
        ours = side("ours", logs.read(passed(3.0, 10)))
        self.assertNotIn("CPU", report.report(pairing.compare(go, ours)))
        go.costs = [Cost(2.0, 40.0), Cost(4.0, 50.0)]
        text = report.report(pairing.compare(go, ours))
        self.assertIn("CPU seconds of a run: Go 3.00 (2.00..4.00), ours not "
                      "run here\n", text)
        ours.costs = [Cost(1.5, 9.0)]
        text = report.report(pairing.compare(go, ours))
        self.assertIn("ours 1.50, /Go 0.50\n", text)
        self.assertIn("peak MB of a run: Go 45.0 (40.0..50.0), ours 9.0, "
                      "/Go 0.20\n", text)

    def test_no_ratio_where_one_side_ran_more(self) -> None:
        go = side("Go lab", logs.read(passed(3.0, 10)))
        ours = side("ours", our_log(OURS))
        go.costs = ours.costs = [Cost(1.0, 1.0)]
        self.assertEqual([None, None], [
            cost.ratio for cost in pairing.compare(go, ours).costs])
