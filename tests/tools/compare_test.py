#!/usr/bin/env python3
"""Tests of compare.py and compare.sh.

Who calls it: the test Tools.Compare of tests/unit/tools_test.cc, and by hand
`python3 -B -m unittest compare_test` in this folder.

testdata/ holds real output of `go test` over the Go lab. Where something must
be run, stand-ins are: a `go` on the PATH and a program instead of ours. Each
leaves a note of its arguments, so that a test can say that nothing was run.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import compare

HERE = Path(__file__).resolve().parent
DATA = HERE / "testdata"
LOGS = sorted(DATA.glob("*.txt"), key=lambda log: log.stem)

# Stand-ins. Both note how they were called, then print what is in a file.
GO = """#!/bin/sh
echo "$* in $PWD module=$GO111MODULE" >>'{folder}/go.called'
cat '{folder}/go.txt'
exit 1
"""
PROGRAM = """#!/bin/sh
case $1 in
--list)
  case "$*" in *nomatch*|*=bad*) echo "raft_tests: no such thing" >&2; exit 2 ;;
  esac
  printf '%s\\n' TestUnitLogBasic TestBasic TestBasicAgree2B TestCount2B ;;
*)
  echo "$*" >>'{folder}/ours.called'
  cat '{folder}/ours.txt'
  exit "$(cat '{folder}/ours.status')" ;;
esac
"""
LAB_TEST = "package raft\n\nfunc TestInitialElection2A(t *testing.T) {\n"

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

Go lab: 1 passed, 2 failed; 1 of them only on this side
ours: 2 passed, 1 failed; 1 of them only on this side
/Go: ours divided by the Go lab's, where both passed
-: no such test on that side
"""


def read(text: str) -> list[compare.Test]:
    """Returns the tests in a log."""
    return compare.LogReader().read(text)


def names_and_results(text: str) -> list[tuple[str, str]]:
    """Returns what the log's tests are called and how they ended."""
    return [(test.label, test.result) for test in read(text)]


def without_v(log: str) -> str:
    """Returns what go test would have printed without -v."""
    return re.sub(r"(=== RUN .*|--- PASS: .*)\n", "", log)


def words(line: str) -> list[str]:
    """Returns a table line's cells that are not empty."""
    return line.split()


class RealLogs(unittest.TestCase):
    """The five files of testdata/."""

    # Passed, failed, and the sums of the Passed lines.
    TOTALS = {
        "go-lab-a": (18, 0, 199.4, 8_976, 6_707_023, 1_355),
        "go-lab-b": (18, 0, 174.7, 18_059, 12_976_480, 4_076),
        "go-lab-b-race": (18, 0, 175.6, 12_132, 11_339_441, 1_905),
        "go-lab-c": (19, 0, 172.4, 38_881, 74_941_077, 5_483),
        "go-lab-unsolved": (0, 4, 0.0, 0, 0, 0),
    }

    def check_totals(self, name: str, tests: list[compare.Test]) -> None:
        """Compares with TOTALS; the sum of tenths is rounded to tenths."""
        results = [test.result for test in tests]
        figures = compare.sum_up(tests)
        self.assertEqual(self.TOTALS[name],
                         (results.count("PASS"), results.count("FAIL"),
                          round(figures.seconds, 1), *figures[1:]))

    def test_totals(self) -> None:
        self.assertEqual(sorted(self.TOTALS), [log.stem for log in LOGS])
        for log in LOGS:
            with self.subTest(log.name):
                self.check_totals(log.stem, compare.read_file(str(log)))

    def test_the_same_without_v_and_with_crlf(self) -> None:
        for log in LOGS:
            text = log.read_text(encoding="utf-8")
            for changed in (without_v(text), text.replace("\n", "\r\n")):
                with self.subTest(log.name):
                    tests = read(changed)
                    self.check_totals(log.stem, tests)
                    self.assertEqual([test.name for test in read(text)],
                                     [test.name for test in tests])

    def test_a_table_fits_into_120_columns(self) -> None:
        tests = [compare.read_file(str(log)) for log in LOGS]
        for go in tests:
            for ours in tests:
                lines = compare.report(go, ours).split("\n")
                self.assertLessEqual(max(map(len, lines)), 120)


class Reading(unittest.TestCase):
    """What else a log may look like."""

    def test_every_known_title_names_its_test(self) -> None:
        for name, title in compare.KNOWN_TESTS:
            log = f"Test ({name[-2:]}): {title} ...\n{PASSED}"
            self.assertEqual([(name, "PASS")], names_and_results(log))

    def test_noise_before_passed_on_the_same_line(self) -> None:
        log = ("Test (2A): initial election ...\n"
               "warning: term changed even though there were no failures" +
               PASSED)
        self.assertEqual([compare.Figures(1.5, 20, 3000, 4)],
                         [test.figures for test in read(log)])

    def test_noise_before_every_event(self) -> None:
        log = ("x=== RUN   TestCount2B\n2020/01/01 S0 votes\n"
               "xTest (2B): RPC counts aren't too high ...\nlabgob warning: x\n"
               f"x{PASSED}x--- PASS: TestCount2B (1.50s)\nPASS\nok raft 1.6s\n")
        self.assertEqual([("TestCount2B", "PASS")], names_and_results(log))
        self.assertEqual(20, read(log)[0].figures.rpcs)

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
            self.assertEqual(20, compare.sum_up(read(log)).rpcs)

    def test_a_passing_test_without_a_passed_line(self) -> None:
        log = "=== RUN   TestMine2A\n--- PASS: TestMine2A (0.25s)\n"
        self.assertEqual([("TestMine2A", "PASS")], names_and_results(log))
        self.assertIsNone(read(log)[0].figures)
        self.assertIn("0.2", compare.report(read(log), read(OURS)))

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
        self.assertIn("1 passed, 0 failed, 1 cut off before the end",
                      compare.report(read(log), read(OURS)))

    def test_subtests_count_with_their_test(self) -> None:
        log = ("=== RUN   TestMine\n=== RUN   TestMine/a\n"
               "--- PASS: TestMine (0.10s)\n    --- PASS: TestMine/a (0.10s)\n")
        self.assertEqual([("TestMine", "PASS")], names_and_results(log))

    def test_repetitions_are_kept_apart(self) -> None:
        log = f"Test (2B): basic agreement ...\n{PASSED}" * 2
        self.assertEqual([("TestBasicAgree2B", "PASS"),
                          ("TestBasicAgree2B #2", "PASS")],
                         names_and_results(log))

    def test_ours_are_the_lab_tests_only(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "ours.txt")
            path.write_text(OURS, encoding="utf-8")
            tests = compare.read_ours(str(path), "")
        self.assertEqual(["TestInitialElection2A", "TestBasicAgree2B",
                          "TestFollowerFailure2B"],
                         [test.name for test in tests])


class Table(unittest.TestCase):
    """What the table says."""

    def setUp(self) -> None:
        go = compare.read_file(str(DATA / "go-lab-a.txt"))
        ours = [t for t in read(OURS) if compare.OUR_LAB_TEST.fullmatch(t.name)]
        self.lines = compare.report(go, ours).split("\n")

    def row(self, label: str) -> list[str]:
        """Returns the cells of the row with that label."""
        found = [line for line in self.lines if line.startswith(label)]
        self.assertEqual(1, len(found), label)
        return words(found[0].removeprefix(label))

    def test_the_columns_are_aligned(self) -> None:
        go = compare.read_file(str(DATA / "go-lab-unsolved.txt"))[:2]
        go += read(f"Test (2B): basic agreement ...\n{PASSED}")
        ours = read(OURS)[2:]
        self.assertEqual(SMALL_REPORT, compare.report(go, ours))

    def test_a_test_of_both(self) -> None:
        self.assertEqual(
            words("PASS PASS 3.6 1.8 0.50 54 27 0.50 14,980 1,498 0.10 0 0"),
            self.row("TestInitialElection2A"))

    def test_a_test_of_one_side(self) -> None:
        self.assertEqual(words("PASS - 31.2 2,180 1,623,943 103"),
                         self.row("TestBackup2B"))
        self.assertEqual(words("- FAIL 4.6"), self.row("TestFollowerFailure2B"))

    def test_totals(self) -> None:
        self.assertEqual(
            words("18 2 199.4 3.3 8,976 47 6,707,023 4,498 1,355 4"),
            self.row("all Passed lines"))
        self.assertEqual(
            words("2 2 4.8 3.3 0.69 70 47 0.67 19,430 4,498 0.23 3 4 1.33"),
            self.row("both passed"))

    def test_counts(self) -> None:
        self.assertEqual(words("18 passed, 0 failed; 16 of them only on this "
                               "side"), self.row("Go lab:"))
        self.assertEqual(words("2 passed, 1 failed; 1 of them only on this "
                               "side"), self.row("ours:"))

    def test_the_order_is_the_labs(self) -> None:
        names = [words(line)[0] for line in self.lines
                 if line.startswith("Test")]
        self.assertEqual("TestRPCBytes2B TestFollowerFailure2B TestFailAgree2B",
                         " ".join(names[3:6]))


class Commands(unittest.TestCase):
    """The command line, with stand-ins for whatever it runs."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name).resolve()
        self.bin = self.folder / "bin"
        self.write("go.txt", (DATA / "go-lab-a.txt").read_text("utf-8"))
        self.write("ours.txt", OURS)
        self.write("ours.status", "1")
        self.write_script("bin/go", GO)
        self.program = self.write_script("program", PROGRAM)
        self.lab = self.write("6.824/src/raft/test_test.go", LAB_TEST).parent
        self.log = str(DATA / "go-lab-a.txt")
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        environment = mock.patch.dict(os.environ, PATH=path)
        environment.start()
        self.addCleanup(environment.stop)
        for name in ("GO111MODULE", "GO_LAB", "GO_LOG", "LAB_RUN", "LAB_SEED"):
            os.environ.pop(name, None)

    def write(self, name: str, text: str) -> Path:
        """Writes a file of the test's own folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def write_script(self, name: str, text: str) -> Path:
        """Writes a stand-in that keeps its notes in the test's folder."""
        path = self.write(name, text.format(folder=self.folder))
        path.chmod(0o755)
        return path

    def called(self, who: str) -> str:
        """Returns the stand-in's note, empty if it was not called."""
        note = self.folder / f"{who}.called"
        return note.read_text("utf-8") if note.exists() else ""

    def compare(self, *arguments: object) -> tuple[int, str, str]:
        """Returns exit status, standard output and standard error."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = compare.main([f"--program={self.program}",
                                   *map(str, arguments)])
        return status, out.getvalue(), err.getvalue()

    def expect_refusal(self, says: str, *arguments: object) -> None:
        """Expects one line that contains `says`, and that nothing is run."""
        status, out, err = self.compare(*arguments)
        self.assertEqual((2, ""), (status, out))
        self.assertRegex(err, r"\Acompare: [^\n]*\n\Z")
        self.assertIn(says, err)
        self.assertEqual("", self.called("go") + self.called("ours"))

    def test_a_log_is_compared_with_a_run_of_ours(self) -> None:
        status, out, err = self.compare(f"--go-log={self.log}", "--seed=7")
        self.assertEqual(0, status, err)
        self.assertIn("all Passed lines", out)
        self.assertEqual("--run=2[ABC]$ --seed=7 --verbose=1\n",
                         self.called("ours"))
        self.assertEqual("", self.called("go"))

    def test_a_lab_is_run_and_then_ours(self) -> None:
        for given in (self.lab, self.lab.parent, self.lab.parent.parent):
            status, out, err = self.compare(f"--go-lab={given}")
            self.assertEqual(0, status, err)
            self.assertIn("18 passed, 0 failed", out)
            self.assertIn("\n=== RUN   TestBackup2B\n", err)  # progress
            self.assertLess(err.index("TestBackup2B"), err.index("seed 7"))
        self.assertEqual(
            f"test -count=1 -v in {self.lab} module=off\n" * 3,
            self.called("go"))

    def test_a_module_is_run_as_one(self) -> None:
        self.write("6.824/src/go.mod", "module 6.824\n")
        self.compare(f"--go-lab={self.lab}")
        self.assertEqual(f"test -count=1 -v in {self.lab} module=\n",
                         self.called("go"))

    def test_run_chooses_on_both_sides(self) -> None:
        status, out, err = self.compare(f"--go-lab={self.lab}", "--run=Basic")
        self.assertEqual(0, status, err)
        self.assertIn("-count=1 -v -run Basic in", self.called("go"))
        # Neither our unit test nor labrpc's of that name.
        self.assertEqual("--run=^(TestBasicAgree2B|TestCount2B)$ --seed= "
                         "--verbose=1\n", self.called("ours"))

    def test_run_chooses_from_logs(self) -> None:
        ours = self.folder / "ours.txt"
        status, out, err = self.compare(f"--go-log={self.log}",
                                        f"--ours={ours}", "--run=2A")
        self.assertEqual(0, status, err)
        self.assertIn("Go lab: 2 passed", out)
        self.assertIn("ours: 1 passed", out)
        self.assertEqual("", self.called("ours"))

    def test_both_or_neither_side_given(self) -> None:
        self.expect_refusal("not both", f"--go-lab={self.lab}",
                            f"--go-log={self.log}")
        self.expect_refusal("give GO_LAB")

    def test_no_toolchain(self) -> None:
        with mock.patch.dict(os.environ, PATH=str(self.folder / "nothing")):
            self.expect_refusal("no Go toolchain", f"--go-lab={self.lab}")

    def test_no_lab(self) -> None:
        self.expect_refusal("is no directory", "--go-lab=/nonexistent")
        self.expect_refusal("is no directory", f"--go-lab={self.log}")
        self.expect_refusal("no raft package", f"--go-lab={self.bin}")

    def test_no_log(self) -> None:
        empty = self.write("empty.txt", "\n")
        other = self.write("other.txt", "ok  \traft\t3.1s\nnot a Test at all\n")
        self.expect_refusal("is empty", f"--go-log={empty}")
        self.expect_refusal("is no log of go test", f"--go-log={other}")
        self.expect_refusal("No such file", "--go-log=/nonexistent")
        self.expect_refusal("Is a directory", f"--go-log={self.bin}")
        self.expect_refusal("none of our lab tests", f"--go-log={self.log}",
                            f"--ours={self.write('x', without_ours())}")

    def test_a_bad_run_or_seed(self) -> None:
        lab = f"--go-lab={self.lab}"
        log = f"--go-log={self.log}"
        self.expect_refusal("no regular expression", lab, "--run=(2A")
        self.expect_refusal("matches RUN", log, "--run=nomatch")
        self.expect_refusal("no such thing", lab, "--run=nomatch")
        self.expect_refusal("no such thing", lab, "--seed=bad")

    def test_no_program(self) -> None:
        self.program.unlink()
        self.expect_refusal("make build", f"--go-lab={self.lab}")

    def test_a_lab_that_does_not_build(self) -> None:
        self.write("go.txt", "# raft\n./raft.go:1: oops\nFAIL\traft [build "
                   "failed]\n")
        status, out, err = self.compare(f"--go-lab={self.lab}")
        self.assertEqual((2, ""), (status, out))
        self.assertIn("./raft.go:1: oops\n", err)
        self.assertIn("[build failed]", err.splitlines()[-1])
        self.assertEqual("", self.called("ours"))

    def test_a_crash_of_our_program(self) -> None:
        self.write("ours.status", "134")
        status, out, err = self.compare(f"--go-log={self.log}")
        self.assertEqual((2, ""), (status, out))
        self.assertIn("ended with status 134", err.splitlines()[-1])

    def test_the_script_passes_on_what_make_was_given(self) -> None:
        result = subprocess.run(
            [HERE / "compare.sh", f"--program={self.program}"], check=False,
            cwd=self.lab.parent, capture_output=True, text=True,
            env={**os.environ, "GO_LAB": "raft", "GO_LOG": "",
                 "LAB_RUN": "(Basic|Count)2B$", "LAB_SEED": "9"})
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertIn("both passed", result.stdout)
        self.assertIn("-run (Basic|Count)2B$ in", self.called("go"))
        self.assertIn("--seed=9 ", self.called("ours"))


def without_ours() -> str:
    """Returns a run of ours without any lab test."""
    return OURS[:OURS.index("=== RUN   TestInitialElection2A")]


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
