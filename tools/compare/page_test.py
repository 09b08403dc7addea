"""Tests of page.py and page.html.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.page_test`, in the root.
"""

import re
import unittest
from html.parser import HTMLParser

from tools.compare import logs, page, pairing, reader, summary
from tools.compare.logs import Cost
from tools.compare.pairing_test import CRASHED, churn
from tools.compare.samples import DATA, OURS, side

# Elements that have no end.
VOID = {"meta", "br"}


class Outline(HTMLParser):
    """Checks that elements nest, and keeps what is needed of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str]] = []  # of elements, by name
        self.seen: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str,
                        attrs: list[tuple[str, str | None]]) -> None:
        """Opens an element."""
        self.seen.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Closes the innermost element, which must be that one."""
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        """Keeps what one reads."""
        if self.open[-1:] != ["style"]:
            self.text += data


def render(go: logs.Log, ours: logs.Log, source: str = "Go.txt") -> str:
    """Returns the page for two logs, with what the runs used."""
    both = side("Go lab", go), side("ours", ours)
    both[0].source = source
    go.costs = [Cost(2.0, 40.0), Cost(4.0, 50.0)]
    ours.costs = [Cost(1.0, 10.0)]
    comparison = pairing.compare(*both)
    return page.render(comparison, summary.summarize(comparison, *both))


class Page(unittest.TestCase):
    """What is in the page."""

    def setUp(self) -> None:
        go = reader.read("".join(
            (DATA / f"go-lab-{name}.txt").read_text("utf-8")
            for name in ("a", "b")))
        self.html = render(go, logs.select_ours(reader.read(OURS), "", "ours"))
        self.outline = Outline(self.html)

    def test_elements_nest(self) -> None:
        self.assertEqual([], self.outline.open)
        # A row for each test, what a commit costs in four, two sums, and the
        # header.
        self.assertEqual(19 + 4 + 2 + 1, self.outline.seen.count("tr"))

    def test_it_loads_nothing(self) -> None:
        self.assertIn("default-src 'none'", self.html)
        for element in ("script", "link", "img", "iframe", "a"):
            self.assertNotIn(element, self.outline.seen)
        self.assertNotRegex(self.html, r"https?:|//|url\(|@import")

    def test_it_has_light_and_dark_and_narrow(self) -> None:
        for rule in ("prefers-color-scheme: dark", "max-width: 1150px"):
            self.assertIn(f"@media ({rule})", self.html)
        self.assertIn("width=device-width", self.html)

    def test_the_figures_are_the_tables(self) -> None:
        words = " ".join(self.outline.text.split())
        self.assertIn("TestInitialElection2A Go 2/2 ours PASS seconds Go 3.4 "
                      "3.1–3.6 ours 1.8 ×0.54 RPCs Go 47 40–54 ours 27 ×0.57",
                      words)
        # No range where there is none.
        self.assertIn("commits Go 3 ours 4 ×1.33", words)
        self.assertIn("CPU seconds Go 3.00 2.00–4.00 ours 1.00", words)

    def test_the_lengths_of_bars(self) -> None:
        values = pairing.Spread(2.0, 1.0, 4.0, 3)
        block = page.block("seconds", pairing.Cell(
            values, pairing.Spread(1.0, 1.0, 1.0, 1), 0.5))
        self.assertEqual(
            [page.Bar("go", "Go", "2.0", "1.0–4.0", 50, 25, 75),
             page.Bar("ours", "ours", "1.0", "", 25, 25, 0)], block.bars)
        self.assertEqual("×0.50", block.ratio)
        nothing = page.block("commits", pairing.Cell(
            pairing.Spread(0, 0, 0, 1), None, None))
        self.assertEqual([0], [bar.length for bar in nothing.bars])

    def test_no_bar_leaves_its_cell(self) -> None:
        lengths = re.findall(r"width:([\d.]+)%", self.html)
        self.assertGreater(len(lengths), 100)
        self.assertLessEqual(max(map(float, lengths)), 100)

    def test_totals_crashes_and_reasons(self) -> None:
        html = render(reader.read(CRASHED + churn(16.0, 600, 300)),
                      reader.read(OURS + churn(16.0, 6000, 6000)))
        text = " ".join(Outline(html).text.split())
        found = [text.index(part) for part in (
            "verdict:", "Go lab: CRASHED in TestBackup2B: panic: oops",
            "all passed", "both passed: by time",
            "per commit RPCs Go 2.0 ours 1.0 ×0.50", "TestInitialElection2A",
            "Why tests failed", "test.cc:7: expected index 4, got 5")]
        self.assertEqual(sorted(found), found)
        self.assertIn('<li class="bad">Go lab: CRASHED', html)
        self.assertIn('class="bad">CRASHED</span>', html)

    def test_services(self) -> None:
        log = reader.read_file(str(DATA / "go-kv-2025.txt"))
        text = " ".join(Outline(render(log, log)).text.split())
        for part in ("TestSnapshotRPC4C Go PASS ours PASS seconds Go 2.6 ours "
                     "2.6 ×1.00 RPCs Go 240 ours 240 ×1.00 ops Go 65 ours 65",
                     "per op RPCs Go 5.0 ours 5.0 ×1.00",
                     "both passed: clients by time",
                     "3 linearizability checks timed out",
                     "history is not linearizable; see /tmp/porcupine-17.html"):
            self.assertIn(part, text)

    def test_everything_is_escaped(self) -> None:
        evil = "<script>alert('x')</script>&\""
        log = f"Test (2B): {evil} ...\n    a.go:1: {evil}\n"
        self.assertIn(evil, reader.read(log).tests[0].name)
        html = render(reader.read(log),
                      reader.read(f"{log}--- FAIL: TestX (0.10s)\n"), evil)
        self.assertNotIn("<script", html)
        # The name, the source, both in the line that says where it breaks off,
        # and the reason.
        self.assertEqual(5, Outline(html).text.count(evil))
