"""The interval of a mean over tasks: two questions, and two answers that must not be added.

The spread of task scores contains the noise of their items already, so that an interval of "tasks like these" resamples
tasks alone, and one of "this benchmark as it is" items alone (Davison and Hinkley 1997, §3.8; Field and Welsh 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from embedmark.runner.stats.intervals import LEVEL
from embedmark.runner.stats.paired import p_of_t, smallest_visible
from embedmark.runner.stats.spread import Spread

Floats: TypeAlias = NDArray[np.float64]

FEWEST_FAMILIES = 3


@dataclass(frozen=True)
class MeanOfTasks:
    """A mean over tasks, or the mean of differences, with both intervals.

    Args:
        mean: Over the tasks.
        as_it_is: Ends for these tasks with new items; None where a task has no standard error.
        like_these: Ends for other tasks like these; None below three families.
        se_items: Standard error by items; None likewise.
        spread: Standard error over families, and how many there are.
        p_items: Of a mean of 0 by items; None likewise.
        p_tasks: Of a mean of 0 over families; None likewise.
        smallest_visible: The mean that families of this number and spread show four times in five; None likewise.
        item_share: The share of items' noise in the spread over tasks; None where either is unknown.
    """

    mean: float
    as_it_is: tuple[float, float] | None
    like_these: tuple[float, float] | None
    se_items: float | None
    spread: Spread
    p_items: float | None
    p_tasks: float | None
    smallest_visible: float | None
    item_share: float | None


def mean_of_tasks(
    scores: Sequence[float], families: Sequence[int], se: Sequence[float | None], level: float = LEVEL
) -> MeanOfTasks:
    """Compute the mean of task scores, or of their differences, with both intervals.

    Args:
        scores: (T,) of each task.
        families: (T,) tasks of one number belong together.
        se: (T,) the standard error of each by its items; None where there is none.
        level: The coverage of each.
    """
    values = np.asarray(scores, dtype=np.float64)
    mean, n = float(values.mean()), len(values)
    _, place = np.unique(np.asarray(families), return_inverse=True)
    sums = np.bincount(place, weights=values - mean) / n
    groups = len(sums)
    error = float(np.sqrt(groups / (groups - 1) * (sums**2).sum())) if groups > 1 else float("nan")
    found = Spread(error, groups - 1, n, groups, 1)
    told = groups >= FEWEST_FAMILIES
    half = float(stdtrit(groups - 1, (1 + level) / 2)) * error if told else 0.0
    known = [value for value in se if value is not None]
    items = float(np.sqrt(np.square(known).sum()) / n) if n and len(known) == n else None
    p_items = None
    if items is not None:
        p_items = p_of_t(mean, Spread(items, 1e9, n, n, 1))
    return MeanOfTasks(
        mean,
        None if items is None else _around(mean, float(ndtri((1 + level) / 2)) * items),
        _around(mean, half) if told else None,
        items,
        found,
        p_items,
        p_of_t(mean, found) if told else None,
        smallest_visible(error, groups - 1) if told else None,
        min(items**2 / error**2, 1.0) if items is not None and told and error > 0 else None,
    )


def _around(mean: float, half: float) -> tuple[float, float]:
    return mean - half, mean + half
