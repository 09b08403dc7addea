"""Tests of compare.py and sides.py: the command line, and what is run.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.compare_test`, in the root.

Where something must be run, stand-ins are: a `go` on the PATH and a program
instead of ours. Each leaves a note of its arguments, so that a test can say
that nothing was run.
"""

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from tools import ROOT, command
from tools.compare import compare, sides
from tools.compare.pairing import Cost
from tools.compare.samples import DATA, OURS

# Stand-ins. They note how they were called, then print what is in a file. What
# `go test -c` makes is one too.
GO = """#!/bin/sh
echo "$* in $PWD module=$GO111MODULE" >>'{folder}/go.called'
if [ -e '{folder}/go.broken' ]; then cat '{folder}/go.broken' >&2; exit 1; fi
cp '{folder}/raft.test' "$4"
"""
RAFT_TEST = """#!/bin/sh
if [ "$1" = -test.list ]; then
  printf '%s\\n' TestInitialElection3A TestBasicAgree3B TestCount3B ok
  exit
fi
echo "$* in $PWD" >>'{folder}/raft.called'
cat '{folder}/go.txt'
exit 1
"""
PROGRAM = """#!/bin/sh
case $1 in
--list)
  case "$*" in *=bad*) echo "raft_tests: no such thing" >&2; exit 2 ;; esac
  case "$*" in *--lab=raft*--origin=course*) ;; *) exit 3 ;; esac
  printf '{{"Test":"%s"}}\\n' TestBasicAgree2B TestCount2B ;;
*)
  echo "$*" >>'{folder}/ours.called'
  cat '{folder}/ours.txt'
  exit "$(cat '{folder}/ours.status')" ;;
esac
"""
LAB_TEST = "package raft\n\nfunc TestInitialElection2A(t *testing.T) {\n"
OTHER_TEST = "package kvraft\n\nfunc TestSpeed3A(t *testing.T) {\n"
# How the binary of `go test -c` is called.
GO_OPTIONS = "-test.v -test.count=1 -test.timeout=30m"


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
        self.write_script("raft.test", RAFT_TEST)
        self.program = self.write_script("program", PROGRAM)
        self.lab = self.write("6.824/src/raft/test_test.go", LAB_TEST).parent
        self.log = str(DATA / "go-lab-a.txt")
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        environment = mock.patch.dict(os.environ, PATH=path)
        environment.start()
        self.addCleanup(environment.stop)
        os.environ.pop("GO111MODULE", None)

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
            status = command.run("compare", compare.main, [
                f"--program={self.program}", f"--out={self.folder}/out",
                *map(str, arguments)])
        return status, out.getvalue(), err.getvalue()

    def expect_refusal(self, says: str, *arguments: object) -> None:
        """Expects one line that contains `says`, and that nothing is run."""
        status, out, err = self.compare(*arguments)
        self.assertEqual((2, ""), (status, out))
        self.assertRegex(err, r"\Acompare: [^\n]*\n\Z")
        self.assertIn(says, err)
        self.assertEqual("", self.called("go") + self.called("ours"))
        self.assertEqual("", self.called("raft"))

    def test_a_log_is_compared_with_a_run_of_ours(self) -> None:
        status, out, err = self.compare(f"--go_log={self.log}", "--seed=7")
        self.assertEqual(0, status, err)
        self.assertIn("all Passed lines", out)
        self.assertEqual("--lab=raft --origin=course --seed=7 --parallel=1 "
                         "--verbose=1\n",
                         self.called("ours"))
        self.assertEqual("", self.called("go"))

    def test_a_lab_is_run_and_then_ours(self) -> None:
        for given in (self.lab, self.lab.parent, self.lab.parent.parent):
            status, out, err = self.compare(f"--go_lab={given}")
            self.assertEqual(0, status, err)
            self.assertIn("18 passed, 0 failed", out)
            self.assertIn("\n=== RUN   TestBackup2B\n", err)  # progress
            self.assertLess(err.index("TestBackup2B"), err.index("seed 7"))
        self.assertRegex(self.called("go"), rf"\A(test -c -o \S+/raft\.test "
                         rf"in {self.lab} module=off\n){{3}}\Z")
        self.assertEqual(f"{GO_OPTIONS} in {self.lab}\n" * 3,
                         self.called("raft"))

    def test_a_module_is_run_as_one(self) -> None:
        self.write("6.824/src/go.mod", "module 6.824\n")
        self.compare(f"--go_lab={self.lab}")
        self.assertIn(f" in {self.lab} module=\n", self.called("go"))

    def test_the_folders_of_all_years(self) -> None:
        for name in ("src/raft1", "src/raft", "raft1", "raft", "x"):
            top = self.folder / f"course-{name.replace('/', '-')}"
            self.write(f"{top}/src/kvraft/test_test.go", OTHER_TEST)
            lab = self.write(f"{top}/{name}/test.go_test.go",
                             LAB_TEST.replace("2A", "3A")).parent
            given = lab if name == "x" else top
            self.assertEqual(lab, sides.find_lab(str(given)))

    def test_run_chooses_on_both_sides(self) -> None:
        for run in ("[BC]\\w+B$", "[BC]\\w+2B", "[BC]\\w+3B"):
            status, _, err = self.compare(f"--go_lab={self.lab}",
                                          f"--run={run}")
            self.assertEqual(0, status, err)
        self.assertEqual(
            f"{GO_OPTIONS} -test.run=^(TestBasicAgree3B|TestCount3B)$ in "
            f"{self.lab}\n" * 3, self.called("raft"))
        # Neither our unit test nor labrpc's of that name.
        self.assertEqual("--lab=raft --origin=course --run=^(TestBasicAgree2B|"
                         "TestCount2B)$ --seed= --parallel=1 --verbose=1\n" * 3,
                         self.called("ours"))

    def test_run_chooses_from_logs(self) -> None:
        ours = self.folder / "ours.txt"
        status, out, err = self.compare(f"--go_log={self.log}",
                                        f"--our_log={ours}", "--run=2A")
        self.assertEqual(0, status, err)
        self.assertIn("Go lab: 2 passed", out)
        self.assertIn("ours: 1 passed", out)
        self.assertEqual("", self.called("ours"))

    def test_both_or_neither_side_given(self) -> None:
        self.expect_refusal("not both", f"--go_lab={self.lab}",
                            f"--go_log={self.log}")
        self.expect_refusal("give GO_LAB")

    def test_no_toolchain(self) -> None:
        with mock.patch.dict(os.environ, PATH=str(self.folder / "nothing")):
            self.expect_refusal("no Go toolchain", f"--go_lab={self.lab}")

    def test_no_lab(self) -> None:
        self.expect_refusal("is no directory", "--go_lab=/nonexistent")
        self.expect_refusal("is no directory", f"--go_lab={self.log}")
        self.expect_refusal("no raft package", f"--go_lab={self.bin}")
        other = self.write("kvraft/test_test.go", OTHER_TEST).parent
        self.expect_refusal("no raft package", f"--go_lab={other}")

    def test_no_log(self) -> None:
        empty = self.write("empty.txt", "\n")
        other = self.write("other.txt", "ok  \traft\t3.1s\nnot a Test at all\n")
        self.expect_refusal("is empty", f"--go_log={empty}")
        self.expect_refusal("is no log of go test", f"--go_log={other}")
        self.expect_refusal("No such file", "--go_log=/nonexistent")
        self.expect_refusal("Is a directory", f"--go_log={self.bin}")
        self.expect_refusal("none of our lab tests", f"--go_log={self.log}",
                            f"--our_log={self.write('x', without_ours())}")

    def test_a_bad_run_or_seed(self) -> None:
        lab = f"--go_lab={self.lab}"
        log = f"--go_log={self.log}"
        self.expect_refusal("no regular expression", lab, "--run=(2A")
        self.expect_refusal("matches RUN", log, "--run=nomatch")
        self.expect_refusal("no lab test of ours", lab, "--run=nomatch")
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

    def test_a_lab_that_does_not_build(self) -> None:
        errors = [f"./raft.go:{number}: oops" for number in range(1, 20)]
        self.write("go.broken", "# raft\n" + "\n".join(errors))
        status, out, err = self.compare(f"--go_lab={self.lab}")
        self.assertEqual((2, ""), (status, out))
        self.assertIn("# raft\n./raft.go:1: oops\n", err)
        self.assertNotIn(":10: oops", err)
        self.assertIn("does not build: mend that, or", err.splitlines()[-1])
        self.assertEqual("", self.called("raft") + self.called("ours"))

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

    def test_a_crash_of_our_program(self) -> None:
        self.write("ours.status", "134")
        status, out, err = self.compare(f"--go_log={self.log}")
        self.assertEqual((2, ""), (status, out))
        self.assertIn("ended with status 134", err.splitlines()[-1])

    def test_runs_take_turns_and_their_seeds_count_up(self) -> None:
        status, out, err = self.compare(f"--go_lab={self.lab}", "--n=3",
                                        "--seed=9")
        self.assertEqual(0, status, err)
        self.assertEqual(["--lab=raft --origin=course "
                          f"--seed={seed} --parallel=1 --verbose=1"
                          for seed in (9, 10, 11)],
                         self.called("ours").splitlines())
        self.assertEqual(1, len(self.called("go").splitlines()))
        order = [line.split("/")[-1].split()[0] for line in err.splitlines()
                 if line.startswith("running ")]
        self.assertEqual(3 * ["raft.test", "program"], order)
        self.assertIn("54 passed, 0 failed", out)
        self.assertRegex(out, r"TestBasicAgree2B +3/3 +3/3")

    def test_what_was_run_can_be_compared_again(self) -> None:
        self.write("ours.txt", OURS.removeprefix(without_ours()))
        _, out, _ = self.compare(f"--go_lab={self.lab}", "--n=2")
        logs = [f"--go_log={self.folder}/out/compare/go.log",
                f"--our_log={self.folder}/out/compare/ours.log"]
        status, again, err = self.compare(*logs)
        self.assertEqual((0, ""), (status, err))
        self.assertEqual(out[:out.index("CPU seconds")],
                         again[:again.index("Go lab: ")])
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


class Costs(unittest.TestCase):
    """What sides.run() measures."""

    def run_script(self, script: str) -> Cost:
        """Returns what a shell script costs."""
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "log")
            with contextlib.redirect_stderr(io.StringIO()):
                status, text, cost = sides.run(
                    sides.Command(["/bin/sh", "-c", script]), log, Path(folder))
            self.assertEqual((3, "out\nerr\n", "out\nerr\n"),
                             (status, text, log.read_text("utf-8")))
        return cost

    def test_memory_is_the_childs_not_pythons(self) -> None:
        mine = bytearray(b"x" * (100 << 20))
        cost = self.run_script("echo out; echo err >&2; exit 3")
        self.assertLess(cost.peak_mb, 50)
        self.assertGreater(cost.peak_mb, 0)
        self.assertEqual(100 << 20, len(mine))

    def test_what_a_child_starts_counts_too(self) -> None:
        program = "x = b'x' * (90 << 20); sum(range(3000000))"
        cost = self.run_script(
            f'{sys.executable} -c "{program}"; echo out; echo err; exit 3')
        self.assertGreater(cost.peak_mb, 90)
        self.assertGreater(cost.cpu_seconds, 0)


class Interrupt(unittest.TestCase):
    """Ctrl-C, in the middle of a run."""

    def test_it_ends_what_runs_and_keeps_what_was_said(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve()
            program = folder / "program"
            program.write_text(
                "#!/bin/sh\n"
                "[ $1 != --list ] || { echo '{\"Test\":\"TestX\"}'; exit; }\n"
                f"cat '{folder}/said'\necho $$ >'{folder}/pid'\n"
                "exec sleep 600\n", encoding="utf-8")
            program.chmod(0o755)
            (folder / "said").write_text(OURS, encoding="utf-8")
            process = subprocess.Popen(
                [sys.executable, "-B", "-m", "tools", "compare",
                 f"--go_log={DATA / 'go-lab-a.txt'}", f"--out={folder}",
                 f"--program={program}"], text=True, cwd=ROOT,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            log = folder / "compare/ours.log"
            while process.poll() is None and not (
                    log.exists() and log.read_text("utf-8") == OURS and
                    (folder / "pid").exists()):
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
            self.assertEqual((130, ""), (process.returncode, out), err)
            self.assertEqual(
                "compare: interrupted; the runs so far: make compare GO_LOG="
                f"tools/compare/testdata/go-lab-a.txt OUR_LOG={log}",
                err.splitlines()[-1])
            self.assertEqual(OURS, log.read_text("utf-8"))
            with self.assertRaises(ProcessLookupError):
                os.kill(int((folder / "pid").read_text()), 0)


class Make(unittest.TestCase):
    """What the Makefile hands on."""

    def test_all_values(self) -> None:
        given = {"GO_LAB": "a b", "GO_LOG": "c'd", "OUR_LOG": "$HOME",
                 "N": "3", "RUN": "(Basic|Count)2B$$", "SEED": "9"}
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
             "--our_log=$HOME", "--n=3", "--run=(Basic|Count)2B$$",
             "--seed=9"], done.stdout.splitlines())


def without_ours() -> str:
    """Returns a run of ours without any lab test."""
    return OURS[:OURS.index("=== RUN   TestInitialElection2A")]
