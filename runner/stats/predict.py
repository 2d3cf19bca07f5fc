"""The mean of an unfinished model, from the tasks that it has and from models that have all.

Four predictions are averaged: a ridge regression of the mean on the tasks that are done, a Gaussian process on them,
the eight nearest models, and the conditional mean of a normal with few factors (`missing.py`). Their interval is made
of the errors for models whose whole family (those of one owner, or adapted from one another) was held out, scaled by
how unusual a model is, each family counting once (after Dunn, Wasserman and Ramdas 2022; Lee, Barber and Willett 2023).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.stats import missing
from embedmark.runner.stats.choice import chosen_tasks

Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.integer]

LEVEL = 0.9
FOLDS = 10
NEIGHBOURS = 8
FEWEST_MODELS = 20
FEWEST_FAMILIES = 12
"""Fewer complete models, or families of them, give no forecast: a 90 % interval needs ten families and more."""

_PENALTIES = np.logspace(-4, 2, 13)
_REACH, _NOISE, _CURVED = 1.0, 0.05, 0.5


@dataclass(frozen=True)
class Prior:
    """Models that have all tasks.

    Args:
        scores: (N, T), none missing.
        families: (N,) models of one number belong together.
    """

    scores: Floats
    families: Indices

    @property
    def means(self) -> Floats:
        """(N,) what is to be predicted."""
        return np.asarray(self.scores.mean(axis=1))

    def without(self, held: NDArray[np.bool_]) -> Prior:
        """Leave some models out."""
        return Prior(self.scores[~held], self.families[~held])

    @property
    def is_enough(self) -> bool:
        """Whether an interval can be made of it."""
        return len(self.scores) >= FEWEST_MODELS and len(np.unique(self.families)) >= FEWEST_FAMILIES


@dataclass(frozen=True)
class Estimate:
    """The forecast of one model's mean over all tasks, and of its place among those that have all.

    Args:
        mean: As predicted.
        low: The lower end of its interval.
        high: The upper end.
        rank: How many models' means lie above it, and one.
        best: The rank of the upper end.
        worst: The rank of the lower end.
        level: Of the interval.
    """

    mean: float
    low: float
    high: float
    rank: int
    best: int
    worst: int
    level: float


@dataclass(frozen=True)
class Chooser:
    """How the tasks that are done were chosen, where the scores that predict had a say in it.

    Such a choice has seen the models that the interval is made from, and is made anew without them.

    Args:
        seconds: (T,) what each task takes; None where tasks are taken for their information alone.
        budget: How many seconds; None where a number of tasks was asked for.
    """

    seconds: Floats | None = None
    budget: float | None = None

    def tasks(self, prior: Prior, n: int) -> Indices:
        """The tasks that would be chosen of these models."""
        return chosen_tasks(prior.scores, n, self.seconds, self.budget)


def estimate(
    prior: Prior, done: Sequence[int] | Indices, scores: Floats, level: float = LEVEL, chooser: Chooser | None = None
) -> Estimate:
    """Predict the mean of a model that is not finished.

    Args:
        prior: The models that have all tasks; `is_enough`.
        done: (k,) the tasks that are done, k ≥ 1.
        scores: (k,) the model's scores of these.
        level: The coverage of the interval, over families of models.
        chooser: Where the tasks that are done were chosen for what they tell.
    """
    of = np.asarray(done)
    predicted, scale = predictions(prior.scores, of, np.asarray(scores, dtype=np.float64)[None])
    mean, half = float(predicted[0]), quantile(*errors(prior, of, chooser), level) * float(scale[0])
    means = prior.means
    rank, best, worst = (1 + int((means > value).sum()) for value in (mean, mean + half, mean - half))
    return Estimate(mean, mean - half, mean + half, rank, best, worst, level)


def cautious_estimate(prior: Prior, done: Sequence[int] | Indices, scores: Floats, level: float = LEVEL) -> Estimate:
    """Predict from tasks of which it is not known how they were chosen: the wider interval of either.

    They may be there for what they tell, by times or a budget that cannot be had again; the interval of tasks that are
    taken as they are would then be too short.
    """
    either = [estimate(prior, done, scores, level, chooser) for chooser in (None, Chooser())]
    return max(either, key=lambda made: made.high - made.low)


def predictions(train: Floats, done: Indices, queries: Floats) -> tuple[Floats, Floats]:
    """Predict means from some tasks.

    Args:
        train: (N, T) models that have all.
        done: (k,) the tasks that are known.
        queries: (q, k) the scores of others on these.

    Returns:
        (q,) the means over all tasks, and (q,) how unsure each is, on any scale.
    """
    known, means = train[:, done], train.mean(axis=1)
    factors, spread = _by_factors(train, done, queries)
    made = (_ridge, _process, _neighbours)
    return (sum(predict(known, means, queries) for predict in made) + factors) / 4, spread


def _ridge(known: Floats, means: Floats, queries: Floats) -> Floats:
    """Ridge regression, its penalty by the squared errors of leaving one out (PRESS; Allen 1974)."""
    centre, size = known.mean(axis=0), known.std(axis=0) + 1e-9
    x, y = (known - centre) / size, means - means.mean()
    u, singular, v = np.linalg.svd(x, full_matrices=False)
    best: tuple[float, Floats] | None = None
    for penalty in _PENALTIES * len(x):
        shrunk = singular**2 / (singular**2 + penalty)
        leverage = 1 / len(x) + (u**2 * shrunk).sum(axis=1)
        press = float((((y - u @ (shrunk * (u.T @ y))) / (1 - np.minimum(leverage, 0.999))) ** 2).sum())
        if best is None or press < best[0]:
            best = press, v.T @ (singular / (singular**2 + penalty) * (u.T @ y))
    assert best is not None
    return np.asarray(means.mean() + (queries - centre) / size @ best[1])


def _process(known: Floats, means: Floats, queries: Floats) -> Floats:
    """A Gaussian process with a linear and a smooth kernel (Rasmussen and Williams 2006, chapter 2)."""
    centre, size = known.mean(axis=0), known.std(axis=0) + 1e-9
    x, z = (known - centre) / size, (queries - centre) / size

    def kernel(a: Floats, b: Floats) -> Floats:
        apart = ((a[:, None] - b) ** 2).mean(axis=2)
        return np.asarray(_CURVED * np.exp(-apart / (2 * _REACH**2)) + a @ b.T / a.shape[1])

    inner = kernel(x, x) + _NOISE * np.eye(len(x))
    return np.asarray(means.mean() + kernel(z, x) @ np.linalg.solve(inner, means - means.mean()))


def _neighbours(known: Floats, means: Floats, queries: Floats) -> Floats:
    """The mean of the tasks that are known, and by how much those of the nearest models are off."""
    apart = ((queries[:, None] - known) / (known.std(axis=0) + 1e-9)) ** 2
    nearest = np.argsort(apart.sum(axis=2), axis=1, kind="stable")[:, :NEIGHBOURS]
    offset = means - known.mean(axis=1)
    return np.asarray(queries.mean(axis=1) + offset[nearest].mean(axis=1))


def _by_factors(train: Floats, done: Indices, queries: Floats) -> tuple[Floats, Floats]:
    found = missing.fit(train)
    rest = np.setdiff1d(np.arange(train.shape[1]), done)
    inner = found.covariance[np.ix_(done, done)]
    across = found.covariance[np.ix_(rest, done)]
    away = queries - found.mean[done]
    solved = np.linalg.solve(inner, away.T)
    total = queries.sum(axis=1) + found.mean[rest].sum() + (across @ solved).sum(axis=0)
    unusual = (away * solved.T).sum(axis=1) / len(done)
    return total / train.shape[1], np.sqrt(1 + unusual)


def folds(families: Indices, seed: int = 0, n: int = FOLDS) -> Iterator[NDArray[np.bool_]]:
    """Hold out families, a fold at a time: (N,) which models are held."""
    names = np.unique(families)
    order = np.random.default_rng(seed).permutation(names)
    for part in range(n):
        yield np.isin(families, order[part::n])


def errors(prior: Prior, done: Indices, chooser: Chooser | None = None, seed: int = 0) -> tuple[Floats, Floats]:
    """Predict models whose families are held out.

    Returns:
        (N,) the errors, each over its scale, and (N,) weights: each family has one in all.
    """
    found = np.zeros(len(prior.scores))
    for held in folds(prior.families, seed):
        if not held.any():
            continue
        rest = prior.without(held)
        tasks = done if chooser is None else chooser.tasks(rest, len(done))
        predicted, scale = predictions(rest.scores, tasks, prior.scores[np.ix_(held, tasks)])
        found[held] = np.abs(predicted - prior.means[held]) / scale
    _, place, count = np.unique(prior.families, return_inverse=True, return_counts=True)
    return found, 1 / count[place]


def quantile(values: Floats, weights: Floats, level: float) -> float:
    """The weighted quantile of values. A new family's own weight is left out: held-out coverage is above the level."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) >= level * weights.sum() - 1e-9
    return float(values[order][np.argmax(reached)])
