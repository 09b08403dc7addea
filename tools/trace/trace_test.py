"""Tests of the trace's reader, its terminal view and what makes the page.

`/usr/bin/python3 -B -m unittest tools.trace.trace_test`, in the root.
page_test.py tests the page in a browser.
"""

import json
import re
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from tools.command import Problem
from tools.trace import assemble, columns, reading, synthetic
from tools.trace.reading import BadTrace, Event

RUN = {"t": 0, "event": "run", "schema": 1, "test": "TestX2A", "seed": 7,
       "mode": "simulated", "servers": 3, "profile": "fair"}
END = {"t": 9, "event": "end", "passed": True}


def lines(*events: dict[str, Any]) -> str:
    """Returns a file's text: "run", these, "end"."""
    return synthetic.ndjson([RUN, *events, END])


class Folder(unittest.TestCase):
    """A test with a folder for its files."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "trace.ndjson"

    def read(self, text: str) -> reading.Trace:
        """Reads a file with this text."""
        self.path.write_text(text, encoding="utf-8")
        return reading.read(self.path)

    def program(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs show.py."""
        return subprocess.run(
            [sys.executable, "-B", "-m", "tools", "trace-show", *arguments],
            capture_output=True, text=True, check=False)


class Reading(Folder):
    """What is a trace, and what is none."""

    def test_whole(self) -> None:
        trace = self.read(lines({"t": 1, "event": "unheard of", "x": [1]}))
        self.assertEqual(len(trace.events), 3)
        self.assertEqual(trace.servers, 3)
        self.assertEqual(trace.notes, [])

    def test_synthetic(self) -> None:
        events = synthetic.story(events=500, violation=True)
        trace = self.read(synthetic.ndjson(events))
        self.assertEqual(trace.events, events)

    def test_broken_last_line(self) -> None:
        text = lines({"t": 1, "event": "life", "server": 0, "up": True})
        for cut in (2, 20):
            with self.subTest(cut):
                trace = self.read(text[:-cut])
                self.assertEqual(len(trace.events), 2)
                self.assertRegex(trace.notes[0], "last line, 3, is broken off")
                self.assertRegex(trace.notes[1], "no end")

    def test_only_run(self) -> None:
        self.assertRegex(self.read(json.dumps(RUN)).notes[0], "no end")

    def test_order_of_times(self) -> None:
        trace = self.read(lines({"t": 2, "event": "b"}, {"t": 1, "event": "a"},
                                {"t": 2, "event": "c"}))
        self.assertEqual([event["event"] for event in trace.events],
                         ["run", "a", "b", "c", "end"])

    def test_no_trace(self) -> None:
        run = json.dumps
        for text, what in (
                ("", "is empty"), ("\n \n", "is empty"),
                ("hello\n", "no trace"), ("[1]\n", "no trace"),
                ('{"event":"run"}', "no time"), (run(END), 'no "run"'),
                (run({**RUN, "schema": 2}), "schema 2, this reads schema 1"),
                (run({**RUN, "servers": 0}), "servers is 0"),
                (run({**RUN, "servers": True}), "servers is True"),
                ("[" * 100000, "no trace")):
            with self.subTest(text[:60]), \
                    self.assertRaisesRegex(BadTrace, what) as caught:
                self.read(text)
            self.assertNotIn("\n", str(caught.exception))

    def test_bad_line_within(self) -> None:
        for line in ('{"t":1,"eve', '{"t":NaN,"event":"x"}', '{"event":"x"}',
                     '{"t":1}', '{"t":true,"event":"x"}', "3",
                     '{"t":1,"event":"life","server":3}',
                     '{"t":1,"event":"request","server":0,"peer":"1"}',
                     '{"t":1,"event":"request","server":0,"sent":null}',
                     '{"t":1,"event":"operation","client":1}',
                     '{"t":1,"event":"partition","parts":[1]}',
                     '{"t":1,"event":"operation","client":-1,"operation":2}',
                     '{"t":1,"event":"group","group":0,"servers":1}',
                     '{"t":1,"event":"group","group":1,"servers":97}',
                     '{"t":1,"event":"group","group":1}',
                     '{"t":1,"event":"life","group":1,"server":0}',
                     '{"t":1,"event":"config","config":1,"shards":["a"]}',
                     '{"t":1,"event":"shards","server":0}',
                     '{"t":1,"event":"save","server":0,"fields":[]}'):
            with self.subTest(line), self.assertRaisesRegex(BadTrace, ":2: "):
                self.read(f"{json.dumps(RUN)}\n{line}\n{json.dumps(END)}\n")

    def test_several_groups(self) -> None:
        trace = self.read(lines(
            {"t": 0, "event": "group", "group": 7, "servers": 2},
            {"t": 1, "event": "life", "group": 7, "server": 1}))
        self.assertEqual(trace.groups, {0: 3, 7: 2})
        self.assertEqual(trace.servers, 5)
        with self.assertRaisesRegex(BadTrace, "server 2 of 2 servers"):
            self.read(lines(
                {"t": 0, "event": "group", "group": 7, "servers": 2},
                {"t": 1, "event": "life", "group": 7, "server": 2}))

    def test_missing_file(self) -> None:
        with self.assertRaisesRegex(BadTrace, "make one with: make trace"):
            reading.read(Path("/nowhere/trace"))


class Program(Folder):
    """show.py as it is typed."""

    def test_bad_trace(self) -> None:
        self.path.write_text("")
        result = self.program(str(self.path), "--text")
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stderr, r"^trace: .* is empty; .*\n$")

    def test_nothing_to_do(self) -> None:
        self.assertEqual(self.program(str(self.path)).returncode, 2)

    def test_narrow(self) -> None:
        result = self.program(str(self.path), "--text", "--width=3")
        self.assertEqual(result.returncode, 2)

    def test_folder_is_not_there(self) -> None:
        self.path.write_text(lines())
        result = self.program(str(self.path), "--html", "/nowhere/x.html")
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stderr, r"^trace: cannot write .*\n$")

    def test_interrupted(self) -> None:
        self.path.write_text(synthetic.ndjson(synthetic.story(events=20_000)))
        with subprocess.Popen(
                [sys.executable, "-B", "-m", "tools", "trace-show", self.path,
                 "--text"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            assert program.stdout and program.stderr
            program.stdout.readline()  # more than a pipe holds is to come
            program.send_signal(signal.SIGINT)
            program.stdout.read()
            self.assertEqual(program.stderr.read(), b"")
        self.assertEqual(program.returncode, 130)

    def test_page(self) -> None:
        self.path.write_text(lines())
        page = self.path.with_suffix(".html")
        result = self.program(str(self.path), "--html", str(page))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("</html>", page.read_text())
        self.assertEqual(len(list(page.parent.iterdir())), 2)  # no leftover


class Assembling(Folder):
    """The page before a browser sees it."""

    def test_no_text_ends_the_script(self) -> None:
        evil = "</script><script>alert(1)</script><!-- {{d3}} & \ud800"
        trace = reading.Trace([{**RUN, "test": evil},
                               {"t": 1, "event": evil}])
        page = assemble.assemble(trace)
        self.assertNotIn("<script>alert", page)
        data = re.search(r'json">(.*?)</script>', page, re.S)
        assert data
        self.assertEqual(json.loads(data[1])["events"], trace.events)

    def test_asks_nobody(self) -> None:
        page = assemble.assemble(self.read(lines()))
        self.assertIn("default-src 'none'", page)
        self.assertNotRegex(page, r"<(script|link|img)[^>]*(src|href)=.http")

    def test_every_script_is_used(self) -> None:
        files = {path.stem for path in assemble.HERE.glob("*.js")}
        self.assertEqual(files, set(assemble.SCRIPTS))

    def test_no_d3(self) -> None:
        with self.assertRaisesRegex(Problem, "make deps"):
            assemble.assemble(self.read(lines()), Path("/nowhere"))


class Text(Folder):
    """The terminal's view."""

    def text(self, *events: dict[str, Any], width: int = 100) -> str:
        """Returns what --text prints, into a pipe."""
        self.path.write_text(lines(*events))
        result = self.program(str(self.path), "--text", f"--width={width}")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def test_columns(self) -> None:
        text = self.text({"t": 1.5, "event": "role", "server": 2, "term": 3,
                          "role": "leader"})
        head, row = text.splitlines()[0], text.splitlines()[2]
        self.assertTrue(row.startswith("   1.5000"), row)
        self.assertEqual(head.index("S2"), row.index("LEADER T3"))

    def test_no_color_in_a_pipe(self) -> None:
        self.assertNotIn("\x1b", self.text())

    def test_nothing_steers_the_terminal(self) -> None:
        text = self.text({"t": 1, "event": "failure", "text": "a\x1b[2Jb[red]"})
        self.assertNotIn("\x1b", text)
        self.assertIn("b[red]", text)

    def test_long_event_stays_in_its_column(self) -> None:
        text = self.text({"t": 1, "event": "apply", "server": 1, "term": 1,
                          "role": "follower", "fields": {
                              "index": 5, "command": "word " * 30}})
        start = text.splitlines()[0].index("S1")
        rows = text.splitlines()[2:-1]
        self.assertGreater(len(rows), 3)
        for row in rows[1:]:
            self.assertEqual(row[:start].strip(), "")
            self.assertLess(len(row), start + 29)

    def test_says(self) -> None:
        base: reading.Event = {"t": 1, "server": 0, "term": 2, "role": "leader"}
        call: reading.Event = {"peer": 1, "call": 5, "rpc": "AppendEntries"}
        cases: tuple[tuple[reading.Event, str], ...] = (
                ({**base, **call, "event": "request", "fate": "lost",
                  "fields": {"term": 2, "entries": 0}},
                 "->S1 heartbeat T2 LOST"),
                ({**base, **call, "event": "reply", "fate": "late",
                  "arrives": 4.5, "fields": {"term": 2, "success": False}},
                 "->S1 no T2 LATE arrives=4.5"),
                ({**base, **call, "event": "request", "fate": "delivered",
                  "fields": {"term": 2, "prev_log_index": 7, "new": 1,
                             "prev_log_term": 1, "entries": 3,
                             "leader_commit": 6}},
                 "->S1 AppendEntries T2 +3 prev=(7,1) commit=6 new=1"),
                ({**base, **call, "event": "reply", "fate": "refused",
                  "fields": {"term": 2, "granted": True}},
                 "->S1 vote T2 REFUSED"),
                ({**base, **call, "event": "reply", "fields": {}},
                 "->S1 reply to AppendEntries T?"),
                ({**base, "event": "save", "fields": {
                    "current_term": 2, "voted_for": None, "log": 4}},
                 "save T2 voted_for=none log=4"),
                ({**base, "event": "flush", "began": 0.96,
                  "fields": {"durable": 4}}, "flush 40.0 ms durable=4"),
                ({**base, "event": "start", "fields": {
                    "index": 1, "term": 2, "is_leader": False}},
                 "start refused term=2"),
                ({**base, "event": "apply", "fields": {
                    "index": 5, "command": "107"}}, "apply 5 command=107"),
                ({**base, **call, "event": "request", "fate": "delivered",
                  "rpc": "InstallSnapshot",
                  "fields": {"term": 2, "last_included_index": 19,
                             "last_included_term": 1, "offset": 700,
                             "bytes": 34, "done": True}},
                 "InstallSnapshot T2 last=(19,1) offset=700 bytes=34 done"),
                ({**base, **call, "event": "reply", "rpc": "InstallSnapshot",
                  "fields": {"term": 2, "installed": False,
                             "next_offset": 700}}, "->S1 continue T2 at=700"),
                ({**base, **call, "event": "reply", "rpc": "InstallSnapshot",
                  "fields": {"term": 2, "installed": True}},
                 "->S1 installed T2"),
                ({**base, "event": "restore", "fields": {
                    "last_included_index": 19, "last_included_term": 1,
                    "bytes": 734}}, "restore last=(19,1) bytes=734"),
                ({**base, "event": "snapshot", "fields": {
                    "last_included_index": 9, "bytes": 12}},
                 "snapshot last_included_index=9 bytes=12"),
                ({**base, "event": "odd", "color": "red"}, "odd color=red"),
                ({**base, "event": "life", "up": False, "life": 3},
                 "is down, life 3"),
                ({**base, "event": "link", "connected": False},
                 "DISCONNECTED"))
        for event, what in cases:
            with self.subTest(what):
                self.assertIn(what, columns.of_server(event))

    def test_operations_of_clients(self) -> None:
        base: Event = {"t": 4, "event": "operation", "client": 3,
                       "operation": 7}
        append: Event = {**base, "kind": "append", "key": "0",
                         "value": "x 0 3 y"}
        read: Event = {**base, "kind": "get", "key": "0"}
        put: Event = {**base, "kind": "versioned_put", "key": "k",
                      "value": "v", "version": 2}
        done: Event = {"phase": "end", "answer": "OK"}
        for event, what in (
                ({**append, "phase": "begin"},
                 'C3 append("0", "x 0 3 y") is called'),
                ({**append, **done}, 'C3 append("0", "x 0 3 y") -> OK'),
                ({**read, **done, "result": "a" * 99 + "end"},
                 f'C3 get("0") -> "{"a" * 30}...{"a" * 27}end"'),
                ({**put, "phase": "end", "answer": "ErrVersion"},
                 'C3 put("k", "v", version 2) -> ErrVersion'),
                ({**read, **done, "result": "v", "result_version": 3},
                 'C3 get("0") -> "v", version 3')):
            with self.subTest(what):
                self.assertEqual(columns.across(event), what)

    def test_partition(self) -> None:
        event: Event = {"t": 1, "event": "partition", "parts": [[0, 2], [1]]}
        self.assertEqual(columns.across(event), "DIVIDED S0 S2 | S1")
        self.assertEqual(columns.across({**event, "parts": []}), "not divided")

    def test_a_history_without_order(self) -> None:
        text = self.text({"t": 1, "event": "history", "text": "a stale read",
                          "key": "0", "counterexample": [1], "window": [1]})
        self.assertIn("NOT LINEARIZABLE a stale read", text)

    def test_verdict(self) -> None:
        text = self.text({"t": 1, "event": "violation", "rule": "steps down",
                          "section": "5.1", "text": "S0 still sends"})
        self.assertIn("VIOLATION steps down (5.1): S0 still sends", text)

    def test_notes_are_told(self) -> None:
        self.path.write_text(lines()[:-5])
        result = self.program(str(self.path), "--text", "--width=200")
        self.assertIn("broken off", result.stdout)


class Synthetic(unittest.TestCase):
    """The inventor of traces."""

    def test_seed_decides(self) -> None:
        self.assertEqual(synthetic.story(seed=3), synthetic.story(seed=3))
        self.assertNotEqual(synthetic.story(seed=3), synthetic.story(seed=4))

    def test_one_leader_a_term(self) -> None:
        leads = {(event["term"], event["server"])
                 for event in synthetic.story(events=5000)
                 if event["event"] == "role" and event["role"] == "leader"}
        self.assertEqual(len(leads), len({term for term, _ in leads}))

    def test_a_snapshot_is_followed_by_the_next_index(self) -> None:
        applied = [0] * 5
        restored = 0
        for event in synthetic.story(events=5000):
            fields = event.get("fields", {})
            if event["event"] == "restore":
                applied[event["server"]] = fields["last_included_index"]
                restored += 1
            elif event["event"] == "life":
                applied[event["server"]] = 0
            elif event["event"] == "apply":
                applied[event["server"]] += 1
                self.assertEqual(fields["index"], applied[event["server"]])
        self.assertGreater(restored, 5)

    def test_violation_is_told(self) -> None:
        events = [event["event"] for event in synthetic.story(violation=True)]
        self.assertEqual(events[-3:], ["violation", "failure", "end"])

    def test_crash_has_no_end(self) -> None:
        self.assertNotEqual(synthetic.story(crash=True)[-1]["event"], "end")
