"""Resampling, for what influence values describe too coarsely: average precision of few pairs."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

FEWEST_FOR_INFLUENCE = 200
"""Pairs from which on influence values give average precision an interval that holds its level."""

RESAMPLES = 1999
_SEED = 0


def average_precision_ends(ranked: Floats, keys: NDArray[np.int64], level: float) -> tuple[float, float]:
    """Compute the percentile interval of an average precision over resampled clusters.

    Args:
        ranked: (2, n) similarity and label of each pair.
        keys: (n,) the cluster of each.
        level: The coverage asked for.
    """
    _, place = np.unique(keys, return_inverse=True)
    n_clusters = int(place.max()) + 1
    generator = np.random.default_rng(_SEED)
    drawn = generator.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=RESAMPLES)
    order = np.argsort(-ranked[0], kind="stable")
    ends = np.flatnonzero(np.append(np.diff(ranked[0][order]) != 0, True))
    weight = drawn[:, place[order]].astype(np.float64)
    hits = np.cumsum(weight * ranked[1][order], axis=1)[:, ends]
    above = np.cumsum(weight, axis=1)[:, ends]
    precision = np.divide(hits, above, out=np.zeros_like(hits), where=above > 0)
    gained = np.diff(hits, axis=1, prepend=0.0)
    there = hits[:, -1] > 0
    found = (precision * gained).sum(axis=1)[there] / hits[there, -1]
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
