"""What a model would be expected to score on a task, by what it and others score elsewhere: a robust low-rank fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RANK, ROUNDS, RIDGE = 5, 14, 1.0
_LOW, _HIGH = 0.02, 0.98
_CLIP = 5.0
_HUBER, _TUKEY = 1.5, 4.5
_MAD = 1.4826
"""Standard deviations of a normal variable to a median absolute deviation."""

Matrix = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Fit:
    """A fit of scores.

    Args:
        expected: On the scale of scores: (n_models, n_tasks).
        z: How many robust standard deviations of its task's residuals a score is off, NaN where there is none.
    """

    expected: Matrix
    z: Matrix


def fit(scores: Matrix) -> Fit:
    """Fit scores by `RANK` factors.

    Scores are squashed (the logit of 0.02 to 0.98, else scores of 1.3 would be expected), each task is centred by its
    median and scaled by its median absolute deviation, and cut at 5. Alternating ridge regressions follow, at first
    with Huber's weights, then with Tukey's, so that what is wrong does not explain itself.

    Args:
        scores: (n_models, n_tasks), NaN where there is none.
    """
    known = np.isfinite(scores)
    squashed = _logit(np.clip(scores, _LOW, _HIGH))
    centre = np.nanmedian(squashed, axis=0)
    spread = _MAD * np.nanmedian(np.abs(squashed - centre), axis=0)
    spread = np.where(spread > 1e-6, spread, 1.0)
    y = np.where(known, np.clip((squashed - centre) / spread, -_CLIP, _CLIP), 0.0)
    rng = np.random.default_rng(0)
    models: Matrix = np.concatenate([np.ones((len(y), 1)), rng.normal(0, 0.1, (len(y), RANK))], axis=1)
    tasks: Matrix = np.zeros((y.shape[1], RANK + 1))
    weights: Matrix = known.astype(np.float64)
    for number in range(ROUNDS):
        tasks = _solved(models, y.T, weights.T)
        models = _solved(tasks, y, weights)
        residual = np.where(known, y - models @ tasks.T, 0.0)
        scale = max(_MAD * float(np.median(np.abs(residual[known]))), 1e-3)
        weights = known * _weight(np.abs(residual) / scale, tukey=number >= ROUNDS // 2)
    predicted = models @ tasks.T
    residual = np.where(known, y - predicted, np.nan)
    of_task = np.maximum(_MAD * np.nanmedian(np.abs(residual), axis=0), 0.1)
    return Fit(_expit(predicted * spread + centre), residual / of_task)


def _solved(factors: Matrix, y: Matrix, weights: Matrix) -> Matrix:
    """Ridge regressions of the rows of y on factors, each with its own weights."""
    width = factors.shape[1]
    products = (factors[:, :, None] * factors[:, None, :]).reshape(len(factors), -1)
    gram = (weights @ products).reshape(-1, width, width) + RIDGE * np.eye(width)
    solved: Matrix = np.linalg.solve(gram, ((weights * y) @ factors)[:, :, None])[:, :, 0]
    return solved


def _weight(size: Matrix, *, tukey: bool) -> Matrix:
    if tukey:
        return np.where(size < _TUKEY, (1 - np.minimum(size / _TUKEY, 1) ** 2) ** 2, 0.0)
    return np.minimum(1.0, _HUBER / np.maximum(size, 1e-9))


def _logit(share: Matrix) -> Matrix:
    found: Matrix = np.log(share / (1 - share))
    return found


def _expit(value: Matrix) -> Matrix:
    found: Matrix = 1 / (1 + np.exp(-value))
    return found
