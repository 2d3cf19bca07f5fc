"""Forecasts: exact where all is known, honest where it is not, and no task is chosen for its place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedmark.runner.stats.choice import chosen_tasks
from embedmark.runner.stats.predict import Chooser, Prior, cautious_estimate, estimate, folds, quantile


def prior(n: int = 60, n_tasks: int = 15, seed: int = 0, noise: float = 0.01) -> Prior:
    """Families of two, whose models differ by a level and a little on each task."""
    generator = np.random.default_rng(seed)
    level = np.repeat(generator.normal(0.6, 0.08, n // 2), 2)[:, None]
    hard = generator.normal(0, 0.1, n_tasks)
    slope = generator.normal(1, 0.2, n_tasks)
    return Prior(level * slope + hard + generator.normal(0, noise, (n, n_tasks)), np.arange(n) // 2)


def test_the_interval_holds_new_families() -> None:
    both = prior(120)
    known, new = Prior(both.scores[:60], both.families[:60]), Prior(both.scores[60:], both.families[60:])
    tasks = chosen_tasks(known.scores, 4)
    found = [estimate(known, tasks, row[tasks], chooser=Chooser()) for row in new.scores]
    truth = new.scores.mean(axis=1)
    held = np.mean([one.low <= true <= one.high for one, true in zip(found, truth, strict=True)])
    assert held > 0.75
    assert np.mean([one.high - one.low for one in found]) < np.ptp(truth) / 2


def test_more_tasks_say_more() -> None:
    known = prior(noise=0.03)
    row = prior(seed=2, noise=0.03).scores[0]
    widths = [(found := estimate(known, list(range(n)), row[:n])).high - found.low for n in (2, 6, 12)]
    assert widths[0] > widths[1] > widths[2]


def test_where_the_choice_is_not_known_the_wider_interval_is_given() -> None:
    known = prior(noise=0.03)
    tasks = [*chosen_tasks(known.scores, 3), 14]
    row = prior(seed=2, noise=0.03).scores[0, tasks]
    found = cautious_estimate(known, tasks, row)
    either = [estimate(known, tasks, row, chooser=chooser) for chooser in (None, Chooser())]
    assert either[0] != either[1]
    assert found.high - found.low == max(one.high - one.low for one in either)


def test_ranks_are_those_of_the_ends() -> None:
    known = prior()
    made = estimate(known, [0, 3], known.scores[5, [0, 3]])
    means = known.means
    assert made.rank == 1 + (means > made.mean).sum()
    assert (made.best, made.worst) == (1 + (means > made.high).sum(), 1 + (means > made.low).sum())
    assert made.best <= made.rank <= made.worst


@given(st.permutations(range(15)))
@settings(max_examples=10)
def test_the_order_of_tasks_changes_no_choice(order: list[int]) -> None:
    known = prior()
    chosen = chosen_tasks(known.scores, 5)
    moved = chosen_tasks(known.scores[:, order], 5)
    assert [order[task] for task in moved] == chosen.tolist()


def test_a_budget_is_kept() -> None:
    seconds = np.arange(1.0, 16.0)
    chosen = chosen_tasks(prior().scores, 15, seconds, budget=20)
    assert seconds[chosen].sum() <= 20
    assert len(chosen) > 1
    assert not len(chosen_tasks(prior().scores, 15, seconds, budget=0.5))


def test_what_is_done_is_not_chosen_again() -> None:
    assert not {0, 1, 2} & set(chosen_tasks(prior().scores, 20, done=np.array([0, 1, 2])).tolist())


def test_folds_part_no_family() -> None:
    families = prior().families
    held = list(folds(families))
    assert np.sum(held, axis=0).tolist() == [1] * len(families)
    for fold in held:
        assert not set(families[fold]) & set(families[~fold])


def test_a_family_counts_once() -> None:
    values, weights = np.array([1.0, 2.0, 3.0, 9.0, 9.0, 9.0]), np.array([1, 1, 1, 1 / 3, 1 / 3, 1 / 3])
    assert quantile(values, weights, 0.75) == pytest.approx(3.0)
