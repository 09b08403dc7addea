"""Stand-ins for Go, for what it builds, and for our program.

Each leaves a note of how it was called, so that a test can say that nothing was
run, and then prints what is in a file.
"""

import contextlib
import io
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tools import command, events
from tools.compare import compare
from tools.compare.samples import DATA, OURS, as_events

# What `go test -c` and `go build` make is a stand-in too.
GO = """#!/bin/sh
if [ "$1" = version ]; then echo go version go1.19.8 linux/amd64; exit; fi
echo "$* in $PWD module=$GO111MODULE path=$GOPATH" >>'{folder}/go.called'
if [ -e '{folder}/go.broken' ]; then cat '{folder}/go.broken' >&2; exit 1; fi
while [ "$1" != -o ]; do shift; done
cp '{folder}/raft.test' "$2"
"""
RAFT_TEST = """#!/bin/sh
if [ "$1" = -test.list ]; then
  sed -n 's/^func \\(Test[A-Za-z0-9]*\\)(.*/\\1/p' *_test.go; echo ok
  exit
fi
echo "$* in $PWD" >>'{folder}/raft.called'
said='{folder}'/${{PWD##*/}}.txt  # of a package
if [ -e "$said" ]; then cat "$said"; else cat '{folder}/go.txt'; fi
exit "$(cat '{folder}/go.status')"
"""
PROGRAM = """#!/bin/sh
case $1 in
--list)
  case "$*" in *=bad*) echo "raft_tests: no such thing" >&2; exit 2 ;; esac
  case "$*" in *--origin=course*) ;; *) exit 3 ;; esac
  printf '{{"Test":"%s"}}\\n' TestBasic TestBasicAgree2B TestCount2B \
    TestBasic3A TestSpeed3B TestBasic4A TestSnapshot4C TestSpeed4B ;;
*)
  echo "$*" >>'{folder}/ours.called'
  cat '{folder}/ours.txt'
  exit "$(cat '{folder}/ours.status')" ;;
esac
"""
# How the binary of `go test -c` is called.
GO_OPTIONS = "-test.v -test.count=1 -test.timeout=30m"
# And our program, for its tests of Raft.
OURS_OPTIONS = (f"--origin=course {events.ALL[0]},shardkv1 "
                "--run=^(TestBasicAgree2B|TestCount2B)$")


def go_source(*tests: str) -> str:
    """Returns a file of Go with these tests."""
    return "package x\n" + "".join(
        f"\nfunc Test{name}(t *testing.T) {{\n}}\n" for name in tests)


LAB_TEST = go_source("InitialElection3A", "BasicAgree3B", "Count3B")
KV_TEST = go_source("Basic3A", "Speed3A", "Speed3B")


class CommandTest(unittest.TestCase):
    """A test of the command line, with stand-ins for whatever it runs."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name).resolve()
        self.bin = self.folder / "bin"
        self.write("go.txt", (DATA / "go-lab-a.txt").read_text("utf-8"))
        self.write("go.status", "1")
        self.write("ours.txt", as_events(OURS))
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
        for name in ("GO111MODULE", "GOPATH"):
            os.environ.pop(name, None)

    def write(self, name: str, text: str) -> Path:
        """Writes a file of the test's own folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def read(self, name: str) -> str:
        """Returns what is in such a file."""
        return (self.folder / name).read_text("utf-8")

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

    def expect_refusal(self, says: str, *arguments: object,
                       lines: int = 1) -> None:
        """Expects lines, the last with `says`, and that nothing is run."""
        status, out, err = self.compare(*arguments)
        self.assertEqual((2, ""), (status, out))
        self.assertEqual(lines, err.count("\n"))
        self.assertRegex(err.splitlines()[-1], r"\Acompare: ")
        self.assertIn(says, err.splitlines()[-1])
        self.assertEqual("", self.called("go") + self.called("ours"))
        self.assertEqual("", self.called("raft"))
