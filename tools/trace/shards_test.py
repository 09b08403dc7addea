"""Tests of the shards, and of several groups, on the trace's page.

As page_test.py, in headless Chromium.
"""

from typing import Any

from tools.trace.page_case import Page
from tools.trace.reading import Event


def config(t: float, number: int, *shards: int) -> Event:
    """A configuration of the controller."""
    return {"t": t, "event": "config", "config": number,
            "shards": list(shards), "groups": sorted(set(shards) - {0})}


def known(t: float, group: int, number: int, **lists: list[int]) -> Event:
    """What S0 of a group knows of its shards."""
    return {"t": t, "event": "shards", "group": group, "server": 0, "term": 1,
            "role": "leader", "fields": {"config": number, **lists}}


def request(t: float, group: int) -> Event:
    """S0 of a group sends something to S1."""
    return {"t": t, "event": "request", "group": group, "server": 0,
            "peer": 1, "call": 1, "rpc": "AppendEntries", "sent": t - 0.1,
            "fate": "delivered", "term": 1, "role": "leader",
            "fields": {"term": 1, "prev_log_index": 0, "prev_log_term": 0,
                       "entries": 1, "leader_commit": 0}}


RUN = {"t": 0, "event": "run", "schema": 1, "test": "TestX", "seed": 7,
       "mode": "simulated", "servers": 3, "profile": "fair"}
GROUPS = [{"t": 0, "event": "group", "group": group, "servers": 2}
          for group in (100, 101)]
# Shard 0 moves from group 100 to 101 from 4 to 6; 1 stays; 2 never comes.
MOVES = [config(1, 1, 100, 100, 0), known(1, 100, 1, served=[0, 1]),
         request(2, 101),
         config(4, 2, 101, 100, 101),
         known(4.1, 101, 2, coming=[0, 2]),
         known(4.2, 100, 2, served=[1], leaving=[0]),
         known(6, 101, 2, to_confirm=[0], coming=[2])]
END = {"t": 9, "event": "end", "passed": True}


class Shards(Page):
    """Three shards, two groups and a controller."""

    def setUp(self) -> None:
        self.events = self.open([RUN, *GROUPS, *MOVES, END])

    def colors(self, shard: int, start: float, end: float) -> list[bool]:
        """Returns which group's color the shard has in that time, and whether
        there are stripes: then less than nearly all is in the color."""
        self.browser.run("traceView.zoomTo(arguments[0], arguments[1])", start,
                         end)
        box = [80, int(self.view(f"shardTop({shard})")), 800, 11]
        found = [self.pixels(f"group-{group}", box) for group in (0, 1)]
        return [*(count > 800 for count in found),
                0 < sum(found) < 0.8 * box[2] * box[3]]

    def index(self, **what: Any) -> int:
        """Returns which event has that."""
        return next(i for i, event in enumerate(self.events)
                    if what.items() <= event.items())

    def test_a_row_for_each_shard(self) -> None:
        self.assertEqual(self.view("counts")["shards"], 3)
        self.assertLess(self.view("shardTop(2)"), self.view("laneTop(0)"))
        self.assertFalse(
            self.element("[data-shards]").get_property("hidden"))

    def test_the_color_is_the_owner_and_stripes_are_a_move(self) -> None:
        for shard, start, end, expected in (
                (0, 2, 3.5, [True, False, False]),
                (0, 4.5, 5.5, [False, True, True]),
                (0, 7, 8, [False, True, False]),
                (1, 4.5, 5.5, [True, False, False]),
                (2, 2, 3.5, [False, False, False]),
                (2, 7, 8, [False, True, True])):
            with self.subTest(shard=shard, start=start):
                self.assertEqual(self.colors(shard, start, end), expected)

    def test_a_click_says_the_configuration(self) -> None:
        self.browser.run("traceView.zoomTo(0, 9)")
        self.browser.frame()
        box = self.browser.run(
            "const box = document.getElementById('lanes')"
            ".getBoundingClientRect(); return [box.left, box.top, box.width];")
        self.click(box[0] + 0.8 * box[2],
                   box[1] + self.view("shardTop(0)") + 5)
        self.assertEqual(self.view("selected"),
                         self.index(event="config", config=2))
        self.assertIn("config 2: group 101 0 2, group 100 1",
                      self.text("#said"))

    def test_the_servers_of_a_group_have_lanes_of_their_own(self) -> None:
        self.assertEqual(self.view("counts")["servers"], 7)
        sent = self.index(event="request")
        self.click_event(sent)
        self.assertEqual(self.view("selected"), sent)
        self.assertIn("G101/S0 → G101/S1 AppendEntries", self.text("#said"))
        self.assertRegex(self.text("#fields"), r"peer\s+G101/S1")
        _, y = self.view(f"eventPoint({sent})")
        self.assertGreater(y, self.view("laneTop(5)"))

    def test_what_a_server_knows(self) -> None:
        self.view("select(arguments[0])", len(self.events) - 2)
        self.assertIn("G101/S0 is at config 2: to confirm 0, coming 2",
                      self.text("#said"))

    def test_search(self) -> None:
        self.press("/", "config 2")
        found = [self.events[i]["t"] for i in self.view("hits")]
        self.assertEqual(found, [4, 4.1, 4.2, 6])


class OneGroup(Page):
    """Tests without shards."""

    def test_has_no_rows_and_short_names(self) -> None:
        self.open([RUN, {"t": 1, "event": "life", "server": 2, "term": 0,
                         "role": "follower", "life": 1, "up": True}, END])
        self.assertEqual(self.view("counts")["shards"], 0)
        self.assertTrue(self.element("[data-shards]").get_property("hidden"))
        self.view("select(1)")
        self.assertIn("S2 starts", self.text("#said"))
