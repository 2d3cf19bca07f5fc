"""Clustering, older protocol: each row of the table holds many sentences and is clustered by itself.

Protocol of the reference implementation (mteb 2.26): mini-batch k-means a row, compared with the row's labels by
V-measure; the score is the mean over rows. Rows with one label are not clustered and score 1. What is no text is
clustered as a whole split (whole_split.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import v_measure_score

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Bound, Embeddings, Item, ItemSet, Rows, Scores, TaskData
from embedmark.tasks.clusters.settings import LegacyClusteringSettings
from embedmark.tasks.clusters.whole_split import agreement, clustered
from embedmark.tasks.columns import classes_of, inputs_of, lists_of
from embedmark.tasks.item_arrays import UNIT, ItemArrays, cluster_column, codes, units
from embedmark.tasks.labels.draws import label_codes
from embedmark.tasks.repeat import repeat

_SENTENCES = "sentences"


class LegacyClustering(Bound[LegacyClusteringSettings]):
    """One clustering a row; with `whole` one of all rows.

    Metrics: v_measure, the mean over rows, and v_measure_std. Experiments and items: one v_measure a row. With `whole`
    the metrics are v_measure, nmi, ari and cluster_accuracy; items, a row: its `cluster` and `label`.
    """

    def items(self, data: TaskData) -> list[ItemSet]:
        """The sentences of all rows that have several labels, row after row; before the background of the first.

        With `whole` the item of every row.
        """
        if self.settings.whole:
            return [ItemSet(_SENTENCES, self._inputs(data.rows(self.split)), None, self.settings.modality)]
        texts: list[Any] = []
        background: list[Any] | None = None
        for sentences, labels in self._clustered(data.rows(self.split)):
            if len(sentences) != len(labels):
                raise DataError(f"a row has {len(sentences)} sentences but {len(labels)} labels")
            texts += sentences
            background = background or sentences
        missing = sum(not isinstance(text, str) for text in texts)
        if missing:
            raise DataError(
                f"{missing} of {len(texts)} sentences in column {self.settings.input_column!r} are null or not text; "
                "expected lists of texts"
            )
        return [ItemSet(_SENTENCES, texts, None, background=background)]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """V-measure of every row, or of the whole split. Raises DataError where labels are missing or mixed."""
        rows = data.rows(self.split)
        if self.settings.whole:
            return self._evaluate_whole(embeddings[_SENTENCES], rows)
        sizes = [len(labels) for _, labels in self._clustered(rows)]
        vectors = np.split(embeddings[_SENTENCES], np.cumsum(sizes)[:-1])

        def run(given: tuple[Any, list[Any]]) -> float:
            sentences, labels = given
            k_means = MiniBatchKMeans(
                n_clusters=len(set(labels)),
                batch_size=self.settings.k_mean_batch_size,
                n_init="auto",
                random_state=self.settings.seed,
            )
            return float(v_measure_score(label_codes(labels), k_means.fit(sentences).labels_))

        labelled = [labels for _, labels in self._clustered(rows)]
        found = iter(repeat(run, list(zip(vectors, labelled, strict=True))) if labelled else [])
        scores = [next(found) if len(set(labels)) > 1 else 1.0 for labels in lists_of(rows, self.settings.label_column)]
        items = {
            "v_measure": np.array(scores),
            UNIT: units(map(_texts, lists_of(rows, self.settings.input_column))),
            **cluster_column(rows, self.settings.cluster_column),
        }
        experiments = [{"v_measure": score} for score in scores]
        return Scores(self.main_metric, self.values_from_items(self.main_metric, items), experiments, items)

    @staticmethod
    def values_from_items(_main_metric: str, items: ItemArrays) -> dict[str, float]:
        """Every metric."""
        if "cluster" in items:
            return agreement(items["label"], items["cluster"])
        scores = items["v_measure"]
        return {"v_measure": float(np.mean(scores)), "v_measure_std": float(np.std(scores))}

    def _inputs(self, rows: Rows) -> Sequence[Item]:
        return inputs_of(rows, self.settings)

    def _evaluate_whole(self, vectors: NDArray[np.float32], rows: Rows) -> Scores:
        label = label_codes(classes_of(rows, self.settings.label_column))
        cluster = clustered(vectors, int(label.max()) + 1, self.settings.k_mean_batch_size, self.settings.seed)
        items = {
            "cluster": codes(cluster),
            "label": codes(label),
            UNIT: units(self._inputs(rows)),
            **cluster_column(rows, self.settings.cluster_column),
        }
        return Scores(self.main_metric, self.values_from_items(self.main_metric, items), items=items)

    def _clustered(self, rows: Rows) -> Iterator[tuple[list[Any], list[Any]]]:
        sentences = lists_of(rows, self.settings.input_column)
        labels = lists_of(rows, self.settings.label_column)
        return (pair for pair in zip(sentences, labels, strict=True) if len(set(pair[1])) > 1)


def _texts(row: list[Any]) -> list[str]:
    """The texts of a row; of a row that is not clustered some may be missing."""
    return [text if isinstance(text, str) else "" for text in row]
