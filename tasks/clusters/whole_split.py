"""Clustering of a whole split, once: what the older protocol of clustering does with images.

Protocol of the reference implementation (mteb 2.26): mini-batch k-means of all rows into as many clusters as there are
labels, compared with the labels by four measures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, v_measure_score

from embedmark.tasks.labels.draws import Indices
from embedmark.tasks.repeat import repeat


def clustered(vectors: NDArray[np.float32], n_clusters: int, batch_size: int, seed: int) -> Indices:
    """Put each vector into one of `n_clusters` clusters: (n, dim) → (n,)."""

    def run(number: int) -> Indices:
        k_means = MiniBatchKMeans(number, batch_size=batch_size, n_init="auto", random_state=seed)
        found: Indices = k_means.fit(vectors).labels_
        return found

    return repeat(run, [n_clusters])[0]


def agreement(label: NDArray[np.integer[Any]], cluster: NDArray[np.integer[Any]]) -> dict[str, float]:
    """Compare clusters with labels, both (n,) codes: v_measure, nmi, ari and cluster_accuracy."""
    return {
        "v_measure": float(v_measure_score(label, cluster)),
        "nmi": float(normalized_mutual_info_score(label, cluster)),
        "ari": float(adjusted_rand_score(label, cluster)),
        "cluster_accuracy": int(matched(label, cluster).sum()) / len(label),
    }


def matched(label: NDArray[np.integer[Any]], cluster: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Which rows are in the cluster of their label, where labels and clusters are matched so that most are: (n,).

    The matching is that of Kuhn (1955), "The Hungarian method for the assignment problem".
    """
    counts = np.zeros((int(label.max()) + 1, int(cluster.max()) + 1), dtype=np.int64)
    np.add.at(counts, (label, cluster), 1)
    of_label = np.full(len(counts), -1)
    labels, clusters = linear_sum_assignment(counts, maximize=True)
    of_label[labels] = clusters
    return np.asarray(of_label[label] == cluster)
