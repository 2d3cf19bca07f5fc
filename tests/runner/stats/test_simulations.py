"""Cheap simulations of what coverage.py and power.py in tests/benchmarks measure: claims and intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from statistics_samples import crossed, mean

from embedmark.runner.stats.intervals import Interval, interval
from embedmark.runner.stats.paired import Paired, compare
from embedmark.runner.stats.sample import Sample

SETS = 400


def claims(made: list[tuple[Sample, Sample]]) -> float:
    found = [compare([(1.0, a, b)]) for a, b in made]
    return float(np.mean([isinstance(one, Paired) and one.p < 0.05 for one in found]))


def test_equal_models_are_rarely_told_apart() -> None:
    generator = np.random.default_rng(0)
    pairs = []
    for _ in range(SETS):
        shared = generator.random(60)
        a, b = (np.clip(shared + generator.normal(0, 0.1, 60), 0, 1) for _ in range(2))
        pairs.append((mean(a), mean(b)))
    assert 0.02 < claims(pairs) < 0.085


def test_equal_models_that_share_draws_are_rarely_told_apart() -> None:
    """By rows alone a quarter of them would be."""
    generator = np.random.default_rng(1)
    pairs = []
    for _ in range(SETS // 2):
        row, draw = generator.normal(size=400), generator.normal(0, 0.15, (10, 1))
        made = [
            row + 0.7 * generator.normal(size=400) + draw
            + generator.normal(0, 0.12, (10, 1)) + generator.normal(0, 0.8, (10, 400)) > 0
            for _ in range(2)
        ]  # fmt: skip
        pairs.append((crossed(made[0].astype(float)), crossed(made[1].astype(float))))
    assert claims(pairs) < 0.1


@pytest.mark.parametrize(("share", "n"), [(0.5, 20), (0.9, 100), (0.98, 20), (0.98, 500)])
def test_intervals_of_shares_hold(share: float, n: int) -> None:
    generator = np.random.default_rng(int(1000 * share) + n)
    held = []
    for _ in range(SETS):
        found = interval([(1.0, mean((generator.random(n) < share).astype(float)))])
        assert isinstance(found, Interval)
        held.append(found.low <= share <= found.high)
    assert 0.91 < np.mean(held) < 0.995
