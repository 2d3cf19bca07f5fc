"""A real browser for the leaderboard's pages: Chromium from the system, opened from a disk, without a network."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="playwright is one of the extra `dev`")

from opened import DESK, Opened
from playwright.sync_api import Browser, BrowserContext, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that is here needs the browser."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. Without it tests are skipped; on CI they fail."""
    if CHROMIUM is None:
        reason = "no chromium on the PATH (Debian: apt-get install chromium)"
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM)
        yield running
        running.close()


MakeContext = Callable[..., BrowserContext]


@pytest.fixture
def make_context(browser: Browser) -> Iterator[MakeContext]:
    """Make a profile of one's own: `make_context(bypass_csp=True)`. The network is cut."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        size = {"width": DESK[0], "height": DESK[1]}
        made.append(browser.new_context(**{"offline": True, "viewport": size, "color_scheme": "light", **options}))
        return made[-1]

    yield make
    for context in made:
        context.close()


@pytest.fixture
def opened(make_context: MakeContext) -> Iterator[Opened]:
    """An empty tab. What its pages complain of fails the test."""
    tab = Opened(make_context().new_page())
    yield tab
    assert tab.faults == []
