"""Which tasks tell most of a benchmark's mean, for what they take: forward choice by the errors of leaving one out."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.integer]

_PENALTY = 0.01


def chosen_tasks(
    scores: Floats,
    most: int,
    seconds: Floats | None = None,
    budget: float | None = None,
    done: Indices | None = None,
) -> Indices:
    """Choose tasks one by one: each time the one that lowers the error of a regression of the mean most.

    The error is that of leaving one model out (PRESS; Allen 1974), its logarithm per second where times are given.

    Args:
        scores: (N, T), none missing.
        most: How many at most.
        seconds: (T,) what each takes, above 0; None where all take the same.
        budget: How many seconds all may take; None for any. Tasks that would pass it are not taken.
        done: Tasks that are there already, and cost nothing; they are not in the result.

    Returns:
        Numbers of tasks, in the order of choice.
    """
    means = scores.mean(axis=1)
    x = (scores - scores.mean(axis=0)) / (scores.std() + 1e-9)
    y = means - means.mean()
    gram, with_y = x.T @ x + np.eye(x.shape[1]) * _PENALTY * len(x), x.T @ y
    cost = np.ones(x.shape[1]) if seconds is None else seconds
    taken = [] if done is None else [int(task) for task in done]
    found: list[int] = []
    spent = 0.0
    press = _press(x, y, gram, with_y, np.array([taken]))[0] if taken else float((y**2).sum())
    while len(found) < most:
        free = np.array([task for task in range(x.shape[1]) if task not in taken], dtype=np.int64)
        if budget is not None:
            free = free[spent + cost[free] <= budget]
        if not len(free):
            break
        after = _press(x, y, gram, with_y, np.column_stack([np.tile(taken, (len(free), 1)), free]).astype(np.int64))
        gain = (np.log(max(press, 1e-300)) - np.log(np.maximum(after, 1e-300))) / cost[free]
        best = int(np.argmax(gain))
        press = float(after[best])
        taken.append(int(free[best]))
        found.append(int(free[best]))
        spent += float(cost[free[best]])
    return np.array(found, dtype=np.int64)


def _press(x: Floats, y: Floats, gram: Floats, with_y: Floats, sets: Indices) -> Floats:
    """The sum of squared errors of leaving one out, of a regression on each set of columns (C, k)."""
    columns = x[:, sets].transpose(1, 0, 2)
    inner = gram[sets[:, :, None], sets[:, None, :]]
    coefficients = np.linalg.solve(inner, with_y[sets][..., None])
    leverage = 1 / len(x) + (columns * np.linalg.solve(inner, columns.transpose(0, 2, 1)).transpose(0, 2, 1)).sum(
        axis=2
    )
    left = (y - (columns @ coefficients)[..., 0]) / (1 - np.minimum(leverage, 0.999))
    return np.asarray((left**2).sum(axis=1))
