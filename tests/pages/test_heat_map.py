"""The heat map of models by tasks: cut to what is in sight, walked by arrows, sorted by a head."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from opened import Opened, metrics
from packed_boards import unpacked
from playwright.sync_api import Page

BOARD = "mteb-multilingual-v2"
PAINT_CPU_MS = 120
CELLS = "td[aria-colindex]:not(.tasks-lead)"
FOCUSED = """() => {
  const at = document.activeElement;
  const [row, column] = [at?.closest("tr")?.ariaRowIndex, at?.closest("td, th")?.ariaColIndex];
  return row && column ? [Number(row), Number(column)] : null;
}"""


@pytest.fixture
def board(site: Path) -> dict[str, Any]:
    text = (site / "d" / f"{BOARD}.js").read_text(encoding="utf-8")
    found = re.fullmatch(r'EM\.put\("[^"]+",(.*)\);\n', text)
    assert found is not None
    return dict(unpacked(json.loads(json.loads(found[1]))))


@pytest.fixture
def heat_map(opened: Opened, site: Path) -> Page:
    return opened.go(site / "b" / f"{BOARD}.html", "tasks")


def in_order(board: dict[str, Any]) -> list[int]:
    """The tasks as their columns stand: by type, and within a type as in the benchmark."""
    types = board["tasks"]["type"]
    return [task for one in board["types"] for task, of in enumerate(types) if of == one]


def shown(page: Page) -> list[tuple[int, int, str]]:
    """Of each cell in the page its row, its column and its text."""
    script = f"""() => [...document.querySelectorAll(".tasks-table tbody {CELLS}")].map((cell) =>
      [Number(cell.parentElement.ariaRowIndex) - 3, Number(cell.ariaColIndex) - 3, cell.textContent])"""
    return [(row, column, text) for row, column, text in page.evaluate(script)]


def models(page: Page, board: dict[str, Any]) -> dict[int, int]:
    """Of each row in the page its model."""
    slugs = {slug: model for model, slug in enumerate(board["models"]["slug"])}
    script = """() => [...document.querySelectorAll(".tasks-table tbody th a")].map((link) =>
      [Number(link.closest("tr").ariaRowIndex) - 3, link.href.split("#")[1]])"""
    return {row: slugs[slug] for row, slug in page.evaluate(script)}


def is_of(text: str, millionths: int | None) -> bool:
    """Whether a cell's text is a score, with one decimal. Of two as near it may be either."""
    if millionths is None:
        return text == ""
    plain = text.replace("\u2212", "-")
    return bool(re.fullmatch(r"-?\d+\.\d", plain)) and abs(float(plain) - millionths / 10000) <= 0.05 + 1e-9


def test_cells_are_the_scores_wherever_one_scrolls(opened: Opened, heat_map: Page, board: dict[str, Any]) -> None:
    columns = in_order(board)
    seen: set[tuple[int, int]] = set()
    for left, top in ((0, 0), (1700, 300), (99_999, 99_999)):
        heat_map.evaluate(f"() => document.querySelector('.tasks-scroll').scrollTo({left}, {top})")
        opened.settle()
        rows = models(heat_map, board)
        for row, column, text in shown(heat_map):
            assert is_of(text, board["scores"][columns[column]][rows[row]]), (row, column)
            seen.add((row, column))
    n_rows, n_columns = max(row for row, _ in seen), max(column for _, column in seen)
    assert n_columns == len(columns) - 1
    table = heat_map.locator(".tasks-table")
    assert table.get_attribute("aria-rowcount") == str(n_rows + 3)
    assert table.get_attribute("aria-colcount") == str(len(columns) + 2)


def test_only_what_is_in_sight_is_in_the_page(heat_map: Page, board: dict[str, Any]) -> None:
    found = shown(heat_map)
    assert len({column for _, column, _ in found}) < 40 < len(board["scores"])
    assert len(found) < 2000


def test_every_cell_is_reached_and_opened_by_keys(opened: Opened, heat_map: Page, board: dict[str, Any]) -> None:
    cell = heat_map.locator(".tasks-table [tabindex='0']")
    assert cell.count() == 1
    cell.focus()
    for key, at in (
        ("ArrowDown", [4, 3]), ("ArrowRight", [4, 4]), ("ArrowUp", [3, 4]), ("ArrowUp", [2, 4]), ("ArrowDown", [3, 4]),
        ("End", [3, len(board["scores"]) + 2]), ("Home", [3, 2]), ("ArrowRight", [3, 3]),
    ):  # fmt: skip
        heat_map.keyboard.press(key)
        assert heat_map.evaluate(FOCUSED) == at, key
    heat_map.keyboard.press("Control+End")
    assert heat_map.evaluate(FOCUSED)[1] == len(board["scores"]) + 2
    heat_map.keyboard.press("Control+Home")
    task = in_order(board)[0]
    row = next(
        row for row, model in sorted(models(heat_map, board).items()) if board["scores"][task][model] is not None
    )
    for key in ("ArrowRight", *["ArrowDown"] * row, "Enter"):
        heat_map.keyboard.press(key)
    heat_map.wait_for_selector(".popover:popover-open")
    assert board["tasks"]["name"][task] in heat_map.locator(".popover:popover-open").inner_text()
    heat_map.keyboard.press("Escape")
    assert heat_map.evaluate(FOCUSED) == [row + 3, 3]


def test_a_head_sorts_and_keeps_the_focus(opened: Opened, heat_map: Page, board: dict[str, Any]) -> None:
    task = in_order(board)[1]
    before = shown(heat_map)
    head = ".tasks-names th[aria-colindex='4']"
    heat_map.locator(f"{head} button:not(.tasks-revisions)").press("Enter")
    opened.settle()
    assert heat_map.locator(head).get_attribute("aria-sort") == "descending"
    assert heat_map.evaluate(FOCUSED) == [2, 4]
    pinned = sum(board["models"]["own"])
    rows = [board["scores"][task][model] for row, model in sorted(models(heat_map, board).items()) if row >= pinned]
    told = [score for score in rows if score is not None]
    assert told == sorted(told, reverse=True)
    assert rows[: len(told)] == told
    heat_map.locator(f"{head} button:not(.tasks-revisions)").press("Enter")
    opened.settle()
    assert shown(heat_map) == before


def test_the_first_place_is_darkest_and_what_was_not_run_is_hatched(heat_map: Page, board: dict[str, Any]) -> None:
    columns, rows = in_order(board), models(heat_map, board)
    script = f"""() => [...document.querySelectorAll(".tasks-table tbody {CELLS}")].map((cell) =>
      [Number(cell.parentElement.ariaRowIndex) - 3, Number(cell.ariaColIndex) - 3, cell.className, cell.ariaLabel])"""
    darkest = 0
    for row, column, look, label in heat_map.evaluate(script):
        scores = board["scores"][columns[column]]
        score = scores[rows[row]]
        if score is None:
            assert ("tasks-none" in look, label) == (True, "not run")
        else:
            best = max(other for other in scores if other is not None)
            assert ("tasks-heat-6" in look) == (score == best)
            darkest += score == best
            assert ("tasks-trained" in look) == (rows[row] in board["trained"][columns[column]])
    assert darkest > 0


@pytest.mark.slow
def test_the_map_of_all_models_costs_little(opened: Opened, real_site: Path) -> None:
    """The processor's time of the main thread, from the address to the paint, with all models of the field."""
    page = opened.go(real_site / "b" / f"{BOARD}.html")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    costs = []
    for _ in range(5):
        before = metrics(session)["TaskDuration"]
        opened.state("tasks")
        costs.append(1000 * (metrics(session)["TaskDuration"] - before))
        assert page.locator(".tasks-table tbody th").count() >= 16
        opened.state("")
    assert median(costs) <= PAINT_CPU_MS, costs
