"""Is one better than another: the paired test on the same units, many tests at once, and what they could see."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

from embedmark.runner.stats.intervals import FEWEST, LEVEL, NoInterval, what_varied
from embedmark.runner.stats.sample import Sample, correlation, difference
from embedmark.runner.stats.spread import Spread, spread

Floats: TypeAlias = NDArray[np.float64]
Verdict: TypeAlias = Literal["better", "worse", "cannot tell"]
Test: TypeAlias = Literal["t", "permutation"]

POWER = 0.8

FEW_FOR_T = 30
"""Below this many clusters signs are flipped, since the t quantile leans on their mean being near normal."""

FLIPS = 9999
_SEED = 0
_BLOCK = 1 << 22


@dataclass(frozen=True)
class Paired:
    """One score minus another of the same units.

    Args:
        difference: On the metric's own scale; above 0 where the first is higher.
        low: The lower end of its interval.
        high: The upper end.
        p: How often a difference as large as this comes from no difference; never 0.
        spread: Its standard error, and of how many units.
        rho: The correlation of the two over units; None where they do not vary.
        smallest_visible: The difference that this test would have seen four times in five.
        of: What varied, in words.
    """

    difference: float
    low: float
    high: float
    p: float
    spread: Spread
    rho: float | None
    smallest_visible: float
    of: str


def compare(
    parts: Sequence[tuple[float, Sample, Sample]], level: float = LEVEL, test: Test = "t"
) -> Paired | NoInterval:
    """Compare two weighted means of scores over the same units.

    Args:
        parts: Weight, and the sample of the one and of the other.
        level: The coverage of the interval.
        test: "permutation" flips the signs of clusters; it is also taken below 30 of them where nothing is drawn.

    Raises:
        DifferentUnitsError: A pair is of other units or repetitions.
    """
    differences = [(weight, difference(a, b)) for weight, a, b in parts]
    found = spread(differences)
    of = what_varied(differences, found)
    held = all(not sample.n_units for _, sample in differences)
    n = found.n_repetitions if held else found.n_clusters
    if n < FEWEST or np.isnan(found.se):
        return NoInterval(f"{of}: too few")
    value = sum(weight * sample.score for weight, sample in differences)
    half = float(stdtrit(found.df, (1 + level) / 2)) * found.se if found.se > 0 else 0.0
    p = p_of_t(value, found)
    if not held and found.n_repetitions == 1 and (test == "permutation" or n < FEW_FOR_T):
        p = p_of_signs(_cluster_sums(differences))
    rhos = [rho for _, a, b in parts if (rho := correlation(a, b)) is not None]
    return Paired(
        value,
        value - half,
        value + half,
        p,
        found,
        float(np.mean(rhos)) if rhos else None,
        smallest_visible(found.se, found.df),
        of,
    )


def p_of_t(value: float, found: Spread) -> float:
    """The two-sided p value of a difference by Student's t; at least the smallest positive number."""
    if found.se == 0:
        return 1.0 if value == 0 else sys.float_info.min
    return max(float(2 * stdtr(found.df, -abs(value) / found.se)), sys.float_info.min)


def p_of_signs(sums: Floats, flips: int = FLIPS) -> float:
    """The p value by flipping signs: (1 + as large) / (1 + flips); Phipson and Smyth 2010.

    sums: (G,) what each cluster adds to the difference; zeros are left out. All sign patterns are counted where there
    are no more than `flips` of them.
    """
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    observed = abs(sums.sum()) * (1 - 1e-12)
    if 2 ** len(sums) <= flips:
        patterns = np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums)) & 1
        return float((np.abs((1 - 2 * patterns) @ sums) >= observed).mean())
    generator = np.random.default_rng(_SEED)
    larger, done, step = 0, 0, max(1, _BLOCK // len(sums))
    while done < flips:
        signs = 1 - 2 * generator.integers(0, 2, (min(step, flips - done), len(sums)), dtype=np.int8)
        larger += int((np.abs(signs @ sums) >= observed).sum())
        done += len(signs)
    return (1 + larger) / (1 + flips)


def _cluster_sums(parts: Sequence[tuple[float, Sample]]) -> Floats:
    """What each cluster adds to the difference itself, not to its error."""
    keys = np.concatenate([sample.keys for _, sample in parts])
    values = np.concatenate(
        [weight * (sample.psi.mean(axis=0) + sample.score) / sample.n_units for weight, sample in parts]
    )
    _, place = np.unique(keys, return_inverse=True)
    return np.asarray(np.bincount(place, weights=values), dtype=np.float64)


def holm(p: Sequence[float]) -> Floats:
    """Adjust p values so that the chance of any false claim stays below the level (Holm 1979, Scand. J. Stat. 6)."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return _put_back(np.minimum(stepped, 1), order)


def benjamini_hochberg(p: Sequence[float]) -> Floats:
    """Adjust p values so that the expected share of false claims stays below the level (1995, JRSS B 57)."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * len(values) / np.arange(1, len(values) + 1)
    stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    return _put_back(np.minimum(stepped, 1), order)


def _put_back(ordered: Floats, order: NDArray[np.intp]) -> Floats:
    found = np.empty(len(ordered))
    found[order] = ordered
    return found


def verdict(value: float, p: float, alpha: float = 1 - LEVEL) -> Verdict:
    """Say what a difference and its (adjusted) p value allow to be said."""
    if p > alpha or value == 0:
        return "cannot tell"
    return "better" if value > 0 else "worse"


def smallest_visible(se: float, df: float, power: float = POWER, alpha: float = 1 - LEVEL) -> float:
    """Compute the difference that a test of this standard error sees with a given power."""
    if se == 0 or df <= 0:
        return 0.0
    return float((stdtrit(df, 1 - alpha / 2) + stdtrit(df, power)) * se)


def units_needed(se: float, n: int, value: float, power: float = POWER, alpha: float = 1 - LEVEL) -> int | None:
    """Compute how many units (items, or families of tasks) would decide a difference, if it stays.

    Returns:
        None where no number in reach would: more than ten times as many, or a difference below its standard error.
    """
    if value == 0 or abs(value) < se:
        return None
    needed = n * ((ndtri(1 - alpha / 2) + ndtri(power)) * se / abs(value)) ** 2
    return None if needed > 10 * n else max(math.ceil(needed), 2)
