"""Tests of compare.py: the command line.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.compare_test`, in the root.
"""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tools import ROOT
from tools.compare.samples import AGREE, DATA, OURS, as_events
from tools.compare.stand_ins import (GO_OPTIONS, OURS_OPTIONS, CommandTest,
                                     go_source)

SERVICE = """=== RUN   Test{0}
{1} (reliable network)...
  ... Passed --  time  1.5s #peers 3 #RPCs    44 #Ops    0
--- PASS: Test{0} (1.51s)
PASS
"""


class Commands(CommandTest):
    """The command line, with stand-ins for whatever it runs."""

    def test_a_log_is_compared_with_a_run_of_ours(self) -> None:
        status, out, err = self.compare(f"--go_log={self.log}", "--seed=7")
        self.assertEqual(0, status, err)
        self.assertIn("all passed", out)
        self.assertEqual(f"{OURS_OPTIONS} --seed=7 --parallel=1 --verbose=1 "
                         "--json\n", self.called("ours"))
        self.assertEqual("", self.called("go"))

    def test_a_lab_is_run_and_then_ours(self) -> None:
        for given in (self.lab, self.lab.parent, self.lab.parent.parent):
            status, out, err = self.compare(f"--go_lab={given}")
            self.assertEqual(0, status, err)
            self.assertIn("18 passed, 0 failed", out)
            self.assertIn("\n=== RUN   TestBackup2B\n", err)  # progress
            self.assertLess(err.index("TestBackup2B"), err.index("seed 7"))
        self.assertRegex(self.called("go"), rf"\A(test -c -vet=off -o "
                         rf"\S+/raft\.test in {self.lab} module=off path="
                         rf"\n){{3}}\Z")
        self.assertEqual(f"{GO_OPTIONS} in {self.lab}\n" * 3,
                         self.called("raft"))

    def test_run_chooses_on_both_sides(self) -> None:
        for run in ("[BC]\\w+B$", "[BC]\\w+2B", "[BC]\\w+3B"):
            status, _, err = self.compare(f"--go_lab={self.lab}",
                                          f"--run={run}")
            self.assertEqual(0, status, err)
        self.assertEqual(
            f"{GO_OPTIONS} -test.run=^(TestBasicAgree3B|TestCount3B)$ in "
            f"{self.lab}\n" * 3, self.called("raft"))
        # Neither our unit test nor labrpc's of that name.
        self.assertEqual(f"{OURS_OPTIONS} --seed= --parallel=1 --verbose=1 "
                         "--json\n" * 3, self.called("ours"))

    def test_run_chooses_from_logs(self) -> None:
        ours = self.folder / "ours.txt"
        status, out, err = self.compare(f"--go_log={self.log}",
                                        f"--our_log={ours}", "--run=2A")
        self.assertEqual(0, status, err)
        self.assertIn("Go lab: 2 passed", out)
        self.assertIn("ours: 1 passed", out)
        self.assertEqual("", self.called("ours"))

    def chosen_of_ours(self) -> str:
        """Returns those that the last run of ours was to run."""
        found = re.findall(r"--run=\^\((\S+)\)\$ ", self.called("ours"))
        return str(found[-1])

    def test_ours_are_of_the_logs_labs(self) -> None:
        older, newer = (DATA / f"go-kv-{year}.txt" for year in ("2022", "2025"))
        both = self.write("both.txt", older.read_text("utf-8") +
                          Path(self.log).read_text("utf-8"))
        self.expect_refusal("has no test of that lab; leave LAB out",
                            f"--go_log={older}", "--lab=2")
        for log, options, ours in (
                (older, (), "TestBasic3A|TestSpeed3B"),
                (older, ("--run=4B",), "TestSpeed3B"),
                (newer, (), "TestBasic4A|TestSnapshot4C|TestSpeed4B"),
                (newer, ("--run=4B",), "TestSpeed4B"),
                (newer, ("--lab=3", "--run=Basic"), "TestBasic4A"),
                (both, ("--lab=3",), "TestBasic3A|TestSpeed3B"),
                (both, ("--lab=2",), "TestBasicAgree2B|TestCount2B"),
                (both, ("--run=3A",), "TestBasic3A"),
                (both, (), "TestBasicAgree2B|TestCount2B|TestBasic3A|"
                 "TestSpeed3B")):
            self.compare(f"--go_log={log}", *options)
            self.assertEqual(ours, self.chosen_of_ours(), (log, options))

    def test_the_packages_of_a_lab_are_one_run(self) -> None:
        top = self.folder / "6.5840/src"
        for name, tests in (("rsm", ("Basic4A",)),
                            ("", ("Basic4B", "Speed4B"))):
            self.write(f"{top}/kvraft1/{name}/x_test.go", go_source(*tests))
        self.write("rsm.txt", SERVICE.format("Basic4A", "Test RSM basic"))
        self.write("kvraft1.txt", SERVICE.format("Speed4B", "Test: one client "
                                                 "(4B speed)"))
        self.write("ours.txt", self.read("rsm.txt") + self.read("kvraft1.txt"))
        status, out, err = self.compare(f"--go_lab={top}", "--lab=3", "--n=2")
        self.assertEqual(0, status, err)
        self.assertEqual(
            2 * [f"{GO_OPTIONS} in {top}/kvraft1/rsm",
                 f"{GO_OPTIONS} in {top}/kvraft1"],
            self.called("raft").splitlines())
        self.assertEqual("TestBasic4A|TestSnapshot4C|TestSpeed4B",
                         self.chosen_of_ours())
        self.assertIn(f"{top}/kvraft1/rsm and {top}/kvraft1; ", out)
        for name in ("TestBasic4A", "TestSpeed4B"):
            self.assertRegex(out, rf"\n{name} +2/2 +2/2 +1\.5 +1\.5 1\.00 ")
        self.assertRegex(out, r"CPU seconds of a run: Go [\d.]+ \([\d.]+\.\.")
        self.assertEqual(
            2 * ["compare: package rsm", "compare: package kvraft1"],
            re.findall(r"^compare: package .*",
                       self.read("out/compare/go.log"), re.MULTILINE))

    def test_a_package_that_ends_itself(self) -> None:
        top = self.folder / "6.5840/src"
        self.write(f"{top}/kvraft/x_test.go", go_source("Basic4A", "Speed4B"))
        self.write("kvraft.txt", "=== RUN   TestBasic4A\npanic: oops\n")
        status, out, _ = self.compare(f"--go_lab={top}")
        self.assertEqual(2, status)
        self.assertIn("\nGo lab: CRASHED in TestBasic3A: panic: oops\n", out)
        self.assertRegex(out, r"\nTestSpeed3B +not run +")

    def test_both_or_neither_side_given(self) -> None:
        self.expect_refusal("not both", f"--go_lab={self.lab}",
                            f"--go_log={self.log}")
        self.expect_refusal("give GO_LAB")

    def test_no_toolchain(self) -> None:
        with mock.patch.dict(os.environ, PATH=str(self.folder / "nothing")):
            self.expect_refusal("no Go toolchain", f"--go_lab={self.lab}")

    def test_no_log(self) -> None:
        empty = self.write("empty.txt", "\n")
        other = self.write("other.txt", "ok  \traft\t3.1s\nnot a Test at all\n")
        broken = self.write("broken.txt", "# raft\n./raft.go:1: oops\n"
                            "FAIL\traft [build failed]\nFAIL\n")
        self.expect_refusal("is empty", f"--go_log={empty}")
        self.expect_refusal("does not build", f"--go_log={broken}")
        self.expect_refusal("is no log of go test", f"--go_log={other}")
        self.expect_refusal("No such file", "--go_log=/nonexistent")
        self.expect_refusal("Is a directory", f"--go_log={self.bin}")
        self.expect_refusal("none of our tests of raft", f"--go_log={self.log}",
                            f"--our_log={self.write('x', without_ours())}")

    def test_a_bad_run_or_seed(self) -> None:
        lab = f"--go_lab={self.lab}"
        log = f"--go_log={self.log}"
        self.expect_refusal("no regular expression", lab, "--run=(2A")
        self.expect_refusal("matches RUN", log, "--run=nomatch")
        self.expect_refusal("matches RUN", lab, "--run=nomatch")
        self.expect_refusal("no lab test of ours", log, "--run=Rejoin")
        self.expect_refusal("no such thing", lab, "--seed=bad")

    def test_a_bad_number_of_runs(self) -> None:
        for runs in ("0", "-1", "1.5", "x", "1001", "99999", " 2", "\u0662"):
            self.expect_refusal("give a number of runs from 1 to 1000",
                                f"--go_log={self.log}", f"--n={runs}")
        self.expect_refusal("leave N out", f"--go_log={self.log}", "--n=2",
                            f"--our_log={self.folder / 'ours.txt'}")

    def test_no_program(self) -> None:
        self.program.unlink()
        self.expect_refusal("make build", f"--go_lab={self.lab}")

    def test_a_lab_that_runs_nothing(self) -> None:
        self.write("go.txt", "panic: no\n")
        status, out, err = self.compare(f"--go_lab={self.lab}")
        self.assertEqual((2, ""), (status, out))
        self.assertIn("its last line: panic: no; see ", err.splitlines()[-1])
        self.assertEqual("", self.called("ours"))

    def test_a_truncated_log_is_compared(self) -> None:
        whole = Path(self.log).read_text("utf-8")
        cut = self.write("cut.txt", whole[:whole.index("TestRPCBytes2B") + 40])
        status, out, err = self.compare(f"--go_log={cut}")
        self.assertEqual((2, 1), (status, out.count("TRUNCATED")), err)
        self.assertIn("breaks off in TestRPCBytes2B; only what is before that "
                      "is compared\n", out)
        self.assertRegex(err, r"breaks off in TestRPCBytes2B: run that side "
                         r"again to its end\n\Z")
        self.assertIn("3 passed, 0 failed, 1 cut off", out)

    def test_each_test_in_a_process_of_its_own(self) -> None:
        self.write("go.txt", AGREE + "PASS\n")
        status, out, err = self.compare(f"--go_lab={self.lab}", "--by_test=1",
                                        "--run=2B", "--n=2")
        self.assertEqual(0, status, err)
        self.assertEqual("".join(
            f"{GO_OPTIONS} -test.run=^Test{name}3B$ in {self.lab}\n"
            for name in 2 * ("BasicAgree", "Count")), self.called("raft"))
        self.assertRegex(out, r"-CPU s-.*\n")
        self.assertIn("CPU seconds of a run: Go 0.", out)
        self.assertIn("of 2 runs", out)
        self.expect_by_test_is_refused("1", f"--go_log={self.log}")
        self.expect_by_test_is_refused("yes", f"--go_lab={self.lab}")

    def expect_by_test_is_refused(self, value: str, *arguments: str) -> None:
        """Expects that one is told how to use it."""
        status, _, err = self.compare(*arguments, f"--by_test={value}")
        self.assertEqual(2, status)
        self.assertIn(f"compare: BY_TEST={value}: give 1, with GO_LAB", err)

    def test_a_crash_of_our_program(self) -> None:
        self.write("ours.status", "134")
        status, out, err = self.compare(f"--go_log={self.log}")
        self.assertEqual((2, ""), (status, out))
        self.assertIn("ended with status 134 before the end of its tests; its "
                      "last line: 3 passed, 1 failed; see ",
                      err.splitlines()[-1])

    def test_runs_take_turns_and_their_seeds_count_up(self) -> None:
        status, out, err = self.compare(f"--go_lab={self.lab}", "--n=3",
                                        "--seed=9")
        self.assertEqual(0, status, err)
        self.assertEqual([f"{OURS_OPTIONS} --seed={seed} --parallel=1 "
                          "--verbose=1 --json"
                          for seed in (9, 10, 11)],
                         self.called("ours").splitlines())
        self.assertEqual(1, len(self.called("go").splitlines()))
        order = [line.split("/")[-1].split()[0] for line in err.splitlines()
                 if line.startswith("running ")]
        self.assertEqual(3 * ["raft.test", "program"], order)
        self.assertIn("54 passed, 0 failed", out)
        self.assertRegex(out, r"TestBasicAgree2B +3/3 +3/3")

    def test_what_was_run_can_be_compared_again(self) -> None:
        self.write("ours.txt", as_events(
            "seed 7, log x\n" + OURS.removeprefix(without_ours())))
        _, out, _ = self.compare(f"--go_lab={self.lab}", "--n=2")
        logs = [f"--go_log={self.folder}/out/compare/go.log",
                f"--our_log={self.folder}/out/compare/ours.log"]
        status, again, err = self.compare(*logs)
        self.assertEqual((0, ""), (status, err))
        self.assertIn("CPU seconds of a run: Go ", out)
        same = [[line for line in text[:text.index("page:")].splitlines()
                 if not line.startswith("    /")]  # the files
                for text in (out, again)]
        self.assertEqual(*same)
        for text in (out, again):
            self.assertEqual(2, text.count(" of 2 runs 20"))
            self.assertIn("processors, go1.19.8 linux/amd64; the last", text)
            self.assertIn("; seeds 7, 7\n", text)
        self.assertIn(f"make compare GO_LOG={self.folder}/out/compare/go.log "
                      "OUR_LOG=", out)

    def test_the_page_is_written_and_named(self) -> None:
        self.write("out/compare.html", "an older one")
        status, out, _ = self.compare(f"--go_log={self.log}")
        self.assertEqual(0, status)
        self.assertIn(f"\npage: {self.folder}/out/compare.html\n", out)
        page = (self.folder / "out/compare.html").read_text("utf-8")
        self.assertIn("TestFollowerFailure2B", page)
        self.assertFalse((self.folder / "out/compare.part").exists())

    def test_what_cannot_be_written(self) -> None:
        self.write("out", "no folder")
        self.expect_refusal("cannot write", f"--go_log={self.log}")


class Make(unittest.TestCase):
    """What the Makefile hands on."""

    def test_all_values(self) -> None:
        given = {"GO_LAB": "a b", "GO_LOG": "c'd", "OUR_LOG": "$HOME",
                 "LAB": "3", "N": "3", "RUN": "(Basic|Count)2B$$", "SEED": "9",
                 "BY_TEST": "1"}
        with tempfile.TemporaryDirectory() as folder:
            fake = Path(folder, "python")
            fake.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
            fake.chmod(0o755)
            done = subprocess.run(
                ["make", "-s", "-C", ROOT, "compare",
                 f"PYTHON={fake}", "NEEDS=:", "BUILD=:",
                 *(f"{name}={value}" for name, value in given.items())],
                check=False, capture_output=True, text=True,
                # Not what a make that runs these tests was given.
                env={name: value for name, value in os.environ.items()
                     if not name.startswith(("MAKE", "MFLAGS", "LAB_"))})
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(
            ["-B", "-m", "tools", "compare", "--go_lab=a b", "--go_log=c'd",
             "--our_log=$HOME", "--lab=3", "--n=3", "--run=(Basic|Count)2B$$",
             "--seed=9", "--by_test=1"], done.stdout.splitlines())


def without_ours() -> str:
    """Returns a run of ours without any lab test."""
    return OURS[:OURS.index("=== RUN   TestInitialElection2A")]
