"""Tests of logs.py and names.py.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.logs_test`, in the root.
"""

import unittest

from tools.compare import logs, names
from tools.compare.samples import (LOGS, OURS, PASSED, names_and_results, read,
                     without_v)


def sums(tests: list[logs.Test]) -> list[float]:
    """Returns the sums over the Passed lines; what they lack counts as 0."""
    lines = [test.figures for test in tests if test.figures]
    columns = list(zip(*lines)) or [()] * 4
    return [round(sum(value or 0 for value in column), 1)
            for column in columns]


def figures_of(log: str) -> logs.Figures:
    """Returns the figures of the log's first test."""
    figures = read(log)[0].figures
    assert figures
    return figures


class RealLogs(unittest.TestCase):
    """The files of testdata/."""

    # Passed, failed, and the sums of the Passed lines.
    TOTALS = {
        "go-lab-2025": (28, 0, 317.1, 13_044, 0, 0),
        "go-lab-a": (18, 0, 199.4, 8_976, 6_707_023, 1_355),
        "go-lab-b": (18, 0, 174.7, 18_059, 12_976_480, 4_076),
        "go-lab-b-race": (18, 0, 175.6, 12_132, 11_339_441, 1_905),
        "go-lab-c": (19, 0, 172.4, 38_881, 74_941_077, 5_483),
        "go-lab-unsolved": (0, 4, 0.0, 0, 0, 0),
    }

    def check_totals(self, name: str, tests: list[logs.Test]) -> None:
        """Compares with TOTALS; the sum of tenths is rounded to tenths."""
        results = [test.result for test in tests]
        self.assertEqual(self.TOTALS[name],
                         (results.count("PASS"), results.count("FAIL"),
                          *sums(tests)))

    def test_totals(self) -> None:
        self.assertEqual(sorted(self.TOTALS), [log.stem for log in LOGS])
        for log in LOGS:
            with self.subTest(log.name):
                self.check_totals(log.stem, logs.read_file(str(log)).tests)

    def test_the_same_without_v_and_with_crlf(self) -> None:
        for log in LOGS:
            text = log.read_text(encoding="utf-8")
            for changed in (without_v(text), text.replace("\n", "\r\n")):
                with self.subTest(log.name):
                    tests = read(changed)
                    self.check_totals(log.stem, tests)
                    self.assertEqual([test.name for test in read(text)],
                                     [test.name for test in tests])


class Reading(unittest.TestCase):
    """What else a log may look like."""

    def test_every_known_title_names_its_test(self) -> None:
        for name, title in names.KNOWN_TESTS:
            log = f"Test ({name[-2:]}): {title} ...\n{PASSED}"
            self.assertEqual([(name, "PASS")], names_and_results(log))

    def test_noise_before_passed_on_the_same_line(self) -> None:
        log = ("Test (2A): initial election ...\n"
               "warning: term changed even though there were no failures" +
               PASSED)
        self.assertEqual([logs.Figures(1.5, 20, 3000, 4)],
                         [test.figures for test in read(log)])

    def test_noise_before_every_event(self) -> None:
        log = ("x=== RUN   TestCount2B\n2020/01/01 S0 votes\n"
               "xTest (2B): RPC counts aren't too high ...\nlabgob warning: x\n"
               f"x{PASSED}x--- PASS: TestCount2B (1.50s)\nPASS\nok raft 1.6s\n")
        self.assertEqual([("TestCount2B", "PASS")], names_and_results(log))
        self.assertEqual(20, figures_of(log).rpcs)

    def test_a_message_before_or_after_the_verdict(self) -> None:
        title = "Test (2B): basic agreement ...\n"
        message = "    config.go:475: one(100) failed to reach agreement\n"
        verdict = "--- FAIL: TestBasicAgree2B (10.01s)\n"
        for run in ("", "=== RUN   TestBasicAgree2B\n"):
            for log in (run + title + message + verdict,
                        run + title + verdict + message):
                self.assertEqual([("TestBasicAgree2B", "FAIL")],
                                 names_and_results(log))
                self.assertEqual(10.01, read(log)[0].took)

    def test_a_race_found_in_a_test_that_printed_passed(self) -> None:
        for run in ("", "=== RUN   TestCount2B\n"):
            log = (f"{run}Test (2B): RPC counts aren't too high ...\n"
                   f"WARNING: DATA RACE\nRead at 0x00c0 by goroutine 7:\n"
                   f"{PASSED}    testing.go:1312: race detected during "
                   "execution of test\n--- FAIL: TestCount2B (1.50s)\n")
            self.assertEqual([("TestCount2B", "FAIL")], names_and_results(log))
            self.assertEqual(20, figures_of(log).rpcs)

    def test_a_passing_test_without_a_passed_line(self) -> None:
        log = "=== RUN   TestMine2A\n--- PASS: TestMine2A (0.25s)\n"
        self.assertEqual([("TestMine2A", "PASS")], names_and_results(log))
        self.assertIsNone(read(log)[0].figures)
        self.assertEqual(0.25, read(log)[0].took)

    def test_a_failure_without_title_is_not_its_predecessors(self) -> None:
        title = "Test (2B): basic agreement ...\n"
        failure = "--- FAIL: TestMine (0.10s)\n"
        self.assertEqual([("TestBasicAgree2B", "PASS"), ("TestMine", "FAIL")],
                         names_and_results(title + PASSED + failure))
        self.assertEqual([("TestBasicAgree2B", "cut"), ("TestMine", "FAIL")],
                         names_and_results(title + failure))

    def test_an_unknown_title_is_shown_until_a_failure_names_it(self) -> None:
        title = "Test (2B): something new ...\n"
        self.assertEqual([("Test (2B): something new", "PASS")],
                         names_and_results(title + PASSED))
        self.assertEqual([("TestNew2B", "FAIL")], names_and_results(
            title + "--- FAIL: TestNew2B (0.10s)\n"))

    def test_a_log_that_ends_in_a_test(self) -> None:
        log = ("=== RUN   TestBasicAgree2B\nTest (2B): basic agreement ...\n"
               f"{PASSED}--- PASS: TestBasicAgree2B (1.50s)\n"
               "=== RUN   TestBackup2B\npanic: test timed out after 10m0s\n")
        self.assertEqual([("TestBasicAgree2B", "PASS"),
                          ("TestBackup2B", "cut")], names_and_results(log))

    def test_subtests_count_with_their_test(self) -> None:
        log = ("=== RUN   TestMine\n=== RUN   TestMine/a\n"
               "--- PASS: TestMine (0.10s)\n    --- PASS: TestMine/a (0.10s)\n")
        self.assertEqual([("TestMine", "PASS")], names_and_results(log))

    def test_several_runs_in_one_log(self) -> None:
        log = f"Test (2B): basic agreement ...\n{PASSED}" * 2
        self.assertEqual(2 * [("TestBasicAgree2B", "PASS")],
                         names_and_results(log))
        broken_off = OURS[:OURS.index("=== RUN   TestFollowerFailure2B") + 40]
        tests = read(broken_off + OURS)
        self.assertEqual(["cut", "FAIL"],
                         [test.result for test in tests
                          if test.name == "TestFollowerFailure2B"])

    def test_ours_are_the_lab_tests_only(self) -> None:
        log = logs.select_ours(logs.read(OURS), "", "ours.txt")
        self.assertEqual(["TestInitialElection2A", "TestBasicAgree2B",
                          "TestFollowerFailure2B"],
                         [test.name for test in log.tests])

    def test_a_log_is_whole_with_its_last_line(self) -> None:
        for log in LOGS:
            self.assertEqual("", logs.read_file(str(log)).fault)
        self.assertEqual("", logs.read(OURS).fault)
        for end in ("PASS\n", "ok  \traft\t1.5s\n", "xPASS\r\n",
                    "FAIL\traft\t1.5s\n", "1 passed, 0 failed\n"):
            text = f"Test (2B): basic agreement ...\n{PASSED}some text\n{end}"
            self.assertEqual("", logs.read(text).fault, end)

    def test_a_truncated_log(self) -> None:
        whole = LOGS[0].read_text(encoding="utf-8")
        names_of = [test.name for test in read(whole)]
        for share in range(1, 20):
            log = logs.read(whole[:len(whole) * share // 20])
            self.assertNotEqual("", log.fault)
            kept = [test.name for test in log.tests]
            # Where it is cut in a name or title, the last is not the test's.
            self.assertEqual(names_of[:len(kept) - 1], kept[:-1])
        self.assertEqual("breaks off in TestBasicAgree2B", logs.read(
            "Test (2B): basic agreement ...\n").fault)


class Years(unittest.TestCase):
    """Names and formats from 2023 on."""

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
