"""Zero-shot classification of images: whether an image is most similar to the text about its own class.

Protocol of the reference implementation (mteb 2.26), as for texts; see `Likeness` in tasks/settings.py for how the two
are compared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from tasks.base import DataError, Embeddings, ImageSet, ItemSet, Rows, Scores, TaskContext, TaskData, TextSet
from tasks.columns import ImageColumn
from tasks.items import UNIT, Items, cluster_column, units
from tasks.settings import ZeroShotImageClassificationSettings
from tasks.similarity import matrix, row_blocks
from tasks.zeroshot_classification import CANDIDATES, INPUTS, positions, scores, values_of


class ZeroShotImageClassification:
    """Nearest candidate text.

    Metrics and items: those of zero-shot classification of texts; average precision ranks by likeness to the second
    candidate.
    """

    accepts = frozenset({"encoder"})

    def __init__(self, settings: ZeroShotImageClassificationSettings, context: TaskContext, main_metric: str) -> None:
        self._settings = settings
        self._split = context.split
        self._main_metric = main_metric

    def splits(self) -> tuple[str, ...]:
        """The evaluated split."""
        return (self._split,)

    def texts(self, data: TaskData) -> list[ItemSet]:
        """The candidate texts, and all images."""
        rows = data.rows(self._split)
        return [
            TextSet(CANDIDATES, self._candidates(rows), None, self._split),
            ImageSet(INPUTS, ImageColumn(rows, self._settings.image_column), None, self._split),
        ]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Raises DataError where a label is not among the candidates."""
        rows, settings = data.rows(self._split), self._settings
        candidates = self._candidates(rows)
        true = positions(rows, settings.label_column, candidates)
        row_items = {
            UNIT: units(image.data for image in ImageColumn(rows, settings.image_column)),
            **cluster_column(rows, settings.cluster_column),
        }
        return scores(self._main_metric, true, self._likeness(embeddings), candidates, row_items)

    @staticmethod
    def values_from_items(_main_metric: str, items: Items) -> dict[str, float]:
        """Every metric."""
        return values_of(items)

    def _candidates(self, rows: Rows) -> tuple[str, ...]:
        settings = self._settings
        names = settings.candidate_labels or rows.classes.get(settings.label_column, ())
        if len(names) < 2:
            raise DataError(
                f"expected at least two candidates, found {list(names)}; column {settings.label_column!r} has "
                f"{'too few' if names else 'no'} class names, so give the texts as `candidate_labels`"
            )
        return tuple(settings.template.replace("{label}", name) for name in names)

    def _likeness(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """Of every image and candidate: (n, m)."""
        images, candidates = embeddings[INPUTS], embeddings[CANDIDATES]
        blocks = [images[rows] for rows in row_blocks(len(images), len(candidates))]
        if self._settings.likeness == "similarity":
            return np.concatenate([matrix(embeddings.similarity, block, candidates) for block in blocks])
        return np.concatenate([softmax(100 * matrix("cosine", block, candidates), axis=1) for block in blocks])
