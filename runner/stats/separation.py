"""Which models a benchmark tells apart: the paired test over families of tasks, groups with a leader, who may be first.

The test is that of `mean_of_tasks` on the difference of two models, for all pairs at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from embedmark.runner.stats.ranks import mixed

Floats: TypeAlias = NDArray[np.float64]

LEVEL = 0.95

FEWEST_FAMILIES = 6
"""Below this many families nothing is said: a sign test over five cannot go below p = 0.06."""

_DRAWS = 999


@dataclass(frozen=True)
class Pairwise:
    """All pairs of models.

    Args:
        statistic: (N, N) t of the row's mean less the column's; infinite where they differ in the same way on every
            family, 0 on the diagonal.
        critical: What it must exceed.
    """

    statistic: Floats
    critical: float

    @property
    def separated(self) -> NDArray[np.bool_]:
        """(N, N) whether two models are told apart."""
        return np.abs(self.statistic) > self.critical

    def bounds(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the places (N,), (N,) that are left by the models that are told to be above and below."""
        above, below = (self.statistic < -self.critical).sum(axis=1), (self.statistic > self.critical).sum(axis=1)
        return 1 + above, len(self.statistic) - below


def pairwise(values: Floats, families: NDArray[np.integer], level: float = LEVEL) -> Pairwise:
    """Test every pair of models on the tasks.

    Args:
        values: (N, T) what the ranking adds up: points, or scores; none missing.
        families: (T,) the number of each task's family, from 0.
        level: 1 less the chance of telling a pair apart that is not.
    """
    means, sums = _by_family(values, families)
    groups = sums.shape[1]
    if groups < 2:
        return Pairwise(np.zeros((len(values), len(values))), np.inf)
    squares = (sums**2).sum(axis=1)
    variance = groups / (groups - 1) * np.maximum(squares[:, None] + squares - 2 * sums @ sums.T, 0)
    variance[variance < 1e-12 * (squares[:, None] + squares)] = 0
    difference = means[:, None] - means
    error = np.sqrt(variance)
    certain = np.where(difference == 0, 0.0, np.copysign(np.inf, difference))
    statistic = np.divide(difference, error, out=certain, where=error > 0)
    return Pairwise(statistic, float(student.ppf((1 + level) / 2, groups - 1)))


def _by_family(values: Floats, families: NDArray[np.integer]) -> tuple[Floats, Floats]:
    """Means (N,), and what each family adds to the error of them (N, G)."""
    means = values.mean(axis=1)
    _, place = np.unique(families, return_inverse=True)
    belongs = np.eye(int(place.max()) + 1)[place]
    return means, (values - means[:, None]) @ belongs / values.shape[1]


def groups(order: NDArray[np.integer], separated: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Put models into groups, each led by one.

    Going down by rank, the first model without a group leads one; its members are the following models until the first
    that is separated from the leader. "Not told apart" is not transitive, so that only the leader is compared with.

    Args:
        order: (N,) models by rank.
        separated: (N, N) whether two are told apart.

    Returns:
        (N,) the number of each model's group, from 0.
    """
    found = np.zeros(len(order), dtype=np.int64)
    leader, number = (int(order[0]) if len(order) else 0), 0
    for model in order[1:]:
        if separated[leader, model]:
            leader, number = int(model), number + 1
        found[model] = number
    return found


def may_be_first(
    values: Floats, families: NDArray[np.integer], level: float = LEVEL, seed: int = 0
) -> NDArray[np.bool_]:
    """Find the models that may be first, a set that holds the best with a chance of `level`.

    A model is left out where another is better by more than the largest of its rivals' t values is by chance (the
    marginal max-t set of Mogstad, Romano, Shaikh and Wilhelm 2024); chance is drawn by signs of families.

    Args:
        values: (N, T) what the ranking adds up; none missing.
        families: (T,) the number of each task's family, from 0.
        level: The chance that the set holds the best.
        seed: Of the signs.
    """
    means, sums = _by_family(values, families)
    n_groups = sums.shape[1]
    counter = np.arange(_DRAWS * n_groups, dtype=np.uint32) + np.uint32(seed)
    signs = 1.0 - 2.0 * (mixed(counter) >> np.uint32(31)).reshape(_DRAWS, n_groups)
    first = int(np.argmax(means))
    pairs = pairwise(values, families, level)
    found = np.zeros(len(values), dtype=bool)
    for model in np.flatnonzero(pairs.statistic[first] < 4 * pairs.critical):
        apart = sums - sums[model]
        error = np.sqrt(n_groups / (n_groups - 1) * (apart**2).sum(axis=1))
        rivals = error > 0
        chance = np.abs(signs @ apart[rivals].T) * np.sqrt(n_groups / (n_groups - 1)) / error[rivals]
        critical = np.quantile(chance.max(axis=1), level) if rivals.any() else np.inf
        worse = (means - means[model])[rivals] / error[rivals]
        found[model] = not (worse > critical).any()
    return found
