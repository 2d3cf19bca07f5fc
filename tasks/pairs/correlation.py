"""Correlation of measured similarity with human judgement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr


class Correlation(NamedTuple):
    """A coefficient from -1 to 1 and its two-sided p-value; both NaN where one side is constant."""

    coefficient: float
    p_value: float


_UNDEFINED = Correlation(np.nan, np.nan)


def constant(values: NDArray[np.floating] | Sequence[float]) -> bool:
    """Whether all values are equal, so that nothing correlates with them."""
    return len(values) == 0 or bool(np.all(np.equal(values, values[0])))


def pearson(gold: NDArray[np.float64], found: NDArray[np.floating]) -> Correlation:
    """Linear correlation of two (n,) arrays, n ≥ 2."""
    if constant(gold) or constant(found):
        return _UNDEFINED
    result = pearsonr(gold, found.astype(np.float64))
    return Correlation(float(result.statistic), float(result.pvalue))


def spearman(gold: NDArray[np.float64], found: NDArray[np.floating]) -> Correlation:
    """Correlation of the ranks of two (n,) arrays, n ≥ 2; ties share their mean rank."""
    if constant(gold) or constant(found):
        return _UNDEFINED
    result = spearmanr(gold, found.astype(np.float64))
    return Correlation(float(result.statistic), float(result.pvalue))
