"""Samples of clusterings: repetitions vary, and documents are held fixed."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.stats.checked_items import NoSampleError
from embedmark.runner.stats.sample import Sample
from embedmark.tasks.item_arrays import ItemArrays

Floats: TypeAlias = NDArray[np.float64]

_NONE = np.empty(0, dtype=np.uint64)


def clustering(metric: str, items: ItemArrays, unit: str) -> Sample:  # noqa: ARG001
    """Repetitions alone vary: another sample of documents would move the score by more, and k-means with it."""
    score = _CLUSTER_SCORES.get(metric)
    if score is None:
        raise NoSampleError(f"no influence is known for {metric}")
    runs = zip(items["level"], items["drawn"], items["cluster"], strict=True)
    found = np.array([score(items["label"][level][drawn], clusters) for level, drawn, clusters in runs])
    levels = np.unique(items["level"])
    repetitions = np.mean([found[items["level"] == level] for level in levels], axis=0)
    return Sample(float(repetitions.mean()), np.empty((len(repetitions), 0)), repetitions, _NONE, "document")


def _v_measure(true: NDArray[Any], found: NDArray[Any]) -> float:
    """What scikit-learn's v_measure_score gives, without its checks of input, which take ten times as long."""
    _, true = np.unique(true, return_inverse=True)
    classes, found = np.unique(found, return_inverse=True)
    joint = np.bincount(true * len(classes) + found) / len(true)
    of_true, of_found, of_both = (
        _entropy(shares) for shares in (np.bincount(true) / len(true), np.bincount(found) / len(true), joint)
    )
    both = of_true + of_found
    return 2 * (both - of_both) / both if both > 0 else 1.0


def _entropy(shares: Floats) -> float:
    there = shares[shares > 0]
    return -float((there * np.log(there)).sum())


def _adjusted_mutual_information(true: NDArray[Any], found: NDArray[Any]) -> float:
    from sklearn.metrics import adjusted_mutual_info_score

    return float(adjusted_mutual_info_score(true, found))


_CLUSTER_SCORES = {"v_measure": _v_measure, "ami": _adjusted_mutual_information}
