#!/usr/bin/env python3
"""Takes pictures of a trace's page, to be looked at.

Who calls it: whoever changes the page: shots.py PAGE.html FOLDER writes one for
each of a screen and a telephone, light and dark.
"""

import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # nothing but sources belongs beside this file
from browser import Browser

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


def main() -> int:
    """Writes all of them."""
    parser = argparse.ArgumentParser(description="Takes pictures of a page.")
    parser.add_argument("page", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    if not options.page.is_file() or not options.folder.is_dir():
        parser.error("give a page and a folder that are there")
    try:
        for size in SIZES:
            for dark in (False, True):
                shoot(options.page, options.folder, size, dark)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
