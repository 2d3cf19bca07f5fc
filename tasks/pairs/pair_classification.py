"""Pair classification: do two items belong together, judged by one threshold on their similarity?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Bound, Embeddings, ItemSet, Rows, Scores, TaskData
from embedmark.tasks.columns import numbers_of, one_row_of_lists
from embedmark.tasks.item_arrays import UNIT, ItemArrays, cluster_column, shared_items, units
from embedmark.tasks.pairs.settings import PairClassificationSettings, pair_modalities
from embedmark.tasks.pairs.sides import pair_items, pair_sets
from embedmark.tasks.similarity import comparisons


class PairClassification(Bound[PairClassificationSettings]):
    """Best accuracy and best F1 over all thresholds, and average precision, for five similarities.

    Metrics: `accuracy`, `f1`, `precision`, `recall` (both at the threshold of the best F1) and `ap` after `similarity_`
    (the model's own), `cosine_`, `manhattan_`, `euclidean_` and `dot_`, and after `max_` the best of the five.
    Items, a pair: `similarity`, the one that the main metric is of (of a `max_` metric the first of those that have the
    best value; `compared` says which), and `label`. Pairs that share a text are a cluster.
    """

    def items(self, data: TaskData) -> list[ItemSet]:
        """Both columns of pairs."""
        return pair_sets(self._rows(data), self.settings)

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Threshold metrics over all pairs. Raises DataError when a label is neither 0 nor 1."""
        rows = self._rows(data)
        labels = self._labels(rows)
        first, second = self.settings.columns
        similarities = comparisons(embeddings[first], embeddings[second], embeddings.similarity)
        by_way = {way: threshold_metrics(similarity, labels) for way, similarity in similarities.items()}
        values = {f"{way}_{metric}": value for way, found in by_way.items() for metric, value in found.items()}
        for metric in by_way["similarity"]:
            values[f"max_{metric}"] = max(found[metric] for found in by_way.values())
        way = _way(self.main_metric, by_way)
        pairs = pair_items(rows, self.settings)
        items = {
            "similarity": similarities[way],
            "compared": np.array([way]),
            "label": labels.astype(np.int8),
            UNIT: units(zip(*pairs, strict=True)),
            **(cluster_column(rows, self.settings.cluster_column) or shared_items(*pairs)),
        }
        return Scores(self.main_metric, values, items=items)

    @staticmethod
    def values_from_items(main_metric: str, items: ItemArrays) -> dict[str, float]:
        """The metrics of the similarity that is kept, under the main metric's prefix."""
        prefix = main_metric.partition("_")[0]
        metrics = threshold_metrics(items["similarity"], items["label"].astype(np.int64))
        return {f"{prefix}_{metric}": value for metric, value in metrics.items()}

    def _rows(self, data: TaskData) -> Rows:
        rows = data.rows(self.split)
        columns = [*self.settings.columns, self.settings.label_column]
        if set(pair_modalities(self.settings)) == {"text"} and one_row_of_lists(rows, columns):
            more = [self.settings.cluster_column] if self.settings.cluster_column else []
            return Rows({column: rows[column][0] for column in [*columns, *more]})
        return rows

    def _labels(self, rows: Rows) -> NDArray[np.int64]:
        labels = numbers_of(rows, self.settings.label_column)
        wrong = np.flatnonzero((labels != 0) & (labels != 1))
        if wrong.size:
            raise DataError(
                f"column {self.settings.label_column!r} holds {labels[wrong[0]]:g} in row {wrong[0]}; expected 0 "
                "(apart) or 1 (together)"
            )
        return labels.astype(np.int64)


def _way(main_metric: str, by_way: Mapping[str, Mapping[str, float]]) -> str:
    """The similarity that the main metric is of; of a `max_` metric the first with the best value."""
    prefix, _, metric = main_metric.partition("_")
    if prefix in by_way:
        return prefix
    return max(by_way, key=lambda way: by_way[way].get(metric, 0))


def threshold_metrics(similarity: NDArray[np.floating], labels: NDArray[np.int64]) -> dict[str, float]:
    """Best accuracy, best F1 with its precision and recall, and average precision. Shapes (n,), (n,), labels 0 or 1.

    A threshold lies between two different similarities, so tied pairs are never parted, and never below the smallest,
    so a verdict "together" on every pair is not tried; the reference implementation does the same. 0 where no
    threshold exists, and an average precision of 0 where no pair belongs together.
    """
    order = np.argsort(-similarity, kind="stable")
    ranked = similarity[order]
    last_above = np.flatnonzero(ranked[:-1] != ranked[1:])
    together = np.cumsum(labels[order])[last_above]
    above = last_above + 1
    n_together = int(labels.sum())

    right = together + (len(labels) - n_together) - (above - together)
    precision = together / above
    recall = together / max(n_together, 1)
    f1 = np.divide(2 * precision * recall, precision + recall, out=np.zeros(len(above)), where=together > 0)
    best = int(np.argmax(f1)) if len(f1) else None
    found = best is not None and f1[best] > 0
    return {
        "accuracy": float(right.max(initial=0) / len(labels)),
        "f1": float(f1[best]) if found else 0.0,
        "precision": float(precision[best]) if found else 0.0,
        "recall": float(recall[best]) if found else 0.0,
        "ap": float(average_precision_score(labels, similarity.astype(np.float64))) if n_together else 0.0,
    }
