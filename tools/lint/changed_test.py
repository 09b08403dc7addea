"""Tests of changed.py.

Called by the test Tools.Lint of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.lint.changed_test`, in the root.
"""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from tools import ROOT
from tools.lint import changed


class Affected(unittest.TestCase):
    """Which files a change concerns."""

    def test_includes_are_followed(self) -> None:
        """To all that include it, whatever lies between; not back."""
        includes: dict[str, set[str]] = {
            "a.h": set(), "b.h": {"a.h"}, "c.cc": {"b.h", "d.h"},
            "d.h": set(), "e.cc": {"d.h"}}
        for path, expected in (
                ("a.h", {"a.h", "b.h", "c.cc"}), ("c.cc", {"c.cc"}),
                ("d.h", {"d.h", "c.cc", "e.cc"}), ("README.md", set())):
            self.assertEqual(changed.affected({path}, includes), expected)

    def test_cycles_end(self) -> None:
        """Lint finds those elsewhere."""
        self.assertEqual(changed.affected({"a"}, {"a": {"b"}, "b": {"a"}}),
                         {"a", "b"})


class CommandLine(unittest.TestCase):
    """The script in a small tree."""

    def setUp(self) -> None:
        self.tree = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.git("init", "-q")
        (self.tree / "a.h").write_text("// A.\n")
        (self.tree / "b.cc").write_text('#include "a.h"\n')
        (self.tree / "c.cc").write_text("// C.\n")
        self.git("add", ".")
        self.git("-c", "user.name=n", "-c", "user.email=e", "commit", "-qmone")

    def git(self, *words: str) -> None:
        """Calls git in the tree."""
        subprocess.run(["git", *words], cwd=self.tree, check=True)

    def run_it(self, since: str) -> tuple[int, str]:
        """Returns the exit status and all output."""
        paths = sorted(path.name for path in self.tree.glob("[a-z].*"))
        done = subprocess.run(["python3", "-B", "-m", "tools", "lint-changed",
                               since, *paths],
                              env=os.environ | {"PYTHONPATH": str(ROOT)},
                              cwd=self.tree, text=True, check=False,
                              capture_output=True)
        return done.returncode, done.stdout + done.stderr

    def test_changes(self) -> None:
        """What is committed, what is not, and what git does not know yet."""
        self.assertEqual(self.run_it("HEAD"), (0, ""))
        (self.tree / "a.h").write_text("// B.\n")
        self.assertEqual(self.run_it("HEAD"), (0, "a.h\nb.cc\n"))
        (self.tree / "d.cc").write_text("// D.\n")
        self.assertEqual(self.run_it("HEAD"), (0, "a.h\nb.cc\nd.cc\n"))
        (self.tree / ".clang-tidy").write_text("")
        self.assertEqual(self.run_it("HEAD"),
                         (0, "a.h\nb.cc\nc.cc\nd.cc\n"))

    def test_no_such_commit(self) -> None:
        """One line, and status 2."""
        for since in ("nope", "--all"):
            self.assertEqual(self.run_it(since), (
                2, f"lint: SINCE={since}: git knows no such commit\n"))
