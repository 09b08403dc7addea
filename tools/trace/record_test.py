"""Tests of record.py, with a test program of a few lines.

`/usr/bin/python3 -B -m unittest tools.trace.record_test`, in the root.
"""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from tools import command
from tools.stand_in import PRELUDE
from tools.trace import record

# Lists some tests; FailsA2A fails, and BareB2A makes no cluster.
PROGRAM = PRELUDE + """
if [ -n "${list:-}" ]; then
  case $run in
    nothing) echo 'raft_tests: RUN "nothing" matches no test' >&2; exit 2 ;;
    Unit) echo '{"Test":"TestUnitRope","Origin":"unit"}'; exit ;;
  esac
  for test in TestA2A TestScenarioTestA2A TestB2B TestFailsA2A TestBareB2A; do
    ! selected $test || lists $test
  done
  exit
fi
case "$*" in *Bare*) exit 0;; esac
cat >"$TRACE" <<'END'
{"t":0,"event":"run","schema":1,"test":"TestA2A","seed":7,"mode":"real","servers":3}
{"t":1,"event":"end","passed":true}
END
case "$*" in *Fails*) exit 1;; esac
"""


class Record(unittest.TestCase):
    """What `make trace` does."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = Path(folder.name) / "results"
        program = Path(folder.name) / "plain" / "raft_tests"
        program.parent.mkdir()
        program.write_text(PROGRAM)
        program.chmod(0o755)
        self.program = program

    def run_main(self, run: str, *more: str) -> tuple[int, str]:
        """Returns the status, and what was said."""
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            status = command.run("trace", record.main, [
                str(self.program), f"--out={self.out}", "--real=1",
                f"--run={run}", *more])
        return status, said.getvalue()

    def test_makes_a_page(self) -> None:
        status, said = self.run_main("TestA2A")  # not TestScenarioTestA2A
        self.assertEqual(status, 0, said)
        self.assertIn("trace.html", said)
        self.assertIn("TestA2A", (self.out / "trace.html").read_text())

    def test_a_failing_test_has_a_page_too(self) -> None:
        self.assertEqual(self.run_main("Fails")[0], 0)
        self.assertTrue((self.out / "trace.html").exists())

    def test_one_test_only(self) -> None:
        for run, wanted in (("", "RUN=TestName"), ("2", "matches 5 tests"),
                            ("nothing", "matches no test"),
                            ("Unit", "no test with a cluster"),
                            ("Bare", "no cluster")):
            status, said = self.run_main(run)
            self.assertEqual((status, said.count("\n")), (2, 1), said)
            self.assertIn(wanted, said)
        self.assertFalse((self.out / "trace.html").exists())

    def test_an_old_page_is_not_taken_for_a_new_one(self) -> None:
        self.run_main("TestA2A")
        self.assertEqual(self.run_main("Bare")[0], 2)
        self.assertEqual(list(self.out.iterdir()), [])
