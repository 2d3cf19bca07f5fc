"""Semantic textual similarity: does similarity of vectors follow human judgement of pairs?"""

from __future__ import annotations

from tasks.base import DataError, Embeddings, Scores, TaskContext, TaskData, TextSet
from tasks.columns import numbers_of, texts_of
from tasks.correlation import constant, pearson, spearman
from tasks.settings import STSSettings
from tasks.similarity import comparisons

_PREFIXES = {"cosine": "cosine_", "manhattan": "manhattan_", "euclidean": "euclidean_", "similarity": ""}
"""Way of comparing → prefix of its metrics."""


class STS:
    """Pearson and Spearman correlation of four similarities with gold scores.

    Metrics: `pearson` and `spearman` of the model's own similarity, and `cosine_`, `manhattan_` and `euclidean_` ones.
    A correlation is NaN where all similarities are equal. Items, a pair: `similarity` (the one that the main metric
    correlates) and `gold` (scaled so that the task's scores go from 0 to 1).
    """

    accepts = frozenset({"encoder"})

    def __init__(self, settings: STSSettings, context: TaskContext, main_metric: str) -> None:
        self._settings = settings
        self._context = context
        self._main_metric = main_metric

    def splits(self) -> tuple[str, ...]:
        """The evaluated split."""
        return (self._context.split,)

    def texts(self, data: TaskData) -> list[TextSet]:
        """Both columns of pairs."""
        rows = data.rows(self._context.split)
        return [
            TextSet(column, texts_of(rows, column), side, self._context.split)
            for column, side in zip(self._settings.columns, self._settings.sides, strict=True)
        ]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Correlations over all pairs. Raises DataError when gold scores are missing or all equal."""
        low, high = self._settings.min_score, self._settings.max_score
        if low >= high:
            raise DataError(f"min_score is {low} and max_score {high}; expected max_score to be larger")
        gold = (numbers_of(data.rows(self._context.split), self._settings.score_column) - low) / (high - low)
        if constant(gold):
            raise DataError(
                f"column {self._settings.score_column!r} holds one and the same score in all {len(gold)} rows; "
                "nothing can correlate with it"
            )
        first, second = self._settings.columns
        similarities = comparisons(embeddings[first], embeddings[second], embeddings.similarity)
        values = {}
        for way, prefix in _PREFIXES.items():
            values[f"{prefix}pearson"] = pearson(gold, similarities[way]).coefficient
            values[f"{prefix}spearman"] = spearman(gold, similarities[way]).coefficient
        main = next(way for way, prefix in _PREFIXES.items() if self._main_metric.startswith(prefix))
        return Scores(self._main_metric, values, items={"similarity": similarities[main].astype(float), "gold": gold})
