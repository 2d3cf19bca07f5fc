"""The list of benchmarks: searched and chosen from by keys, in the head and on the front page."""

from __future__ import annotations

from pathlib import Path

from opened import Opened
from playwright.sync_api import Page

NAMES = {"MTEB(Multilingual, v2)", "MTEB(eng, v2)", "MTEB(deu, v1)", "Few"}


def options(page: Page) -> list[str]:
    return page.locator("#boards [role=option] b").all_inner_texts()


def test_a_benchmark_is_found_and_gone_to_by_keys(opened: Opened, site: Path) -> None:
    page = opened.go(site / "b" / "few.html", "?max=1000&type=STS")
    page.locator("#boards button").press("Enter")
    page.wait_for_selector("#boards [role=option]")
    assert set(options(page)) == NAMES
    assert page.locator("#boards [role=option][aria-selected=true] b").all_inner_texts() == ["Few"]
    page.keyboard.type("german")
    assert options(page) == ["MTEB(deu, v1)"]
    box = page.locator("#boards [role=combobox]")
    active = box.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active} b").inner_text() == "MTEB(deu, v1)"
    page.keyboard.press("Enter")
    page.wait_for_url("**/b/mteb-deu-v1.html*")
    opened.ready()
    # A filter of models holds there, too; one of tasks does not.
    assert page.url.endswith("#?max=1000")


def test_what_is_not_there_is_said(opened: Opened, site: Path) -> None:
    page = opened.go(site / "b" / "few.html")
    page.locator("#boards button").click()
    page.wait_for_selector("#boards [role=option]")
    page.keyboard.type("zebra")
    assert options(page) == []
    assert page.locator("#boards [role=status]").inner_text() == "No benchmark is called so."
    page.keyboard.press("Escape")
    assert page.locator(":popover-open").count() == 0


def test_brackets_go_through_all_and_round(opened: Opened, site: Path) -> None:
    page = opened.go(site / "b" / "few.html")
    seen = []
    for _ in NAMES:
        before = page.url
        page.keyboard.press("]")
        page.wait_for_url(lambda url, before=before: url != before)
        opened.ready()
        seen.append(page.locator("h1").inner_text())
    assert set(seen) == NAMES
    assert seen[-1] == "Few"
    before = page.url
    page.keyboard.press("[")
    page.wait_for_url(lambda url: url != before)
    opened.ready()
    assert page.locator("h1").inner_text() == seen[-2]


def test_the_front_page_lists_them_in_groups(opened: Opened, site: Path) -> None:
    page = opened.go(site / "index.html")
    page.wait_for_selector("#all-boards li")
    assert set(page.locator("#all-boards li a").all_inner_texts()) == NAMES
    groups = page.locator("#all-boards h3").all_inner_texts()
    assert groups == ["My own", "General", "One language"]
    assert "0 languages" not in page.locator("#all-boards").inner_text()
    page.locator("#all-boards input").fill("own measured english few")
    page.locator("#all-boards input").fill("multilingual")
    assert page.locator("#all-boards li:visible a").all_inner_texts() == ["MTEB(Multilingual, v2)"]
    assert page.locator("#all-boards h3:visible").all_inner_texts() == ["General"]
    page.locator("#all-boards li:visible a").click()
    opened.ready()
    assert page.locator("h1").inner_text() == "MTEB(Multilingual, v2)"
