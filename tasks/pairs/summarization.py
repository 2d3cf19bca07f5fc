"""Summarization: is a machine's summary the better, the closer it is to one that a human wrote?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Bound, Embeddings, ItemSet, Rows, Scores, SimilarityName, TaskData
from embedmark.tasks.columns import as_numbers, lists_of
from embedmark.tasks.item_arrays import UNIT, ItemArrays, cluster_column, units
from embedmark.tasks.pairs.correlation import constant, pearson, spearman
from embedmark.tasks.pairs.settings import SummarizationSettings
from embedmark.tasks.similarity import Vectors, finite, pairwise

_CORRELATIONS = {"pearson": pearson, "spearman": spearman}
_SUMMARIZED = "text"
"""The column of the texts that are summarized, which are not scored themselves."""


class Summarization(Bound[SummarizationSettings]):
    """Correlation within each text of human judgement with similarity to the closest human summary; mean over texts.

    Metrics: `pearson` and `spearman` of the model's own similarity, and `cosine_` and `dot_` ones. A text is left out
    when its human scores, its cosines or its dot products are all equal. Items, a text: whether it is `scored`, and the
    main metric under its own name, NaN where it is left out.
    """

    def items(self, data: TaskData) -> list[ItemSet]:
        """All human summaries, then all machine summaries; before the texts summarized, where the data has them."""
        rows = data.rows(self.split)
        background = rows[_SUMMARIZED] if _SUMMARIZED in rows else None  # noqa: SIM401 (a missing column is no KeyError)
        return [
            ItemSet(
                column,
                [text for row in _summaries(rows, column) for text in row],
                None,
                background=background,
            )
            for column in self.settings.columns
        ]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Mean correlation over texts. Raises DataError when scores and summaries do not match."""
        rows = data.rows(self.split)
        gold = self._gold(rows)
        if all(constant(scores) for scores in gold):
            raise DataError(
                f"column {self.settings.relevance_column!r} holds one and the same score within every text; nothing "
                "can correlate with it"
            )
        by_text = [
            self._correlate(scores, human, machine, embeddings.similarity)
            for scores, (human, machine) in zip(gold, self._vectors(embeddings, data), strict=True)
        ]
        scored = [values for values in by_text if values]
        metrics = [f"{prefix}{name}" for prefix in ("", "cosine_", "dot_") for name in _CORRELATIONS]
        values = {metric: float(np.mean([text[metric] for text in scored])) if scored else np.nan for metric in metrics}
        item = np.asarray([values_of.get(self.main_metric, np.nan) for values_of in by_text])
        items = {
            "scored": np.asarray([bool(values_of) for values_of in by_text]),
            self.main_metric: item,
            UNIT: units([*human, *machine] for human, machine in self._texts(rows)),
            **cluster_column(rows, self.settings.cluster_column),
        }
        return Scores(self.main_metric, values, items=items)

    @staticmethod
    def values_from_items(main_metric: str, items: ItemArrays) -> dict[str, float]:
        """The main metric."""
        scored = items[main_metric][items["scored"]]
        return {main_metric: float(np.mean(scored)) if scored.size else np.nan}

    def _texts(self, rows: Rows) -> Iterator[tuple[list[str], list[str]]]:
        human, machine = (_summaries(rows, column) for column in self.settings.columns)
        return zip(human, machine, strict=True)

    def _correlate(
        self, gold: NDArray[np.float64], human: Vectors, machine: Vectors, own: SimilarityName
    ) -> dict[str, float]:
        """The metrics of one text, or nothing when it is left out."""
        closest = {
            "": _closest(own, machine, human),
            "cosine_": _closest("cosine", machine, human),
            "dot_": _closest("dot", machine, human),
        }
        if constant(gold) or constant(closest["cosine_"]) or constant(closest["dot_"]):
            return {}
        found = {
            f"{prefix}{name}": correlate(gold, similarity)
            for prefix, similarity in closest.items()
            for name, correlate in _CORRELATIONS.items()
        }
        if self.settings.average_p_values:
            return {metric: (result.coefficient + result.p_value) / 2 for metric, result in found.items()}
        return {metric: result.coefficient for metric, result in found.items()}

    def _gold(self, rows: Rows) -> list[NDArray[np.float64]]:
        """Human scores from 0 to 1, an array a text. Raises DataError when they do not fit the machine summaries."""
        column = self.settings.relevance_column
        low, high = self.settings.min_score, self.settings.max_score
        if low >= high:
            raise DataError(f"min_score is {low} and max_score {high}; expected max_score to be larger")
        gold = [(as_numbers(row, f"column {column!r}") - low) / (high - low) for row in lists_of(rows, column)]
        for i, (scores, summaries) in enumerate(zip(gold, _summaries(rows, self.settings.columns[1]), strict=True)):
            if len(scores) != len(summaries):
                raise DataError(
                    f"row {i} has {len(scores)} scores in {column!r} and {len(summaries)} machine summaries"
                )
        return gold

    def _vectors(self, embeddings: Embeddings, data: TaskData) -> Iterator[tuple[Vectors, Vectors]]:
        """Vectors of the human and machine summaries, a text at a time."""
        rows = data.rows(self.split)
        human, machine = self.settings.columns
        return zip(
            _split(embeddings[human], _summaries(rows, human)),
            _split(embeddings[machine], _summaries(rows, machine)),
            strict=True,
        )


def _summaries(rows: Rows, column: str) -> list[list[str]]:
    summaries = lists_of(rows, column)
    for i, row in enumerate(summaries):
        if not row or not all(isinstance(text, str) for text in row):
            raise DataError(f"column {column!r} holds {row!r} in row {i}; expected a list of at least one text")
    return summaries


def _split(vectors: Vectors, summaries: list[list[str]]) -> list[Vectors]:
    return np.split(vectors, np.cumsum([len(row) for row in summaries])[:-1])


def _closest(name: SimilarityName, machine: Vectors, human: Vectors) -> NDArray[np.float32]:
    """Similarity of each machine summary to the closest human one.

    Pair by pair, because a product of matrices may round equal pairs differently and so break their tie.
    """
    shape = (len(machine), len(human))
    pairs = pairwise(name, np.repeat(machine, shape[1], axis=0), np.tile(human, (shape[0], 1)))
    best: NDArray[np.float32] = finite(name, pairs).reshape(shape).max(axis=1)
    return best
