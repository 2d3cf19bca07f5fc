"""Spatial arrangement: is what people lay close together on a canvas alike to a model?

Protocol of the reference implementation (mteb 2.26, StakeholderGrounding; arXiv:2605.27168): in every triplet of texts
of one arrangement, an anchor and two others, a model agrees when the text that lies closer to the anchor is the more
similar one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import euclidean_distances

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Bound, Embeddings, ItemSet, Rows, Scores, TaskData
from embedmark.tasks.columns import as_numbers, lists_of
from embedmark.tasks.item_arrays import UNIT, ItemArrays, cluster_column, units
from embedmark.tasks.pairs.settings import ArrangementSettings
from embedmark.tasks.similarity import matrix

_TEXTS = "texts"


class Arrangement(Bound[ArrangementSettings]):
    """Agreement on triplets.

    Metric: `alpha_auc`, from -1 to 1. Alpha at a ratio d is twice the agreement less one, over triplets in which one
    distance to the anchor is more than d times the other; the metric is its mean over log d, up to `max_ratio`. Equal
    similarities are no agreement, and triplets with equal distances do not count. Items, an arrangement: `triplets`,
    how many of them there are above each ratio of `threshold`, `agreed`, with how many of these the model agrees, and
    `agreement`, the share of all.
    """

    def items(self, data: TaskData) -> list[ItemSet]:
        """The texts of all arrangements, one after the other."""
        texts = [text for row in self._rows_of_texts(data.rows(self.split)) for text in row]
        return [ItemSet(_TEXTS, texts, None)]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Raises DataError where an arrangement has no place for a text, or none has a triplet."""
        rows = data.rows(self.split)
        texts = self._rows_of_texts(rows)
        vectors = np.split(embeddings[_TEXTS], np.cumsum([len(row) for row in texts])[:-1])
        places = self._places(rows, texts)
        found = [
            _triplets(_distances(place), matrix(embeddings.similarity, part, part).astype(np.float64))
            for place, part in zip(places, vectors, strict=True)
        ]
        thresholds = np.logspace(0, np.log10(self.settings.max_ratio), self.settings.n_thresholds)
        triplets = np.array([[(ratio > threshold).sum() for threshold in thresholds] for ratio, _ in found])
        agreed = np.array([[agrees[ratio > threshold].sum() for threshold in thresholds] for ratio, agrees in found])
        if not triplets.any():
            raise DataError("no three texts of an arrangement lie at different distances; nothing can be agreed with")
        share = np.full(len(found), np.nan)
        items = {
            "threshold": thresholds,
            "triplets": triplets,
            "agreed": agreed,
            "agreement": np.divide(agreed[:, 0], triplets[:, 0], out=share, where=triplets[:, 0] > 0),
            UNIT: units(texts),
            **cluster_column(rows, self.settings.cluster_column),
        }
        return Scores(self.main_metric, self.values_from_items(self.main_metric, items), items=items)

    @staticmethod
    def values_from_items(_main_metric: str, items: ItemArrays) -> dict[str, float]:
        """The one metric."""
        triplets, agreed = items["triplets"].sum(axis=0), items["agreed"].sum(axis=0)
        return {"alpha_auc": _area(items["threshold"], triplets, agreed)}

    def _rows_of_texts(self, rows: Rows) -> list[list[str]]:
        column = self.settings.text_column
        found = lists_of(rows, column)
        for i, texts in enumerate(found):
            if not all(isinstance(text, str) for text in texts):
                raise DataError(f"column {column!r}, row {i}: expected a list of texts, found {str(texts)[:60]!r}")
            if len(set(texts)) < len(texts):
                raise DataError(f"column {column!r}, row {i}: a text occurs twice; each lies in one place")
        return found

    def _places(self, rows: Rows, texts: list[list[str]]) -> list[NDArray[np.float64]]:
        """The points of each arrangement: (n_texts, 2)."""
        columns = [lists_of(rows, column) for column in self.settings.place_columns]
        found = []
        for i, (row, *coordinates) in enumerate(zip(texts, *columns, strict=True)):
            if any(len(values) != len(row) for values in coordinates):
                raise DataError(f"row {i} has {len(row)} texts, but {[len(values) for values in coordinates]} places")
            where = f"columns {list(self.settings.place_columns)}, row {i}"
            found.append(np.column_stack([as_numbers(values, where) for values in coordinates]))
        return found


def _distances(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances on the canvas, the largest 1: (n, n)."""
    if len(places) == 0:
        return np.zeros((0, 0))
    above = np.triu(euclidean_distances(places), k=1)
    distances = above + above.T
    # The reference keeps one less the distance as a score; the rounding of that makes distances equal that differ by
    # their last bit alone.
    closeness = 1 - distances / max(distances.max(), np.finfo(np.float64).tiny)
    rounded: NDArray[np.float64] = 1 - closeness
    return rounded


def _triplets(
    distances: NDArray[np.float64], similarities: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Of every anchor and pair of others the ratio of distances, at least 1, and whether similarity agrees."""
    first, second = np.triu_indices(len(distances), k=1)
    anchors = np.arange(len(distances))[None, :]
    pair, anchor = np.nonzero((anchors != first[:, None]) & (anchors != second[:, None]))
    first, second = first[pair], second[pair]
    closer = np.where(distances[anchor, first] < distances[anchor, second], first, second)
    farther = first + second - closer
    with np.errstate(divide="ignore", invalid="ignore"):  # texts in one place: infinitely farther, or undefined
        ratio = distances[anchor, farther] / distances[anchor, closer]
    return ratio, similarities[anchor, closer] > similarities[anchor, farther]


def _area(thresholds: NDArray[np.float64], triplets: NDArray[np.int64], agreed: NDArray[np.int64]) -> float:
    """The mean of alpha over the logarithm of those thresholds that some triplet exceeds."""
    kept = triplets > 0
    alphas = 2 * (agreed[kept] / triplets[kept]) - 1
    if len(alphas) == 1:
        return float(alphas[0])
    logarithms = np.log(thresholds[kept])
    return float(np.trapezoid(alphas, logarithms) / (logarithms[-1] - logarithms[0]))
