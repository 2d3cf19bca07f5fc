"""Paired tests, several at once, and what they could have seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel
from statistics_samples import crossed, mean, units

from embedmark.runner.stats.means import mean_of_tasks
from embedmark.runner.stats.paired import (
    Paired,
    benjamini_hochberg,
    compare,
    holm,
    p_of_signs,
    smallest_visible,
    units_needed,
    verdict,
)
from embedmark.runner.stats.sample import DifferentUnitsError, Sample, difference, of_values

RNG = np.random.default_rng(5)


def paired(a: Sample, b: Sample) -> Paired:
    made = compare([(1.0, a, b)])
    assert isinstance(made, Paired)
    return made


def test_of_means_it_is_the_paired_t_test() -> None:
    a = RNG.random(80)
    b = np.clip(a + RNG.normal(size=80) * 0.1 - 0.02, 0, 1)
    made, expected = paired(mean(a), mean(b)), ttest_rel(a, b)
    assert made.p == pytest.approx(expected.pvalue)
    assert (made.low, made.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert made.rho == pytest.approx(np.corrcoef(a, b)[0, 1])


@given(st.permutations(range(40)))
def test_units_are_matched_by_identity(order: list[int]) -> None:
    a, b = RNG.random(40), RNG.random(40)
    shuffled = of_values(b[order], units(40)[order], "query", "share")
    assert paired(mean(a), shuffled).p == pytest.approx(paired(mean(a), mean(b)).p)
    assert paired(mean(a), shuffled).difference == pytest.approx(a.mean() - b.mean())


def test_other_units_of_the_same_number_are_refused() -> None:
    with pytest.raises(DifferentUnitsError, match="40 and 40"):
        compare([(1.0, mean(RNG.random(40)), mean(RNG.random(40), start=100))])


def test_means_are_compared_on_the_units_that_both_have() -> None:
    values = RNG.random(40)
    holes = np.where(np.arange(40) < 5, np.nan, values + 0.1)
    made = difference(of_values(holes, units(40), "text", "plain"), of_values(values, units(40), "text", "plain"))
    assert made.score == pytest.approx(0.1)
    assert (made.n_units, made.dropped) == (35, 5)


def test_draws_are_paired_too() -> None:
    """Both learn from the same draws, whose luck is in both scores."""
    luck = RNG.normal(size=(10, 1)) * 0.2
    base = RNG.random((10, 200)) * 0.1 + luck
    a, b = crossed(base + 0.01), crossed(base)
    assert paired(a, b).p < 1e-6
    assert paired(a, b).difference == pytest.approx(0.01)


def test_swapping_turns_the_sign_alone() -> None:
    a, b = mean(RNG.random(60)), mean(RNG.random(60))
    one, other = paired(a, b), paired(b, a)
    assert one.p == pytest.approx(other.p)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_equal_scores_everywhere_cannot_be_told_apart() -> None:
    values = RNG.random(50)
    made = paired(mean(values), mean(values))
    assert (made.difference, made.p, verdict(made.difference, made.p)) == (0, 1, "cannot tell")


def test_all_patterns_of_few_signs_are_counted() -> None:
    assert p_of_signs(np.array([1.0, 2.0, 3.0])) == pytest.approx(2 / 8)
    assert p_of_signs(np.array([1.0, 2.0, 3.0, 0.0])) == pytest.approx(2 / 8)
    assert p_of_signs(np.zeros(4)) == 1


def test_sampled_signs_never_give_zero() -> None:
    assert p_of_signs(np.ones(29)) == pytest.approx(1 / 10_000)


def test_holm_and_benjamini_hochberg_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert benjamini_hochberg([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.04, 0.04])


def test_smallest_visible_difference_is_seen_four_times_in_five() -> None:
    se, n = 0.01, 200
    visible = smallest_visible(se, n - 1)
    seen = np.mean([abs(RNG.normal(visible, se)) > 1.972 * se for _ in range(4000)])
    assert 0.77 < seen < 0.83
    assert units_needed(se, n, visible / 2) == pytest.approx(4 * n, rel=0.05)
    assert units_needed(se, n, se / 2) is None


def test_items_noise_is_not_added_to_the_spread_of_tasks() -> None:
    scores = RNG.normal(0.6, 0.1, 30)
    noisy, exact = (mean_of_tasks(scores, range(30), [se] * 30) for se in (0.05, 0.001))
    assert noisy.like_these == exact.like_these
    assert noisy.as_it_is is not None
    assert exact.as_it_is is not None
    assert noisy.as_it_is[0] < exact.as_it_is[0]


def test_tasks_of_a_family_are_one() -> None:
    scores = np.repeat(RNG.normal(0.6, 0.1, 12), 2)
    families = mean_of_tasks(scores, np.repeat(range(12), 2), [None] * 24)
    single = mean_of_tasks(scores[::2], range(12), [None] * 12)
    assert families.like_these == pytest.approx(single.like_these)
    assert families.as_it_is is None
