"""Zero-shot classification: whether a text is most similar to the words for its own class.

Protocol of the reference implementation (mteb 2.26): similarity, by the model's own measure, of every text with every
candidate label; the most similar candidate is the prediction, the first one where several are equal.
"""

from __future__ import annotations

import numpy as np

from tasks.base import DataError, Embeddings, Rows, Scores, TaskContext, TaskData, TextSet
from tasks.class_metrics import binary_metrics, class_metrics
from tasks.columns import classes_of, texts_of
from tasks.draws import Indices
from tasks.settings import ZeroShotClassificationSettings
from tasks.similarity import matrix, row_blocks

_CANDIDATES = "candidates"
_INPUTS = "inputs"


class ZeroShotClassification:
    """Nearest candidate label.

    Metrics: those of classification; average precision ranks by similarity with the second candidate. Items:
    `accuracy`, 1 for each text predicted right.
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
            TextSet(_CANDIDATES, self._settings.candidate_labels, None, self._split),
            TextSet(_INPUTS, inputs, None, self._split),
        ]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Raises DataError where a string label is not among the candidates."""
        true = self._labels(data.rows(self._split))
        inputs, candidates = embeddings[_INPUTS], embeddings[_CANDIDATES]
        blocks = row_blocks(len(inputs), len(candidates))
        similarity = np.concatenate([matrix(embeddings.similarity, inputs[rows], candidates) for rows in blocks])
        predicted = similarity.argmax(axis=1)
        values = class_metrics(true, predicted) | binary_metrics(true, similarity[:, 1])
        return Scores(self._main_metric, values, items={"accuracy": (predicted == true).astype(np.float64)})

    def _labels(self, rows: Rows) -> Indices:
        labels = classes_of(rows, self._settings.label_column)
        if isinstance(labels[0], str):
            position = {candidate: i for i, candidate in enumerate(self._settings.candidate_labels)}
            unknown = sorted(set(labels) - set(position))
            if unknown:
                raise DataError(f"labels {unknown[:5]} are not among `candidate_labels`, {list(position)[:20]}")
            labels = [position[label] for label in labels]
        return np.array(labels, dtype=np.intp)
