"""The picture of a page in the docs: `python -m tools.leaderboard_picture docs/leaderboard.png`.

Builds MTEB(eng, v2) from the published scores that ship, and photographs it in Chromium. Needs the extra `dev`.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.leaderboard.site import build

BENCHMARK = "MTEB(eng, v2)"
WIDTH, HEIGHT = 1280, 560
MOST = 150_000
"""Bytes of the picture."""


def main() -> None:
    """Build, open, photograph."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the PNG file to write")
    out: Path = parser.parse_args().out
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        parser.error("no chromium on the PATH (Debian: apt-get install chromium)")
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        build(None, Path(folder), Catalogue.of([]), [BENCHMARK])
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto((Path(folder) / "index.html").as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        page.screenshot(path=out)
        browser.close()
    size = out.stat().st_size
    if size > MOST:
        parser.error(f"{out}: {size:,} bytes; expected at most {MOST:,}: make the window smaller")
    print(f"{out}: {size:,} bytes")


if __name__ == "__main__":
    main()
