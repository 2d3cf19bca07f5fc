"""Influence values: the slope of each metric by the weight of each unit, as the metric's own code has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, pearsonr, rankdata, spearmanr
from sklearn.metrics import average_precision_score, f1_score, precision_recall_fscore_support

from embedmark.runner.stats import influence

N = 300
RNG = np.random.default_rng(7)
GOLD = RNG.integers(0, 6, N).astype(float)
FOUND = np.round(GOLD + 2 * RNG.normal(size=N), 1)
LABEL = RNG.integers(0, 5, N)
PREDICTED = np.where(RNG.random(N) < 0.6, LABEL, RNG.integers(0, 7, N))
MARKS = RNG.random((N, 6)) < 0.3
FOUND_MARKS = MARKS ^ (RNG.random((N, 6)) < 0.2)


def left_out(metric: Callable[..., float], *columns: Any) -> np.ndarray:
    """(n - 1) · (all - all but one), centred: the influence to an order of 1/n."""
    whole, kept = metric(*columns), ~np.eye(N, dtype=bool)
    found = np.array([(N - 1) * (whole - metric(*(column[rows] for column in columns))) for rows in kept])
    return found - found.mean()


def of_classes(name: str, average: str) -> Callable[..., float]:
    place = ("precision", "recall", "f1").index(name)
    return lambda label, predicted: precision_recall_fscore_support(label, predicted, average=average, zero_division=0)[
        place
    ]


CASES = {
    "mean": (influence.of_mean, np.mean, (FOUND,)),
    "pearson": (influence.of_pearson, lambda x, y: pearsonr(x, y).statistic, (GOLD, FOUND)),
    "spearman": (influence.of_spearman, lambda x, y: spearmanr(x, y).statistic, (GOLD, FOUND)),
    "kendall": (influence.of_kendall, lambda x, y: kendalltau(x, y).statistic, (GOLD, FOUND)),
    "average precision": (
        influence.of_average_precision,
        lambda similarity, label: average_precision_score(label, similarity),
        (FOUND, (GOLD > 2).astype(int)),
    ),
    "f1 of pairs": (influence.of_f1, f1_score, (MARKS[:, 0], FOUND_MARKS[:, 0])),
    "macro f1 of marks": (
        influence.of_macro_f1,
        lambda label, predicted: f1_score(label, predicted, average="macro", zero_division=0),
        (MARKS, FOUND_MARKS),
    ),
    **{
        f"{name}{end}": (
            lambda label, predicted, metric=f"{name}{end}": influence.of_classes(metric, label, predicted),
            of_classes(name, average),
            (LABEL, PREDICTED),
        )
        for name in ("f1", "precision", "recall")
        for end, average in (("", "macro"), ("_weighted", "weighted"))
    },
}


@pytest.mark.parametrize("name", CASES)
def test_influence_is_what_leaving_a_unit_out_changes(name: str) -> None:
    function, metric, columns = CASES[name]
    psi = function(*columns)
    assert abs(psi.mean()) < 1e-12
    expected = left_out(metric, *columns)
    assert np.corrcoef(psi, expected)[0, 1] > 0.9995
    assert abs(psi - expected).max() < 0.03 * np.abs(expected).max()


def test_average_precision_equals_its_derivative_by_weight() -> None:
    """Exactly: scikit-learn takes weights, so that nothing has to be left out."""
    label = (GOLD > 2).astype(int)
    psi = influence.of_average_precision(FOUND, label)
    for unit in range(0, N, 37):
        step = np.zeros(N)
        step[unit] = 1e-5
        up, down = (average_precision_score(label, FOUND, sample_weight=1 + sign * step) for sign in (1, -1))
        assert psi[unit] / N == pytest.approx((up - down) / 2e-5, abs=1e-8)


@given(st.permutations(range(40)))
def test_order_of_units_changes_nothing(order: list[int]) -> None:
    gold, found = GOLD[:40], FOUND[:40]
    for function in (influence.of_spearman, influence.of_kendall, influence.of_pearson):
        np.testing.assert_allclose(function(gold, found)[order], function(gold[order], found[order]), atol=1e-12)


def test_ranks_alone_move_spearman() -> None:
    np.testing.assert_allclose(
        influence.of_spearman(GOLD, FOUND), influence.of_spearman(rankdata(GOLD), np.exp(FOUND)), atol=1e-12
    )
