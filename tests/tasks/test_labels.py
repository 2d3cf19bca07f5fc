"""Classification, multilabel classification, clustering, regression, zero-shot: every metric equals the reference's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from facts_labels import FACTS, score

from embedmark.tasks.base import Scores
from embedmark.tasks.types import task_types

CASES = {f"{case['type']}: {case['name']}, {case.get('similarity', 'cosine')}": case for case in FACTS["cases"]}


def rows_of(columns: dict[str, list[Any]]) -> int:
    return len(next(iter(columns.values())))


def ours(case: dict[str, Any], pair: str) -> Scores:
    """Score one (split, subset) of a case, told of the pairs before it."""
    split, subset = pair.split("/")
    settings = task_types()[case["type"]].settings(**case["settings"])
    before = []
    for earlier_split, earlier in case["order"][: case["order"].index([split, subset])]:
        drawn = settings.drawn_split(earlier_split) if hasattr(settings, "drawn_split") else earlier_split
        before.append(rows_of(case["data"][earlier][drawn]))
    return score(
        case["type"],
        case["data"][subset],
        case["settings"],
        split=split,
        main=case["main"],
        replayed_split_sizes=tuple(before),
        similarity=case.get("similarity", "cosine"),
    )


def experiments_of(expected: dict[str, Any]) -> Iterator[tuple[str, list[float]]]:
    """Metric → its repetitions, out of the three shapes in which the reference reports them."""
    if "scores_per_experiment" in expected:
        for metric in expected["scores_per_experiment"][0]:
            yield metric, [scores[metric] for scores in expected["scores_per_experiment"]]
    for name, metric in (("v_measures", "v_measure"), ("ami_scores", "ami")):
        if isinstance(expected.get(name), list):
            yield metric, expected[name]
        elif name in expected:
            yield metric, [score for level in expected[name].values() for score in level]


@pytest.mark.parametrize("name", CASES)
def test_every_metric_equals_the_reference(name: str) -> None:
    case = CASES[name]
    # PyTorch's euclidean distances of many vectors are products of rounded squares, wrong in the sixth digit: near-ties
    # fall otherwise there than by exact distances, and average precision with them. Least squares of about as many rows
    # as dimensions magnify the last digits of float32, which differ from one BLAS kernel to the next.
    far = case.get("similarity") == "euclidean" or case["type"] == "regression"
    close = {"rel": 5e-3, "abs": 5e-3} if far else {"rel": 0, "abs": 1e-6}
    for pair, expected in case["expected"].items():
        scores = ours(case, pair)
        metrics = {metric: value for metric, value in expected.items() if isinstance(value, float)}
        assert scores.main_score == pytest.approx(metrics.pop("main_score"), **close)
        # The facts leave out what is undefined.
        defined = {metric: value for metric, value in scores.values.items() if not math.isnan(value)}
        assert defined == pytest.approx(metrics, **close), pair
        for metric, values in experiments_of(expected):
            found = [experiment[metric] for experiment in scores.experiments]
            assert found == pytest.approx(values, **close), (pair, metric)
