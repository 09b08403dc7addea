"""Tests of reader.py: logs that end before their tests do.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.crash_test`, in the root.
"""

import unittest

from tools.compare import logs, reader
from tools.compare.samples import (AGREE, BACKUP, LOGS, OURS, PASSED, as_events,
                                   names_and_results, read, without_v)

FRAMES = """
goroutine 9 [running]:
raft.(*Raft).ticker(0xc000)
\t/lab/src/raft/raft.go:18 +0x32
created by raft.Make
"""
END = "exit status 2\nFAIL\traft\t5.1s\nFAIL\n"


class Crashes(unittest.TestCase):
    """A lab that has ended itself."""

    def check(self, text: str, says: str) -> logs.Test:
        """Expects that the test after AGREE has crashed, with or without -v."""
        for log in (AGREE + text, without_v(AGREE + text)):
            with self.subTest(log):
                found = reader.read(log)
                self.assertEqual(["PASS", "CRASHED"],
                                 [test.result for test in found.tests])
                self.assertEqual("TestBackup2B", found.tests[-1].name)
                self.assertEqual(says, found.tests[-1].crash)
                self.assertTrue(found.tests[-1].has_stopped)
                self.assertEqual("", found.fault)
        return found.tests[-1]

    def test_the_runtime_says_why(self) -> None:
        for cause in ("panic: runtime error: index out of range [5] with "
                      "length 3", "fatal error: concurrent map writes",
                      "panic: test timed out after 10m0s",
                      "*** Test killed with quit: ran too long (11m0s)."):
            for end in (END, ""):  # with go test, or the program by itself
                for before in ("", "S1 votes for S2", "  "):
                    self.check(f"{BACKUP}{before}{cause}\n{FRAMES}{end}", cause)

    def test_in_the_tests_own_goroutine(self) -> None:
        test = self.check(
            f"{BACKUP}--- FAIL: TestBackup2B (0.50s)\npanic: oops [recovered]\n"
            f"\tpanic: oops\n{FRAMES}{END}", "panic: oops")
        self.assertEqual(0.5, test.took)
        self.check(f"{BACKUP}{PASSED}--- FAIL: TestBackup2B (0.50s)\n"
                   f"panic: oops [recovered, repanicked]\n{FRAMES}",
                   "panic: oops")

    def test_by_log_fatal(self) -> None:
        for end in (END, "exit status 1\nFAIL\n", "exit status 1\r\n",
                    "FAIL\traft\t5.1s\n"):
            self.check(f"{BACKUP}2026/01/01 10:00:00 S0 votes\n"
                       f"2026/01/01 10:00:00.5 labrpc: no such service\n{end}",
                       "labrpc: no such service")
        self.check(f"{BACKUP}2026/01/01 10:00:00 apply error: commit index=1\n"
                   f"2026/01/01 10:00:00 S2 steps down\n{END}",
                   "apply error: commit index=1")
        self.check(f"{BACKUP}no end of lineexit status 3\n", "no end of line")
        self.check(f"{BACKUP}exit status 3\n", "exit status 3")

    def test_by_a_signal_or_a_race(self) -> None:
        self.check(f"{BACKUP}SIGQUIT: quit\nPC=0x46\n\nrax    0x0\n{END}",
                   "SIGQUIT: quit")
        self.check(f"{BACKUP}S0 votes\nsignal: killed\nFAIL\traft\t5.1s\n",
                   "signal: killed")
        self.check(f"{BACKUP}WARNING: DATA RACE\nRead at 0x00c0\n"
                   "exit status 66\nFAIL\traft\t5.1s\n", "WARNING: DATA RACE")

    def test_after_the_tests_end(self) -> None:
        for text in (f"{AGREE}panic: late\n{FRAMES}{END}",
                     f"{AGREE}panic: late\n{FRAMES}",
                     f"{AGREE}panic: late\n\nexit status 2\n"):
            self.assertEqual("after its end: panic: late", read(text)[0].crash)
        self.assertEqual("after its end: no such service",
                         read(f"{AGREE}no such service\n{END}")[0].crash)

    def test_what_is_no_crash(self) -> None:
        for text in (f"{BACKUP}panic: was recovered\n{PASSED}"
                     "--- PASS: TestBackup2B (1.50s)\nPASS\n",
                     f"{BACKUP}S0 AppendEntries FAIL\nFAIL\nexit status 1\n"
                     f"{PASSED}--- PASS: TestBackup2B (1.50s)\nPASS\n",
                     f"{AGREE}panic: was recovered\n{BACKUP}{PASSED}"
                     "--- PASS: TestBackup2B (1.50s)\nPASS\n",
                     f"{AGREE}PASS\nok  \traft\t5.1s\n{AGREE}PASS\n"):
            self.assertEqual([""], list({test.crash for test in read(text)}))
        failed = (f"{BACKUP}--- FAIL: TestBackup2B (0.50s)\n    a.go:1: no\n"
                  "FAIL\nexit status 1\nFAIL\traft\t0.6s\nFAIL\n")
        self.assertEqual([("TestBackup2B", "FAIL")], names_and_results(failed))
        self.assertEqual("a.go:1: no", read(failed)[0].why)

    def test_another_run_follows(self) -> None:
        for end in (END, ""):
            log = reader.read(f"{BACKUP}panic: oops\n{end}{BACKUP}{PASSED}"
                              "--- PASS: TestBackup2B (1.50s)\nPASS\n")
            self.assertEqual(["panic: oops", ""],
                             [test.crash for test in log.tests])

    def test_in_events(self) -> None:
        text = f"{AGREE}{BACKUP}panic: oops\n{FRAMES}"
        for end in (as_events(END), END):
            log = reader.read(as_events(text) + end)
            self.assertEqual([("TestBackup2B", "panic: oops")],
                             [(test.name, test.crash) for test in log.tests
                              if test.crash])

    def test_of_ours_is_in_one_test_only(self) -> None:
        for how in ("crashed: signal 11 (Segmentation fault)",
                    "exit status 0: before the test's end"):
            tests = read(f"{BACKUP}    {how}\n        PC: @ 0\n"
                         f"--- FAIL: TestBackup2B (0.06s)\n{AGREE}FAIL\n")
            self.assertEqual(["CRASHED", "PASS"], [t.result for t in tests])
            self.assertEqual((how, False),
                             (tests[0].crash, tests[0].has_stopped))
        log = reader.read(as_events(OURS, Way="crash", Place="log.cc:7",
                                    Message="Check failed: x"))
        self.assertEqual(
            [("TestFollowerFailure2B", "log.cc:7: Check failed: x", False)],
            [(test.name, test.crash, test.has_stopped) for test in log.tests
             if test.crash])


class Truncated(unittest.TestCase):
    """A log whose end is missing."""

    def test_a_log_is_whole_with_its_last_line(self) -> None:
        for log in LOGS:
            self.assertEqual("", reader.read_file(str(log)).fault)
        self.assertEqual("", reader.read(OURS).fault)
        for end in ("PASS\n", "ok  \traft\t1.5s\n", "xPASS\r\n",
                    "FAIL\traft\t1.5s\n", "1 passed, 0 failed\n"):
            text = f"Test (2B): basic agreement ...\n{PASSED}some text\n{end}"
            self.assertEqual("", reader.read(text).fault, end)

    def test_a_truncated_log(self) -> None:
        whole = LOGS[0].read_text(encoding="utf-8")
        names_of = [test.name for test in read(whole)]
        for share in range(1, 20):
            log = reader.read(whole[:len(whole) * share // 20])
            self.assertNotEqual("", log.fault)
            kept = [test.name for test in log.tests]
            # Where it is cut in a name or title, the last is not the test's.
            self.assertEqual(names_of[:len(kept) - 1], kept[:-1])
        self.assertEqual("breaks off in TestBasicAgree2B", reader.read(
            "Test (2B): basic agreement ...\n").fault)

    def test_a_number_that_is_cut_is_none(self) -> None:
        for length in range(len(AGREE)):
            test, = read(AGREE[:length]) or [logs.Test("", False)]
            self.assertIn(test.figures, (None, logs.Figures(1.5, 20, 3000, 4)))

    def test_a_log_that_ends_in_a_test(self) -> None:
        self.assertEqual([("TestBasicAgree2B", "PASS"),
                          ("TestBackup2B", "cut")],
                         names_and_results(AGREE + BACKUP))
        # With -v, a test has not passed before it says so.
        self.assertEqual([("TestBackup2B", "cut")],
                         names_and_results(BACKUP + PASSED))

    def test_the_end_of_a_run_that_is_not_the_last(self) -> None:
        self.assertEqual("breaks off in TestBackup2B",
                         reader.read(BACKUP + AGREE + "PASS\n").fault)
