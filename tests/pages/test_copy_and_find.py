"""What is shown is taken along and read back, and words in the find box become filters: in a real browser, by keys."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from opened import DESK, PHONE, Opened, violations
from playwright.sync_api import BrowserContext, Page

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import BenchmarkConfig
from embedmark.runner.config.yaml_files import read_yaml
from embedmark.runner.report.rows import rows_asked

BOARD = "mteb-multilingual-v2"
LINE = "german retrieval open 500m"
STATE = "?lang=deu&max=500&open=1&type=Retrieval"


@pytest.fixture
def page(opened: Opened, real_site: Path) -> Page:
    return opened.go(real_site / "b" / f"{BOARD}.html")


def options(page: Page) -> list[str]:
    return page.locator("[role=option]").all_inner_texts()


def hash_of(page: Page) -> str:
    return page.url.partition("#")[2]


def test_a_line_of_words_is_one_filter(opened: Opened, page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type(LINE)
    assert options(page)[0] == "German · Retrieval · open weights · ≤ 500 M"
    page.keyboard.press("Enter")
    opened.settle()
    page.wait_for_url(f"**/{BOARD}.html#{STATE}")
    assert options(page) == []
    assert page.locator("#find").input_value() == ""


def test_the_list_is_walked_by_keys(page: Page) -> None:
    box = page.locator("#find")
    box.focus()
    page.keyboard.type("re")
    shown = options(page)
    assert len(shown) > 2
    assert box.get_attribute("aria-expanded") == "true"
    for key, at in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("ArrowUp", 0), ("ArrowUp", len(shown) - 1)):
        page.keyboard.press(key)
        active = box.get_attribute("aria-activedescendant")
        assert page.locator(f"#{active}").inner_text() == shown[at]
        assert page.locator("[aria-selected=true]").all_inner_texts() == [shown[at]]
    page.keyboard.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"
    assert box.input_value() == "re"
    page.keyboard.press("Escape")
    assert box.input_value() == ""


def test_a_name_finds_models_as_one_types(page: Page) -> None:
    page.locator("#find").focus()
    page.keyboard.type("multilingual-e5")
    page.wait_for_url("**find=multilingual-e5")
    names = page.locator("tr[data-model] th.name a").all_inner_texts()
    assert names
    assert all("multilingual-e5" in name for name in names)
    assert any(option.startswith("model ") for option in options(page))


def test_another_page_of_history_is_another_word_in_the_box(opened: Opened, page: Page) -> None:
    opened.state("?find=bge")
    assert page.locator("#find").input_value() == "bge"
    opened.state("")
    assert page.locator("#find").input_value() == ""


def saved(page: Page, form: str, folder: Path) -> Path:
    with page.expect_download() as found:
        page.get_by_role("button", name=f"Save as {form}").click()
    path = folder / found.value.suggested_filename
    found.value.save_as(path)
    return path


def shown_names(page: Page) -> list[str]:
    return page.locator("tr[data-model] th.name").evaluate_all("(all) => all.map((one) => one.title)")


def test_what_is_saved_is_what_is_shown(opened: Opened, page: Page, tmp_path: Path) -> None:
    opened.state(STATE)
    names = shown_names(page)
    page.get_by_role("button", name="Copy", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(saved(page, "CSV", tmp_path).read_bytes().decode(), newline="")))
    assert [row["model"] for row in rows][: len(names)] == names
    assert {row["address"] for row in rows} == {f"b/{BOARD}.html#{STATE}"}  # and not where the reader's files are
    assert saved(page, "LaTeX", tmp_path).read_text(encoding="utf-8").count(r" \\") == len(rows) + 1
    assert len(saved(page, "Markdown", tmp_path).read_text(encoding="utf-8").splitlines()) == len(rows) + 4
    assert saved(page, "BibTeX", tmp_path).read_text(encoding="utf-8").startswith("@misc{")


def test_the_saved_benchmark_is_one_of_the_runner(opened: Opened, page: Page, tmp_path: Path) -> None:
    opened.state(STATE)
    page.get_by_role("button", name="Copy", exact=True).click()
    found = BenchmarkConfig.model_validate(read_yaml(saved(page, "YAML", tmp_path)))
    rows = {row.name: row for row in rows_asked(found, Catalogue(quiet=True))}
    assert {subset for _, subset in rows["MIRACLRetrievalHardNegatives"].slots} == {"de"}
    assert len(rows) == len(found.tasks) > 2


@pytest.mark.parametrize("allowed", [True, False], ids=["by the clipboard", "by a selection"])
def test_what_is_copied_is_in_the_clipboard(opened: Opened, page: Page, allowed: bool) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if not allowed:
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.get_by_role("button", name="Copy", exact=True).click()
    button = page.get_by_role("button", name="Copy as YAML")
    button.click()
    page.get_by_text("YAML is copied.").wait_for()
    text = page.evaluate("() => navigator.clipboard.readText()")
    assert "\nname: MTEB(Multilingual, v2)\n" in text or '\nname: "MTEB(Multilingual, v2)"\n' in text
    assert button.evaluate("(one) => one === document.activeElement")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_in_open_lists(make_context: object, real_site: Path, size: tuple[int, int]) -> None:
    context: BrowserContext = make_context(bypass_csp=True, viewport={"width": size[0], "height": size[1]})  # type: ignore[operator]
    tab = Opened(context.new_page())
    page = tab.go(real_site / "b" / f"{BOARD}.html")
    page.locator("#find").focus()
    page.keyboard.type(LINE)
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy", exact=True).click()
    assert violations(page) == []
    assert tab.widest() <= size[0]
