"""Ranks of models over the tasks of a benchmark, and how far they would move on other tasks like these.

Everything that is counted is a whole number, so that any order of additions, any number of threads and the page's
JavaScript (`ranks.js`) give the same bits: average ranks are halves, twice the points are integers, and sums of them
stay below 2²⁴, where float32 is exact. Draws come from a generator that has a counter and no state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats: TypeAlias = NDArray[np.float64]
Whole: TypeAlias = NDArray[np.int64]
Words: TypeAlias = NDArray[np.uint32]

SCALE = 1_000_000
"""Scores are rounded to a millionth in the rule itself, so that every place that ranks them sees the same ties."""

DRAWS = 10_000
LEVEL = 0.98
"""Of rank intervals: percentiles of draws by Borda cover 98 % on average over models, and 89 % for the hardest one."""

_EXACT = 1 << 24
_BLOCK = 1 << 22


def points2(scores: Floats) -> Whole:
    """Compute twice the Borda points of each model on each task.

    Args:
        scores: (N, T), NaN where missing.

    Returns:
        (N, T): 2 · (N - average rank among those that have the task), where N counts every model, also those without
        it; 0 where missing. So the field's leaderboard has it (mteb 2.26, PR #1345).
    """
    there = ~np.isnan(scores)
    last = np.iinfo(np.int64).max
    behind = np.where(there, -np.rint(np.nan_to_num(scores) * SCALE).astype(np.int64), last)
    twice_rank = np.rint(2 * rankdata(behind, axis=0)).astype(np.int64)
    return np.where(there, 2 * len(scores) - twice_rank, 0)


def places(totals: Whole) -> Whole:
    """Rank totals (N,), the largest first; equal ones share the better place, from 1."""
    return 1 + np.searchsorted(np.sort(-totals), -totals, side="left")


def mixed(words: Words) -> Words:
    """Mix 32 bits, the function [16 21f0aaad 15 735a2d97 15] of C. Wellons' hash-prospector."""
    x = words.astype(np.uint32, copy=True)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x21F0AAAD)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x735A2D97)
    x ^= x >> np.uint32(15)
    return x


def draw_counts(draws: int, families: NDArray[np.integer], seed: int = 0) -> NDArray[np.float32]:
    """Draw families with replacement.

    Args:
        draws: How many times, R.
        families: (T,) the number of each task's family, from 0.
        seed: Another one gives other draws.

    Returns:
        (R, T) how often each task is in a draw: as often as its family. Draw b takes the same families whatever R is.
    """
    n = int(families.max()) + 1 if len(families) else 0
    start = mixed(np.array([seed], dtype=np.uint32))[0]
    counter = np.arange(draws * n, dtype=np.uint32) + start
    chosen = (mixed(counter).astype(np.uint64) * np.uint64(n)) >> np.uint64(32)
    flat = np.repeat(np.arange(draws), n) * n + chosen.astype(np.int64)
    counts = np.bincount(flat, minlength=draws * n).reshape(draws, n)
    return counts.astype(np.float32)[:, families]


def totals_of(counts: NDArray[np.float32], points: Whole) -> Whole:
    """Sum the points of each draw: (R, N), exact."""
    largest = float(np.abs(points).max(initial=0)) * float(counts.sum(axis=1).max(initial=0))
    kind = np.float32 if largest < _EXACT else np.float64
    return np.asarray(np.rint(counts.astype(kind) @ points.T.astype(kind)), dtype=np.int64)


@dataclass(frozen=True)
class RankCounts:
    """How often each model had each place, over all draws.

    Args:
        counts: (N, N): [model, place - 1].
    """

    counts: Whole

    def interval(self, level: float = LEVEL) -> tuple[Whole, Whole]:
        """Return the places (N,), (N,) between which a model stands in a share `level` of the draws; of the others as
        many are above as below, but for one."""
        draws = int(self.counts[0].sum())
        low, high = order_statistics(draws, level)
        summed = np.cumsum(self.counts, axis=1)
        return 1 + (summed < low).sum(axis=1), 1 + (summed < high).sum(axis=1)

    @property
    def first(self) -> Floats:
        """(N,) the share of draws in which each model is first, or shares that place."""
        return np.asarray(self.counts[:, 0] / self.counts[0].sum())


def order_statistics(draws: int, level: float) -> tuple[int, int]:
    """Return which of the sorted draws are the ends of an interval, counted from 1: 25 and 975 of 1,000 at 95 %."""
    out = round(draws * (1 - level) / 2)
    return max(out, 1), draws - out


def rank_counts(totals: Whole) -> RankCounts:
    """Count the places of each model. totals: (R, N), exact sums of points."""
    draws, n = totals.shape
    bits = max(int(n - 1).bit_length(), 1)
    found = np.zeros(n * n, dtype=np.int64)
    for start in range(0, draws, step := max(1, _BLOCK // n)):
        block = totals[start : start + step]
        behind = block.max() - block
        kind = np.int32 if int(behind.max()) < 1 << 31 - bits else np.int64
        keys = np.sort(behind.astype(kind) << kind(bits) | np.arange(n, dtype=kind), axis=1)
        value, model = keys >> kind(bits), (keys & kind((1 << bits) - 1)).astype(np.int64)
        runs = np.ones(value.shape, dtype=bool)
        runs[:, 1:] = value[:, 1:] != value[:, :-1]
        place = np.maximum.accumulate(np.where(runs, np.arange(n), 0), axis=1)
        found += np.bincount((model * n + place).ravel(), minlength=n * n)
    return RankCounts(found.reshape(n, n))
