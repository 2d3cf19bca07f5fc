"""Zero-shot classification: whether a text or image is most similar to the words for its own class.

Protocol of the reference implementation (mteb 2.26): similarity, by the model's own measure, of every input with every
candidate text; the most similar candidate is the prediction, the first one where several are equal. See `Likeness` in
settings.py for the other way of comparing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Bound, Embeddings, Item, ItemSet, Rows, Scores, TaskData
from embedmark.tasks.columns import classes_of, inputs_of
from embedmark.tasks.item_arrays import UNIT, ItemArrays, class_names, cluster_column, codes, units
from embedmark.tasks.labels.class_metrics import AP_NOT_APPLICABLE, binary_metrics, class_metrics
from embedmark.tasks.labels.draws import Indices
from embedmark.tasks.labels.settings import ZeroShotClassificationSettings, ZeroShotImageClassificationSettings
from embedmark.tasks.similarity import matrix, row_blocks

CANDIDATES = "candidates"
INPUTS = "inputs"

ZeroShotSettings: TypeAlias = ZeroShotClassificationSettings | ZeroShotImageClassificationSettings


class ZeroShotClassification(Bound[ZeroShotSettings]):
    """Nearest candidate text.

    Metrics: those of classification; average precision ranks by likeness to the second candidate. Items, an input:
    `predicted` and `label`, places among the candidates, `score`, what average precision ranks by, and `accuracy`, 1
    where it is predicted right.
    """

    def items(self, data: TaskData) -> list[ItemSet]:
        """The candidate texts, and all inputs."""
        rows = data.rows(self.split)
        return [
            ItemSet(CANDIDATES, self._candidates(rows), None),
            ItemSet(INPUTS, self._inputs(rows), None, self.settings.modality),
        ]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Raises DataError where a label that is a text is not among the candidates."""
        rows = data.rows(self.split)
        candidates = self._candidates(rows)
        true = _positions(rows, self.settings.label_column, candidates)
        likeness = self._likeness(embeddings)
        predicted = likeness.argmax(axis=1)
        items = {
            "predicted": codes(predicted),
            "label": codes(true),
            "score": likeness[:, 1].copy(),
            "classes": class_names(candidates),
            "accuracy": (predicted == true).astype(np.float64),
            UNIT: units(self._inputs(rows)),
            **cluster_column(rows, self.settings.cluster_column),
        }
        return Scores(self.main_metric, self.values_from_items(self.main_metric, items), items=items)

    @staticmethod
    def values_from_items(_main_metric: str, items: ItemArrays) -> dict[str, float]:
        """Every metric."""
        true = items["label"]
        return class_metrics(true, items["predicted"]) | AP_NOT_APPLICABLE | binary_metrics(true, items["score"])

    def _inputs(self, rows: Rows) -> Sequence[Item]:
        return inputs_of(rows, self.settings)

    def _candidates(self, rows: Rows) -> tuple[str, ...]:
        settings = self.settings
        names = settings.candidate_labels or rows.classes.get(settings.label_column, ())
        if len(names) < 2:
            raise DataError(
                f"expected at least two candidates, found {list(names)}; column {settings.label_column!r} has "
                f"{'too few' if names else 'no'} class names, so give the texts as `candidate_labels`"
            )
        return tuple(settings.template.replace("{label}", name) for name in names)

    def _likeness(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """Of every input and candidate: (n, m)."""
        inputs, candidates = embeddings[INPUTS], embeddings[CANDIDATES]
        blocks = [inputs[rows] for rows in row_blocks(len(inputs), len(candidates))]
        if self.settings.likeness == "similarity":
            return np.concatenate([matrix(embeddings.similarity, block, candidates) for block in blocks])
        return np.concatenate([softmax(100 * matrix("cosine", block, candidates), axis=1) for block in blocks])


def _positions(rows: Rows, label_column: str, candidates: Sequence[str]) -> Indices:
    """The place of each row's label among the candidates. Raises DataError where a label that is a text is not one."""
    labels = classes_of(rows, label_column)
    if isinstance(labels[0], str):
        position = {candidate: i for i, candidate in enumerate(candidates)}
        unknown = sorted(set(labels) - set(position))
        if unknown:
            raise DataError(f"labels {unknown[:5]} are not among `candidate_labels`, {list(position)[:20]}")
        labels = [position[label] for label in labels]
    return np.array(labels, dtype=np.intp)
