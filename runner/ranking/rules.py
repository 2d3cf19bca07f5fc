"""What a ranking adds up, by each of its rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.config.schema import RankedBy
from embedmark.runner.stats import ranks

Floats: TypeAlias = NDArray[np.float64]
Whole: TypeAlias = NDArray[np.int64]
By: TypeAlias = RankedBy


@dataclass(frozen=True)
class Rule:
    """What is added up, over the models that are ranked.

    Args:
        models: (M,) their rows, in order.
        scores: (M, T).
        values: (M, T), whose means over tasks are ranked.
        whole: The same in whole numbers; None where draws have to be within types.
        types: (T,) the number of each task's type, from 0.
    """

    models: NDArray[np.intp]
    scores: Floats
    values: Floats
    whole: Whole | None
    types: Whole

    def weights(self, draws: int, families: NDArray[np.integer]) -> NDArray[np.floating]:
        """Draw families, within types where those are ranked: (R, T) how much each task counts in each draw."""
        if self.whole is not None:
            return ranks.draw_counts(draws, families)
        found = np.zeros((draws, len(families)))
        for kind in np.unique(self.types):
            of_kind = np.flatnonzero(self.types == kind)
            _, own = np.unique(families[of_kind], return_inverse=True)
            counts = ranks.draw_counts(draws, own, seed=int(kind)).astype(np.float64)
            found[:, of_kind] = counts / counts.sum(axis=1, keepdims=True)
        return found

    def totals(self, weights: NDArray[np.floating]) -> Whole:
        """Sum what is ranked in each draw: (R, M)."""
        if self.whole is not None:
            return ranks.totals_of(weights.astype(np.float32, copy=False), self.whole)
        return _whole(weights @ self.scores.T)

    @property
    def total(self) -> Whole:
        """(M,) what is ranked."""
        return self.of(np.ones(self.values.shape[1], dtype=bool))

    def of(self, kept: NDArray[np.bool_]) -> Whole:
        """(M,) what is ranked where some tasks alone are kept."""
        if self.whole is not None:
            return np.asarray(self.whole[:, kept].sum(axis=1), dtype=np.int64)
        kinds = [np.flatnonzero(kept & (self.types == kind)) for kind in np.unique(self.types[kept])]
        return _whole(np.sum([self.scores[:, of_kind].mean(axis=1) for of_kind in kinds], axis=0))


def _whole(total: Floats) -> Whole:
    """Sums of means in whole numbers, so that the order of additions moves no rank."""
    return np.asarray(np.rint(total * 1e9), dtype=np.int64)


def rule_of(models: NDArray[np.intp], scores: Floats, types: Sequence[str], by: By) -> Rule:
    """Prepare a rule.

    Args:
        models: (M,) the rows that are ranked, in order.
        scores: (M, T) of these; NaN where missing, which "borda" alone takes.
        types: (T,) of the tasks.
        by: Which rule.
    """
    kinds = np.unique(np.array(types), return_inverse=True)[1].astype(np.int64)
    if by == "borda":
        points = ranks.points2(scores)
        return Rule(models, scores, points.astype(np.float64), points, kinds)
    if by == "mean":
        return Rule(models, scores, scores, np.rint(scores * ranks.SCALE).astype(np.int64), kinds)
    share = 1 / np.bincount(kinds)[kinds] / (kinds.max() + 1)
    return Rule(models, scores, scores * share * len(types), None, kinds)
