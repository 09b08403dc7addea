"""Tests of the trace's page in headless Chromium.

`/usr/bin/python3 -B -m unittest tools.trace.page_test`, in the root; needs what
`make deps FOR=browser` installs. The last test prints how long a page of
100,000 events takes.
"""

import time
from typing import Any, Callable

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tools.trace import assemble, reading, synthetic
from tools.trace.page_case import Page

RUN = {"t": 0, "event": "run", "schema": 1, "test": "TestX2A", "seed": 7,
       "mode": "simulated", "servers": 3, "profile": "fair"}
# Milliseconds from a zoom until its pixels can be read.
TIME_ZOOMS = """
const done = arguments[1], spans = [...arguments[0]], times = [];
const context = document.getElementById('lanes').getContext('2d');
function next() {
  if (spans.length === 0) { done(times); return; }
  const started = performance.now();
  traceView.zoomTo(...spans.shift());
  requestAnimationFrame(() => {
    context.getImageData(0, 0, 1, 1);
    times.push(performance.now() - started);
    setTimeout(next);
  });
}
next();
"""


def first(events: list[dict[str, Any]],
          wanted: Callable[[dict[str, Any]], bool]) -> int:
    """Returns the index of the first event like that."""
    return next(i for i, event in enumerate(events) if wanted(event))


class Healthy(Page):
    """A run that passed."""

    def setUp(self) -> None:
        self.events = self.open(synthetic.story())

    def test_title(self) -> None:
        self.assertEqual(self.text("#test"), "TestSynthetic2C")
        self.assertEqual(self.text("#verdict"), "passed")
        self.assertIn("seed 1", self.text("#about"))
        self.assertFalse(self.element("#banner").is_displayed())

    def test_lanes(self) -> None:
        self.assertEqual(self.view("counts")["servers"], 5)
        for role in ("follower", "leader", "candidate"):
            self.assertGreater(self.pixels(role), 50, role)
        pitch = self.browser.run(
            "const at = (s) => traceView.laneTop(s); return at(1) - at(0);")
        for server in range(5):  # each lane has its server's roles
            top = self.browser.run("return traceView.laneTop(arguments[0])",
                                   server)
            box = [0, int(top), 1000, min(18, int(pitch))]
            self.assertGreater(self.pixels("follower", box), 1000, server)

    def test_shows_all_at_first(self) -> None:
        start, end = self.view("domain()")
        self.assertLessEqual(start, 0)
        self.assertGreaterEqual(end, self.events[-1]["t"])
        self.assertEqual(self.view("counts")["arrows"], 0)  # bars

    def test_wheel_zooms(self) -> None:
        start, end = self.view("domain()")
        box = self.element("#lanes").rect
        self.browser.command(
            "Input.dispatchMouseEvent", type="mouseWheel", deltaX=0,
            deltaY=-600, x=box["x"] + 500, y=box["y"] + 200)
        left, right = self.view("domain()")
        self.assertLess(right - left, (end - start) / 2)
        self.assertGreater(left, start)

    def test_drag_pans(self) -> None:
        self.browser.run("traceView.zoomTo(2, 4)")
        before = self.view("domain()")
        ActionChains(self.browser.driver, duration=0).move_to_element(
            self.element("#lanes")).click_and_hold().move_by_offset(
                -200, 0).release().perform()
        after = self.view("domain()")
        self.assertGreater(after[0], before[0] + 0.1)
        self.assertAlmostEqual(after[1] - after[0], before[1] - before[0])

    def test_brush_zooms(self) -> None:
        self.browser.run("traceView.zoomTo(4, 5)")
        self.browser.frame()
        box = self.element("#overview").rect
        mouse = ActionChains(self.browser.driver, duration=0)
        mouse.move_to_element_with_offset(
            self.element("#overview svg"), -int(box["width"] * 0.4), 0
        ).click_and_hold().move_by_offset(100, 0).release().perform()
        start, end = self.view("domain()")
        self.assertLess(end, 4)
        self.assertAlmostEqual(end - start, 1.0, delta=0.2)

    def test_click_shows_fields(self) -> None:
        self.browser.run("traceView.zoomTo(0.22, 0.36)")
        request = first(self.events, lambda event: event["t"] > 0.23 and
                        event["event"] == "request" and event["peer"] == 4)
        apply = first(self.events, lambda event: event["event"] == "apply")
        for index in (request, apply):
            event = self.events[index]
            with self.subTest(event["event"]):
                self.click_event(index)
                self.assertEqual(self.view("selected"), index)
                fields = self.text("#fields")
                for name, value in event["fields"].items():
                    self.assertRegex(fields, rf"{name}\s+{value}\b")
                self.assertIn(f"S{event['server']}", self.text("#said"))

    def test_click_on_a_role_and_a_step(self) -> None:
        for kind in ("role", "step"):
            index = next(i for i, event in enumerate(self.events)
                         if event["event"] == kind and event["t"] > 1)
            t = self.events[index]["t"]
            self.browser.run("traceView.zoomTo(arguments[0], arguments[1])",
                             t - 0.001, t + 0.001)
            self.browser.frame()
            y = self.browser.run(
                "return arguments[0] === 'role' ? "
                "traceView.laneTop(arguments[1]) + 8 : traceView.rowTop(1) + 6",
                kind, self.events[index].get("server"))
            box = self.element("#lanes").rect
            self.click(box["x"] + 900, box["y"] + y)
            chosen = self.events[self.view("selected")]
            self.assertEqual(chosen["event"], kind)

    def test_search(self) -> None:
        self.press("/", "apply 12")
        want = [i for i, event in enumerate(self.events)
                if event["event"] == "apply" and event["fields"]["index"] == 12]
        self.assertEqual(self.view("hits"), want)
        self.assertEqual(self.text("#hits"), f"{len(want)} found")
        self.press(Keys.ENTER, Keys.ENTER)
        self.assertEqual(self.view("selected"), want[1])
        self.assertEqual(self.text("#hits"), f"2 of {len(want)}")
        self.press(Keys.ESCAPE, Keys.ESCAPE)
        self.assertEqual(self.view("hits"), [])

    def test_search_words(self) -> None:
        cases: tuple[tuple[str, Callable[[reading.Event], bool]], ...] = (
                ("term 1", lambda e: e.get("term") == 1 or
                 e.get("fields", {}).get("term") == 1 or
                 e.get("fields", {}).get("current_term") == 1 or
                 e.get("fields", {}).get("prev_log_term") == 1 or
                 e.get("fields", {}).get("last_log_term") == 1 or
                 e.get("fields", {}).get("last_included_term") == 1),
                ("s2 lost", lambda e: e.get("fate") == "lost" and
                 2 in (e["server"], e["peer"])),
                ("no such thing", lambda e: False))
        for query, wanted in cases:
            with self.subTest(query):
                self.element("#query").clear()
                self.element("#query").send_keys(query)
                want = [i for i, e in enumerate(self.events) if wanted(e)]
                self.assertEqual(self.view("hits"), want)

    def test_keys(self) -> None:
        self.browser.run("traceView.zoomTo(2, 4)")
        start, end = self.view("domain()")
        self.press(Keys.ARROW_RIGHT)
        self.assertGreater(self.view("domain()")[0], start)
        self.press(Keys.ARROW_LEFT)
        self.assertAlmostEqual(self.view("domain()")[0], start)
        self.press("+")
        left, right = self.view("domain()")
        self.assertAlmostEqual((right - left) * 2, end - start)
        self.press("-", "n")
        chosen = self.view("selected")
        self.assertGreaterEqual(self.events[chosen]["t"], start)
        self.press("n")
        self.assertEqual(self.view("selected"), chosen + 1)
        self.press("p", Keys.ESCAPE)
        self.assertEqual(self.view("selected"), -1)
        self.press("0")
        self.assertLess(self.view("domain()")[0], 0.001)

    def test_help(self) -> None:
        self.press("?")
        self.assertIn("next, previous", self.text("#keys"))
        self.press(Keys.ESCAPE)
        self.assertFalse(self.element("#help").is_displayed())

    def test_filters(self) -> None:
        self.browser.run("traceView.zoomTo(0.2, 0.6)")
        everything = self.view("counts")["visible"]
        for name in ("kinds 2", "kinds 0", "replies", "fates 0"):
            self.element(f"[data-filter='{name}']").click()
            fewer = self.view("counts")["visible"]
            self.assertLess(fewer, everything, name)
            everything = fewer
        self.assertEqual(everything, 0)

    def test_next_skips_what_is_hidden(self) -> None:
        request = first(self.events,
                        lambda event: event["event"] == "reply") - 1
        self.browser.run("traceView.select(arguments[0])", request)
        self.press("n")
        self.assertEqual(self.events[self.view("selected")]["event"], "reply")
        self.press("p")
        self.element("[data-filter='replies']").click()
        for _ in range(10):
            self.press("n")
            chosen = self.events[self.view("selected")]
            self.assertNotEqual(chosen["event"], "reply")

    def test_deepest_zoom(self) -> None:
        self.browser.run("traceView.zoomTo(3, 3)")
        start, end = self.view("domain()")
        self.assertAlmostEqual(end - start, 20e-6)
        self.assertAlmostEqual(start, 3, delta=1e-6)

    def test_buttons_have_names(self) -> None:
        nameless = self.browser.run(
            "return [...document.querySelectorAll('button')].filter(b => "
            "!b.textContent.trim() && !b.ariaLabel).length")
        self.assertEqual(nameless, 0)


class Small(Page):
    """Traces with one thing in them."""

    def test_down_is_not_cut_off(self) -> None:
        state = {"server": 1, "term": 0, "role": "follower"}
        down = {"t": 4, "event": "life", **state, "life": 1, "up": False}
        cases: list[tuple[list[reading.Event], bool]] = [
            ([], True), ([down], False)]
        for events, is_cut in cases:
            self.open([RUN, {"t": 0, "event": "life", **state, "life": 1,
                             "up": True}, *events,
                       {"t": 4, "event": "link", **state, "connected": False},
                       {"t": 9, "event": "end", "passed": True}])
            self.assertEqual(self.pixels("cut") > 100, is_cut)
            self.assertEqual(self.pixels("down") > 100, not is_cut)

    def test_steps_are_paired_by_number(self) -> None:
        step = {"event": "step", "name": "Agree"}
        self.open([RUN, {"t": 1, "phase": "begin", "step": 1, **step},
                   {"t": 2, "phase": "begin", "step": 2, **step},
                   {"t": 3, "phase": "end", "step": 1, **step},
                   {"t": 9, "phase": "end", "step": 2, **step},
                   {"t": 9, "event": "end", "passed": True}])
        self.browser.run("traceView.zoomTo(5, 8)")
        boxes = [[0, int(self.view(f"rowTop({row})")), 1000, 12]
                 for row in (0, 1)]
        self.assertEqual(self.pixels("step", boxes[0]), 0)
        self.assertGreater(self.pixels("step", boxes[1]), 1000)


    def test_partitions_have_a_row(self) -> None:
        self.open([RUN, {"t": 1, "event": "partition", "parts": [[0, 2], [1]]},
                   {"t": 5, "event": "partition", "parts": []},
                   {"t": 9, "event": "end", "passed": True}])
        row = [0, int(self.view("rowTop(0)")), 1000, 12]
        for start, end, shown in ((2, 3, True), (6, 7, False)):
            self.browser.run("traceView.zoomTo(arguments[0], arguments[1])",
                             start, end)
            self.assertEqual(self.pixels("network", row) > 1000, shown)
        self.view("select(1)")
        self.assertIn("divided: S0 S2 | S1", self.text("#said"))


class Flushes(Page):
    """What a slow disk does."""

    def test_flushes_and_what_is_durable(self) -> None:
        of = {"server": 1, "term": 2, "role": "follower"}
        self.open([
            RUN, {"t": 0, "event": "life", **of, "life": 1, "up": True},
            *({"t": end, "event": "flush", **of, "began": end - 0.04,
               "fields": {"durable": durable}}
              for end, durable in ((1, 4), (1.06, 4), (2, 9))),
            {"t": 3, "event": "end", "passed": True}])
        under = [45, int(self.view("laneTop(1)")) + 18, 1000, 2]
        for start, end, seen, durable in ((0.5, 0.9, False, None),
                                          (0.9, 1.1, True, 4),
                                          (1.9, 2.1, True, 9)):
            self.browser.run("traceView.zoomTo(arguments[0], arguments[1])",
                             start, end)
            self.assertEqual(self.pixels("flush", under) > 50, seen)
            self.assertEqual(self.view("reached(1)")["durable"], durable)
        self.view("select(2)")
        self.assertIn("S1 has flushed for 40.0 ms: durable 4",
                      self.text("#said"))
        self.assertFalse(
            self.element("[data-flushes]").get_property("hidden"))

    def test_other_runs_have_no_legend_of_it(self) -> None:
        self.open([RUN, {"t": 3, "event": "end", "passed": True}])
        self.assertTrue(self.element("[data-flushes]").get_property("hidden"))


class Snapshots(Page):
    """What was discarded, sent, and delivered in its place."""
    STATE: reading.Event = {"server": 1, "term": 2, "role": "follower"}
    SAVE: reading.Event = {"event": "save", **STATE}
    DISK: reading.Event = {"current_term": 2, "voted_for": None, "log": 24}
    CALL: reading.Event = {"call": 5, "rpc": "InstallSnapshot",
                           "fate": "delivered"}
    CHUNK: reading.Event = {"term": 2, "last_included_index": 19,
                            "last_included_term": 1, "bytes": 600}

    def send(self, t: float, offset: int, done: bool) -> list[reading.Event]:
        """A chunk from S0 to S1, and its answer."""
        sent = {"server": 0, "peer": 1, "term": 2, "role": "leader"}
        answer: reading.Event = {"installed": done}
        if not done:
            answer["next_offset"] = 600
        return [{"t": t + 0.01, "event": "request", "sent": t, **sent,
                 **self.CALL, "fields": {
                     **self.CHUNK, "offset": offset, "done": done}},
                {"t": t + 0.02, "event": "reply", **self.STATE, **self.CALL,
                 "peer": 0, "fields": {"term": 2, **answer}}]

    def setUp(self) -> None:
        self.events = self.open([
            RUN, {"t": 0, "event": "life", **self.STATE, "life": 1, "up": True},
            {"t": 1, "event": "apply", **self.STATE,
             "fields": {"index": 9, "command": "x"}},
            {"t": 1, "event": "snapshot", **self.STATE,
             "fields": {"last_included_index": 9, "bytes": 80}},
            {"t": 1, **self.SAVE,
             "fields": {**self.DISK, "last_included_index": 9}},
            *self.send(3, 0, False), *self.send(3.1, 600, True),
            {"t": 3.11, **self.SAVE,
             "fields": {**self.DISK, "last_included_index": 19}},
            {"t": 3.2, "event": "restore", **self.STATE, "fields": {
                "last_included_index": 19, "last_included_term": 1,
                "bytes": 1200}},
            {"t": 6, "event": "life", **self.STATE, "life": 1, "up": False},
            {"t": 7, "event": "life", **self.STATE, "life": 2, "up": True},
            {"t": 9, "event": "end", "passed": True}])

    def strip(self) -> list[int]:
        """Returns where the progress of S1 is drawn."""
        return [45, int(self.view("laneTop(1)")) + 18, 1000, 16]

    def test_the_floor_rises_and_outlives_a_crash(self) -> None:
        seen, colors = [], []
        for start, end in ((0.1, 0.9), (1.5, 2.5), (4, 5), (7.5, 8.5)):
            self.browser.run("traceView.zoomTo(arguments[0], arguments[1])",
                             start, end)
            self.browser.frame()
            seen.append(self.browser.run("return traceView.reached(1)"))
            colors.append(self.pixels("snapshot", self.strip()))
        self.assertEqual([reached["discarded"] for reached in seen],
                         [None, 9, 19, 19])
        self.assertEqual([reached["applied"] for reached in seen],
                         [None, 9, 19, 0])
        self.assertEqual([color > 0 for color in colors],
                         [False, True, True, True])

    def test_chunks_are_arrows_of_their_own(self) -> None:
        self.browser.run("traceView.zoomTo(2.95, 3.15)")
        box = [45, int(self.view("laneTop(0)")) + 36, 1000, 24]
        self.assertGreater(self.pixels("snapshot", box), 10)
        self.element("[data-filter='kinds 3']").click()
        self.assertEqual(self.pixels("snapshot", box), 0)
        self.assertEqual(self.view("counts")["visible"], 0)

    def test_words(self) -> None:
        cases: tuple[tuple[Callable[[reading.Event], bool], str], ...] = (
                (lambda e: e["event"] == "snapshot", "S1 takes a snapshot: "
                 "last included index 9, bytes 80"),
                (lambda e: e["event"] == "request", "S0 → S1 InstallSnapshot "
                 "with 600 bytes at 0: term 2, last included index 19"),
                (lambda e: e.get("fields", {}).get("offset") == 600,
                 "with 600 bytes at 600, the last chunk"),
                (lambda e: e["event"] == "reply", "installed false, "
                 "next offset 600"),
                (lambda e: e["event"] == "restore", "S1 applies a snapshot: "
                 "last included index 19"))
        for wanted, said in cases:
            index = first(self.events, wanted)
            self.view("select(arguments[0])", index)
            self.assertIn(said, self.text("#said"))

    def test_click_and_search(self) -> None:
        self.browser.run("traceView.zoomTo(0.9, 3.4)")
        for kind in ("snapshot", "restore"):
            index = [event["event"] for event in self.events].index(kind)
            self.click_event(index)
            self.assertEqual(self.view("selected"), index)
        self.press("/", "snapshot 19")
        found = [self.events[i]["event"] for i in self.view("hits")]
        self.assertEqual(found, ["restore"])

    def test_the_legend_has_them_only_where_they_are(self) -> None:
        chip = "[data-filter='kinds 3']"
        self.assertTrue(self.element(chip).is_displayed())
        self.open([RUN, {"t": 9, "event": "end", "passed": True}])
        self.assertFalse(self.element(chip).is_displayed())


class Failing(Page):
    """Runs that failed, crashed, or hold what the page does not know."""

    def test_opens_at_the_violation(self) -> None:
        events = self.open(synthetic.story(violation=True))
        index = first(events, lambda event: event["event"] == "violation")
        self.assertEqual(self.view("selected"), index)
        start, end = self.view("domain()")
        self.assertTrue(start < events[index]["t"] < end)
        self.assertLess(end - start, 3)
        self.assertIn(events[index]["text"], self.text("#banner"))
        self.assertIn("steps down", self.text("#banner"))
        self.assertEqual(self.text("#verdict"), "failed")

    def test_what_led_there(self) -> None:
        events = self.open(synthetic.story(violation=True))
        index = first(events, lambda event: event["event"] == "violation")
        leader = int(events[index]["text"][1])
        peer = int(events[index]["text"][-1])
        want = [i for i, event in enumerate(events[:index])
                if event["event"] in ("request", "reply", "save", "apply")
                and {leader, peer} & {event["server"], event.get("peer")}]
        buttons = self.browser.driver.find_elements(
            By.CSS_SELECTOR, "#led-list button")
        self.assertEqual([int(button.get_attribute("data-index"))
                          for button in buttons], want[-32:])
        buttons[-1].click()
        self.assertEqual(self.view("selected"), want[-1])
        self.press("v")
        self.assertEqual(self.view("selected"), index)

    def test_failure_without_violation(self) -> None:
        self.open([RUN, {"t": 1, "event": "failure", "text": "no agreement",
                         "where": "x.cc:3"},
                   {"t": 2, "event": "end", "passed": False}])
        self.assertIn("no agreement", self.text("#banner"))

    def test_broken_off(self) -> None:
        self.open(synthetic.story(events=300, crash=True), cut=5)
        self.assertIn("broken off", self.text("#banner"))
        self.assertIn("no end", self.text("#banner"))
        self.assertEqual(self.text("#verdict"), "no end")

    def test_empty_run(self) -> None:
        self.open([RUN])
        self.assertEqual(self.view("counts")["messages"], 0)
        self.press("n", "n", "p", "+", "-")

    def test_unknown_is_shown(self) -> None:
        events = self.open([
            RUN, {"t": 1, "event": "odd", "server": 1, "color": {"a": "red"}},
            {"t": 1.1, "event": "toString"},
            {"t": 1.2, "event": "request", "server": 0, "peer": 2,
             "rpc": "Ping", "fate": "eaten"},
            {"t": 1.3, "event": "request", "server": 0},
            {"t": 2, "event": "end", "passed": True}])
        for index, what in ((1, "red"), (2, "toString"), (3, "eaten"),
                            (4, "request")):
            self.view("select(arguments[0])", index)
            self.assertIn(what, self.text("#panel"))
        self.assertEqual(len(events), 6)
        self.assertTrue(self.element("#other").is_displayed())
        self.click_event(3)
        self.assertEqual(self.view("selected"), 3)

    def test_hostile_text(self) -> None:
        evil = "</script><img src=x onerror=window.hacked=1>"
        self.open([{**RUN, "test": evil},
                   {"t": 1, "event": "failure", "text": evil, "where": evil}])
        self.assertIn(evil, self.text("#banner"))
        self.assertIsNone(self.browser.run("return window.hacked"))


class Narrow(Page):
    """A telephone."""
    size = (390, 844)

    def test_no_sideways_scrolling(self) -> None:
        for violation in (False, True):
            self.open(synthetic.story(violation=violation))
            self.assertEqual(self.browser.run(
                "return document.documentElement.scrollWidth"), 390)
            self.element("#legend summary").click()
            self.assertEqual(self.browser.run(
                "return document.documentElement.scrollWidth"), 390)

    def test_panel_is_below(self) -> None:
        self.open(synthetic.story(violation=True))
        lanes, panel = self.element("#lanes").rect, self.element("#panel").rect
        self.assertGreaterEqual(panel["y"], lanes["y"] + lanes["height"])


class Big(Page):
    """A hundred thousand events."""

    def test_opens_and_zooms(self) -> None:
        path = self.folder / "trace.html"
        events = synthetic.story(events=100_000, violation=True)
        path.write_text(assemble.assemble(reading.Trace(events)))
        started = time.monotonic()
        self.browser.open(path)
        self.assertTrue(self.browser.run("return window.traceReady"))
        opened = time.monotonic() - started
        end = events[-1]["t"]
        spans = [[0, end / share] for share in (1, 2, 4, 8, 30, 100, 1e3, 1e4)]
        times = self.browser.driver.execute_async_script(TIME_ZOOMS, spans)
        self.assertEqual(len(times), len(spans))
        self.assertEqual(self.view("counts")["events"], len(events))
        print(f"\n{len(events)} events: opened in {1000 * opened:.0f} ms; "
              f"zooms in {', '.join(f'{ms:.0f}' for ms in times)} ms")
        self.browser.run("traceView.zoomTo(0, arguments[0])", end)
        self.assertGreater(self.view("counts")["visible"], 50_000)
