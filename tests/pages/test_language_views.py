"""The views of languages and of fairness in a browser, with the field's scores."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import MakeContext
from opened import DESK, PHONE, WALL, Opened, violations

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.leaderboard.site import build

pytestmark = pytest.mark.slow  # the boards have all models

EUROPE, JAPAN = "MTEB(Europe, v1)", "MTEB(jpn, v1)"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "board"
    build(None, folder, Catalogue(), [EUROPE, JAPAN])
    return folder


def test_a_language_is_a_row_and_a_filter(opened: Opened, site: Path) -> None:
    page = opened.go(site / "b" / "mteb-europe-v1.html", "languages")
    rows = page.locator(".languages-table tbody tr")
    rows.first.wait_for()
    assert rows.count() == 27
    tasks = [int(text) for text in page.locator(".languages-table tbody tr td:nth-child(2)").all_inner_texts()]
    assert tasks == sorted(tasks, reverse=True)
    first = page.locator(".languages-table tbody tr", has_text="German")
    told = first.locator(".languages-best").inner_text()
    first.get_by_role("button", name="German").click()
    page.wait_for_selector(".models")
    assert page.evaluate("() => location.hash") == "#?lang=deu"
    opened.settle()
    assert told in page.locator(".models tr.model th.name").first.inner_text()
    opened.picture("german")


def test_languages_are_found_and_sorted(opened: Opened, site: Path) -> None:
    page = opened.go(site / "b" / "mteb-europe-v1.html", "languages")
    page.get_by_role("button", name="Language", exact=True).click()
    names = page.locator(".languages-table tbody th button").all_inner_texts()
    assert names == sorted(names)
    assert page.locator("thead th[aria-sort=ascending]").inner_text() == "Language"
    page.get_by_label("Find a language").fill("po")
    assert page.locator(".languages-table tbody th button").all_inner_texts() == ["Polish", "Portuguese"]
    page.get_by_label("Find a language").fill("klingon")
    assert "No language is called so" in page.locator(".languages").inner_text()


def test_wide_screens_have_models_beside_languages_and_phones_do_not_scroll(opened: Opened, site: Path) -> None:
    page = opened.go(site / "b" / "mteb-europe-v1.html", "languages")
    for size, most in ((WALL, 24), (DESK, 12), (PHONE, 0)):
        opened.size(size)
        opened.state("table")
        opened.state("languages")
        page.locator(".languages-table tbody tr").first.wait_for()
        drawn = page.locator(".languages-table thead .languages-model").count()
        assert (drawn > most / 2 and drawn <= most) or (drawn == most == 0)
        assert opened.widest() <= size[0]
        opened.picture(f"languages-{size[0]}")


def test_fairness_shows_gaps_with_intervals_and_every_language(opened: Opened, site: Path) -> None:
    page = opened.go(site / "b" / "mteb-europe-v1.html", "fairness")
    page.locator(".fairness-table tbody tr").first.wait_for()
    assert page.locator(".fairness-table tbody tr").count() == 30
    page.locator(".fairness-open").first.click()
    listed = page.locator(".fairness-languages li").count()
    said = page.locator(".fairness-table tbody tr td:last-child").first.inner_text()
    assert said.startswith(f"{listed} on ")
    page.get_by_role("button", name="more models").click()
    assert page.locator(".fairness-table tbody tr").count() > 31
    page.get_by_role("button", name="Worst language").click()
    assert page.locator("thead th[aria-sort=ascending]").inner_text() == "Worst language"
    opened.size(PHONE)
    assert opened.widest() <= PHONE[0]
    opened.picture("fairness-400")


def test_a_cell_that_lacks_some_subsets_says_how_many_it_has(opened: Opened, site: Path) -> None:
    page = opened.go(site / "b" / "mteb-europe-v1.html", "tasks?find=SearchMap_Preview&lang=deu")
    opened.size(WALL)
    part = page.locator("td.tasks-part").first
    part.wait_for(timeout=5000)
    assert part.inner_text() == "2/3"
    assert str(part.get_attribute("aria-label")).startswith("2 of 3 subsets; without ")
    part.click()
    assert page.locator(".popover:popover-open").count() == 0


def test_all_rows_are_printed(opened: Opened, site: Path) -> None:
    page = opened.go(site / "b" / "mteb-europe-v1.html", "fairness")
    rows = page.locator(".fairness-table tbody tr")
    rows.first.wait_for()
    on_screen = rows.count()
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert rows.count() > on_screen
    assert page.locator(".printed-foot").count() == 1
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert rows.count() == on_screen


def test_a_benchmark_in_one_language_says_so(opened: Opened, site: Path) -> None:
    for view in ("languages", "fairness"):
        page = opened.go(site / "b" / "mteb-jpn-v1.html", view)
        assert "nothing to compare by language" in page.locator("#view").inner_text()


@pytest.mark.parametrize("view", ["languages", "fairness"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nobody_is_kept_out(make_context: MakeContext, site: Path, view: str, theme: str) -> None:
    tab = Opened(make_context(bypass_csp=True, color_scheme=theme).new_page())
    page = tab.go(site / "b" / "mteb-europe-v1.html", view)
    page.locator(f".{view}-table tbody tr").first.wait_for()
    if view == "fairness":
        page.locator(".fairness-open").first.click()
    for size in (DESK, PHONE):
        tab.size(size)
        assert violations(page) == []
