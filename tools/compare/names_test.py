"""Tests of names.py: names and titles of all years.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.names_test`, in the root.
"""

import unittest

from tools.compare import logs, names
from tools.compare.samples import (PASSED, names_and_results, read, without_v)


class Years(unittest.TestCase):
    """Names and formats of all years."""

    def test_2018_counts_no_bytes(self) -> None:
        log = ("Test (2A): initial election ...\n"
               "  ... Passed --   3.0  3   44    0\n")
        self.assertEqual([("TestInitialElection2A", "PASS")],
                         names_and_results(log))
        self.assertEqual(logs.Figures(3.0, 44, None, 0), read(log)[0].figures)

    def test_3a_is_2a(self) -> None:
        log = ("=== RUN   TestBasicAgree3B\nTest (3B): basic agreement ...\n"
               f"{PASSED}--- PASS: TestBasicAgree3B (1.50s)\n")
        for text in (log, without_v(log)):
            self.assertEqual([("TestBasicAgree2B", "PASS")],
                             names_and_results(text))
        self.assertEqual(
            [("TestBasicAgree2B", "FAIL")], names_and_results(
                "Test (3B): basic agreement ...\n"
                "--- FAIL: TestBasicAgree3B (10.00s)\n"))

    def test_only_the_courses_names_change(self) -> None:
        for name, _ in names.KNOWN_TESTS:
            self.assertEqual(name, names.canonical(f"{name[:-2]}3{name[-1]}"))
        self.assertEqual("TestSpeed3A", names.canonical("TestSpeed3A"))
        self.assertEqual("TestMine2A", names.canonical("TestMine2A"))

    def test_the_passed_line_of_2025(self) -> None:
        log = ("Test (3A): initial election (reliable network)...\n"
               "noise  ... Passed --  time  3.5s #peers 3 #RPCs   113 #Ops    0"
               "\n")
        self.assertEqual([("TestInitialElection2A", "PASS")],
                         names_and_results(log))
        self.assertEqual(logs.Figures(3.5, 113), read(log)[0].figures)

    def test_the_first_passed_lines_of_2025(self) -> None:
        log = ("Test (3A): initial election (reliable network)...\n"
               "  ... Passed --   3.6  3   106    0\n")
        self.assertEqual([("TestInitialElection2A", "PASS")],
                         names_and_results(log))
        self.assertEqual(logs.Figures(3.6, 106), read(log)[0].figures)

    def test_the_network_tells_the_twins_of_2025_apart(self) -> None:
        for title, network, name in (
                ("install snapshots (disconnect)", "reliable",
                 "TestSnapshotInstall2D"),
                ("install snapshots (disconnect)", "unreliable",
                 "TestSnapshotInstallUnreliable2D"),
                ("install snapshots (crash)", "reliable",
                 "TestSnapshotInstallCrash2D"),
                ("install snapshots (crash)", "unreliable",
                 "TestSnapshotInstallUnCrash2D"),
                ("Figure 8 (unreliable)", "unreliable",
                 "TestFigure8Unreliable2C"),
                ("unreliable churn", "unreliable", "TestUnreliableChurn2C")):
            self.assertEqual([(name, "cut")], names_and_results(
                f"Test (3{name[-1]}): {title} ({network} network)...\n"))

    def test_run_means_all_names_of_a_test(self) -> None:
        for run in ("2A", "3A", "TestInitialElection2A$",
                    "^TestInitialElection3A$", "Initial", "[23]A$", ""):
            for name in ("TestInitialElection2A", "TestInitialElection3A"):
                self.assertTrue(names.is_selected(name, run), run)
        for run in ("2B", "3B", "4A", "Basic"):
            self.assertFalse(names.is_selected("TestInitialElection3A", run))
        self.assertFalse(names.is_selected("TestMine2A", "3A"))

    def test_a_server_of_2026_that_is_not_there(self) -> None:
        # Its tester takes no RPC at all for a pass.
        log = ("=== RUN   TestInitialElection3A\n"
               "2026/01/01 10:00:00 runDaemon err fork/exec raft1d: no such "
               "file\nTest (3A): initial election (reliable network)...\n"
               "  ... Passed --  time  0.5s #peers 3 #RPCs     0 #Ops    0\n"
               "--- FAIL: TestInitialElection3A (0.50s)\n"
               "panic: runtime error: invalid memory address [recovered]\n")
        self.assertEqual([("TestInitialElection2A", "CRASHED")],
                         names_and_results(log))
