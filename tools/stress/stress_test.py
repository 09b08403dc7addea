"""Tests of stress.py, with a stand-in for the test program.

`/usr/bin/python3 -B -m unittest tools.stress.stress_test`, in the root.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from tools.command import alone
from tools.seeds import farm
from tools.stand_in import PRELUDE


# TestGood2A passes; TestRare2B fails under seeds that are multiples of 5;
# TestSlow2C never ends; TestCrash2C says nothing.
STAND_IN = PRELUDE + r'''
found=$(printf '%s\n' TestGood2A TestRare2B TestSlow2C TestCrash2C |
  grep -E -- "$run")
if [ -z "$found" ]; then
  echo "raft_tests: no test matches \"$run\"" >&2
  exit 2
fi
[ -z "${list:-}" ] || { lists $found; exit 0; }
log=$(dirname "$0")/$found-$seed.glog
echo "debug of $found" >"$log"
starts "$log"
prints "seed $seed, log $log"
case $found in
  TestSlow2C) echo $$ >"$(dirname "$0")/slow"; exec sleep 60 ;;
  TestCrash2C) echo Segmentation >&2; exit 139 ;;
esac
if [ $found = TestRare2B ] && [ $((seed % 5)) -eq 0 ]; then
  prints "    a.cc:1: lost an entry"
  fails "$found" safety check a.cc:1 "lost an entry"
else
  passes "$found"
fi
ends
'''


class StressTest(unittest.TestCase):
    """Runs stress.py as the Makefile does."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="stress-test-")
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.out = self.folder / "stress"
        self.program = self.folder / "raft_tests"
        self.program.write_text(STAND_IN)
        self.program.chmod(0o755)

    def command(self, *arguments: str) -> list[str]:
        """Returns the command line of a call."""
        return [sys.executable, "-B", "-m", "tools", "stress",
                f"--out={self.out}",
                "--jobs=2", *arguments, str(self.program)]

    def stress(self, *arguments: str) -> tuple[int, str]:
        """Returns the exit status and all output."""
        done = subprocess.run(self.command(*arguments), text=True, check=False,
                              capture_output=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def kept(self) -> list[str]:
        """Returns what is in out/stress but the job log."""
        return sorted(path.name for path in self.out.glob("*")
                      if path.name != "joblog.tsv")

    def test_all_pass(self) -> None:
        """Counts the runs, and keeps no log."""
        status, output = self.stress("--run=Good", "--n=7", "--seed=1")
        self.assertEqual(status, 0, output)
        self.assertIn("7 runs of 1 tests, seeds from 1 on\n", output)
        self.assertRegex(output, r"TestGood2A +7 +0 +\d+\.\d\d ")
        self.assertTrue(output.endswith("\n7 passed, 0 failed\n"), output)
        self.assertEqual(self.kept(), [])
        self.assertEqual(list(self.folder.glob("*.glog")), [])
        lines = (self.out / "joblog.tsv").read_text().splitlines()
        self.assertEqual(len(lines), 8)

    def test_first_failure_ends_all(self) -> None:
        """It is named, with the command that repeats it, and kept."""
        status, output = self.stress("--run=Good|Rare", "--n=100", "--seed=1")
        self.assertEqual(status, 1, output)
        self.assertIn("FAIL TestRare2B seed 5: a.cc:1: lost an entry", output)
        self.assertIn("  make test RUN='^TestRare2B$' SEED=5\n", output)
        match = re.search(r"stopped at the first failure, after (\d+) of 200 "
                          "runs; KEEP_GOING=1 goes on\n", output)
        assert match, output
        self.assertTrue(9 <= int(match[1]) <= 12, output)
        self.assertTrue(output.endswith(" passed, 1 failed\n"), output)
        self.assertEqual(self.kept(), ["TestRare2B-5.log"])
        log = (self.out / "TestRare2B-5.log").read_text()
        self.assertIn("lost an entry", log)
        self.assertIn("debug of TestRare2B", log)

    def test_keep_going(self) -> None:
        """All runs are made; each failure is kept."""
        status, output = self.stress("--run=Good|Rare", "--n=10", "--seed=1",
                                     "--keep_going=1", "--theirs=RAFT=../mine")
        self.assertEqual(status, 1, output)
        self.assertRegex(output, r"TestGood2A +10 +0 ")
        self.assertRegex(output, r"TestRare2B +10 +2 ")
        self.assertIn("  make test RAFT=../mine RUN='^TestRare2B$' SEED=10\n",
                      output)
        self.assertTrue(output.endswith("\n18 passed, 2 failed\n"), output)
        self.assertEqual(self.kept(),
                         ["TestRare2B-10.log", "TestRare2B-5.log"])

    def test_machines(self) -> None:
        """This machine, as one of a list."""
        machines = self.folder / "machines"
        machines.write_text(":\n")
        status, output = self.stress("--run=Good|Rare", "--n=4", "--seed=1",
                                     f"--sshlogins={machines}")
        self.assertEqual(status, 0, output)
        self.assertTrue(output.endswith("\n8 passed, 0 failed\n"), output)

    def test_a_program_that_dies(self) -> None:
        """It has failed, even if it says nothing of that."""
        status, output = self.stress("--run=Crash", "--n=1", "--seed=3")
        self.assertEqual(status, 1, output)
        self.assertIn("FAIL TestCrash2C seed 3: ended with status 139: ",
                      output)
        self.assertEqual(self.kept(), ["TestCrash2C-3.log"])

    def test_without_a_seed(self) -> None:
        """Two calls look at different runs."""
        first, second = (self.stress("--run=Good", "--n=1")[1]
                         for _ in range(2))
        self.assertNotEqual(first.partition("\n")[0],
                            second.partition("\n")[0])

    def test_one_at_a_time(self) -> None:
        """Another one would write into the same job log."""
        with alone(self.out, "make stress"):
            status, output = self.stress("--run=Good", "--n=1", "--seed=1")
        self.assertEqual(status, 2)
        self.assertIn("another make stress is at work here", output)

    def test_interrupt(self) -> None:
        """Ctrl-C ends the runs and leaves a summary of what has come out."""
        process = subprocess.Popen(
            self.command("--run=Good|Slow", "--n=5", "--seed=1"), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True)
        # The second of Good begins when the first has ended.
        note = self.folder / "slow"
        while not (note.exists() and note.read_text().endswith("\n")
                   and (self.out / "joblog.tsv").read_text().count("\n") > 1):
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGINT)
        output = process.communicate(timeout=30)[0]
        self.assertEqual(process.returncode, 130, output)
        done = re.search(r"interrupted after (\d+) of 10 runs\n", output)
        assert done and int(done[1]) >= 1, output
        self.assertRegex(output, rf"TestGood2A +{done[1]} +0 ")
        self.assertNotIn("TestSlow2C", output)
        self.assertTrue(output.endswith(f"\n{done[1]} passed, 0 failed\n"),
                        output)
        self.assertEqual(self.kept(), [])
        with self.assertRaises(ProcessLookupError):
            os.kill(int(note.read_text()), 0)

    def test_bad_arguments(self) -> None:
        """One line that says what to do, and status 2."""
        for arguments, message in (
                ("--n=0", "N=0 is wrong: give a whole number from 1 to"),
                ("--seed=x", "SEED=x is wrong"),
                ("--jobs=x", "JOBS=x is wrong"),
                ("--keep_going=yes", "KEEP_GOING=yes is wrong: give 1, or"),
                ("--sshlogins=/none", "cannot read SSHLOGINS=/none: No such"),
                ("--run=Nothing", 'no test matches "Nothing"')):
            status, output = self.stress(*arguments.split())
            self.assertEqual((status, output.count("\n")), (2, 1), output)
            self.assertIn(message, output)

    def test_no_room(self) -> None:
        """A folder that cannot be made is named."""
        self.out.write_text("a file")
        status, output = self.stress("--run=Good", "--n=1")
        self.assertEqual(status, 2, output)
        self.assertIn(f"stress: cannot write {self.out}: ", output)


class FarmTest(unittest.TestCase):
    """What runs the runs."""

    def test_parallel_missing(self) -> None:
        """One line says what to install."""
        self.enterContext(mock.patch.dict(os.environ, PATH="/none"))
        with tempfile.TemporaryDirectory() as folder:
            machines = farm.Farm(Path(folder))
            with self.assertRaisesRegex(farm.NoFarm, "run: make deps"):
                list(machines.results(["true"], Path(folder, "joblog")))
