"""Tests of text.py: encodings, colors and events.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.text_test`, in the root.
"""

import codecs
import json
import unittest

from tools.compare import reader, text
from tools.compare.samples import (AGREE, BACKUP, LOGS, OURS, PASSED, as_events,
                                   names_and_results)


class Encodings(unittest.TestCase):
    """What a shell makes of what it redirects."""

    def test_all_of_them(self) -> None:
        said = AGREE.replace("\n", "\r\n") + "S0 \u2192 S1\r\n"
        for data in (said.encode(), codecs.BOM_UTF8 + said.encode(),
                     codecs.BOM_UTF16_LE + said.encode("utf-16-le"),
                     codecs.BOM_UTF16_BE + said.encode("utf-16-be")):
            self.assertEqual(said, text.decode(data))

    def test_without_a_mark_or_with_a_cut_end(self) -> None:
        for encoding in ("utf-16-le", "utf-16-be"):
            self.assertEqual(AGREE, text.decode(AGREE.encode(encoding)))
        whole = AGREE.encode("utf-16")
        self.assertEqual(AGREE[:-1] + "\ufffd", text.decode(whole[:-1]))
        self.assertEqual("a\ufffdb", text.decode(b"a\xffb"))


class Colors(unittest.TestCase):
    """What a terminal would not show."""

    def test_they_are_left_out(self) -> None:
        for color in ("\x1b[32m", "\x1b[0m", "\x1b[1;38;5;9m", "\x1b[K",
                      "^[[1;31m", "\x1b]0;title\x07", "\x1b]8;;a:b\x1b\\"):
            colored = "".join(color + line for line in
                              (AGREE + "PASS\n").splitlines(keepends=True))
            self.assertEqual(AGREE + "PASS\n",
                             text.decode(colored.encode()))


class Stamps(unittest.TestCase):
    """What a build server puts before each line."""

    def test_they_are_left_out(self) -> None:
        stamp = "2026-01-02T03:04:05.1234567Z "
        for said in (AGREE, as_events(AGREE), f"{AGREE}at {stamp}\n"):
            self.assertEqual(said, text.decode("".join(
                stamp + line for line in said.splitlines(keepends=True)
            ).encode()))


class Events(unittest.TestCase):
    """What is printed with -json."""

    def test_a_log_is_what_it_was(self) -> None:
        for log in LOGS:
            said = log.read_text(encoding="utf-8")
            self.assertEqual(said, text.printed(said))
            self.assertEqual(said, text.printed(as_events(said)))

    def test_other_lines_are_kept_in_between(self) -> None:
        said = (f"go: downloading\n{as_events(AGREE)}# raft\n{{\"Test\": 1}}\n"
                f"{{no json\n{as_events(BACKUP)}exit status 2\n")
        self.assertEqual(f"go: downloading\n{AGREE}# raft\n{{\"Test\": 1}}\n"
                         f"{{no json\n{BACKUP}exit status 2\n",
                         text.printed(said))

    def test_a_line_in_several_events(self) -> None:
        events = "".join(json.dumps({"Action": "output", "Output": part}) + "\n"
                         for part in (AGREE[:50], AGREE[50:60], AGREE[60:]))
        self.assertEqual(AGREE, text.printed(events))

    def test_tests_that_run_side_by_side(self) -> None:
        backup = BACKUP + PASSED + "--- PASS: TestBackup2B (1.50s)\n"
        both = [as_events(said).splitlines(keepends=True)
                for said in (AGREE, backup)]
        mixed = "".join(first + second for first, second in zip(*both))
        self.assertEqual(sorted([*AGREE.splitlines(), *backup.splitlines()]),
                         sorted(text.printed(mixed).splitlines()))
        self.assertEqual([("TestBasicAgree2B", "PASS"),
                          ("TestBackup2B", "PASS")],
                         names_and_results(mixed))

    def test_packages_that_run_side_by_side(self) -> None:
        def of_package(name: str) -> list[str]:
            return as_events(AGREE + "PASS\n").replace(
                '"Action"', f'"Package": "{name}", "Action"').splitlines(
                    keepends=True)

        mixed = "".join(first + second for first, second
                        in zip(of_package("a"), of_package("b")))
        self.assertEqual(f"compare: package a\n{AGREE}PASS\n"
                         f"compare: package b\n{AGREE}PASS\n",
                         text.printed(mixed))

    def test_what_ours_say_beyond_the_text(self) -> None:
        tests = reader.read(as_events(OURS, Cpu=0.25, Way="check",
                                      Place="a.cc:7", Message="no")).tests
        self.assertEqual({0.25}, {test.cpu for test in tests})
        self.assertEqual(("FAIL", "a.cc:7: no"),
                         (tests[-1].result, tests[-1].why))
        tests = reader.read(as_events(OURS, Way="check", Message="no",
                                      Late=0.5)).tests
        self.assertEqual("no (threads woke up to 0.5 s late)", tests[-1].why)

    def test_the_date(self) -> None:
        log = json.dumps({"Time": "2026-01-02T03:04:05.67Z", "Action": "output",
                          "Output": AGREE}) + "\n"
        self.assertEqual(["2026-01-02 03:04:05 UTC"], reader.read(log).began)
        self.assertEqual(["now"],
                         reader.read(f"compare: began now\n{log}").began)
