"""Tests of sides.py: what is kept of a run, and what it costs.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.sides_test`, in the root.
"""

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from tools import ROOT
from tools.compare import reader, sides
from tools.compare.logs import Cost
from tools.compare.samples import AGREE, BACKUP, DATA, OURS, as_events
from tools.compare.stand_ins import CommandTest


class Runs(unittest.TestCase):
    """What Runner keeps and measures."""

    def setUp(self) -> None:
        self.err = io.StringIO()

    def run_scripts(self, *scripts: str, test: str = "") -> str:
        """Returns what is kept of a run of these shell scripts."""
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "log")
            with contextlib.redirect_stderr(self.err):
                text, ended = sides.Runner(log, "go9", Path(folder)).run(
                    [sides.Command(["/bin/sh", "-c", script], test=test)
                     for script in scripts])
            self.assertEqual(3, ended.status)
            self.assertEqual(log.read_text("utf-8"), text)
        return text

    def cost_of(self, script: str) -> Cost:
        """Returns what a shell script costs."""
        return reader.read(self.run_scripts(script)).costs[0]

    def test_what_is_kept(self) -> None:
        self.assertRegex(
            self.run_scripts("echo out; echo err >&2; exit 3"),
            r"\Acompare: began \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, load [\d.]+ of "
            r"\d+ processors, go9\nout\nerr\nexit status 3\n"
            r"compare: used [\d.]+ CPU seconds, peak [\d.]+ MB\n\Z")
        self.assertIn("noend\nsignal: Terminated\n",
                      self.run_scripts("echo noend; kill $$", "exit 3"))

    def test_each_test_by_itself(self) -> None:
        text = self.run_scripts(f"printf '%s' '{AGREE}'", "exit 3",
                                test="TestBasicAgree2B")
        self.assertEqual(2, len(re.findall(
            r"compare: TestBasicAgree2B used [\d.]+ CPU seconds\n", text)))
        log = reader.read(text)
        self.assertEqual((1, 1), (len(log.began), len(log.costs)))
        self.assertIsNotNone(log.tests[0].cpu)

    def test_events_are_kept_and_their_text_is_shown(self) -> None:
        events = as_events(AGREE)
        with tempfile.NamedTemporaryFile("w") as file:
            print(events, end="", file=file, flush=True)
            kept = self.run_scripts(f"cat {file.name}; exit 3")
        self.assertIn("\n" + events, kept)
        self.assertTrue(self.err.getvalue().endswith("exit 3\n" + AGREE))

    def test_memory_is_the_childs_not_pythons(self) -> None:
        mine = bytearray(b"x" * (100 << 20))
        cost = self.cost_of("exit 3")
        self.assertLess(cost.peak_mb, 50)
        self.assertGreater(cost.peak_mb, 0)
        self.assertEqual(100 << 20, len(mine))

    def test_what_a_child_starts_counts_too(self) -> None:
        program = "x = b'x' * (90 << 20); sum(range(3000000))"
        cost = self.cost_of(f'{sys.executable} -c "{program}"; exit 3')
        self.assertGreater(cost.peak_mb, 90)
        self.assertGreater(cost.cpu_seconds, 0)


class Ends(CommandTest):
    """A Go lab that ends itself, run and read again."""

    def test_a_lab_that_ends_itself(self) -> None:
        for end in ("panic: oops\n", "oops\n", "oops"):
            self.write("go.txt", AGREE + BACKUP + end)
            status, out, err = self.compare(f"--go_lab={self.lab}")
            self.assertEqual(2, status)
            self.assertRegex(out, r"\nGo lab: CRASHED in TestBackup2B: "
                             r"(panic: )?oops\n")
            # The stand-in's list has these, too.
            for name in ("InitialElection2A", "Count2B"):
                self.assertRegex(out, rf"\nTest{name} +not run +")
            self.assertRegex(err, r"\ncompare: Go lab, \S+, crashed in "
                             r"TestBackup2B: .*oops: mend that and compare "
                             r"again\n\Z")
            self.assertIn("again, without the runs", out)

    def test_how_it_ended_is_not_lost(self) -> None:
        self.write("go.txt", AGREE + BACKUP)
        for code, says in (("0", "exit status 0"), ("3", "exit status 3"),
                           ("137", "signal: Killed")):
            self.write("go.status", code)
            status, out, _ = self.compare(f"--go_lab={self.lab}")
            self.assertEqual(2, status)
            self.assertIn(f"CRASHED in TestBackup2B: {says}\n", out)
            log = self.folder / "out/compare/go.log"
            status, out, _ = self.compare(f"--go_log={log}")
            self.assertEqual(2, status)
            self.assertIn(f"CRASHED in TestBackup2B: {says}\n", out)


class Interrupt(unittest.TestCase):
    """Ctrl-C, in the middle of a run."""

    def test_it_ends_what_runs_and_keeps_what_was_said(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve()
            program = folder / "program"
            program.write_text(
                "#!/bin/sh\n"
                "[ $1 != --list ] ||\n"
                "  { echo '{\"Test\":\"TestCount2B\"}'; exit; }\n"
                f"cat '{folder}/said'\n"
                f"echo $$ >'{folder}/part'\nmv '{folder}/part' '{folder}/pid'\n"
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
                    log.exists() and OURS in log.read_text("utf-8") and
                    (folder / "pid").exists()):
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
            self.assertEqual((130, ""), (process.returncode, out), err)
            self.assertEqual(
                "compare: interrupted; the runs so far: make compare GO_LOG="
                f"tools/compare/testdata/go-lab-a.txt OUR_LOG={log}",
                err.splitlines()[-1])
            self.assertRegex(log.read_text("utf-8"),
                             r"\Acompare: began .*\n" + re.escape(OURS) + r"\Z")
            with self.assertRaises(ProcessLookupError):
                os.kill(int((folder / "pid").read_text()), 0)
