"""Clustering: how well clusters of vectors agree with labels.

Protocol of the reference implementation (mteb 2.26): sample documents once, without replacement; then, a level of the
labels and repetition, draw indices of the sample with replacement, cluster the vectors with mini-batch k-means into as
many clusters as there are labels, and compare.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import adjusted_mutual_info_score, v_measure_score

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Bound, Embeddings, Item, ItemSet, Rows, Scores, TaskData
from embedmark.tasks.clusters.settings import ClusteringSettings
from embedmark.tasks.columns import inputs_of
from embedmark.tasks.item_arrays import UNIT, ItemArrays, cluster_column, codes, units
from embedmark.tasks.labels.draws import Indices
from embedmark.tasks.repeat import repeat

Vectors: TypeAlias = NDArray[np.float32]

_METRICS = {"v_measure": v_measure_score, "ami": adjusted_mutual_info_score}
_DOCUMENTS = "documents"


class _Run(NamedTuple):
    """One clustering: the documents drawn, the cluster of each, and how well they agree with the labels."""

    drawn: list[int]
    clusters: Indices
    scores: dict[str, float]


class Clustering(Bound[ClusteringSettings]):
    """Repeated clustering of drawn documents.

    Metrics: v_measure and ami, the mean over levels and repetitions, and their standard deviations v_measure_std and
    ami_std. Experiments are ordered by level, then repetition; with several levels each says which (`level`, from 0).

    Labels are one a document, or a list from coarse to fine. On a level that a document's list does not reach, its
    label is -1: documents labelled -1 are left out, but where the labels of the level are strings "-1" is a label
    like any other. (So does the reference; its published scores rest on it.)

    Items: `label`, of each level and sampled document its code (-1 where it has none); of each experiment `drawn`, the
    documents that were clustered, `cluster`, what they were put into, and `level`.

    With draws "mteb" the generator goes on from where the subsets before this one left it; their labels are taken to
    be as deep as those of this subset.
    """

    def items(self, data: TaskData) -> list[ItemSet]:
        """The sampled documents."""
        rows = data.rows(self.split)
        sample, _ = self._sample(rows, data.replayed_split_sizes)
        return [ItemSet(_DOCUMENTS, self._documents(rows, sample), None, self.settings.modality)]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Raises DataError where there are more labels than indices drawn, or a level has no labels."""
        rows = data.rows(self.split)
        sample, generator = self._sample(rows, data.replayed_split_sizes)
        labels = self._labels(rows)
        vectors = embeddings[_DOCUMENTS]
        experiments: list[dict[str, float]] = []
        sampled = [labels[i] for i in sample]
        n_levels = self._n_levels(sampled)
        label = np.full((n_levels, len(sampled)), -1)
        drawn, clusters = [], []
        for level in range(n_levels):
            labelled, label_codes = _codes_at(sampled, level)
            label[level, labelled] = label_codes
            mark = {"level": float(level)} if n_levels > 1 else {}
            for found in self._cluster(vectors[labelled], label_codes, generator):
                drawn.append(np.flatnonzero(labelled)[found.drawn])
                clusters.append(found.clusters)
                experiments.append(found.scores | mark)
        items = {
            "drawn": np.array(drawn, dtype=np.int32),
            "cluster": codes(np.array(clusters)),
            "level": np.repeat(np.arange(n_levels, dtype=np.int16), self.settings.n_clusterings),
            "label": codes(label),
            UNIT: units(self._documents(rows, sample)),
            **cluster_column(rows, self.settings.cluster_column, sample),
        }
        return Scores(self.main_metric, _summary(experiments), experiments, items)

    def sampled_labels(self, data: TaskData) -> list[list[Any]]:
        """The labels of each document of `items`, from coarse to fine, as deep as they are compared."""
        rows = data.rows(self.split)
        labels = self._labels(rows)
        sample, _ = self._sample(rows, data.replayed_split_sizes)
        return [labels[i][: self.settings.max_depth] for i in sample]

    @staticmethod
    def values_from_items(_main_metric: str, items: ItemArrays) -> dict[str, float]:
        """Every metric."""
        runs = zip(items["level"], items["drawn"], items["cluster"], strict=True)
        return _summary([_scores(items["label"][level][drawn], clusters) for level, drawn, clusters in runs])

    def _cluster(self, vectors: Vectors, labels: Indices, generator: random.Random) -> list[_Run]:
        settings = self.settings
        n_labels = len(np.unique(labels))
        if n_labels > settings.max_documents_per_cluster:
            raise DataError(
                f"{n_labels} labels, but only {settings.max_documents_per_cluster} documents a clustering "
                "(max_documents_per_cluster)"
            )
        draws = [
            generator.choices(range(len(labels)), k=settings.max_documents_per_cluster)
            for _ in range(settings.n_clusterings)
        ]

        def run(drawn: list[int]) -> _Run:
            k_means = MiniBatchKMeans(
                n_clusters=n_labels,
                batch_size=settings.k_mean_batch_size,
                init="k-means++",
                n_init=1,
                random_state=settings.seed,
            )
            clusters = k_means.fit_predict(vectors[drawn])
            return _Run(drawn, clusters, _scores(labels[drawn], clusters))

        return repeat(run, draws)

    def _documents(self, rows: Rows, sample: Sequence[int]) -> Sequence[Item]:
        return inputs_of(rows, self.settings, sample)

    def _sample(self, rows: Rows, replayed_split_sizes: Iterable[int]) -> tuple[Sequence[int], random.Random]:
        """The sampled rows in the order drawn, and the generator in the state after that."""
        generator = random.Random(self.settings.seed)
        before = tuple(replayed_split_sizes) if self.settings.draws == "mteb" else ()
        if before:
            n_drawn = self._n_levels(self._labels(rows)) * self.settings.n_clusterings
            for size in before:
                self._sample_of(size, generator)
                skip(generator, n_drawn * self.settings.max_documents_per_cluster)
        sample = self._sample_of(rows.n_rows, generator)
        if not sample:
            raise DataError(
                f"{self.settings.max_fraction_of_documents_to_embed} of {rows.n_rows} documents is less than one; "
                "raise max_fraction_of_documents_to_embed, or set it to null"
            )
        return sample, generator

    def _sample_of(self, size: int, generator: random.Random) -> Sequence[int]:
        fraction, most = self.settings.max_fraction_of_documents_to_embed, self.settings.max_document_to_embed
        if fraction is not None:
            most = int(fraction * size)
        return range(size) if most is None else generator.sample(range(size), k=min(size, most))

    def _labels(self, rows: Rows) -> list[list[Any]]:
        """The labels of each document, from coarse to fine."""
        return [
            list(label) if isinstance(label, list | tuple | np.ndarray) else [label]
            for label in rows[self.settings.label_column]
        ]

    def _n_levels(self, labels: Iterable[Sequence[Any]]) -> int:
        deepest = max(len(levels) for levels in labels)
        if deepest == 0:
            raise DataError(f"column {self.settings.label_column!r} holds only empty lists; expected labels")
        return deepest if self.settings.max_depth is None else min(deepest, self.settings.max_depth)


def _scores(labels: Indices, clusters: Indices) -> dict[str, float]:
    return {name: float(metric(labels, clusters)) for name, metric in _METRICS.items()}


def _summary(experiments: Sequence[Mapping[str, float]]) -> dict[str, float]:
    values: dict[str, float] = {}
    for metric in _METRICS:
        scores = [experiment[metric] for experiment in experiments]
        values[metric] = float(np.mean(scores))
        values[f"{metric}_std"] = float(np.std(scores))
    return values


def _codes_at(labels: Sequence[Sequence[Any]], level: int) -> tuple[NDArray[np.bool_], Indices]:
    """Which documents have a label at this level, and the label codes of those."""
    at_level = np.array([levels[level] if len(levels) > level else -1 for levels in labels])
    if at_level.dtype == object:
        raise DataError("labels are missing, or of different kinds; expected all strings or all whole numbers")
    labelled = np.array([label != -1 for label in at_level.tolist()])
    if not labelled.any():
        raise DataError("all labels are -1, which means no label")
    return labelled, np.unique(at_level[labelled], return_inverse=True)[1]


def skip(generator: random.Random, n: int) -> None:
    """Advance by `n` calls of `random()`, as many as `choices(..., k=n)` makes; each takes two words of the twister."""
    version, words, gauss = generator.getstate()
    twister = np.random.MT19937()
    state: Any = {"bit_generator": "MT19937", "state": {"key": np.array(words[:-1], dtype=np.uint32), "pos": words[-1]}}
    twister.state = state
    twister.random_raw(2 * n, output=False)
    after: Any = twister.state["state"]
    generator.setstate((version, (*after["key"].tolist(), int(after["pos"])), gauss))
