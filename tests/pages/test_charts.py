"""Pictures of models, and models against one another: every model is drawn or counted, and all goes by keys alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from opened import DESK, PHONE, Opened
from playwright.sync_api import Page

ENGLISH, FEW = "b/mteb-eng-v2.html", "b/few.html"
A, B, C = "BAAI/bge-large-en-v1.5", "mixedbread-ai/mxbai-embed-large-v1", "intfloat/e5-small"
CHARTS = ("size", "zero", "time")


def focused(page: Page) -> str:
    """What a screen reader says of what has the focus."""
    return str(page.evaluate("() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"))


@pytest.mark.parametrize("view", CHARTS)
def test_every_model_is_drawn_or_counted(opened: Opened, site: Path, view: str) -> None:
    page = opened.go(site / ENGLISH, view)
    notes = page.locator(".scatter-notes li").all_inner_texts()
    counted = [int(found[1]) for note in notes if (found := re.match(r"(\d+) models?\b.*not drawn", note))]
    drawn = page.locator(".scatter-dot").count()
    page.locator(".scatter-table summary").click()
    page.wait_for_selector(".scatter-rows tbody tr")
    rows = page.locator(".scatter-rows tbody tr").count()
    below = sum(int(found[1]) for note in notes if (found := re.match(r"(\d+) models? below", note)))
    assert rows == drawn + below
    every = page.evaluate("() => document.querySelector('#sentence').innerText")
    total = int(re.search(r"(\d+) models", every)[1])  # type: ignore[index]
    assert drawn + sum(counted) == total
    assert drawn > 20


@pytest.mark.parametrize("view", CHARTS)
def test_dots_are_walked_by_keys(opened: Opened, site: Path, view: str) -> None:
    page = opened.go(site / ENGLISH, view)
    assert page.locator(".scatter-dot[tabindex='0']").count() == 1
    page.locator(".scatter-dot[tabindex='0']").focus()
    seen = [focused(page)]
    for _ in range(200):
        page.keyboard.press("ArrowRight")
        if focused(page) == seen[-1]:
            break
        seen.append(focused(page))
    assert len(seen) == page.locator(".scatter-dot").count()
    page.keyboard.press("ArrowDown")
    on_line = focused(page)
    assert "best" in on_line or "first of the line" in on_line
    assert page.locator(".scatter-tip").is_visible()
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.innerText") == "its page"
    _, slug = page.evaluate("() => document.activeElement.href").split("/m.html#")
    assert (site / "m" / f"{slug}.js").is_file()
    page.keyboard.press("Escape")
    assert not page.locator(".scatter-tip").is_visible()
    assert focused(page) == on_line


def test_a_step_of_the_line_leads_to_its_comparison(opened: Opened, site: Path) -> None:
    page = opened.go(site / ENGLISH, "size")
    page.locator(".scatter-told, .scatter-open").last.focus()
    said = focused(page)
    page.keyboard.press("Enter")
    page.locator(".scatter-tip button").click()
    page.wait_for_selector(".compare-pair")
    verdict = page.locator(".compare-pair h2").inner_text()
    assert ("is better than" in verdict) == ("; better than" in said)
    assert ("cannot be told from" in verdict) == ("; cannot be told from" in said)
    assert re.search(r"[+−][\d.]+ points? \[", verdict)
    numbers = re.search(r"\+[\d.]+ \[[^\]]+\]", said)
    assert numbers is not None
    assert numbers[0].replace(" [", " points [") in verdict


def test_no_verdict_and_no_interval_below_six_tasks(opened: Opened, site: Path) -> None:
    page = opened.go(site / FEW, "size")
    assert page.locator(".scatter-open").count() > 1
    assert page.locator(".scatter-plot .scatter-told").count() == 0
    assert page.locator(".scatter-plot .scatter-whisker").get_attribute("d") == ""
    assert "too few" in page.locator(".scatter-caption").inner_text()
    opened.go(site / FEW, f"compare?m={A},{B}")
    text = page.locator(".compare-pair").inner_text()
    assert "too few tasks" in text
    assert "cannot" not in text
    assert "better" not in text
    assert page.locator(".compare-dot, .compare-bar").count() == 0
    opened.go(site / FEW, "types")
    assert set(page.locator(".types-card .types-said").all_inner_texts()) == {"Too few tasks to tell models apart."}


def test_models_are_chosen_and_taken_out_by_keys(opened: Opened, site: Path) -> None:
    page = opened.go(site / ENGLISH, "compare")
    assert "Choose two to five models" in page.locator(".compare-empty").inner_text()
    page.locator("#compare-add").focus()
    page.keyboard.type("nothing like it")
    page.keyboard.press("Enter")
    assert "No model here is called" in page.locator(".compare-said").inner_text()
    for number, name in enumerate((A, B, C), 1):
        page.locator("#compare-add").fill("")
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        opened.settle()
        assert page.locator(".compare-chip").count() == number
        assert focused(page) == "compare-add"
    assert page.locator(".compare-pair").count() == 3
    assert page.url.endswith(f"#compare?m={A},{B},{C}")
    page.locator(".compare-chip button").first.press("Enter")
    opened.settle()
    assert page.locator(".compare-pair").count() == 1
    assert page.url.endswith(f"#compare?m={B},{C}")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_verdicts_are_words_and_hollow_or_filled(opened: Opened, site: Path, size: tuple[int, int]) -> None:
    opened.page.set_viewport_size({"width": size[0], "height": size[1]})
    page = opened.go(site / ENGLISH, f"compare?m={A},{B},{C}")
    rows = page.locator(".compare-pair tbody tr")
    kinds = set()
    for at in range(rows.count()):
        row = rows.nth(at)
        words = row.locator("td").last.inner_text()
        hollow, filled = (
            row.locator(".compare-dot.compare-hollow").count(),
            row.locator(".compare-dot.compare-filled").count(),
        )
        if words == "cannot tell":
            assert (hollow, filled) == (1, 0)
        elif words.startswith("too few"):
            assert (hollow, filled) == (0, 0)
            assert "[" not in row.inner_text()
        else:
            assert (hollow, filled) == (0, 1)
            words = "told"
        kinds.add(words)
    assert kinds >= {"cannot tell", "too few tasks", "told"}
    opened.picture(f"compare-three-{size[0]}")


def test_names_that_are_not_there_are_said(opened: Opened, site: Path) -> None:
    page = opened.go(site / ENGLISH, f"compare?m={A},nobody/none")
    assert page.locator(".compare-left").inner_text() == "Not in this benchmark: nobody/none"
    assert page.locator(".compare-pair").count() == 0
    page.locator(".compare-empty button").click()
    opened.settle()
    assert page.locator(".compare-pair").count() == 3


def test_a_type_leads_to_its_table_with_the_same_first_group(opened: Opened, site: Path) -> None:
    page = opened.go(site / ENGLISH, "types")
    card = page.locator(".types-card", has_text="Retrieval").first
    ranks = card.locator("tbody tr").all_inner_texts()
    card.get_by_role("button").click()
    opened.settle()
    first = page.locator("table.models tr.model").first
    assert ranks[0].split()[0] == first.locator(".place").inner_text()
    assert ranks[0].split()[1] in first.inner_text()


def test_where_points_and_scores_differ_compare_says_so(opened: Opened, site: Path) -> None:
    leader = "codefuse-ai/F2LLM-v2-14B"
    others = {
        "codefuse-ai/F2LLM-v2-4B": "cannot be told from",
        "codefuse-ai/F2LLM-v2-1.7B": "cannot be told from",
        "Salesforce/SFR-Embedding-Mistral": "cannot be told from",
        "Alibaba-NLP/gte-Qwen2-7B-instruct": "is told apart from",
        "intfloat/e5-small": "is told apart from",
    }
    page = opened.go(site / ENGLISH)
    groups = page.locator("tr.group").filter(has_text=re.compile("Group [12] ")).all_inner_texts()
    assert groups == [
        "Group 1 · F2LLM-v2-14B and 3 models that cannot be told from it",
        "Group 2 · gte-Qwen2-7B-instruct and 6 models that cannot be told from it",
    ]
    noted = set()
    for other, by_points in others.items():
        page = opened.go(site / ENGLISH, f"compare?m={leader},{other}")
        page.wait_for_selector(".compare-pair")
        by_scores = "is better" in page.locator(".compare-pair h2").inner_text()
        notes = page.locator(".compare-points").all_inner_texts()
        assert bool(notes) == (by_scores != (by_points == "is told apart from")), other
        assert all(f"F2LLM-v2-14B {by_points} {other.partition('/')[2]}: points count" in note for note in notes)
        noted.add(bool(notes))
    assert noted == {False, True}


def test_the_table_and_types_count_the_same_models(opened: Opened, site: Path) -> None:
    page = opened.go(site / ENGLISH, "types")
    card = page.locator(".types-card").filter(has_text=re.compile(r"models? cannot be told from")).first
    said = re.match(r"(\d+) models? cannot be told from (.*)\.", card.locator(".types-said").inner_text())
    assert said
    n, leader = said.groups()
    card.get_by_text(re.compile("^only ")).click()
    page.wait_for_selector("tr.group")
    group = page.locator("tr.group").filter(has_text="Group 1 ").inner_text()
    assert re.match(rf"Group 1 · {re.escape(leader)} and {n} models? ", group)
