"""The interval of a score: which scores new units of the same kind would plausibly give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, stdtrit

from embedmark.runner.stats.bootstrap import average_precision_ends
from embedmark.runner.stats.sample import Sample, Scale
from embedmark.runner.stats.spread import Spread, spread

LEVEL = 0.95

FEWEST = 3
"""Fewer units or clusters than this give no interval."""

NEAR_ONE = 0.99
"""Shares beyond this, or below 1 less this, have intervals that cover less than they say."""


@dataclass(frozen=True)
class Interval:
    """Where the score of new units lies, at the level that is given.

    Args:
        score: What was measured.
        low: The lower end, on the score's scale.
        high: The upper end.
        level: The share of such intervals that hold it.
        spread: Of which standard error, and how many units.
        of: What varied, in words: "728 queries", "700 rows × 10 draws".
        warnings: Why it covers less than its level, in words.
    """

    score: float
    low: float
    high: float
    level: float
    spread: Spread
    of: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoInterval:
    """A score whose items give no interval, and why."""

    reason: str


def interval(parts: Sequence[tuple[float, Sample]], level: float = LEVEL) -> Interval | NoInterval:
    """Compute the interval of a weighted mean of scores.

    Args:
        parts: Weight and sample of each; weights sum to 1.
        level: The coverage asked for.
    """
    found = spread(parts)
    of = what_varied(parts, found)
    held = all(not sample.n_units for _, sample in parts)
    n = found.n_repetitions if held else found.n_clusters
    if n < FEWEST or np.isnan(found.se):
        return NoInterval(f"{of}: too few")
    score = sum(weight * sample.score for weight, sample in parts)
    scales = {sample.scale for _, sample in parts}
    scale = scales.pop() if len(scales) == 1 else "plain"
    low, high = ends(score, found, scale, level)
    only = parts[0][1] if len(parts) == 1 else None
    if only is not None and only.ranked is not None:
        low, high = average_precision_ends(only.ranked, only.keys, level)
    few = max(sample.few for _, sample in parts)
    warnings = [f"fewer than {few} {'repetitions' if held else 'independent units'}"] if n < few else []
    if scale == "share" and not 1 - NEAR_ONE <= score <= NEAR_ONE:
        warnings.append(
            f"score {'above' if score > NEAR_ONE else 'below'} {NEAR_ONE if score > 0.5 else 1 - NEAR_ONE:.2f}"
        )
    return Interval(score, low, high, level, found, of, tuple(warnings))


def ends(score: float, found: Spread, scale: Scale, level: float = LEVEL) -> tuple[float, float]:
    """Compute the ends of an interval on the scale on which it is symmetric.

    A share has Wilson's interval (1927, JASA 22) of as many units as would give its standard error (Korn and Graubard
    1998), so that one of 1 still has a lower end; a correlation is symmetric on Fisher's z, an average precision on
    the logit, each with the standard error carried over by the slope.
    """
    quantile = float(stdtrit(found.df, (1 + level) / 2)) if found.df > 0 else np.nan
    if scale == "share":
        return _wilson(score, found, quantile)
    if scale == "correlation" and abs(score) < 1:
        half, centre = quantile * found.se / (1 - score**2), np.arctanh(score)
        return float(np.tanh(centre - half)), float(np.tanh(centre + half))
    if scale == "logit" and 0 < score < 1:
        half, centre = quantile * found.se / (score * (1 - score)), logit(score)
        return float(expit(centre - half)), float(expit(centre + half))
    return score - quantile * found.se, score + quantile * found.se


def _wilson(score: float, found: Spread, quantile: float) -> tuple[float, float]:
    score = min(max(score, 0.0), 1.0)
    n = score * (1 - score) / found.se**2 if found.se > 0 else float(found.n_clusters)
    if n == 0:
        n = float(found.n_clusters)
    centre = (score + quantile**2 / (2 * n)) / (1 + quantile**2 / n)
    half = quantile / (1 + quantile**2 / n) * np.sqrt(score * (1 - score) / n + quantile**2 / (4 * n**2))
    return float(max(centre - half, 0.0)), float(min(centre + half, 1.0))


def what_varied(parts: Sequence[tuple[float, Sample]], found: Spread) -> str:
    """Say what an interval is over, as in "400 clusters of 800 pairs" or "10 repetitions, documents held fixed"."""
    names = list(dict.fromkeys(sample.unit_name for _, sample in parts if sample.n_units))
    held = any(not sample.n_units for _, sample in parts)
    words = ""
    if names:
        name = names[0] if len(names) == 1 else "unit"
        units = f"{found.n_units:,} {plural(name, found.n_units)}"
        words = units if found.n_clusters == found.n_units else f"{found.n_clusters:,} clusters of {units}"
        if found.n_repetitions > 1 and not held:
            words += f" × {found.n_repetitions} draws"
    fixed = f"{found.n_repetitions} repetitions, documents held fixed" if held else ""
    dropped = sum(sample.dropped for _, sample in parts)
    without = f"{dropped} without a value" if dropped else ""
    return "; ".join(filter(None, (words, fixed, without)))


def plural(name: str, n: int) -> str:
    """A unit's name for a number of them."""
    if n == 1:
        return name
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
