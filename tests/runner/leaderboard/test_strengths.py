"""Where a model stands out: by the paired test, within its group, on types that can decide anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.config.schema import BenchmarkConfig, BenchmarkTask
from embedmark.runner.leaderboard.bench import Bench
from embedmark.runner.leaderboard.strengths import strengths
from embedmark.runner.ranking.board import board
from embedmark.runner.ranking.matrix import ScoreMatrix
from embedmark.runner.report.rows import TaskRow

KINDS = ["STS"] * 8 + ["Retrieval"] * 8


def made(values: NDArray[np.float64], kinds: list[str] = KINDS) -> Bench:
    """A board whose models are all of one group, with these scores."""
    n_models, n_tasks = values.shape
    tasks = tuple(f"T{number}" for number in range(n_tasks))
    names = tuple(f"org/{letter}" for letter in "abcdefgh"[:n_models])
    rows = tuple(TaskRow(task, kind) for task, kind in zip(tasks, kinds, strict=True))
    matrix = ScoreMatrix(names, names, tasks, tuple(kinds), values, ((),) * n_models, (False,) * n_models, rows)
    ranked = board(matrix, np.arange(n_tasks), draws=50)
    places = tuple(replace(place, group=0) for place in ranked.places)
    config = BenchmarkConfig(name="B", tasks=[BenchmarkTask(name=task) for task in tasks])
    states = np.full(values.shape, -1, dtype=np.int8)
    return Bench(
        config, tasks, replace(ranked, places=places), (), [[] for _ in tasks], [None] * n_models, states, None
    )


def scores() -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    values = 0.5 + 0.01 * rng.standard_normal((3, 16))
    values[0, :8] += 0.1
    values[0, 8:] -= 0.1
    return values


def test_a_model_that_is_better_on_one_type_and_worse_on_another() -> None:
    found = strengths(made(scores()))
    assert found[0] == [
        {"type": "STS", "ahead": True, "n": 2, "of": 2},
        {"type": "Retrieval", "ahead": False, "n": 2, "of": 2},
    ]
    assert all(len({one["type"] for one in told if one["n"] == 2}) == len(told) for told in found.values())


def test_equal_models_do_not_stand_out() -> None:
    assert strengths(made(np.full((3, 16), 0.5))) == {}


def test_few_tasks_and_few_families_decide_nothing() -> None:
    assert strengths(made(scores(), ["STS"] * 5 + ["Retrieval"] * 11)).get(0, [{}])[0].get("type") != "STS"
    related = made(scores())
    one_family = replace(related, keys=[[0]] * 8 + [[] for _ in range(8)])
    assert [one["type"] for one in strengths(one_family)[0]] == ["Retrieval"]


def test_one_type_alone_says_no_more_than_the_group() -> None:
    assert strengths(made(scores(), ["STS"] * 16)) == {}
