"""Tests of pairing.py: medians, ratios, sums, what was not run.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.pairing_test`, in the root.
"""

import unittest

from tools.compare import names, pairing, reader
from tools.compare.logs import UNITS, Cost, Log
from tools.compare.samples import AGREE, BACKUP, DATA, OURS, compare, side

RPCS = 1
CRASHED = f"{AGREE}{BACKUP}panic: oops\n\nexit status 2\n"
FAILED = ("Test (2B): basic agreement ...\n"
          "--- FAIL: TestBasicAgree2B (9.00s)\nFAIL\n")


def passed(seconds: float, rpcs: int, title: str = "(2B): basic agreement",
           commits: int = 4) -> str:
    """Returns the log of a test that passed."""
    return (f"Test {title} ...\n  ... Passed --   {seconds}  3   {rpcs}    3000"
            f"    {commits}\nPASS\n")


def churn(seconds: float, rpcs: int, commits: int) -> str:
    """Returns the log of a test that is bounded by time."""
    return passed(seconds, rpcs, "(2C): churn", commits)


def clients(seconds: float, rpcs: int, ops: int) -> str:
    """Returns the log of a service's test that is bounded by time."""
    return (f"Test: one client (3A) ...\n  ... Passed --  {seconds}  5 {rpcs} "
            f"{ops}\nPASS\n")


def partitions(seconds: float, rpcs: int, ops: int) -> str:
    """Returns the log of one for which ours gives more time."""
    return ("Test: partitions, one client (4B partitions, one client) "
            "(reliable network)...\n"
            f"  ... Passed --  time {seconds}s #peers 5 #RPCs {rpcs} #Ops {ops}"
            "\nPASS\n")


def speed(seconds: float, rpcs: int) -> str:
    """Returns the log of one that is not; its operations are not counted."""
    return ("Test: ops complete fast enough (3A) ...\n"
            f"  ... Passed --   {seconds}  3  {rpcs}    0\nPASS\n")


def medians(cell: pairing.Cell) -> tuple[float, float]:
    """Returns both sides' medians."""
    assert cell.go and cell.ours
    return cell.go.median, cell.ours.median


def row_of(compared: pairing.Comparison, label: str) -> pairing.Row:
    """Returns the row that begins so."""
    found, = [row for row in compared.totals + compared.rows
              if row.label.startswith(label)]
    return found


class Repetitions(unittest.TestCase):
    """Several runs of a side."""

    def test_median_and_range(self) -> None:
        go = passed(3.0, 10) + passed(1.0, 60) + passed(2.0, 20)
        row, = compare(go, passed(1.0, 30) + passed(2.0, 31)).rows
        self.assertEqual(("3/3", "2/2"), row.results)
        self.assertEqual(pairing.Spread(2.0, 1.0, 3.0, 3), row.cells[0].go)
        self.assertEqual(pairing.Spread(20, 10, 60, 3), row.cells[RPCS].go)
        self.assertEqual(pairing.Spread(30.5, 30, 31, 2), row.cells[RPCS].ours)
        self.assertEqual(0.75, row.cells[0].ratio)
        self.assertEqual(1.525, row.cells[RPCS].ratio)

    def test_one_failure_of_several_ends_the_ratio(self) -> None:
        compared = compare(passed(3.0, 10) + FAILED, passed(1.0, 30))
        row, = compared.rows
        self.assertEqual(("1/2", "PASS"), row.results)
        self.assertIsNone(row.cells[0].ratio)
        self.assertEqual(pairing.Spread(3.0, 3.0, 3.0, 1), row.cells[0].go)
        self.assertEqual(["all passed"], [row.label for row in compared.totals])

    def test_one_crash_of_several(self) -> None:
        row = row_of(compare(CRASHED + AGREE, AGREE), "TestBasicAgree2B")
        self.assertEqual(("2/2", "PASS"), row.results)
        row = row_of(compare(CRASHED + BACKUP + "exit status 1\n", AGREE),
                     "TestBackup2B")
        self.assertEqual("0/2 CRASHED", row.results[0])


class Ratios(unittest.TestCase):
    """What is compared with what."""

    def test_sums_are_over_what_both_passed(self) -> None:
        compared = compare(passed(3.0, 10) + passed(9.0, 90, "(2B): mine"),
                           passed(1.0, 30))
        self.assertEqual((100, 30),
                         medians(row_of(compared, "all").cells[RPCS]))
        both = row_of(compared, "both passed: fixed work")
        self.assertEqual((10, 30), medians(both.cells[RPCS]))
        self.assertEqual(3.0, both.cells[RPCS].ratio)
        self.assertEqual(("1", "1"), both.results)

    def test_a_figure_that_a_year_does_not_count_is_left_out(self) -> None:
        newer = ("Test (3A): initial election (reliable network)...\n"
                 "  ... Passed --  time  3.0s #peers 3 #RPCs    40 #Ops    0\n")
        ours = passed(1.0, 30) + passed(1.5, 20, "(2A): initial election")
        both = row_of(compare(newer + passed(3.0, 10), ours), "both")
        self.assertEqual([2.5 / 6, 1.0, 1.0, 1.0],
                         [cell.ratio for cell in both.cells])
        self.assertEqual((3000, 3000), medians(both.cells[2]))
        self.assertEqual(["seconds", "RPCs"], compare(newer, newer).figures)

    def test_what_is_bounded_by_time_is_compared_by_commit(self) -> None:
        compared = compare(churn(16.0, 600, 300) + passed(3.0, 10),
                           churn(16.0, 6000, 6000) + passed(1.0, 30))
        for row in (row_of(compared, "TestReliableChurn2C"),
                    row_of(compared, "both passed: by time")):
            self.assertEqual([1.0, None, None, 20.0],
                             [cell.ratio for cell in row.cells])
        shares = [row for row in compared.totals + compared.rows
                  if row.share_of]
        self.assertEqual(2, len(shares))
        for row in shares:
            self.assertEqual((2.0, 1.0), medians(row.cells[RPCS]))
            self.assertEqual(0.5, row.cells[RPCS].ratio)
            self.assertIsNone(row.cells[0].go)
            self.assertIsNone(row.cells[UNITS["commit"]].go)
        fixed = row_of(compared, "both passed: fixed work")
        self.assertEqual(3.0, fixed.cells[RPCS].ratio)

    def test_what_clients_do_in_a_given_time_is_compared_by_operation(
            self) -> None:
        compared = compare(clients(15.0, 6000, 300) + speed(3.0, 2000),
                           clients(15.0, 9000, 900) + speed(1.5, 4000))
        self.assertEqual(["seconds", "RPCs", "ops"], compared.figures)
        for row in (row_of(compared, "TestBasic3A"),
                    row_of(compared, "both passed: clients by time")):
            self.assertEqual([1.0, None, 3.0],
                             [cell.ratio for cell in row.cells])
        shares = [row for row in compared.totals + compared.rows
                  if row.share_of == "op"]
        self.assertEqual(["  per op"] * 2, [row.label for row in shares])
        for row in shares:
            self.assertEqual((20.0, 10.0), medians(row.cells[RPCS]))
        for row in (row_of(compared, "TestSpeed3A"),
                    row_of(compared, "both passed: fixed work")):
            self.assertEqual([0.5, 2.0, None],
                             [cell.ratio for cell in row.cells])

    def test_where_ours_gives_more_time_only_shares_are_compared(self) -> None:
        compared = compare(partitions(10.0, 6000, 300) + clients(15.0, 60, 30),
                           partitions(22.0, 9000, 900) + clients(15.0, 60, 30))
        for label in ("TestManyPartitionsOneClient4B",
                      "both passed: ours longer"):
            row = row_of(compared, label)
            self.assertEqual((10.0, 22.0), medians(row.cells[0]))
            self.assertEqual([None] * 3, [cell.ratio for cell in row.cells])
            rows = compared.rows if label[0] == "T" else compared.totals
            share = rows[rows.index(row) + 1]
            self.assertEqual([None, 0.5, None],
                             [cell.ratio for cell in share.cells])
        row = row_of(compared, "both passed: clients by time")
        self.assertEqual((30, 30), medians(row.cells[2]))

    def test_raft_and_services_have_sums_of_their_own(self) -> None:
        log = churn(16.0, 600, 300) + clients(15.0, 6000, 300)
        compared = compare(log, log)
        self.assertEqual(
            ["all passed", "both passed: by time", "  per commit",
             "both passed: clients by time", "  per op"],
            [row.label for row in compared.totals])

    def test_snapshots_beside_a_lab_that_numbers_and_names_them_otherwise(
            self) -> None:
        titles = {name: title for name, title in names.KNOWN_TESTS
                  if name.endswith("2D") and "[" not in title}
        self.assertEqual(7, len(titles))
        ours = "".join(passed(10.0, 500, title.removeprefix("Test "))
                       for title in titles.values())
        compared = compare((DATA / "go-lab-2025.txt").read_text(), ours)
        rows = [row for row in compared.rows if row.label in titles]
        self.assertEqual(list(titles), [row.label for row in rows])
        for row in rows:
            self.assertEqual(("PASS", "PASS"), row.results)
            self.assertIsNotNone(row.cells[0].ratio)
            self.assertIsNotNone(row.cells[RPCS].ratio)

    def test_without_commits_there_is_no_share(self) -> None:
        compared = compare(churn(16.0, 600, 0), churn(16.0, 6000, 6000))
        self.assertEqual([None], [row.cells[RPCS].ratio for row
                                  in compared.rows if row.share_of])
        self.assertFalse(any(row.share_of for row in compared.totals))

    def test_cpu_by_test(self) -> None:
        used = "compare: TestBasicAgree2B used {} CPU seconds\n"
        compared = compare(AGREE + used.format("0.20") + BACKUP,
                           AGREE + used.format("0.05"))
        self.assertEqual("CPU s", compared.figures[-1])
        for row in (row_of(compared, "TestBasicAgree2B"),
                    row_of(compared, "both")):
            self.assertEqual(0.25, row.cells[-1].ratio)


class NotRun(unittest.TestCase):
    """What a side that ended itself has not run."""

    def results(self, go: pairing.Side) -> dict[str, str]:
        """Returns how the tests ended on the Go side."""
        ours = side("ours", reader.read(OURS + BACKUP + passed(
            1.0, 30, "(2B): RPC counts aren't too high")))
        return {row.label: row.results[0]
                for row in pairing.compare(go, ours).rows if row.results[0]}

    def test_what_comes_later_in_the_lab(self) -> None:
        found = self.results(side("Go lab", reader.read(CRASHED)))
        self.assertEqual(("-", "PASS", "CRASHED", "not run"), tuple(
            found[f"Test{name}"] for name in
            ("InitialElection2A", "BasicAgree2B", "Backup2B", "Count2B")))

    def test_what_was_to_run(self) -> None:
        go = side("Go lab", reader.read(CRASHED))
        go.expected = ["TestBasicAgree2B", "TestBackup2B", "TestPersist12C"]
        found = self.results(go)
        self.assertEqual(("not run", "-"), (found["TestPersist12C"],
                                            found["TestCount2B"]))

    def test_nothing_if_it_went_on(self) -> None:
        go = side("Go lab", reader.read(CRASHED.replace("exit status 2\n", "") +
                                        passed(1.0, 1, "(2C): churn")))
        self.assertEqual("-", self.results(go)["TestCount2B"])
        go = side("Go lab", reader.read(AGREE + BACKUP))
        self.assertEqual("-", self.results(go)["TestCount2B"])


class Costs(unittest.TestCase):
    """CPU time and memory of whole runs."""

    def ratios(self, go: str, ours: str) -> list[float | None]:
        """Returns the ratios of two sides that cost the same."""
        costs = [Cost(1.0, 1.0)]
        both = [side(name, Log(reader.read(log).tests, costs=costs))
                for name, log in (("Go lab", go), ("ours", ours))]
        return [cost.ratio for cost in pairing.compare(*both).costs]

    def test_a_ratio_only_if_all_passed_on_both(self) -> None:
        self.assertEqual([1.0, 1.0], self.ratios(AGREE, passed(1.0, 3)))
        self.assertEqual([None, None], self.ratios(AGREE, OURS))
        self.assertEqual([None, None], self.ratios(FAILED, AGREE))
        self.assertEqual([None, None], self.ratios(AGREE + FAILED, AGREE))

    def test_none_where_ours_gives_more_time(self) -> None:
        log = partitions(10.0, 6000, 300)
        self.assertEqual([None, None], self.ratios(log, log))

    def test_nothing_if_nothing_was_run(self) -> None:
        self.assertEqual([], compare(AGREE, AGREE).costs)
