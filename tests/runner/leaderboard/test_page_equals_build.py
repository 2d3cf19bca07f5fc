"""The page equals the build, bit for bit: filters of tasks and languages give the places, intervals and groups of a
build of the benchmark file that the page copies."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from page_in_node import built_data, in_page, needs_node, places_of

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import BenchmarkConfig
from embedmark.runner.exchange.task_scores import SCALE
from embedmark.runner.leaderboard.site import build
from embedmark.runner.ranking.board import board
from embedmark.runner.ranking.families import families
from embedmark.runner.ranking.matrix import published

CATALOGUE = Catalogue()
LARGE, MIDDLE, SMALL = "MTEB(Multilingual, v2)", "MTEB(Europe, v1)", "MTEB(Indic, v1)"
BY_TYPES, BY_MEAN = "MIEB(lite)", "CLIP_benchmark(zero-shot)"
DRAWS = 1_000
Page = dict[str, Any]
PageOf = Callable[[str], Page]

SCRIPT = """\
import { initial } from "./address.js";
import { yaml } from "./copy.js";
import { standing } from "./standing.js";
const { board, files } = given;
const found = given.filters.map((filter) => {
  const state = { ...initial(), ...filter };
  const of = standing(board, state, files);
  const text = yaml({ board, files, state, standing: of, shown: [], address: "board.html" });
  const columns = Object.fromEntries(of.tasks.map((task, at) => [board.tasks.name[task], of.scores[at]]));
  const places = {};
  for (let model = 0; model < of.there.length; model++) {
    const place = [of.rank[model], of.low[model], of.high[model], of.group[model]];
    if (of.there[model]) places[board.models.label[model]] = place;
  }
  return { text, columns, places, families: of.families };
});
"""


@pytest.fixture(scope="module")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> PageOf:
    """Have a benchmark's data as its page has them, out of a folder that was built."""

    @cache
    def made(name: str) -> Page:
        folder = tmp_path_factory.mktemp("site")
        build(None, folder, CATALOGUE, [name])
        files = built_data(folder)
        board = next(data for data in files.values() if data.get("name") == name)
        return {"board": board, "files": files}

    return made


def filters(page: Page, n: int, seed: int) -> list[dict[str, Any]]:
    """Random filters of tasks, types and languages, together and alone."""
    generator = random.Random(seed)
    data = page["board"]
    # Languages of many tasks as often as those of few.
    codes = sorted(data["languageFiles"], key=lambda one: (-one["tasks"], one["code"]))
    common, all_codes = [one["code"] for one in codes[:12]], [one["code"] for one in codes]
    found = []
    for number in range(n):
        one: dict[str, Any] = {}
        if number % 4 != 3 and all_codes:
            of = common if generator.random() < 0.7 else all_codes
            one["lang"] = generator.sample(of, min(len(of), generator.choice([1, 1, 2, 3, 5])))
        if number % 4 in (1, 3):
            one["task"] = generator.sample(data["tasks"]["name"], generator.randint(1, len(data["tasks"]["name"])))
        elif number % 4 == 2:
            one["type"] = generator.sample(data["types"], generator.randint(1, len(data["types"])))
        found.append(one)
    return found


def check(page: Page, asked: list[dict[str, Any]], tmp_path: Path) -> int:
    """Compare each filter with its build. Gives how many had intervals."""
    labels = page["board"]["models"]["label"]
    told = 0
    for one, found in zip(asked, in_page(tmp_path, SCRIPT, {**page, "filters": asked}), strict=True):
        if not found["columns"]:
            assert not found["places"], one
            continue
        cut = BenchmarkConfig.model_validate(yaml.safe_load(found["text"]))
        matrix = published(cut, CATALOGUE, None, "joined")
        built = board(matrix, families(matrix.tasks, CATALOGUE).of, cut.ranked_by, draws=DRAWS)
        assert [*built.matrix.tasks] == [*found["columns"]], one
        for task, column in zip(built.matrix.tasks, built.matrix.values.T, strict=True):
            scores = {
                model: round(score * SCALE)
                for model, score in zip(matrix.models, column, strict=True)
                if score == score
            }
            assert {
                labels[at]: score for at, score in enumerate(found["columns"][task]) if score is not None
            } == scores, (one, task)
        places = places_of(built)
        assert found["places"] == places, one
        assert found["families"] == built.n_families
        told += any(low for _, low, _, _ in places.values())
    return told


@needs_node
def test_a_filter_is_a_build_of_what_it_keeps(page_of: PageOf, tmp_path: Path) -> None:
    page = page_of(MIDDLE)
    assert check(page, filters(page, 4, seed=1), tmp_path) > 0


@needs_node
@pytest.mark.parametrize("name", [BY_TYPES, BY_MEAN])
def test_a_filter_ranks_by_the_mean_that_the_benchmark_is_ranked_by(page_of: PageOf, name: str, tmp_path: Path) -> None:
    page = page_of(name)
    assert page["board"]["by"] != "borda"
    assert check(page, filters(page, 6, seed=3), tmp_path) > 0


@needs_node
@pytest.mark.slow
@pytest.mark.parametrize(("name", "n", "with_intervals"), [(LARGE, 26, 8), (MIDDLE, 14, 4), (SMALL, 10, 1)])
def test_fifty_filters_are_builds_of_what_they_keep(
    page_of: PageOf, name: str, n: int, with_intervals: int, tmp_path: Path
) -> None:
    page = page_of(name)
    assert check(page, filters(page, n, seed=2), tmp_path) >= with_intervals


@needs_node
@pytest.mark.parametrize("name", [MIDDLE, BY_TYPES])
def test_no_filter_is_the_build(page_of: PageOf, name: str, tmp_path: Path) -> None:
    page = page_of(name)
    of_build = page["board"]["build"]
    (found,) = in_page(tmp_path, SCRIPT, {**page, "filters": [{}]})
    for model, label in enumerate(page["board"]["models"]["label"]):
        expected = [of_build[key][model] for key in ("rank", "low", "high", "group")]
        assert found["places"].get(label, [0, 0, 0, -1]) == expected
    assert max(of_build["group"]) > 0
