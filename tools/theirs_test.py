"""Tests of theirs.sh: which rooms are in a build with others' rooms.

`/usr/bin/python3 -B -m unittest tools.theirs_test`, in the root.
"""

import shutil
import tempfile
import unittest
from pathlib import Path

from tools import ROOT
from tools.process import ask

SHARDED = {"shardctrler", "shardkv", "shardkv1"}


class Theirs(unittest.TestCase):
    """A student's folder, with a file in each room."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def prepare(self, *rooms: str) -> str:
        """Returns what theirs.sh says when these rooms are the student's."""
        for room in rooms:
            (self.folder / room).mkdir(exist_ok=True)
            (self.folder / room / "server.cc").touch()
        said = ask([ROOT / "tools/theirs.sh",
                    *(f"{room}={self.folder / room}" for room in rooms)]
                   ).stdout.strip()
        if not said.startswith("error:"):
            self.addCleanup(shutil.rmtree, ROOT / said)
        return said

    def sharded_with(self, *rooms: str) -> set[str]:
        """Returns which rooms of lab 4 are there then."""
        tree = ROOT / self.prepare(*rooms) / "tree"
        return {room for room in SHARDED if (tree / room).exists()}

    def test_ours_stands_on_no_other_kvraft(self) -> None:
        self.assertEqual(set(), self.sharded_with("kvraft"))
        self.assertEqual({"shardkv1"}, self.sharded_with("kvraft", "shardkv1"))
        self.assertEqual({"shardctrler", "shardkv"},
                         self.sharded_with("kvraft", "shardkv"))
        self.assertIn("give SHARDKV= too",
                      self.prepare("kvraft", "shardctrler"))

    def test_each_edition_stands_without_the_other(self) -> None:
        for room in ("rsm", *SHARDED):
            self.assertEqual(SHARDED, self.sharded_with(room))

    def test_configurations_of_2025_are_the_labs(self) -> None:
        place = ROOT / self.prepare("shardkv1")
        self.assertEqual(
            {"server.cc", "config.h", "config.cc", "messages.h"},
            {path.name for path in (place / "tree/shardkv1").iterdir()})
        (self.folder / "shardkv1/config.cc").write_text("mine")
        self.assertIn("its config.cc is not the lab's shardkv1/config.cc; "
                      "delete it", self.prepare("shardkv1"))


if __name__ == "__main__":
    unittest.main()
