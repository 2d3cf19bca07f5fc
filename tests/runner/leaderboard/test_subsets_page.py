"""Chosen languages: the page's scores are those of the benchmark cut to the subsets that the languages keep."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from page_in_node import content_of, in_page, needs_node

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import BenchmarkConfig
from embedmark.runner.exchange.task_scores import SCALE, leaf_scores
from embedmark.runner.leaderboard.bench import bench
from embedmark.runner.leaderboard.languages import Languages, languages_of
from embedmark.runner.leaderboard.scores import AllScores
from embedmark.runner.leaderboard.subsets import needed
from embedmark.runner.report.rows import leaves, rows_asked
from embedmark.runner.results.collect import Collected

CATALOGUE = Catalogue()
MODELS = ("a/one", "a/two", "b/three", "b/four")
REVISIONS = ("r1", "r2", "external")
KEPT = ["eng", "deu", "fra", "hin", "swe", "dan", "zho"]
CHOICES = [["deu"], ["eng"], ["hin", "deu"], ["deu", "fra", "swe"], ["dan", "swe"], ["eng", "deu", "fra"], KEPT]

BENCHMARK = BenchmarkConfig.model_validate(
    {
        "name": "Of several languages",
        "tasks": [
            {"name": "MassiveIntentClassification", "splits": ["validation", "test"]},
            "NTREXBitextMining",
            "BUCC.v2",
            "AmazonCounterfactualClassification",
            "XNLI",
            "STS22.v2",
            "Banking77Classification",
            "NordicLangClassification",
            "STSBenchmarkMultilingualSTS",
            "DalajClassification",
        ],
    }
)


def scores_of(seed: int) -> AllScores:
    """Random scores of random models and revisions: whole tasks, parts of tasks, and nothing."""
    generator = np.random.default_rng(seed)
    rows = rows_asked(BENCHMARK, CATALOGUE)
    found = []
    for model, revision, leaf in product(MODELS, REVISIONS, leaves(rows)):
        there = generator.choice([0.0, 0.0, 0.3, 0.8, 0.97, 1.0])
        found += [
            (model, revision, leaf.name, split, subset, round(float(generator.random()), 5))
            for split, subset in leaf.slots
            if generator.random() < there
        ]
    columns = ["model", "revision", "task", "split", "subset", "main_score"]
    cells = pl.DataFrame(found, schema=columns, orient="row").with_columns(
        pl.col(name).cast(pl.Categorical) for name in columns[1:5]
    )
    return AllScores(
        catalogue=CATALOGUE,
        benchmarks={BENCHMARK.name: BENCHMARK},
        asked={BENCHMARK.name: rows},
        cells=cells,
        leaf_scores=leaf_scores(cells.lazy(), leaves(rows)),
        preferred={"a/one": "r2", "b/four": "r1"},
        collected=Collected((), (), ()),
        outputs=None,
        imported=False,
    )


def page_of(scores: AllScores) -> tuple[dict[str, Any], Languages]:
    """What of a board the module reads."""
    made = bench(scores, BENCHMARK.name)
    assert made is not None
    found = languages_of(scores, made, "several")
    tasks = {task.name: task for task in BENCHMARK.tasks}
    none: list[None] = [None] * len(made.parts_alone)
    columns = [[None if np.isnan(one) else round(one * SCALE) for one in column] for column in made.matrix.values.T]
    return {
        "models": {"name": [*made.matrix.models, *made.parts_alone]},
        "tasks": {
            "name": list(made.matrix.tasks),
            "only": [tasks[name].subsets for name in made.matrix.tasks],
            "splits": [tasks[name].splits for name in made.matrix.tasks],
        },
        "scores": [[*column, *none] for column in columns],
        "languageFiles": found.listed,
    }, found


def read(files: Languages) -> dict[str, Any]:
    return dict(content_of(file.decode("ascii")) for file in files.files.values())


@needs_node
@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_the_benchmark_cut_to_the_languages(seed: int, tmp_path: Path) -> None:
    scores = scores_of(seed)
    board, files = page_of(scores)
    script = (
        'import { columnsOf, narrowedTasks } from "./subsets.js";\n'
        "const found = given.choices.map((chosen) => ({...columnsOf(given.board, given.files, chosen), "
        "yaml: narrowedTasks(given.board, given.files, chosen)}));"
    )
    offered = {one["code"] for one in files.listed}
    choices = [[code for code in chosen if code in offered] for chosen in CHOICES]
    assert {"deu", "eng", "fra", "swe"} <= offered
    given = {
        "board": board,
        "files": read(files),
        "choices": choices,
    }
    several = 0
    for chosen, found in zip(choices, in_page(tmp_path, script, given), strict=True):
        tasks = [
            {key: task[key] for key in ("name", "subsets", "splits") if task[key] is not None} for task in found["yaml"]
        ]
        cut = rows_asked(BenchmarkConfig.model_validate({"name": "Cut", "tasks": tasks}), CATALOGUE)
        assert [row.name for row in cut] == [board["tasks"]["name"][task] for task in found["tasks"]]
        for row in cut:
            languages = CATALOGUE.task(row.name).subsets
            asked = next(one for one in rows_asked(BENCHMARK, CATALOGUE) if one.name == row.name)
            expected = {slot for slot in asked.slots if needed(languages[slot[1]]) <= {*chosen}}
            assert {*row.slots} == expected
        whole = leaf_scores(scores.cells.lazy(), leaves(cut)).of_tasks(cut, scores.preferred, "joined")
        for model, name in enumerate(board["models"]["name"]):
            expected_scores = whole[name].scores if name in whole else {}
            for task, column in zip(cut, found["scores"], strict=True):
                expected = expected_scores.get(task.name)
                assert column[model] == (None if expected is None else round(expected * SCALE)), (name, task.name)
                several += expected is not None and whole[name].of[task.name] != whole[name].revisions[0]
    assert several > 5


@needs_node
def test_a_missing_score_says_how_many_subsets_are_there(tmp_path: Path) -> None:
    board, files = page_of(scores_of(0))
    script = (
        'import { columnsOf, partsOf } from "./subsets.js";\nconst lang = ["deu", "fra"];\n'
        "const { tasks, scores } = columnsOf(given.board, given.files, lang);\n"
        "const found = tasks.flatMap((task, at) => scores[at].map((score, model) => "
        "[score, partsOf(given.board, given.files, lang, task, model)]));"
    )
    found = in_page(
        tmp_path,
        script,
        {"board": board, "files": read(files)},
    )
    told = [(score, parts) for score, parts in found if parts is not None]
    assert len(told) > 10
    for score, parts in told:
        assert (score is not None) == (parts["have"] == parts["of"])
        assert len(parts["missing"]) == parts["of"] - parts["have"]
    assert any(0 < parts["have"] < parts["of"] for _, parts in told)
