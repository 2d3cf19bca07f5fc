"""Bitext mining: is a sentence's nearest neighbour in another language its translation?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Bound, Embeddings, ItemSet, Scores, SimilarityName, TaskData
from embedmark.tasks.columns import lists_of, texts_of
from embedmark.tasks.item_arrays import CLUSTER, UNIT, ItemArrays, cluster_column, units
from embedmark.tasks.pairs.settings import BitextMiningSettings
from embedmark.tasks.similarity import MATRIX_CELLS, Vectors, finite, matrix, normalized, row_blocks


class BitextMining(Bound[BitextMiningSettings]):
    """For each source its most similar target, by the model's own similarity.

    Metrics: `accuracy`, and `precision`, `recall` and `f1` over target positions as classes, weighted by how often each
    is the right one. Among equally similar targets the first counts. Items, a source: `gold` and `found`, positions of
    targets, and `correct`, 0 or 1. Row i of a parallel table is cluster i, whichever two languages it is of.
    """

    def items(self, data: TaskData) -> list[ItemSet]:
        """Sources and targets; in a parallel table each before the background of its own language."""
        sources, targets, _ = self._pairs(data)
        parallel = self.settings.parallel_subsets
        return [
            ItemSet(name, side, None, background=side if parallel else None)
            for name, side in zip(self._columns(), (sources, targets), strict=True)
        ]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Compare nearest targets with gold ones."""
        sources, targets, gold = self._pairs(data)
        source, target = self._columns()
        found, similarity = nearest(embeddings.similarity, embeddings[source], embeddings[target])
        finite("similarity to the nearest target", similarity)
        found = _first_of_equal(targets)[found]
        items = {
            "gold": gold.astype(np.int32),
            "found": found.astype(np.int32),
            "correct": (found == gold).astype(np.float64),
            UNIT: units(zip(sources, (targets[i] for i in gold), strict=True)),
            **self._clusters(data),
        }
        return Scores(self.main_metric, self.values_from_items(self.main_metric, items), items=items)

    @staticmethod
    def values_from_items(_main_metric: str, items: ItemArrays) -> dict[str, float]:
        """Every metric."""
        gold, found = items["gold"], items["found"]
        precision, recall, f1, _ = precision_recall_fscore_support(gold, found, average="weighted", zero_division=0)
        return {
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "accuracy": float((found == gold).mean()),
        }

    def _clusters(self, data: TaskData) -> dict[str, NDArray[np.int32]]:
        rows, settings = data.rows(self.split), self.settings
        if settings.parallel_subsets and settings.cluster_column is None:
            return {CLUSTER: np.arange(rows.n_rows, dtype=np.int32)}
        return cluster_column(rows, settings.cluster_column)

    def _columns(self) -> tuple[str, str]:
        if not self.settings.parallel_subsets:
            return self.settings.columns
        languages = self.context.subset.split("-")
        if len(languages) != 2:
            raise DataError(
                f"subset {self.context.subset!r} of a parallel table; expected two columns joined by a hyphen, as in "
                "'eng_Latn-deu_Latn'"
            )
        return languages[0], languages[1]

    def _pairs(self, data: TaskData) -> tuple[list[str], list[str], NDArray[np.int64]]:
        """Sources, targets, and for each source the position of its target."""
        rows = data.rows(self.split)
        source, target = self._columns()
        if self.settings.gold_column is None:
            return texts_of(rows, source), texts_of(rows, target), np.arange(rows.n_rows)
        sources, targets, pairs = (lists_of(rows, column)[0] for column in (source, target, self.settings.gold_column))
        gold = np.asarray(pairs, dtype=np.int64).reshape(-1, 2) - 1
        if not len(gold) or gold.min() < 0 or gold[:, 0].max() >= len(sources) or gold[:, 1].max() >= len(targets):
            raise DataError(
                f"column {self.settings.gold_column!r} points outside the {len(sources)} sources and {len(targets)} "
                "targets; expected pairs of positions that start at 1"
            )
        return [sources[i] for i in gold[:, 0]], targets, gold[:, 1]


def nearest(
    name: SimilarityName, sources: Vectors, targets: Vectors, *, cells: int = MATRIX_CELLS
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the most similar target of each source, the first of equals.

    Args:
        name: The similarity.
        sources: Shape (n, dim).
        targets: Shape (m, dim).
        cells: How many similarities are in memory at a time; it decides no position.

    Returns:
        Positions and similarities, each of shape (n,).
    """
    if name == "cosine":
        name, sources, targets = "dot", normalized(sources), normalized(targets)
    positions = np.empty(len(sources), dtype=np.int64)
    similarity = np.empty(len(sources), dtype=np.float32)
    for rows in row_blocks(len(sources), len(targets), cells):
        block = matrix(name, sources[rows], targets)
        positions[rows] = block.argmax(axis=1)
        similarity[rows] = np.take_along_axis(block, positions[rows, None], axis=1)[:, 0]
    return positions, similarity


def _first_of_equal(texts: Sequence[str]) -> NDArray[np.int64]:
    """For each text the position of the first one equal to it.

    A product of matrices may round equal columns differently at its edges; this keeps their tie.
    """
    first: dict[str, int] = {}
    return np.asarray([first.setdefault(text, i) for i, text in enumerate(texts)], dtype=np.int64)
