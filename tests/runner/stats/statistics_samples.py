"""Samples made of plain arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.stats.sample import Sample, of_values


def units(n: int, start: int = 0) -> NDArray[np.uint64]:
    return np.arange(start, start + n, dtype=np.uint64)


def mean(values: NDArray[np.float64], start: int = 0) -> Sample:
    return of_values(values, units(len(values), start), "query", "share")


def pairs_of_clusters(values: NDArray[np.float64], cluster: NDArray[np.int64]) -> Sample:
    made = mean(values)
    return Sample(made.score, made.psi, made.repetitions, made.unit, "query", cluster, "share")


def crossed(values: NDArray[np.float64]) -> Sample:
    """values: (draws, rows)."""
    scores = values.mean(axis=1)
    return Sample(float(scores.mean()), values - scores[:, None], scores, units(values.shape[1]), "row", None, "share")
