"""Every number leads to its record: pages of models, of tasks and of what was left out, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from opened import PHONE, Opened, violations
from packed_boards import unpacked
from playwright.sync_api import BrowserContext
from small_boards import DATA, OTHER_DATA, published, small_outputs

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import store
from embedmark.runner.leaderboard.site import build

MakeContext = Callable[..., BrowserContext]

HOSTILE = "org/<img src=x onerror=alert(1)>\u202e" + "x" * 100


@pytest.fixture(scope="module")
def records_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small site, in a folder whose name has to be escaped."""
    folder = tmp_path_factory.mktemp("project")
    outputs = small_outputs(folder)
    rows = [published("org/h", "Likeness", 0.375), published(HOSTILE, "Likeness", 0.625)]
    store.add(outputs, pl.DataFrame(rows, schema=store.schema()))
    out = folder / "a b#c%20ü"
    build(outputs, out, Catalogue.of([folder]), ["Small", "Tiny", "Unscored"])
    return out


def slug_of(site: Path, kind: str, name: str) -> str:
    return next(slug for of, slug in read(site, "names")[kind] if of == name)


def test_a_model_has_its_places_and_scores(opened: Opened, records_site: Path) -> None:
    page = opened.go(records_site / "m.html", slug_of(records_site, "models", "org/x"))
    assert page.inner_text("h1") == "org/x"
    scores = page.get_by_role("region", name="scores").get_by_role("row")
    assert [row.inner_text().split("\t")[:4] for row in scores.all()[1:]] == [
        ["Likeness", "STS", "25.00", "4 of 4"],
        ["Topics", "Classification", "60.00", "2 of 2"],
        ["Topics en", "Classification", "50.00", "3 of 3"],
    ]
    page.get_by_label("type").select_option("STS")
    opened.settle()
    assert scores.count() == 2
    assert "no file of this build says how to run it" in page.inner_text("main")


@pytest.mark.parametrize("name", ["org/x", "org%2Fx"])
def test_a_model_is_found_by_its_name(opened: Opened, records_site: Path, name: str) -> None:
    assert opened.go(records_site / "m.html", name).inner_text("h1") == "org/x"


def test_a_name_without_scores_says_so(opened: Opened, records_site: Path) -> None:
    page = opened.go(records_site / "t.html", "No%20such%E0task")
    assert "no scores of No%20such%E0task are in this build" in page.inner_text("main")


def test_a_score_opens_its_record_and_gives_the_focus_back(opened: Opened, records_site: Path) -> None:
    page = opened.go(records_site / "m.html", slug_of(records_site, "models", "org/x"))
    button = page.get_by_role("row", name="Topics Classification").get_by_role("button")
    button.click()
    box = page.get_by_role("dialog")
    text = box.inner_text()
    for told in (
        "60.00",
        "2 of 2 models on this task",
        "imported, not verified",
        "results/org__x/r/Topics.json",
        DATA[:12],
        OTHER_DATA[:12],
        "mteb 2.1.0",
        "mteb 1.2.0",
        "Measured by\nnot stated",
    ):
        assert told in text, told
    page.keyboard.press("Escape")
    assert not box.is_visible()
    assert button.evaluate("node => node === document.activeElement")


def test_what_was_measured_here_leads_to_its_job(opened: Opened, records_site: Path) -> None:
    page = opened.go(records_site / "m.html", slug_of(records_site, "models", "org/a"))
    page.get_by_role("row", name="Likeness STS").get_by_role("button").click()
    text = page.get_by_role("dialog").inner_text()
    assert "measured here; not signed" in text
    assert "2026-01-01" in text
    assert "embedmark 0.1.0" in text
    page.get_by_text("Run it again").click()
    assert "python -m runner verify " in page.get_by_label("command").last.inner_text()


def test_a_record_is_copied_or_shown_to_be_copied(make_context: MakeContext, records_site: Path) -> None:
    context = make_context(permissions=["clipboard-read", "clipboard-write"])
    tab = Opened(context.new_page())
    page = tab.go(records_site / "m.html", slug_of(records_site, "models", "org/x"))
    page.get_by_role("row", name="Likeness STS").get_by_role("button").click()
    page.get_by_role("button", name="Copy record").click()
    page.get_by_role("button", name="Copied").wait_for()
    record = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert (record["model"], record["task"], record["score"], record["place"]) == ("org/x", "Likeness", 0.25, 4)
    assert record["record"]["data"] == [None]
    assert tab.faults == []


def test_a_task_has_its_models_its_subsets_and_the_revisions_of_its_data(opened: Opened, records_site: Path) -> None:
    page = opened.go(records_site / "t.html", slug_of(records_site, "tasks", "Topics"))
    opened.settle()
    rows = page.locator("section", has=page.get_by_role("heading", name="Best models")).get_by_role("row")
    assert [row.inner_text().split("\t") for row in rows.all()[1:]] == [
        ["1", "org/ameasured here", "75.00"], ["2", "org/x", "60.00"],
    ]  # fmt: skip
    page.get_by_label("which scores").select_option(label="subset de, split test")
    opened.settle()
    assert [row.inner_text().split("\t")[2] for row in rows.all()[1:]] == ["75.00", "70.00"]
    history = page.get_by_role("region", name="revisions of the data").inner_text()
    assert DATA[:12] in history
    assert OTHER_DATA[:12] in history
    assert "may not be of the same rows" in page.inner_text("main")


def test_shown_and_left_out_are_named(opened: Opened, records_site: Path) -> None:
    page = opened.go(records_site / "left-out.html", "small")
    text = page.inner_text("main")
    assert "8 models in the results" in page.inner_text("#sentence")
    assert "has scores of variants of it" in text
    assert "together 8, all models of the results" in text
    page.get_by_label("benchmark", exact=True).select_option(label="Tiny")
    assert page.url.endswith("#tiny")


def test_hostile_names_are_texts(opened: Opened, records_site: Path) -> None:
    model, task = slug_of(records_site, "models", HOSTILE), slug_of(records_site, "tasks", "Likeness")
    for path, state in (("m.html", model), ("m.html", ""), ("t.html", task), ("left-out.html", "")):
        page = opened.go(records_site / path, state)
        opened.settle()
        assert page.locator("main img").count() == 0
        assert "\u202e" not in page.inner_text("body")
    page = opened.go(records_site / "m.html", slug_of(records_site, "models", HOSTILE))
    assert "onerror=alert(1)>\\u202e" in page.inner_text("h1")


def test_a_page_that_there_is_not_says_so(make_context: MakeContext, records_site: Path) -> None:
    tab = Opened(make_context().new_page())
    page = tab.go(records_site / "m.html", "nobody")
    assert "m/nobody.js cannot be read" in page.inner_text("main")
    page.locator("#view").get_by_role("link", name="All models").click()
    page.get_by_label("find a model").fill("org/x")
    assert page.locator("li:visible").count() == 1


def state_of(site: Path, path: str) -> str:
    """A name that each of the pages is opened with."""
    names = {"m.html": ("models", "org/a"), "t.html": ("tasks", "Topics")}
    return slug_of(site, *names[path]) if path in names else ""


@pytest.mark.parametrize("path", ["m.html", "t.html", "left-out.html"])
def test_on_a_phone_nothing_widens_the_page(opened: Opened, records_site: Path, path: str) -> None:
    page = opened.go(records_site / path, state_of(records_site, path))
    opened.size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    opened.go(records_site / "m.html", slug_of(records_site, "models", HOSTILE))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["m.html", "t.html", "left-out.html"])
def test_everybody_can_read_them(make_context: MakeContext, records_site: Path, path: str, theme: str) -> None:
    tab = Opened(make_context(bypass_csp=True, color_scheme=theme).new_page())
    page = tab.go(records_site / path, state_of(records_site, path))
    tab.settle()
    assert violations(page) == []
    if path == "m.html":
        page.get_by_role("row", name="Likeness STS").get_by_role("button").click()
        assert violations(page) == []


def test_a_number_of_a_board_opens_its_record(opened: Opened, records_site: Path) -> None:
    page = opened.go(records_site / "b" / "small.html", "tasks")
    page.locator("td", has_text="60.0").first.click()
    box = page.get_by_role("dialog")
    box.wait_for()
    text = box.inner_text()
    assert "2 of 2 models on this task" in text
    assert DATA[:12] in text
    assert "of several revisions of the data" in text or "of another revision of the data" in text
    page.get_by_role("link", name="All of this task").click()
    opened.ready()
    assert page.inner_text("h1") == "Topics"
    page = opened.go(records_site / "b" / "small.html", "tasks")
    page.locator("td", has_text="60.0").first.click()
    page.get_by_role("button", name="Exclude scores of other data").click()
    opened.settle()
    assert "exclude=revisions" in page.url


def read(site: Path, key: str) -> Any:
    """What a file hands over to a page."""
    text = (site / f"{key}.js").read_text(encoding="ascii")
    return unpacked(json.loads(json.loads(text.removeprefix(f'EM.put("{key}",').removesuffix(");\n"))))


@pytest.mark.parametrize("board", ["few", "mteb-deu-v1"])
def test_every_cell_of_a_built_site_has_a_record(site: Path, board: str) -> None:
    scores, records = read(site, f"d/{board}")["scores"], read(site, f"d/{board}.src")
    own = {(task, model) for task, model, _ in records["own"]}
    cells = {(task, model) for task, row in enumerate(scores) for model, score in enumerate(row) if score is not None}
    assert own <= cells
    for part in ("data", "version", "origin"):
        rows = records[part]["cells"]
        for task, model in cells - own:
            number = rows[task][model] if isinstance(rows[task], list) else rows[task]
            assert records[part]["list"][number], (part, task, model)
    assert all(records["jobs"][number] for _, _, numbers in records["own"] for number in numbers)
    assert len(cells) > 100
