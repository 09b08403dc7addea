"""What the tests of the trace's page share: a browser, and ways to use it.

After each test the browser's console must be empty.
"""

import tempfile
import unittest
from pathlib import Path
from typing import Any

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from tools.trace import assemble, reading, synthetic
from tools.trace.browser import Browser

# How many pixels of the lanes' canvas have this color of the style sheet.
COUNT_PIXELS = """
const probe = document.createElement('canvas').getContext('2d');
probe.fillStyle = getComputedStyle(document.documentElement)
  .getPropertyValue('--' + arguments[0]);
probe.fillRect(0, 0, 1, 1);
const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
const canvas = document.getElementById('lanes');
const [x, y, w, h] = arguments[1] || [0, 0, canvas.width, canvas.height];
const { data } = canvas.getContext('2d').getImageData(x, y, w, h);
let count = 0;
for (let i = 0; i < data.length; i += 4) {
  if (data[i] === r && data[i + 1] === g && data[i + 2] === b) ++count;
}
return count;
"""


class Page(unittest.TestCase):
    """One browser for all tests of a class; each test opens its page."""
    browser: Browser
    folder: Path
    size = (1400, 900)

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.browser = Browser(*cls.size)
        cls.addClassCleanup(cls.browser.close)

    def tearDown(self) -> None:
        self.assertEqual(self.browser.complaints(), [])

    def open(self, events: list[dict[str, Any]],
             cut: int = 0) -> list[dict[str, Any]]:
        """Opens these events' page; returns the events in its order."""
        path = self.folder / "trace.ndjson"
        text = synthetic.ndjson(events)
        path.write_text(text[:len(text) - cut])
        trace = reading.read(path)
        page = self.folder / "trace.html"
        page.write_text(assemble.assemble(trace))
        self.browser.open(page)
        self.assertTrue(self.browser.run("return window.traceReady"))
        return trace.events

    def view(self, what: str, *arguments: Any) -> Any:
        """Returns traceView's `what`, after the next frame."""
        self.browser.frame()
        return self.browser.run(f"return traceView.{what}", *arguments)

    def element(self, selector: str) -> Any:
        """Returns one element."""
        return self.browser.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """Returns what can be read in it."""
        return self.element(selector).text

    def press(self, *keys: str) -> None:
        """Types keys, wherever the focus is."""
        for key in keys:
            ActionChains(self.browser.driver, duration=0).send_keys(
                key).perform()
        self.browser.frame()

    def click_event(self, index: int) -> None:
        """Clicks where that event is drawn."""
        self.browser.frame()
        x, y = self.browser.run(
            "const canvas = document.getElementById('lanes');"
            "canvas.scrollIntoView({block: 'nearest'});"
            "const box = canvas.getBoundingClientRect();"
            "const [x, y] = traceView.eventPoint(arguments[0]);"
            "return [box.left + x, box.top + y];", index)
        self.click(x, y)

    def click(self, x: float, y: float) -> None:
        """Clicks at a point of the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self.browser.command("Input.dispatchMouseEvent", type=kind, x=x,
                                 y=y, button="left", clickCount=1)
        self.browser.frame()

    def pixels(self, color: str, box: list[int] | None = None) -> int:
        """Returns how many pixels of the lanes are in this color."""
        self.browser.frame()
        return self.browser.run(COUNT_PIXELS, color, box)
