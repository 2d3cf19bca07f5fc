"""Zero-shot classification: whether a text is most similar to the words for its own class.

Protocol of the reference implementation (mteb 2.26): similarity, by the model's own measure, of every text with every
candidate label; the most similar candidate is the prediction, the first one where several are equal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.base import DataError, Embeddings, Rows, Scores, TaskContext, TaskData, TextSet
from tasks.class_metrics import UNDEFINED, binary_metrics, class_metrics
from tasks.columns import classes_of, texts_of
from tasks.draws import Indices
from tasks.items import UNIT, Items, class_names, cluster_column, codes, units
from tasks.settings import ZeroShotClassificationSettings
from tasks.similarity import matrix, row_blocks

CANDIDATES = "candidates"
INPUTS = "inputs"


class ZeroShotClassification:
    """Nearest candidate label.

    Metrics: those of classification; average precision ranks by similarity with the second candidate. Items, a text:
    `predicted` and `label`, places among the candidates, `score`, what average precision ranks by, and `accuracy`, 1
    where it is predicted right.
    """

    accepts = frozenset({"encoder"})

    def __init__(self, settings: ZeroShotClassificationSettings, context: TaskContext, main_metric: str) -> None:
        self._settings = settings
        self._split = context.split
        self._main_metric = main_metric

    def splits(self) -> tuple[str, ...]:
        """The evaluated split."""
        return (self._split,)

    def texts(self, data: TaskData) -> list[TextSet]:
        """The candidate labels, and all texts."""
        if len(self._settings.candidate_labels) < 2:
            raise DataError("`candidate_labels` needs at least two labels")
        inputs = texts_of(data.rows(self._split), self._settings.input_column)
        return [
            TextSet(CANDIDATES, self._settings.candidate_labels, None, self._split),
            TextSet(INPUTS, inputs, None, self._split),
        ]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Raises DataError where a string label is not among the candidates."""
        rows, settings = data.rows(self._split), self._settings
        true = positions(rows, settings.label_column, settings.candidate_labels)
        inputs, candidates = embeddings[INPUTS], embeddings[CANDIDATES]
        blocks = row_blocks(len(inputs), len(candidates))
        similarity = np.concatenate([matrix(embeddings.similarity, inputs[block], candidates) for block in blocks])
        row_items = {
            UNIT: units(texts_of(rows, settings.input_column)),
            **cluster_column(rows, settings.cluster_column),
        }
        return scores(self._main_metric, true, similarity, settings.candidate_labels, row_items)

    @staticmethod
    def values_from_items(_main_metric: str, items: Items) -> dict[str, float]:
        """Every metric."""
        return values_of(items)


def positions(rows: Rows, label_column: str, candidates: Sequence[str]) -> Indices:
    """The place of each row's label among the candidates. Raises DataError where a label that is a text is not one."""
    labels = classes_of(rows, label_column)
    if isinstance(labels[0], str):
        position = {candidate: i for i, candidate in enumerate(candidates)}
        unknown = sorted(set(labels) - set(position))
        if unknown:
            raise DataError(f"labels {unknown[:5]} are not among `candidate_labels`, {list(position)[:20]}")
        labels = [position[label] for label in labels]
    return np.array(labels, dtype=np.intp)


def scores(
    main_metric: str, true: Indices, likeness: NDArray[np.float32], candidates: Sequence[str], row_items: Items
) -> Scores:
    """The most similar candidate of each row, held against the true one.

    Args:
        main_metric: the task's main metric.
        true: (n,) the place of each row's label among the candidates.
        likeness: (n, m), of rows and candidates.
        candidates: the m texts.
        row_items: what else is kept of each row.
    """
    predicted = likeness.argmax(axis=1)
    items = {
        "predicted": codes(predicted),
        "label": codes(true),
        "score": likeness[:, 1].copy(),
        "classes": class_names(candidates),
        "accuracy": (predicted == true).astype(np.float64),
        **row_items,
    }
    return Scores(main_metric, values_of(items), items=items)


def values_of(items: Items) -> dict[str, float]:
    """Every metric, from the items."""
    true = items["label"]
    return class_metrics(true, items["predicted"]) | UNDEFINED | binary_metrics(true, items["score"])
