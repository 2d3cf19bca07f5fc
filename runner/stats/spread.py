"""The standard error of a score, of a difference, or of a mean of several, from influence values.

Units of one cluster are summed first, and each cluster is weighted as if it had been left out (CR3; Cameron and Miller
2015, J. Hum. Resour. 50): wider where they are of unequal size, and the usual n / (n − 1) where they are not. Where a
score is the mean of repetitions that learn from drawn rows and are tested on the same ones, rows and draws are crossed:
variance of rows plus that of draws, less their interaction, which both contain (Owen 2007, Ann. Appl. Stat. 1). Degrees
of freedom of sums are Satterthwaite's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.stats.sample import Sample

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """How uncertain a score is.

    Args:
        se: Its standard error; 0 where nothing varies.
        df: Degrees of freedom.
        n_units: How many units the score is of.
        n_clusters: How many of them are independent; the same where none belong together.
        n_repetitions: How many draws or repetitions; 1 where nothing is drawn.
    """

    se: float
    df: float
    n_units: int
    n_clusters: int
    n_repetitions: int


@dataclass(frozen=True)
class _Part:
    variance: float
    df: float


def spread(parts: Sequence[tuple[float, Sample]]) -> Spread:
    """Compute the standard error of a weighted sum of scores.

    Args:
        parts: Weight and sample of each, as (1/2, test) and (1/2, validation); a cluster that is in several of them
            is one.

    Returns:
        NaN as error where fewer than two clusters, or where units are held fixed fewer than two repetitions, vary.
    """
    varying = [(weight, sample) for weight, sample in parts if sample.n_units]
    held = [(weight, sample) for weight, sample in parts if not sample.n_units]
    rows, n_clusters = _of_rows(varying)
    draws = [_of_draws(weight, sample) for weight, sample in varying if len(sample.repetitions) > 1]
    fixed = [_of_repetitions(weight, sample) for weight, sample in held]
    of_rows = sum(part.variance for part in rows)
    of_draws = sum(draw.variance for draw, _ in draws)
    shared = sum(part.variance for _, part in draws)
    variance = max(of_rows + of_draws - shared, of_rows, of_draws) + sum(part.variance for part in fixed)
    components = [*rows, *fixed, *(part for pair in draws for part in pair)]
    return Spread(
        float(np.sqrt(variance)),
        _satterthwaite(variance, components),
        sum(sample.n_units for _, sample in varying),
        n_clusters,
        max(len(sample.repetitions) for _, sample in parts),
    )


def _satterthwaite(variance: float, components: Sequence[_Part]) -> float:
    spent = sum(part.variance**2 / part.df for part in components if part.df > 0)
    return float(variance**2 / spent) if spent > 0 else float(max(sum(part.df for part in components), 0))


def _of_rows(parts: Sequence[tuple[float, Sample]]) -> tuple[list[_Part], int]:
    """The variance of the units, and how many clusters they are: part by part where no two of them share one."""
    if len(parts) == 1 and parts[0][1].cluster is None:
        weight, sample = parts[0]
        n = sample.n_units
        return [_clustered(weight * sample.psi.mean(axis=0) / n, np.full(n, weight / n))], n
    pieces = []
    for weight, sample in parts:
        keys, place = np.unique(sample.keys, return_inverse=True)
        share = np.bincount(place) / sample.n_units
        sums = _summed(place, sample.psi.mean(axis=0)) / sample.n_units
        pieces.append((keys, weight * sums, weight * share))
    n_keys = sum(len(keys) for keys, _, _ in pieces)
    together = np.unique(np.concatenate([keys for keys, _, _ in pieces])) if pieces else np.empty(0)
    if len(together) == n_keys:
        return [_clustered(sums, share) for _, sums, share in pieces], n_keys
    place = np.searchsorted(together, np.concatenate([keys for keys, _, _ in pieces]))
    all_sums, all_shares = (np.concatenate([piece[column] for piece in pieces]) for column in (1, 2))
    pooled = _clustered(_summed(place, all_sums), _summed(place, all_shares))
    return [pooled], len(together)


def _summed(place: NDArray[np.intp], values: Floats) -> Floats:
    return np.asarray(np.bincount(place, weights=values), dtype=np.float64)


def _clustered(sums: Floats, share: Floats) -> _Part:
    """The variance of a sum over clusters. sums: (G,) what each adds to the score; share: (G,) of the units."""
    n = len(sums)
    if n < 2:
        return _Part(np.nan, 0)
    left_out = sums / np.maximum(1 - share / share.sum(), 1e-9)
    return _Part(float((n - 1) / n * (left_out**2).sum()), n - 1)


def _of_draws(weight: float, sample: Sample) -> tuple[_Part, _Part]:
    """The variance of the draws, and that of the interaction of draws and units, which units' variance contains too."""
    draws = len(sample.repetitions)
    keys, place = np.unique(sample.keys, return_inverse=True)
    n = len(keys)
    sums = np.array([np.bincount(place, weights=row, minlength=n) for row in sample.psi]) * (n / sample.n_units)
    rest = sums - sums.mean(axis=0)
    of_draws = float(sample.repetitions.var(ddof=1) / draws)
    if n < 2:
        return _Part(weight**2 * of_draws, draws - 1), _Part(0.0, 0)
    interaction = float((rest**2).sum() / ((draws - 1) * (n - 1)) / (draws * n))
    return _Part(weight**2 * of_draws, draws - 1), _Part(weight**2 * interaction, (draws - 1) * (n - 1))


def _of_repetitions(weight: float, sample: Sample) -> _Part:
    n = len(sample.repetitions)
    if n < 2:
        return _Part(np.nan, 0)
    return _Part(float(weight**2 * sample.repetitions.var(ddof=1) / n), n - 1)
