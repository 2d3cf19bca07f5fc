"""A real browser for the leaderboard's pages: Chromium from the system, opened from a disk, without a network."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

pytest.importorskip("playwright", reason="playwright is one of the extra `dev`")

from opened import DESK, Opened
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from small_outputs import BENCHMARKS, small_outputs, small_project

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.leaderboard.site import build

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FOLDER = Path(__file__).parent
PLACE = "a b#c%20d\u00fc-\u540d"
"""Characters that addresses write otherwise: a site works below any folder."""

REAL = ("MTEB(Multilingual, v2)", "MTEB(eng, v2)")


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


def _once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Make a folder once for all workers that share a session."""
    base = factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = root / name, root / f"{name}.done"
    with FileLock(root / f"{name}.lock"):
        if not done.is_file():
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small site: see small_outputs.py. Nothing may write below it."""

    def make(folder: Path) -> None:
        project = small_project(folder / "project")
        outputs = small_outputs(folder / "outputs", project)
        build(outputs, folder / PLACE, Catalogue.of((project,), quiet=True), BENCHMARKS)

    return _once(tmp_path_factory, "small-site", make) / PLACE


@pytest.fixture(scope="session")
def real_site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two boards of the field with all their models, from the scores that ship. Nothing may write below it."""

    def make(folder: Path) -> None:
        build(None, folder / PLACE, Catalogue(quiet=True), REAL)

    return _once(tmp_path_factory, "real-site", make) / PLACE
