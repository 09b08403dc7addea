"""Debian's Chromium, headless and without network, for the tests of a page.

Each browser has a new, empty profile, which goes when it is closed.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars",
         "--disable-dev-shm-usage")  # containers have a tiny /dev/shm


def program(*names: str) -> str:
    """Returns the path of the first of these programs."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise RuntimeError(f"{names[0]} is missing; run: make deps FOR=browser "
                       "(on Ubuntu: snap install chromium)")


class Browser:
    """One browser with one page."""

    def __init__(self, width: int = 1400, height: int = 900,
                 dark: bool = False) -> None:
        chromium = program("chromium", "chromium-browser")
        driver = program("chromedriver", "chromium.chromedriver")
        self.profile = tempfile.mkdtemp(prefix="trace-browser-")
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (*FLAGS, f"--user-data-dir={self.profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        try:
            self.driver = webdriver.Chrome(options=options,
                                           service=Service(driver))
        except BaseException:
            shutil.rmtree(self.profile, ignore_errors=True)
            raise
        # A window is never narrower than 500: the device's size is set apart.
        self.command("Emulation.setDeviceMetricsOverride", width=width,
                     height=height, deviceScaleFactor=1, mobile=width < 500)
        self.command("Emulation.setEmulatedMedia", features=[{
            "name": "prefers-color-scheme",
            "value": "dark" if dark else "light"}])

    def command(self, name: str, **arguments: Any) -> Any:
        """Tells Chromium something of its own protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def open(self, page: Path) -> None:
        """Opens a file; the page has drawn itself when this returns."""
        self.driver.get(page.resolve().as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        """Returns what the script in the page returns."""
        return self.driver.execute_script(script, *arguments)

    def frame(self) -> None:
        """Waits until what was asked for is drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(done));")

    def complaints(self) -> list[str]:
        """Returns what went to the console, but for what the tests cause:
        they read pixels, the page does not."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if "willReadFrequently" not in entry["message"]]

    def close(self) -> None:
        """Ends the browser."""
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)
