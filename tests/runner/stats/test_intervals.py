"""Intervals and standard errors against what is known of them by formula."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student
from statistics_samples import crossed, mean, pairs_of_clusters, units

from embedmark.runner.stats.intervals import Interval, NoInterval, interval
from embedmark.runner.stats.sample import Sample, of_values
from embedmark.runner.stats.spread import spread

RNG = np.random.default_rng(3)


def found(*parts: tuple[float, Sample]) -> Interval:
    made = interval(parts)
    assert isinstance(made, Interval)
    return made


def test_a_mean_has_the_standard_error_of_a_mean() -> None:
    values = RNG.random(200)
    assert spread([(1.0, mean(values))]).se == pytest.approx(values.std(ddof=1) / np.sqrt(200))


def test_a_share_of_one_has_a_lower_end() -> None:
    made = found((1.0, mean(np.ones(50))))
    quantile = student.ppf(0.975, 49)
    assert made.high == 1
    assert made.low == pytest.approx(1 / (1 + quantile**2 / 50))
    assert made.warnings == ("score above 0.99",)


def test_all_at_one_half_is_not_certain() -> None:
    """Nothing varies here, and yet new units would."""
    made = found((1.0, mean(np.full(20, 0.5))))
    assert made.low < 0.35
    assert made.high > 0.65


def test_repeated_units_are_no_new_ones() -> None:
    values = RNG.random(60)
    once = mean(values)
    twice = pairs_of_clusters(np.repeat(values, 2), np.repeat(np.arange(60), 2))
    assert spread([(1.0, twice)]).se == pytest.approx(spread([(1.0, once)]).se)
    assert found((1.0, twice)).of == "60 clusters of 120 queries"


@pytest.mark.parametrize("sizes", [[1, 2, 3, 4, 10], [1, 2, 3, 4, 10] * 12])
def test_unequal_clusters_count_as_if_left_out(sizes: list[int]) -> None:
    """CR3 is the jackknife of clusters, to the rounding of their mean, however many they are."""
    n = len(sizes)
    cluster = np.repeat(np.arange(n), sizes)
    values = RNG.random(len(cluster)) + cluster / 3
    left = np.array([values[cluster != one].mean() for one in range(n)])
    jackknife = np.sqrt((n - 1) / n * ((left - values.mean()) ** 2).sum())
    assert spread([(1.0, pairs_of_clusters(values, cluster))]).se == pytest.approx(jackknife)


def test_draws_and_rows_are_crossed() -> None:
    right = RNG.random((10, 150)) < RNG.random(150) * 0.5 + 0.3 + RNG.normal(size=(10, 1)) * 0.05
    made = spread([(1.0, crossed(right.astype(float)))])
    rows, draws, score = right.mean(axis=0), right.mean(axis=1), right.mean()
    rest = right - rows - draws[:, None] + score
    interaction = (rest**2).sum() / (9 * 149) / (10 * 150)
    expected = rows.var(ddof=1) / 150 + draws.var(ddof=1) / 10 - interaction
    assert made.se == pytest.approx(np.sqrt(expected))
    assert made.n_repetitions == 10


def test_subsets_of_the_same_rows_add_nothing() -> None:
    values = RNG.random(80)
    one, same = mean(values), mean(values)
    other = Sample(same.score, same.psi, same.repetitions, units(80, start=1000), "query", None, "share")
    assert spread([(0.5, one), (0.5, same)]).se == pytest.approx(spread([(1.0, one)]).se)
    assert spread([(0.5, one), (0.5, other)]).se == pytest.approx(spread([(1.0, one)]).se / np.sqrt(2))


def test_repetitions_alone_vary_where_documents_are_held() -> None:
    scores = np.array([0.3, 0.31, 0.29, 0.33])
    held = Sample(scores.mean(), np.empty((4, 0)), scores, units(0), "document")
    made = found((1.0, held))
    assert made.spread.se == pytest.approx(scores.std(ddof=1) / 2)
    assert made.of == "4 repetitions, documents held fixed"


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_units_have_no_interval(n: int) -> None:
    made = interval([(1.0, mean(np.linspace(0, 1, n)))])
    assert isinstance(made, NoInterval)
    assert "too few" in made.reason


def test_units_without_a_value_are_counted() -> None:
    made = found((1.0, of_values(np.array([0.1, np.nan, 0.4, 0.2, 0.6]), units(5), "text", "plain")))
    assert made.of == "4 texts; 1 without a value"
    assert made.score == pytest.approx(0.325)
