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
        newer = {"raft": {"2": "3"}, "kvraft": {"3": "4"}}
        for name, _ in names.KNOWN_TESTS:
            lab = names.lab_of(name)
            if lab in newer:
                number = newer[lab][name[-2]]
                self.assertEqual(name, names.canonical(
                    f"{name[:-2]}{number}{name[-1]}", lab))
            self.assertEqual(name, names.canonical(name))
            self.assertEqual(name, names.canonical(name, lab))
        self.assertEqual("TestMine2A", names.canonical("TestMine2A"))

    def test_the_sharded_labs_names(self) -> None:
        for own, name in (("TestStaticShards5A", "TestStaticShards"),
                          ("TestConcurrent1_5B", "TestConcurrent1"),
                          ("TestChallenge1Concurrent", "TestConcurrent3"),
                          ("TestJoinLeave5B", "TestJoinLeave5B"),
                          ("TestBasic", "TestBasic")):
            self.assertEqual(name, names.canonical(own))
        self.assertEqual("TestJoinLeave",
                         names.canonical("TestJoinLeave5B", "shardkv"))

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


class Meant(unittest.TestCase):
    """What RUN means."""

    RAFT = ("InitialElection", "A"), ("BasicAgree", "B"), ("Persist1", "C")
    KV = ("Basic", "A"), ("Speed", "A"), ("Speed", "B"), ("SnapshotRPC", "B")

    @staticmethod
    def year(lab: str, number: int,
             tests: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
        """Returns the names of a year's tests: that year's, and ours."""
        own = [f"Test{test}{number}{letter}" for test, letter in tests]
        return [(each, names.canonical(each, lab)) for each in own]

    def setUp(self) -> None:
        self.in_2022 = (self.year("raft", 2, self.RAFT) +
                        self.year("kvraft", 3, self.KV))
        self.in_2024 = (self.year("raft", 3, self.RAFT) +
                        self.year("kvraft", 4, self.KV))
        self.in_2025 = (self.year("raft", 3, self.RAFT) +
                        self.year("rsm", 4, self.KV[:1]) +
                        self.year("kvraft1", 4, (("Basic", "B"),
                                                 ("Speed", "B"))))

    def expect(self, run: str, tests: list[tuple[str, str]],
               *ours: str) -> None:
        """Expects that RUN means ours of these tests."""
        self.assertEqual({f"Test{each}" for each in ours},
                         names.meant(run, tests), run)

    def test_a_part_is_that_of_the_labs_year(self) -> None:
        self.expect("2A", self.in_2022, "InitialElection2A")
        self.expect("3A", self.in_2022, "Basic3A", "Speed3A")
        self.expect("3A", self.in_2024, "InitialElection2A")
        self.expect("4A", self.in_2024, "Basic3A", "Speed3A")
        self.expect("4B", self.in_2024, "Speed3B", "SnapshotRPC3B")
        self.expect("3A", self.in_2025, "InitialElection2A")
        self.expect("4A", self.in_2025, "Basic4A")
        self.expect("4B", self.in_2025, "Basic4B", "Speed4B")

    def test_or_ours_or_of_another_year(self) -> None:
        self.expect("2A", self.in_2024, "InitialElection2A")
        self.expect("2A", self.in_2025, "InitialElection2A")
        self.expect("4A", self.in_2022, "Basic3A", "Speed3A")
        self.expect("3A", self.in_2022[:3], "InitialElection2A")
        self.expect("3A", self.in_2024[3:], "Basic3A", "Speed3A")
        self.expect("5A", self.in_2025)

    def test_a_name_is_that_of_the_labs_year(self) -> None:
        self.expect("^TestBasic4A$", self.in_2024, "Basic3A")
        self.expect("^TestBasic4A$", self.in_2025, "Basic4A")
        self.expect("Speed", self.in_2022, "Speed3A", "Speed3B")
        self.expect("", self.in_2025, *(ours[4:] for _, ours in self.in_2025))

    def test_ours_by_any_name(self) -> None:
        for run in ("2A", "3A", "TestInitialElection2A$",
                    "^TestInitialElection3A$", "Initial", "[23]A$", ""):
            self.assertTrue(names.is_selected("TestInitialElection2A", run))
        for run in ("2B", "3B", "4A", "Basic"):
            self.assertFalse(names.is_selected("TestInitialElection2A", run))
        self.assertTrue(names.is_selected("TestBasic3A", "4A"))
        self.assertFalse(names.is_selected("TestBasic4A", "3A"))
        self.assertFalse(names.is_selected("TestMine2A", "3A"))
