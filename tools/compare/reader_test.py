"""Tests of reader.py: real logs, and what else a log may look like.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.reader_test`, in the root.
"""

import unittest
from collections import Counter

from tools.compare import logs, names, reader
from tools.compare.samples import (AGREE, LOGS, OURS, PASSED,
                                   names_and_results, read, without_v)


def sums(tests: list[logs.Test]) -> list[float]:
    """Returns the sums over the Passed lines; what they lack counts as 0."""
    lines = [test.figures for test in tests if test.figures]
    columns = list(zip(*lines)) or [()] * 5
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
        "go-kv-2022": (23, 0, 424.5, 147_385, 0, 0, 29_689),
        "go-kv-2025": (29, 1, 271.7, 184_286, 0, 0, 33_881),
        "go-lab-2025": (28, 0, 317.1, 13_044, 0, 0, 0),
        "go-lab-a": (18, 0, 199.4, 8_976, 6_707_023, 1_355, 0),
        "go-lab-b": (18, 0, 174.7, 18_059, 12_976_480, 4_076, 0),
        "go-lab-b-race": (18, 0, 175.6, 12_132, 11_339_441, 1_905, 0),
        "go-lab-c": (19, 0, 172.4, 38_881, 74_941_077, 5_483, 0),
        "go-lab-unsolved": (0, 4, 0.0, 0, 0, 0, 0),
        # The sharded lab's print no figures until 2024.
        "go-shard-2020": (15, 0, 0.0, 0, 0, 0, 0),
        "go-shard-2022-slow": (14, 1, 0.0, 0, 0, 0, 0),
        "go-shard-2024": (17, 0, 0.0, 0, 0, 0, 0),
        "go-shard-2025": (22, 1, 514.3, 114_642, 0, 0, 28_080),
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
                self.check_totals(log.stem, reader.read_file(str(log)).tests)

    def test_the_same_without_v_and_with_crlf(self) -> None:
        for log in LOGS:
            text = log.read_text(encoding="utf-8")
            for changed in (without_v(text), text.replace("\n", "\r\n")):
                with self.subTest(log.name):
                    tests = read(changed)
                    self.check_totals(log.stem, tests)
                    for with_v, test in zip(read(text), tests, strict=True):
                        if not test.name.startswith("Test ("):
                            self.assertEqual(with_v.name, test.name)


class Reading(unittest.TestCase):
    """What else a log may look like."""

    def test_every_known_title_names_its_test(self) -> None:
        times = Counter(title for _, title in names.KNOWN_TESTS)
        self.assertEqual(3, sum(times.values()) - len(times))
        for name, title in names.KNOWN_TESTS:
            if times[title] > 1:
                name = title  # of two tests in 2025: it names neither
            if title.endswith(" [unreliable]"):
                title = title.replace(" [unreliable]", " (unreliable network)")
            elif names.lab_of(name) == "rsm":
                title += " (reliable network)"
            log = f"{title}...\n{PASSED}"
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
        log = logs.select_ours(reader.read(OURS), "", "ours.txt")
        self.assertEqual(["TestInitialElection2A", "TestBasicAgree2B",
                          "TestFollowerFailure2B"],
                         [test.name for test in log.tests])

    def test_noise_between_the_halves_of_a_passed_line(self) -> None:
        first, second = PASSED[:15], PASSED[15:]
        self.assertTrue(first.endswith("Passed --"))
        for noise in ("2026/01/01 10:00:00 S0 steps down\n", "x\n" * 5,
                      "no end of line", "a.go:7: PASS\n", "1.5 2 3\n"):
            log = AGREE.replace(PASSED, f"{first}{noise}{second}")
            self.assertEqual([("TestBasicAgree2B", "PASS")],
                             names_and_results(log))
            self.assertEqual(logs.Figures(1.5, 20, 3000, 4), figures_of(log))

    def test_a_line_of_numbers_is_not_always_figures(self) -> None:
        log = "  2.5  3   21    3001    5\n" + AGREE.replace(
            PASSED, "  3.5  3   22    3002    6\n" + PASSED +
            "  4.5  3   23    3003    7\n")
        self.assertEqual(logs.Figures(1.5, 20, 3000, 4), figures_of(log))

    def test_a_passed_line_without_figures(self) -> None:
        for log in (AGREE.replace(PASSED, "  ... Passed\n"),
                    "Test (2B): basic agreement ...\n  ... Passed\n"):
            self.assertEqual([("TestBasicAgree2B", "PASS")],
                             names_and_results(log))
            self.assertIsNone(read(log)[0].figures)

    def test_why_a_test_failed(self) -> None:
        for line, why in (
                ("    config.go:475: one(100) failed\n",
                 "config.go:475: one(100) failed"),
                ("\tconfig.go:475: one(100) failed\n",
                 "config.go:475: one(100) failed"),
                ("S0 votes    config.go:475: one(100) failed\r\n",
                 "config.go:475: one(100) failed"),
                ("S0 votesFatal: one(100) failed\n\t/lab/test.go:3\n",
                 "Fatal: one(100) failed"),
                ("    2b_test.cc:66: expected 4\n        got 5\n",
                 "2b_test.cc:66: expected 4"),
                ("    test hung: ended after 150 s\n",
                 "test hung: ended after 150 s"),
                ("    C++ exception with description \"x\" thrown\n",
                 'C++ exception with description "x" thrown'),
                ("2026/01/01 raft.go:5: S0 votes\n", "")):
            verdict = "--- FAIL: TestBasicAgree2B (10.01s)\n"
            for log in (verdict + line, line + verdict):
                tests = read("=== RUN   TestBasicAgree2B\n" + log)
                self.assertEqual([why], [test.why for test in tests])
