"""Every view of every benchmark opens from a disk, and is of use to whoever has a phone, an axe, or no scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from opened import DESK, PHONE, WALL, Opened, Theme, violations
from playwright.sync_api import BrowserContext

from embedmark.runner.leaderboard.pages import VIEWS

MakeContext = Callable[..., BrowserContext]

BOARDS = ("mteb-multilingual-v2", "mteb-eng-v2", "mteb-deu-v1", "few")
NAMES = [view for view, _ in VIEWS]
TWO = "compare?m=Qwen/Qwen3-Embedding-8B,Qwen/Qwen3-Embedding-4B"
LATIN = "Qwen/Qwen3-Embedding-8B"


def address(view: str) -> str:
    """The state of a view that shows something."""
    return TWO if view == "compare" else view


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("view", NAMES)
def test_every_view_opens(opened: Opened, site: Path, board: str, view: str) -> None:
    page = opened.go(site / "b" / f"{board}.html", address(view))
    assert page.locator(f"nav.views a[data-view={view}]").get_attribute("aria-current") == "page"
    assert page.locator("nav.views a[aria-current]").count() == 1
    assert page.locator("#sentence").inner_text().strip()
    assert page.locator("#view").inner_text().strip()
    opened.picture(f"{board}-{view}-light-{DESK[0]}")
    if board == BOARDS[0]:
        opened.theme("dark")
        opened.picture(f"{board}-{view}-dark-{DESK[0]}")
        opened.theme("light")
        opened.size(WALL)
        opened.picture(f"{board}-{view}-light-{WALL[0]}")


@pytest.mark.parametrize("board", [BOARDS[0], BOARDS[3]])
@pytest.mark.parametrize("view", NAMES)
def test_no_view_scrolls_sideways(opened: Opened, site: Path, board: str, view: str) -> None:
    opened.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    opened.go(site / "b" / f"{board}.html", address(view))
    assert opened.widest() <= PHONE[0]
    opened.picture(f"{board}-{view}-light-{PHONE[0]}")
    opened.size((640, 400))  # a desk at 200 %
    assert opened.widest() <= 640


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("view", NAMES)
def test_axe_finds_nothing(make_context: MakeContext, site: Path, view: str, size: tuple[int, int]) -> None:
    context = make_context(bypass_csp=True, viewport={"width": size[0], "height": size[1]})
    tab = Opened(context.new_page())
    found: dict[Theme, list[str]] = {"light": violations(tab.go(site / "b" / f"{BOARDS[1]}.html", address(view)))}
    tab.theme("dark")
    found["dark"] = violations(tab.page, ["color-contrast"])  # all that the theme changes
    assert found == {"light": [], "dark": []}


def test_the_table_is_there_without_scripts(make_context: MakeContext, site: Path) -> None:
    tab = Opened(make_context(java_script_enabled=False).new_page())
    page = tab.go(site / "b" / f"{BOARDS[1]}.html", scripts=False)
    assert page.locator("table.models tr.model").count() == 30
    assert "Without JavaScript the first 30 rows are shown" in page.locator("noscript").inner_text()
    assert page.locator("#sentence").inner_text().strip()
    assert tab.faults == []
    tab.picture("no-scripts")
