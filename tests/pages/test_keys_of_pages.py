"""Everything that a board answers is reached by keys alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from opened import Opened
from playwright.sync_api import Page

FOCUSED = "() => document.activeElement?.closest('tr')?.querySelector('th a')?.textContent ?? null"


@pytest.fixture
def table(opened: Opened, site: Path) -> Page:
    return opened.go(site / "b" / "mteb-eng-v2.html")


def names(page: Page) -> list[str]:
    return page.locator("tr[data-model] th.name a").all_inner_texts()


def state(page: Page) -> str:
    return page.url.partition("#")[2]


def test_find(opened: Opened, table: Page) -> None:
    table.keyboard.press("/")
    table.keyboard.type("e5")
    table.wait_for_timeout(200)
    assert names(table)
    assert all("e5" in one.lower() for one in names(table))
    assert "find=e5" in state(table)


def test_rows_are_walked_opened_and_left(opened: Opened, table: Page) -> None:
    first, second = names(table)[:2]
    table.keyboard.press("j")
    assert table.evaluate(FOCUSED) == first
    table.keyboard.press("j")
    assert table.evaluate(FOCUSED) == second
    table.keyboard.press("ArrowUp")
    assert table.evaluate(FOCUSED) == first
    table.keyboard.press("Enter")
    sheet = table.locator("[role=dialog]:popover-open")
    assert first in sheet.inner_text()
    table.keyboard.press("Escape")
    assert table.locator(":popover-open").count() == 0
    assert table.evaluate(FOCUSED) == first


def test_pin(opened: Opened, table: Page) -> None:
    third = names(table)[2]
    for key in "jjjp":
        table.keyboard.press(key)
    opened.settle()
    assert "pin=" in state(table)
    assert names(table)[0] == third


def test_views_have_digits(opened: Opened, table: Page) -> None:
    for key, view in (("2", "size"), ("6", "tasks"), ("1", "table")):
        table.keyboard.press(key)
        opened.settle()
        assert table.evaluate("() => document.documentElement.dataset.view") == view
    table.go_back()
    opened.settle()
    assert table.evaluate("() => document.documentElement.dataset.view") == "tasks"


def test_theme_is_kept(opened: Opened, table: Page, site: Path) -> None:
    def ground() -> str:
        return str(table.evaluate("() => getComputedStyle(document.documentElement).backgroundColor"))

    light = ground()
    table.keyboard.press("t")
    dark = ground()
    assert dark != light
    opened.go(site / "b" / "mteb-deu-v1.html")
    assert ground() == dark


def test_single_letters_can_be_turned_off(opened: Opened, table: Page) -> None:
    table.keyboard.press("?")
    box = table.locator(":popover-open")
    box.get_by_role("checkbox").press("Space")
    table.keyboard.press("Escape")
    table.keyboard.press("2")
    table.keyboard.press("j")
    assert table.evaluate(FOCUSED) is None
    assert table.evaluate("() => document.documentElement.dataset.view") == "table"


def test_compare_two(opened: Opened, table: Page) -> None:
    first, second = names(table)[:2]
    for key in "jxjxc":
        table.keyboard.press(key)
        opened.settle()
    assert state(table).startswith("compare?m=")
    text = table.locator("#view").inner_text()
    assert first in text
    assert second in text


def test_the_next_benchmark(opened: Opened, table: Page) -> None:
    table.keyboard.press("]")
    table.wait_for_url(lambda url: "mteb-eng-v2.html" not in url)
    opened.ready()
    there = table.url
    table.keyboard.press("[")
    table.wait_for_url("**/mteb-eng-v2.html*")
    assert there != table.url


def test_a_score_is_reached_and_leads_to_its_record(opened: Opened, site: Path) -> None:
    page = opened.go(site / "b" / "mteb-eng-v2.html", "tasks")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement?.closest('#view td, #view [data-task]') !== null"):
            break
    else:
        pytest.fail("60 times Tab led to no score")
    page.keyboard.press("Enter")
    record = page.locator("[role=dialog]:popover-open")
    record.wait_for()
    text = record.inner_text()
    assert "record" in text.lower()
    assert "revision" in text.lower() or "measured" in text.lower()
    page.keyboard.press("Escape")
    assert page.locator(":popover-open").count() == 0
