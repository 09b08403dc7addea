"""Takes pictures of a trace's page, to be looked at.

After a change of the page: /usr/bin/python3 -B -m tools trace-shots PAGE.html
FOLDER writes one for each of a screen and a telephone, light and dark.
"""

from pathlib import Path

from tools.command import Arguments, Problem
from tools.trace.browser import Browser

SIZES = ((1400, 900), (390, 844))


def shoot(page: Path, folder: Path, size: tuple[int, int], dark: bool) -> None:
    """Writes one picture."""
    browser = Browser(*size, dark=dark)
    try:
        browser.open(page)
        browser.frame()
        name = f"{page.stem}-{size[0]}-{'dark' if dark else 'light'}.png"
        browser.driver.save_screenshot(str(folder / name))
        print(folder / name)
    finally:
        browser.close()


def main(arguments: list[str]) -> int:
    """Writes all of them."""
    parser = Arguments(__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.read(arguments)
    if not options.page.is_file() or not options.folder.is_dir():
        raise Problem("give a page and a folder that are there")
    for size in SIZES:
        for dark in (False, True):
            shoot(options.page, options.folder, size, dark)
    return 0
