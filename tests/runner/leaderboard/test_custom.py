"""Tasks of any benchmark put together in the page are what a build of the benchmark file would be that it copies."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
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

pytestmark = needs_node

CATALOGUE = Catalogue(quiet=True)
BENCHMARKS = ["MTEB(deu, v1)", "MTEB(fra, v1)", "MTEB(Indic, v1)", "MTEB(Scandinavian, v1)"]

FAMILIES = """\
import { familiesOf } from "./standing.js";
const found = given.choices.map((tasks) => [...familiesOf(tasks.map((task) => given.keys[task]))]);
"""
SCRIPT = """\
import { initial } from "./address.js";
import { yaml } from "./copy.js";
import { joined, picksOf, sourceOf } from "./custom.js";
import { standing } from "./standing.js";
import { filesOf, partsOf } from "./subsets.js";
const { index, data } = given;
const found = given.filters.map((filter) => {
  const state = { ...initial(), ...filter };
  const picks = picksOf(index, state);
  const sources = new Map([...new Set(picks.map((pick) => pick.board))].map((number) => {
    const board = data[`d/${index.boards[number].slug}`];
    const files = state.lang.length ? filesOf(board, state.lang) : [];
    return [number, sourceOf(board, Object.fromEntries(files.map(({ key }) => [key, data[key]])), state.lang)];
  }));
  const board = joined(index, picks, sources);
  const of = standing(board, state, {});
  const places = {};
  for (let model = 0; model < of.there.length; model++) {
    places[board.models.label[model]] = [of.rank[model], of.low[model], of.high[model], of.group[model]];
  }
  const leads = (model, task) => {
    const { board: from, model: at, standing: { scores: [column] } } = board.origin(model, task);
    const same = at < 0 || from.models.label[at] === board.models.label[model];
    return same && (column[at] ?? null) === board.scores[task][model];
  };
  const wrong = of.tasks.flatMap((task) => board.models.label.filter((_, model) => !leads(model, task)));
  const columns = Object.fromEntries(of.tasks.map((task, at) => [board.tasks.name[task], of.scores[at]]));
  const text = yaml({ board, files: {}, state, standing: of, shown: [], address: "" });
  const labels = board.models.label;
  const parts = of.tasks.flatMap((task) => labels.map((_, model) => partsOf(board, {}, state.lang, task, model)));
  const told = parts.filter((one) => one).length;
  return { text, columns, labels, places, families: of.families, boards: sources.size, wrong, told };
});
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The data files of a site, by what they are called."""
    folder = tmp_path_factory.mktemp("site")
    build(None, folder, CATALOGUE, BENCHMARKS)
    assert (folder / "custom.html").is_file()
    return built_data(folder)


def test_the_index_has_every_scored_task_once(data: dict[str, Any]) -> None:
    index = data["custom/index"]
    assert [board["name"] for board in index["boards"]] == BENCHMARKS
    held = {name for board in index["boards"] for name in data[f"d/{board['slug']}"]["tasks"]["name"]}
    assert index["tasks"]["name"] == sorted(held)
    for task, variants in zip(index["tasks"]["name"], index["tasks"]["variants"], strict=True):
        for boards, languages in variants:
            assert languages
            for number in boards:
                of_board = data[f"d/{index['boards'][number]['slug']}"]["tasks"]
                assert of_board["languages"][of_board["name"].index(task)] == languages


def test_families_of_any_choice_are_those_of_the_rule(data: dict[str, Any], tmp_path: Path) -> None:
    tasks = data["custom/index"]["tasks"]
    generator = random.Random(0)
    choices = [
        sorted(generator.sample(range(len(tasks["name"])), n)) for n in (1, 2, 5, 20, 40, 60, len(tasks["name"]))
    ]
    found = in_page(tmp_path, FAMILIES, {"keys": tasks["keys"], "choices": choices})
    for choice, of in zip(choices, found, strict=True):
        assert of == families([tasks["name"][task] for task in choice], CATALOGUE).of.tolist()
    assert max(found[-1]) + 1 < len(tasks["name"])


def filters_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    index = data["custom/index"]
    names = index["tasks"]["name"]
    return [
        {"type": ["Retrieval"]},
        {"lang": ["deu"]},
        {"lang": ["swe", "dan"], "type": ["Classification", "Retrieval"]},
        {"lang": ["deu", "eng"]},
        {"domain": ["Legal", "News"]},
        {"bench": [index["boards"][0]["slug"], index["boards"][3]["slug"]]},
        {"task": random.Random(3).sample(names, 20)},
    ]


def test_a_choice_is_a_build_of_what_is_copied(data: dict[str, Any], tmp_path: Path) -> None:
    asked = filters_of(data)
    made = in_page(tmp_path, SCRIPT, {"index": data["custom/index"], "data": data, "filters": asked})
    assert max(one["boards"] for one in made) > 2
    assert max(one["told"] for one in made) > 0
    for one, found in zip(asked, made, strict=True):
        assert found["wrong"] == [], one
        cut = BenchmarkConfig.model_validate(yaml.safe_load(found["text"]))
        matrix = published(cut, CATALOGUE, None, "joined")
        built = board(matrix, families(matrix.tasks, CATALOGUE).of, draws=1_000)
        assert [*built.matrix.tasks] == [*found["columns"]], one
        for task, column in zip(built.matrix.tasks, built.matrix.values.T, strict=True):
            expected = {
                model: int(score)
                for model, score in zip(matrix.models, np.rint(column * SCALE), strict=True)
                if not np.isnan(score)
            }
            shown = zip(found["labels"], found["columns"][task], strict=True)
            assert {model: score for model, score in shown if score is not None} == expected, (one, task)
        assert found["families"] == built.n_families
        assert found["places"] == places_of(built), one


def test_nothing_chosen_is_no_task(data: dict[str, Any], tmp_path: Path) -> None:
    nothing = [{}, {"max": 100}, {"task": ["No such task"]}, {"lang": ["xyz"]}]
    for found in in_page(tmp_path, SCRIPT, {"index": data["custom/index"], "data": data, "filters": nothing}):
        assert found["columns"] == {}
        assert found["labels"] == []
