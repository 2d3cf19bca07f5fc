"""Semantic textual similarity: does similarity of vectors follow human judgement of pairs?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Bound, Embeddings, ItemSet, Scores, TaskData
from embedmark.tasks.columns import numbers_of
from embedmark.tasks.item_arrays import UNIT, ItemArrays, cluster_column, shared_items, units
from embedmark.tasks.pairs.correlation import constant, pearson, spearman
from embedmark.tasks.pairs.settings import STSSettings
from embedmark.tasks.pairs.sides import pair_items, pair_sets
from embedmark.tasks.similarity import comparisons

_PREFIXES = {"cosine": "cosine_", "manhattan": "manhattan_", "euclidean": "euclidean_", "similarity": ""}
"""Way of comparing → prefix of its metrics."""


class STS(Bound[STSSettings]):
    """Pearson and Spearman correlation of four similarities with gold scores.

    Metrics: `pearson` and `spearman` of the model's own similarity, and `cosine_`, `manhattan_` and `euclidean_` ones.
    A correlation is NaN where all similarities are equal. Items, a pair: `similarity` (the one that the main metric
    correlates) and `gold` (scaled so that the task's scores go from 0 to 1). Pairs that share a text are a cluster.
    """

    def items(self, data: TaskData) -> list[ItemSet]:
        """Both columns of pairs."""
        return pair_sets(data.rows(self.split), self.settings)

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Correlations over all pairs. Raises DataError when gold scores are missing or all equal."""
        low, high = self.settings.min_score, self.settings.max_score
        if low >= high:
            raise DataError(f"min_score is {low} and max_score {high}; expected max_score to be larger")
        rows, settings = data.rows(self.split), self.settings
        gold = (numbers_of(rows, settings.score_column) - low) / (high - low)
        if constant(gold):
            raise DataError(
                f"column {self.settings.score_column!r} holds one and the same score in all {len(gold)} rows; "
                "nothing can correlate with it"
            )
        first, second = settings.columns
        similarities = comparisons(embeddings[first], embeddings[second], embeddings.similarity)
        values: dict[str, float] = {}
        for way, prefix in _PREFIXES.items():
            values |= _correlations(prefix, gold, similarities[way])
        pairs = pair_items(rows, settings)
        items: dict[str, NDArray[Any]] = {
            "similarity": similarities[_way(self.main_metric)],
            "gold": gold,
            UNIT: units(zip(*pairs, strict=True)),
            **(cluster_column(rows, settings.cluster_column) or shared_items(*pairs)),
        }
        return Scores(self.main_metric, values, items=items)

    @staticmethod
    def values_from_items(main_metric: str, items: ItemArrays) -> dict[str, float]:
        """The correlations of the main metric's similarity."""
        return _correlations(_PREFIXES[_way(main_metric)], items["gold"], items["similarity"])


def _way(metric: str) -> str:
    """The way of comparing that a metric is of."""
    return next(way for way, prefix in _PREFIXES.items() if metric.startswith(prefix))


def _correlations(prefix: str, gold: NDArray[np.float64], similarity: NDArray[np.floating]) -> dict[str, float]:
    return {
        f"{prefix}pearson": pearson(gold, similarity).coefficient,
        f"{prefix}spearman": spearman(gold, similarity).coefficient,
    }
