"""Tests of seeds.py, with a stand-in for the test program.

`/usr/bin/python3 -B -m unittest tools.seeds.seeds_test`, in the root.
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

from tools import events
from tools.stand_in import PRELUDE


# Seeds that are multiples of 3 fail, in one test of two; those of 5 in both.
STAND_IN = PRELUDE + r'''
if [ "${run:-}" = Nothing ]; then
  echo "raft_tests: no test matches Nothing" >&2
  exit 2
fi
[ -z "${list:-}" ] || { lists TestA2A TestB2B; exit 0; }
log=$(dirname "$0")/seed$seed.log
echo "$$" > "$log"
if [ -n "${verbose+x}" ]; then
  echo "seed $seed, log $log"
  echo "profile $SIM_PROFILE only $SIM_ONLY${disk:+ disk $disk}"
  echo "2 passed, 0 failed"
  exit
fi
starts "$log"
prints "seed $seed, log $log"
case ${run:-} in
  Slow) [ $((seed % 2)) -ne 0 ] || exec sleep 60 ;;
  Silent) exit 1 ;;
  Late) passes TestA2A; passes TestB2B; (ends); exit 66 ;;
  Crash)
    fails TestC2C safety deadlock c_test.cc:1 "expected one leader, got none" \
      "sim: DEADLOCK: thread 1 waits for thread 2"
    ends ;;
esac
[ -z "${SIM_STATS:-}" ] || echo "virtual_ms=1500.5 args=x" >> "$SIM_STATS"
if [ $((seed % 3)) -eq 0 ]; then
  case $((seed % 9)) in 3) kind=economy ;; 6) kind=harness ;; *) kind=liveness ;; esac
  fails TestA2A $kind check a_test.cc:1 "expected one leader, got none"
else
  passes TestA2A
fi
if [ $((seed % 5)) -eq 0 ]; then
  fails TestB2B safety crash "" "crashed: signal 6 (Aborted)"
else
  passes TestB2B
fi
ends
'''


class SimTest(unittest.TestCase):
    """Runs sim.py as the Makefile does."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="sim-test-")
        self.addCleanup(self.folder.cleanup)
        self.program = Path(self.folder.name) / "raft_sim"
        self.program.write_text(STAND_IN)
        self.program.chmod(0o755)

    def command(self, *arguments: str) -> list[str]:
        """Returns the command line of a run."""
        return [sys.executable, "-B", "-m", "tools", "sim",
                *arguments,
                str(self.program)]

    def run_sim(self, *arguments: str) -> tuple[int, str]:
        """Returns the exit status and all output."""
        done = subprocess.run(self.command(*arguments), text=True, check=False,
                              capture_output=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def test_all_pass(self) -> None:
        """Counts tests times seeds, and keeps no log."""
        status, output = self.run_sim("--seed=1", "--seeds=2", "--jobs=2")
        self.assertEqual(status, 0, output)
        self.assertTrue(output.endswith("\n4 passed, 0 failed\n"), output)
        self.assertIn("2 seeds, 3 virtual seconds in ", output)
        self.assertEqual(list(Path(self.folder.name).glob("*.log")), [])

    def test_failures(self) -> None:
        """Names each failure, its log, and the command that replays it."""
        status, output = self.run_sim("--seed=1", "--seeds=5", "--jobs=1")
        self.assertEqual(status, 1, output)
        self.assertIn("FAIL TestA2A seed 3: a_test.cc:1: expected one", output)
        self.assertIn("FAIL TestB2B seed 5: crashed: signal 6", output)
        self.assertIn(f"log {self.folder.name}/seed3.log", output)
        self.assertIn("  make sim SEEDS=1 PROFILE=fair RUN='^TestA2A$' SEED=3",
                      output)
        self.assertIn("  make trace PROFILE=fair RUN='^TestA2A$' SEED=3",
                      output)
        self.assertTrue(output.endswith("\n8 passed, 2 failed\n"), output)
        self.assertTrue((Path(self.folder.name) / "seed3.log").exists())

    def test_many_failures(self) -> None:
        """Prints ten commands, not hundreds."""
        output = self.run_sim("--seed=1", "--seeds=60", "--jobs=2")[1]
        self.assertEqual(len(re.findall(r"^  make sim ", output, re.M)), 10)
        self.assertIn("  and 22 more\n", output)

    def test_harsh(self) -> None:
        """What came too late, cost too much or could not be set up does not
        fail a harsh run; a crash does."""
        status, output = self.run_sim("--seed=1", "--seeds=4",
                                      "--profile=harsh")
        self.assertEqual(status, 0, output)
        self.assertIn("  TestA2A: 1 of 4 (25.0 %)", output)
        self.assertIn("0 safety failures", output)
        status, output = self.run_sim("--seed=1", "--seeds=9",
                                      "--profile=harsh")
        self.assertEqual(status, 1, output)
        self.assertIn("  TestA2A: 3 of 9 (33.3 %)", output)
        self.assertIn("1 safety failures", output)
        self.assertNotIn("RUN='^TestA2A$'", output)

    def test_slow_disk(self) -> None:
        """Comes too late as the harsh profile does; each line says so."""
        status, output = self.run_sim("--seed=1", "--seeds=4", "--disk=slow")
        self.assertEqual(status, 0, output)
        self.assertTrue(output.startswith(
            "fair profile, DISK=slow, seeds 1 to 4"), output)
        self.assertIn("came too late, which the slow disk allows:\n"
                      "  TestA2A: 1 of 4 (25.0 %)", output)
        self.assertIn("0 safety failures", output)
        status, output = self.run_sim("--seed=5", "--seeds=2", "--disk=slow")
        self.assertEqual(status, 1, output)
        self.assertIn("  make trace PROFILE=fair RUN='^TestB2B$' SEED=5 "
                      "DISK=slow\n", output)
        output = self.run_sim("--seed=7", "--seeds=1", "--disk=slow")[1]
        self.assertIn("only --child disk slow\n", output)

    def test_replay(self) -> None:
        """One seed is the program's own output."""
        status, output = self.run_sim("--seed=7", "--seeds=1")
        self.assertEqual(status, 0, output)
        self.assertTrue(output.startswith("seed 7, log "), output)
        self.assertIn("profile fair only --child\n", output)
        self.assertTrue(output.endswith("2 passed, 0 failed\n"), output)

    def test_list_of_seeds(self) -> None:
        """Seeds drawn at random are named."""
        output = self.run_sim("--seed_list=7,4,11")[1]
        self.assertIn("seeds 7 4 11", output)
        self.assertTrue(output.endswith("\n6 passed, 0 failed\n"), output)

    def test_bad_arguments(self) -> None:
        """One line that says what to do, and status 2."""
        for arguments, message in (
                ("--seeds=0", "SEEDS=0 is wrong: give a whole number from 1"),
                ("--seeds=abc", "SEEDS=abc is wrong"),
                ("--seeds=9999999", "SEEDS=9999999 is wrong"),
                ("--seed=-1", "SEED=-1 is wrong: give a whole number from 0"),
                ("--seed=abc", "SEED=abc is wrong"),
                ("--seed=18446744073709551616", "is wrong"),
                ("--seed=18446744073709551615 --seeds=2", "SEEDS=2 is wrong"),
                ("--seed_list=1,,2", "SEED_LIST= is wrong"),
                ("--jobs=0", "JOBS=0 is wrong"),
                ("--profile=mild", "PROFILE=mild is wrong: give fair or harsh"),
                ("--disk=full", "DISK=full is wrong: give slow, or leave it"),
                ("--run=Nothing", "no test matches Nothing")):
            status, output = self.run_sim(*arguments.split())
            self.assertEqual(status, 2, output)
            self.assertIn(message, output)
            self.assertEqual(output.count("\n"), 1, output)

    def test_run_without_result(self) -> None:
        """A program that ends without a count has not passed."""
        status, output = self.run_sim("--run=Silent", "--seeds=2")
        self.assertEqual(status, 1, output)
        self.assertIn("seed 1: ended early (status 1): seed 1, log", output)
        self.assertIn("\n2 seeds without a whole result\n", output)
        self.assertTrue(output.endswith("\n0 passed, 0 failed\n"), output)

    def test_status_without_failure(self) -> None:
        """A sanitizer may speak up when the program ends."""
        status, output = self.run_sim("--run=Late", "--seeds=2")
        self.assertEqual(status, 1, output)
        self.assertIn('seed 1: exit status 66 after "2 passed, 0 failed"',
                      output)

    def test_harsh_crash_after_a_late_check(self) -> None:
        """What came too late excuses nothing that comes after it."""
        status, output = self.run_sim("--run=Crash", "--seeds=2",
                                      "--profile=harsh")
        self.assertEqual(status, 1, output)
        self.assertIn("expected one leader, got none; sim: DEADLOCK: thread 1 "
                      "waits for thread 2\n", output)
        self.assertIn("2 safety failures", output)

    def machines(self, text: str) -> str:
        """Returns the option that names them."""
        path = Path(self.folder.name) / "machines"
        path.write_text(text)
        return f"--sshlogins={path}"

    def test_machines(self) -> None:
        """Spread over machines, of which this is one, it says the same."""
        status, output = self.run_sim("--seed=1", "--seeds=5", "--jobs=2",
                                      self.machines("# a comment\n:\n"))
        self.assertEqual(status, 1, output)
        self.assertIn("FAIL TestA2A seed 3: a_test.cc:1: expected one", output)
        self.assertIn("FAIL TestB2B seed 5: crashed: signal 6", output)
        self.assertIn("5 seeds, 8 virtual seconds in ", output)
        self.assertTrue(output.endswith("\n8 passed, 2 failed\n"), output)
        logs = sorted(each.name for each in
                      Path(self.folder.name).glob("*.log"))
        self.assertEqual(logs, ["seed3.log", "seed5.log"])

    def test_bad_machines(self) -> None:
        """Neither a missing list nor an empty one runs anything."""
        for option, message in (
                ("--sshlogins=/none", "cannot read SSHLOGINS=/none: No such"),
                (self.machines("# none\n\n"), "no machine is in SSHLOGINS=")):
            status, output = self.run_sim("--seeds=2", option)
            self.assertEqual((status, output.count("\n")), (2, 1), output)
            self.assertIn(message, output)
        status, output = self.run_sim("--target=sim-race", "--seeds=2",
                                      self.machines(":\n"))
        self.assertEqual(status, 2, output)
        self.assertIn("SSHLOGINS is for make sim and make stress", output)

    def test_unknown_machine(self) -> None:
        """What a machine did not run has not passed."""
        status, output = self.run_sim("--seeds=2", self.machines("no.invalid"))
        self.assertEqual(status, 1, output)
        self.assertIn("2 seeds without a whole result", output)
        self.assertIn("0 passed, 0 failed", output)

    def test_interrupt_on_machines(self) -> None:
        """Ctrl-C ends the runs there, too."""
        self.interrupt_with(self.machines(":\n"))

    def test_interrupt(self) -> None:
        """Ctrl-C ends the runs and leaves a summary of what has come out."""
        self.interrupt_with()

    def interrupt_with(self, *arguments: str) -> None:
        """Does so while two of four seeds sleep."""
        process = subprocess.Popen(
            self.command("--run=Slow", "--seed=1", "--seeds=4", "--jobs=2",
                         *arguments),
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True)
        # Seed 1 ends at once, 2 and 4 sleep, 3 fails at once.
        sleepers = [self.process_of_seed(2), self.process_of_seed(4)]
        os.kill(process.pid, signal.SIGINT)
        output = process.communicate(timeout=30)[0]
        self.assertEqual(process.returncode, 130, output)
        self.assertIn("FAIL TestA2A seed 3", output)
        self.assertIn("interrupted after 2 of 4 seeds", output)
        self.assertTrue(output.endswith("\n3 passed, 1 failed\n"), output)
        for sleeper in sleepers:
            with self.assertRaises(ProcessLookupError):
                os.kill(sleeper, 0)

    def process_of_seed(self, seed: int) -> int:
        """Returns the stand-in's process, which it writes to its log."""
        log = Path(self.folder.name) / f"seed{seed}.log"
        while not (log.exists() and log.read_text().endswith("\n")):
            time.sleep(0.01)
        return int(log.read_text())


class EventsTest(unittest.TestCase):
    """What is read of a run."""

    def test_a_message_is_one_line(self) -> None:
        """Whatever follows it is in the log."""
        run = events.read(
            '{"Action":"fail","Test":"TestX2A","Message":"oracle: a\\n b"}\n'
            '{"Action":"fail","Passed":0,"Failed":1}\n', 1)
        self.assertEqual((run.trouble, run.failed[0].why), ("", "oracle: a"))

    def test_tests_side_by_side(self) -> None:
        """What is printed is in running order, as without events."""
        run = events.read(
            '{"Action":"output","Output":"seed 7\\n"}\n'
            '{"Action":"run","Test":"TestB","Index":1}\n'
            '{"Action":"run","Test":"TestA","Index":0}\n'
            '{"Action":"output","Test":"TestB","Output":"b\\n"}\n'
            '{"Action":"output","Test":"TestA","Output":"a\\n"}\n'
            '{"Action":"output","Test":"TestB","Output":"bb\\n"}\n'
            '{"Action":"output","Output":"PASS\\n"}\n', 0)
        self.assertEqual(run.text, "seed 7\na\nb\nbb\nPASS\n")

    def test_a_run_that_broke_off(self) -> None:
        """Says what was printed last."""
        run = events.read('{"Action":"start","Log":"x"}\nKilled\n', -9)
        self.assertEqual((run.log, run.trouble),
                         ("x", "ended early (status -9): Killed"))
