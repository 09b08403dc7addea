"""Tests of process.py: how a program that runs is ended.

`/usr/bin/python3 -B -m unittest tools.process_test`, in the root.
"""

import unittest
from unittest import mock

from tools import process
from tools.process import Launcher


class Run(unittest.TestCase):
    """Programs of the shell, run to their end or ours."""

    def test_gives_status_and_output(self) -> None:
        ended = Launcher().run(["sh", "-c", "echo one; echo two >&2; exit 3"])
        self.assertEqual(ended, (3, "one\ntwo\n"))

    def test_ends_it_after_a_line(self) -> None:
        ended = Launcher().run(["sh", "-c", "echo one; exec sleep 60"],
                               on_line=lambda line: line == "one\n")
        self.assertEqual(ended, (None, "one\n"))

    def test_ends_it_when_its_time_is_up(self) -> None:
        ended = Launcher().run(["sleep", "60"], limit=0.1)
        self.assertEqual(ended, (None, ""))

    @mock.patch.object(process, "OUTPUT_LIMIT", 100_000)
    def test_ends_it_when_its_output_has_no_end(self) -> None:
        ended = Launcher().run(["sh", "-c", "while :; do echo y; done"])
        self.assertIsNone(ended.status)
        self.assertLess(len(ended.output), 100_100)
        self.assertRegex(ended.output, r"y\n\nended: it printed more than")

    @mock.patch.object(process, "OUTPUT_LIMIT", 100_000)
    @mock.patch.object(process, "LINE_LIMIT", 1_000)
    def test_ends_it_when_a_line_has_no_end(self) -> None:
        ended = Launcher().run(["cat", "/dev/zero"])
        self.assertIsNone(ended.status)
        self.assertLess(len(ended.output), 100_100)

    def test_a_long_output_is_whole(self) -> None:
        ended = Launcher().run(["head", "-c", "3000000", "/dev/zero"])
        self.assertEqual(ended.status, 0)
        self.assertEqual(len(ended.output), 3_000_000)


if __name__ == "__main__":
    unittest.main()
