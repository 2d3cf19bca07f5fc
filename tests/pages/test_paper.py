"""What is printed: all rows, no bars, rank, mean and types, and where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from opened import Opened
from playwright.sync_api import Page

BOARD = "mteb-eng-v2"


def on_paper(page: Page) -> None:
    page.emulate_media(media="print")
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")


def on_screen(page: Page) -> None:
    page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")


def ranked(page: Page) -> int:
    return int(page.locator("#sentence b").first.inner_text().split()[0])


def test_the_table_is_printed_whole_and_stands_as_before_afterwards(opened: Opened, site: Path) -> None:
    page = opened.go(site / "b" / f"{BOARD}.html", "?max=10000")
    before = page.locator("tr[data-model]").all_inner_texts()[:8]
    heads = page.locator(".models thead th").all_inner_texts()
    on_paper(page)
    shown = set(page.locator("tr[data-model]").evaluate_all("(rows) => rows.map((row) => row.dataset.model)"))
    assert len(shown) > page.evaluate("() => innerHeight") / 32
    printed = page.locator(".models thead th").all_inner_texts()
    assert any("Zero-shot" in head for head in heads)
    assert not any("Zero-shot" in head or "Size" in head for head in printed)
    assert printed[0].startswith("Rank")
    for bar in (".top", ".filters", ".strip"):
        assert page.locator(f"{bar}:visible").count() == 0, bar
    foot = page.locator("tfoot:visible").inner_text()
    assert f"{BOARD}.html#?max=10000" in foot
    assert page.evaluate(
        "() => document.querySelector('.box').scrollHeight <= document.querySelector('.box').clientHeight + 1"
    )
    on_screen(page)
    assert page.locator("tr[data-model]").all_inner_texts()[:8] == before
    assert page.locator(".models thead th").all_inner_texts() == heads
    assert page.locator("tr[data-model]").count() <= len(shown)


@pytest.mark.parametrize("view", ["tasks", "about", "types"])
def test_other_views_say_where_they_stand(opened: Opened, site: Path, view: str) -> None:
    page = opened.go(site / "b" / f"{BOARD}.html", view)
    assert page.locator(".printed-foot").count() == 0
    on_paper(page)
    assert f"{BOARD}.html#{view}" in page.locator(".printed-foot:visible").inner_text()
    if view == "tasks":
        assert page.locator(".tasks-table tbody th").count() >= ranked(page)
    on_screen(page)
    assert page.locator(".printed-foot").count() == 0


def test_paper_is_light_in_the_dark(opened: Opened, site: Path) -> None:
    page = opened.go(site / "b" / f"{BOARD}.html")
    opened.theme("dark")
    dark = page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
    on_paper(page)
    assert (
        page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
        == "rgb(255, 255, 255)"
        != dark
    )
