"""Tests of handout.sh: what students must not find in it.

`/usr/bin/python3 -B -m unittest tools.handout_test`, in the root.
"""

import tempfile
import unittest
from pathlib import Path

from tools import ROOT
from tools.process import ask

# What tests and each room agree on; kvraft/server.h is the skeleton's, too.
FACE = {
    "raft": {"raft.h", "types.h", "timing.h", "messages.h", "entries.h",
             "entries.cc"},
    "rsm": {"state_machine.h", "typed.h"},
    "kvraft": {"messages.h", "server.h"},
    "shardctrler": {"config.h", "messages.h"},
    "shardkv": {"messages.h"},
    "shardkv1": {"config.h", "config.cc", "messages.h"},
    "tests/plain_raft": set[str](),
}
# What is there in their place.
UNSOLVED = {
    "raft": {"server.h", "server.cc"},
    "rsm": {"rsm.h", "rsm.cc"},
    "kvraft": {"server.cc", "clerk.h", "clerk.cc"},
    "shardctrler": {"config.cc", "server.h", "server.cc", "clerk.h",
                    "clerk.cc"},
    "shardkv": {"server.h", "server.cc", "clerk.h", "clerk.cc"},
    "shardkv1": {"server.h", "server.cc", "clerk.h", "clerk.cc",
                 "controller.h", "controller.cc"},
    "tests/plain_raft": set[str](),
}


class Handout(unittest.TestCase):
    """The tree of the last commit."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "the lab"
        done = ask([ROOT / "tools/handout.sh", self.folder])
        self.assertEqual(0, done.returncode, done.stderr)

    def test_has_no_solution(self) -> None:
        files = {path.relative_to(self.folder): path.read_bytes()
                 for path in self.folder.rglob("*") if path.is_file()}
        texts = set(files.values())
        for folder, face in FACE.items():
            for path in (ROOT / folder).glob("*"):
                with self.subTest(path):
                    self.assertEqual(path.name in face,
                                     path.read_bytes() in texts)
            with self.subTest(folder):
                self.assertEqual(
                    face | UNSOLVED[folder],
                    {path.name for path in (self.folder / folder).glob("*")})
        for path in files:
            self.assertNotIn(".patch", path.name)

    def test_has_a_lab(self) -> None:
        for name in ("Makefile", "CMakeLists.txt", "tests/raft/2a_test.cc",
                     "tests/rsm/4a_test.cc", "tests/kvraft/3a_test.cc",
                     "tests/shardkv/shardkv_test.cc",
                     "tests/shardkv1/5a_test.cc",
                     "tools/skeleton/skeleton.sh", "docs/students.md"):
            self.assertTrue((self.folder / name).is_file(), name)

    def test_overwrites_nothing(self) -> None:
        again = ask([ROOT / "tools/handout.sh", self.folder])
        self.assertEqual(2, again.returncode)
        self.assertIn("give another DIR", again.stderr)
