"""Tests of the clients' lanes of the trace's page, in headless Chromium.

As page_test.py, which tests all the rest of the page.
"""

from typing import Any

from selenium.webdriver.common.by import By

from tools.trace.page_case import Page
from tools.trace.reading import Event

RUN = {"t": 0, "event": "run", "schema": 1, "test": "TestX3A", "seed": 7,
       "mode": "simulated", "servers": 3, "profile": "fair"}
END = {"t": 9, "event": "end", "passed": True}
LONG = "x 0 0 y" * 30 + "the end"


def ends(client: int, number: int, called: float, returned: float | None,
         kind: str = "append", answer: str = "OK", **rest: Any) -> list[Event]:
    """An operation: its call and, unless it is pending, its return."""
    result = {key: rest.pop(key) for key in ("result", "result_version")
              if key in rest}
    base = {"event": "operation", "client": client, "operation": number,
            "kind": kind, "key": "0", **rest}
    begin = {"t": called, **base, "phase": "begin"}
    if returned is None:
        return [begin]
    return [begin, {"t": returned, **base, "phase": "end", "answer": answer,
                    **result}]


OPERATIONS = [
    *ends(0, 0, 1, 3, value="x 0 3 y"),
    *ends(1, 1, 1.5, 2.5, kind="get", result=LONG),
    *ends(1, 2, 3, 4, kind="versioned_put", answer="ErrVersion", value="v",
          version=2),
    *ends(2, 3, 2, 5, kind="versioned_put", answer="ErrMaybe", value="v",
          version=0),
    *ends(2, 4, 6, None, value="lost")]


class Lanes(Page):
    """What clients did, under the servers."""

    def setUp(self) -> None:
        self.events = self.open([RUN, *OPERATIONS, END])

    def row(self, row: int, left: int = 45, width: int = 1000) -> list[int]:
        """Returns where that client's lane is drawn."""
        return [left, int(self.view(f"clientTop({row})")), width, 16]

    def test_a_lane_for_each_client(self) -> None:
        self.assertEqual(self.view("counts")["clients"], 3)
        last = self.view("laneTop(2)")
        self.assertGreater(self.view("clientTop(0)"), last + 34)
        self.assertTrue(self.element("[data-clients]").get_property("hidden")
                        is False)

    def test_boxes_have_the_color_of_their_outcome(self) -> None:
        colors = ("done", "refused", "unknown")
        seen = [[self.pixels(color, self.row(row)) > 500 for color in colors]
                for row in range(3)]
        self.assertEqual(seen, [[True, False, False], [True, True, False],
                                [False, False, True]])

    def test_boxes_reach_from_call_to_return(self) -> None:
        for start, end, shown in ((0.1, 0.9, False), (1.2, 2.8, True),
                                  (3.2, 4, False)):
            self.browser.run("traceView.zoomTo(arguments[0], arguments[1])",
                             start, end)
            self.assertEqual(self.pixels("done", self.row(0)) > 0, shown)

    def test_a_pending_one_is_open(self) -> None:
        self.browser.run("traceView.zoomTo(7, 8.9)")
        self.assertGreater(self.pixels("pending", self.row(2)), 1000)
        index = max(i for i, event in enumerate(self.events)
                    if event["event"] == "operation" and event["t"] == 6)
        self.click_event(index)
        self.assertEqual(self.view("selected"), index)
        self.assertIn("C2 calls append", self.text("#said"))

    def test_click_shows_call_and_return(self) -> None:
        begin = next(i for i, event in enumerate(self.events)
                     if event.get("operation") == 1)
        self.click_event(begin)
        self.assertEqual(self.view("selected"), begin)
        fields = self.text("#fields")
        self.assertIn(LONG, fields)
        self.assertRegex(fields, r"called\s+1.5\b")
        self.assertRegex(fields, r"returned\s+2.5\b")
        self.assertIn('C1 calls get("0")', self.text("#said"))

    def test_words(self) -> None:
        returned = next(i for i, event in enumerate(self.events)
                        if event.get("operation") == 1
                        and event["phase"] == "end")
        self.view("select(arguments[0])", returned)
        said = self.text("#said")
        self.assertRegex(said, r'C1 returns from get\("0"\) → "x 0 .*…'
                               r'.*the end"')
        self.assertLess(len(said), 110)

    def test_versions(self) -> None:
        self.view("select(arguments[0])", next(
            i for i, event in enumerate(self.events)
            if event.get("answer") == "ErrVersion"))
        self.assertIn('C1 returns from put("0", "v", version 2) → ErrVersion',
                      self.text("#said"))

    def test_search(self) -> None:
        self.press("/", "c2 errmaybe")
        found = [self.events[i] for i in self.view("hits")]
        self.assertEqual([event["t"] for event in found], [5])


class Clientless(Page):
    """Tests without clients."""

    def test_no_lanes(self) -> None:
        self.open([RUN, END])
        self.assertEqual(self.view("counts")["clients"], 0)
        self.assertFalse(self.element("[data-clients]").is_displayed())


class Many(Page):
    """A thousand clients."""

    def test_some_have_lanes(self) -> None:
        events = [event for number in range(1000)
                  for event in ends(number, number, 1, 2, value="v")]
        self.open([RUN, *sorted(events, key=lambda e: e["t"]),
                   {"t": 3, "event": "history", "text": "no order", "key": "0",
                    "counterexample": [999], "window": []}, END])
        self.assertEqual(self.view("counts")["clients"], 48)
        self.assertIn("952 clients have no lane", self.text("#banner"))
        begin = self.browser.run("return traceView.selected")
        self.assertGreater(begin, 0)
        self.element("#led-list button").click()
        self.assertIn("C999", self.text("#said"))


class Unordered(Page):
    """A history that is not linearizable."""

    def setUp(self) -> None:
        self.events = self.open([
            RUN, *ends(0, 0, 1, 1.1, value="a"),
            *ends(1, 1, 4, 4.1, value="b"),
            *ends(2, 2, 4.3, 4.6, kind="get", result="a"),
            {"t": 8, "event": "history", "key": "0",
             "text": "client 2's get shows \"a\"\nwithout \"b\"",
             "first_impossible": 2, "counterexample": [1, 2],
             "window": [1, 2]},
            {"t": 8.1, "event": "failure", "text": "history is not "
             "linearizable", "where": "x_test.cc:3"},
            {**END, "passed": False}])

    def test_opens_at_the_window(self) -> None:
        start, end = self.view("domain()")
        self.assertTrue(3 < start < 4 and 4.6 < end < 5.5, (start, end))
        chosen = self.events[self.view("selected")]
        self.assertEqual(chosen["event"], "history")
        banner = self.text("#banner")
        self.assertIn("Not linearizable", banner)
        self.assertIn("shows \"a\"\nwithout \"b\"", banner)
        self.assertEqual(self.text("#verdict"), "failed")

    def test_the_counterexample_is_marked_and_listed(self) -> None:
        buttons = self.browser.driver.find_elements(
            By.CSS_SELECTOR, "#led-list button")
        listed = [self.events[int(button.get_attribute("data-index"))]
                  for button in buttons]
        self.assertEqual([event["operation"] for event in listed], [1, 2])
        rows = [int(self.view(f"clientTop({row})")) for row in range(3)]
        self.press("0")
        marked = [self.pixels("alarm", [45, top - 2, 1000, 3]) > 5
                  for top in rows]
        self.assertEqual(marked, [True, True, False])  # C1, C2 and then C0

    def test_key_v_returns_to_it(self) -> None:
        before = self.view("domain()")
        self.press("0", "v")
        self.assertEqual(self.view("domain()"), before)
