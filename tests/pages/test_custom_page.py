"""Tasks of any benchmark put together, in a real browser: chosen, shown in every view, each number with its record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from opened import DESK, PHONE, Opened, violations
from playwright.sync_api import BrowserContext, Page

MakeContext = Callable[..., BrowserContext]

GERMAN = "?lang=deu&type=Retrieval"
VIEWS = ("table", "size", "time", "zero", "types", "tasks", "compare", "about")


@pytest.fixture
def page(opened: Opened, real_site: Path) -> Page:
    return opened.go(real_site / "custom.html")


def sentence(page: Page) -> str:
    return page.locator("#sentence").inner_text()


def test_nothing_is_chosen_at_first_and_it_says_how(page: Page) -> None:
    assert sentence(page).startswith("Choose tasks of any benchmark")
    assert page.locator("tr[data-model]").count() == 0


def test_benchmarks_are_put_together_by_a_click(opened: Opened, page: Page) -> None:
    page.get_by_role("button", name="Any benchmark").click()
    for box in page.locator("dialog, .menu:popover-open").locator("input[type=checkbox]").all():
        box.check()
        opened.settle()
    page.keyboard.press("Escape")
    assert page.locator("tr[data-model]").count() > 10
    assert "bench=" in page.url
    assert " tasks" in sentence(page)


def test_a_line_of_words_chooses_tasks(opened: Opened, page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("retrieval")
    page.keyboard.press("Enter")
    page.wait_for_url("**/custom.html#?type=Retrieval")
    opened.settle()
    assert "(Retrieval)" in sentence(page)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens(opened: Opened, page: Page, view: str) -> None:
    opened.state(f"{view}{GERMAN}")
    assert "(Retrieval, German)" in sentence(page)
    assert page.locator("#view").inner_text().strip()
    opened.size(PHONE)
    assert opened.widest() <= PHONE[0]


def test_a_score_leads_to_its_record(opened: Opened, page: Page) -> None:
    opened.state(f"tasks{GERMAN}")
    cell = page.locator("#view td[class*=tasks-heat]").first
    shown = cell.inner_text().strip()
    assert float(shown) > 0
    cell.click()
    record = page.locator("[role=dialog]:popover-open")
    record.wait_for()
    assert shown in record.inner_text()


def test_the_list_of_benchmarks_leads_here(opened: Opened, real_site: Path) -> None:
    page = opened.go(real_site / "b" / "mteb-eng-v2.html")
    page.locator("#boards button").first.click()
    page.get_by_role("link", name="Put tasks of any benchmark together").click()
    page.wait_for_url("**/custom.html")
    opened.ready()
    assert sentence(page).startswith("Choose tasks of any benchmark")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(make_context: MakeContext, real_site: Path, size: tuple[int, int]) -> None:
    context = make_context(bypass_csp=True, viewport={"width": size[0], "height": size[1]})
    tab = Opened(context.new_page())
    assert violations(tab.go(real_site / "custom.html")) == []
    assert violations(tab.state(GERMAN)) == []
