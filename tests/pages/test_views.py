"""Every view of every benchmark opens from a disk, and is of use to whoever has a phone, an axe, or no scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from opened import DESK, PHONE, WALL, Opened, Theme, violations
from playwright.sync_api import BrowserContext, Page

from embedmark.runner.leaderboard.pages import VIEWS

MakeContext = Callable[..., BrowserContext]

BOARDS = ("mteb-multilingual-v2", "mteb-eng-v2", "mteb-deu-v1", "few")
NAMES = [view for view, _ in VIEWS]
TWO = "compare?m=Qwen/Qwen3-Embedding-8B,Qwen/Qwen3-Embedding-4B"
LATIN = "Qwen/Qwen3-Embedding-8B"


def address(view: str) -> str:
    """The state of a view that shows something."""
    return TWO if view == "compare" else view


def drawn(page: Page, view: str) -> None:
    assert page.locator(f"nav.views a[data-view={view}]").get_attribute("aria-current") == "page"
    assert page.locator("nav.views a[aria-current]").count() == 1
    assert page.locator("#sentence").inner_text().strip()
    assert page.locator("#view").inner_text().strip()


@pytest.mark.parametrize("view", NAMES)
def test_every_view_opens_at_every_width(opened: Opened, site: Path, view: str) -> None:
    board = BOARDS[0]
    drawn(opened.go(site / "b" / f"{board}.html", address(view)), view)
    opened.picture(f"{board}-{view}-light-{DESK[0]}")
    opened.theme("dark")
    opened.picture(f"{board}-{view}-dark-{DESK[0]}")
    opened.theme("light")
    for size in (WALL, (640, 400), PHONE):  # 640: a desk at 200 %
        opened.size(size)
        assert opened.widest() <= size[0]
        opened.picture(f"{board}-{view}-light-{size[0]}")


@pytest.mark.parametrize("board", BOARDS[1:])
def test_every_view_of_a_smaller_board(opened: Opened, site: Path, board: str) -> None:
    page = opened.go(site / "b" / f"{board}.html")
    for view in NAMES:
        opened.state(address(view))
        drawn(page, view)
        opened.picture(f"{board}-{view}-light-{DESK[0]}")


def test_the_first_rows_stay_what_they_are_when_scripts_run(
    make_context: MakeContext, opened: Opened, site: Path
) -> None:
    """Else what a reader points at moves."""
    path = site / "b" / f"{BOARDS[1]}.html"
    still = Opened(make_context(java_script_enabled=False).new_page()).go(path, scripts=False)
    live = opened.go(path)
    for cell in ("td.rank", "th.name a", "td.mean", "td.mean-type"):
        texts = [page.locator("tr.model").locator(cell).all_inner_texts()[:20] for page in (still, live)]
        assert len(texts[0]) == 20
        assert texts[0] == texts[1]
    tops = [
        page.locator("tr.model").first.evaluate("(row) => row.getBoundingClientRect().top") for page in (still, live)
    ]
    assert abs(tops[0] - tops[1]) <= 1


QUICK = "table"
"""The view that axe is asked about in the quick tests: each time takes it a second or more."""


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    "view", [view if view == QUICK else pytest.param(view, marks=pytest.mark.slow) for view in NAMES]
)
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
    assert page.locator("table.models tr.model:not(.pinned)").count() == 30
    assert "Without JavaScript the first 30 rows are shown" in page.locator("noscript").inner_text()
    assert page.locator("#sentence").inner_text().strip()
    assert tab.faults == []
    tab.picture("no-scripts")
