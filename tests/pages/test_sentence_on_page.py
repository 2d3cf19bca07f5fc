"""The sentence of a page is that of the build and of the terminal, whatever is chosen; the page of meanings has all."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from opened import PHONE, Opened, violations
from playwright.sync_api import BrowserContext

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.leaderboard.bench import Bench, bench
from embedmark.runner.leaderboard.explained import explained
from embedmark.runner.leaderboard.scores import AllScores, all_scores
from embedmark.runner.leaderboard.show import shown
from embedmark.runner.ranking.sentence import plain, sentence

BENCHMARK, BOARD = "MTEB(Multilingual, v2)", "mteb-multilingual-v2"
EVERYONE = 10_000

CHOICES = [
    {"type": ["Retrieval"]},
    {"type": ["Reranking", "STS"]},
    {"lang": ["deu"]},
    {"lang": ["hin"], "type": ["Classification"]},
    {"lang": ["deu"], "type": ["Retrieval"]},
    {"domain": ["Legal"]},
    {"type": ["InstructionReranking"]},
    {"drop": ["NTREXBitextMining", "ArguAna"]},
    {"task": ["ArguAna"]},
]


@pytest.fixture(scope="module")
def made() -> tuple[AllScores, Bench]:
    scores = all_scores(None, Catalogue(quiet=True), [BENCHMARK])
    whole = bench(scores, BENCHMARK)
    assert whole is not None
    return scores, whole


def said(tab: Opened) -> str:
    return str(tab.page.evaluate("() => document.getElementById('sentence').textContent"))


def test_it_stands_before_the_script_as_after_it(opened: Opened, site: Path, real_site: Path) -> None:
    pages = [*site.glob("b/*.html"), *real_site.glob("b/*.html")]
    assert len(pages) > 4
    for file in pages:
        found = re.search(r'<p id="sentence".*?</p>', file.read_text(encoding="utf-8"), re.DOTALL)
        assert found is not None
        opened.go(file)
        assert said(opened) == html.unescape(re.sub("<[^>]+>", "", found[0])), file.name


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_it_is_that_of_the_terminal(
    choice: dict[str, list[str]], opened: Opened, real_site: Path, made: tuple[AllScores, Bench]
) -> None:
    state = "&".join(f"{key}={','.join(values)}" for key, values in choice.items())
    opened.go(real_site / "b" / f"{BOARD}.html", f"?{state}")
    assert said(opened) == plain(sentence(shown(*made, choice, EVERYONE).facts))


def test_hiding_models_is_said_and_changes_no_verdict(opened: Opened, real_site: Path) -> None:
    page = real_site / "b" / f"{BOARD}.html"
    opened.go(page)
    before = opened.page.locator("#sentence b").all_inner_texts()
    opened.state("?max=500&open=1")
    assert opened.page.locator("#sentence b").all_inner_texts() == before
    assert re.search(r"\d+ are shown: at most 500\s?M, open weights; ranks are among all\.", said(opened))


def test_the_page_of_meanings(opened: Opened, site: Path) -> None:
    page = opened.go(site / "columns.html")
    names = page.locator("dt").all_inner_texts()
    assert names == [one.name for entries in explained().values() for one in entries]
    opened.size(PHONE)
    assert opened.widest() <= PHONE[0]
    opened.go(site / "b" / f"{BOARD}.html")
    opened.page.get_by_role("button", name="Columns").click()
    opened.page.get_by_role("link", name="What the columns mean").click()
    assert opened.page.locator("h1").inner_text() == "What the columns mean"


def test_axe_finds_nothing_on_the_page_of_meanings(make_context: object, site: Path) -> None:
    assert callable(make_context)
    context: BrowserContext = make_context(bypass_csp=True)
    tab = Opened(context.new_page())
    assert violations(tab.go(site / "columns.html")) == []
