"""Scores of tasks that a model was not measured on, as far as its others tell: a normal of few factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

FACTORS = 6
_ROUNDS = 20
_LEAST = 1e-6


@dataclass(frozen=True)
class Factors:
    """Scores of models on tasks as a normal distribution.

    Args:
        mean: (T,) of each task.
        covariance: (T, T), of few factors and each task's own variance.
        shared: (T, T) the factors' part of it.
    """

    mean: Floats
    covariance: Floats
    shared: Floats

    def conditional(self, scores: Floats) -> tuple[Floats, Floats]:
        """Predict what one model lacks.

        Args:
            scores: (T,) NaN where missing.

        Returns:
            The mean (M,) and covariance (M, M) of the missing tasks, in order.
        """
        lacks = np.isnan(scores)
        there = ~lacks
        across = self.covariance[np.ix_(lacks, there)]
        gain = np.linalg.solve(self.covariance[np.ix_(there, there)], across.T).T
        mean = self.mean[lacks] + gain @ (scores[there] - self.mean[there])
        rest = self.covariance[np.ix_(lacks, lacks)] - gain @ across.T
        return mean, (rest + rest.T) / 2


def fit(scores: Floats, factors: int = FACTORS) -> Factors:
    """Fit the distribution of models' scores, by expectation and maximization over what is missing.

    Models with fewer than a third of the tasks are left out of it.

    Args:
        scores: (N, T) NaN where missing; every task has a score.
        factors: How many directions models differ in together.
    """
    there = ~np.isnan(scores)
    used = there.sum(axis=1) * 3 >= scores.shape[1]
    used = used if used.sum() > factors else there.any(axis=1)
    values, known = scores[used], there[used]
    task = np.nanmean(scores, axis=0)
    level = np.array([np.mean(row[has] - task[has]) for row, has in zip(values, known, strict=True)])
    filled = np.where(known, np.nan_to_num(values), task + level[:, None])
    found = _fitted(filled, np.zeros((len(task), len(task))), filled.var(axis=0) / 4, factors)
    patterns, of = np.unique(known, axis=0, return_inverse=True)
    for _ in range(_ROUNDS):
        filled, unknown = _filled(values, patterns, of, found)
        own = np.diag(found.covariance - found.shared)
        found = _fitted(filled, unknown, own, factors)
    return found


def _fitted(filled: Floats, unknown: Floats, own: Floats, factors: int) -> Factors:
    """Principal factors of the covariance of what is filled in, and of how unsure that is.

    own: (T,) each task's own variance so far, which the factors have not to explain.
    """
    mean = filled.mean(axis=0)
    covariance = np.cov(filled, rowvar=False).reshape(unknown.shape) + unknown
    sizes, directions = np.linalg.eigh(covariance - np.diag(own))
    loadings = directions[:, -factors:] * np.sqrt(np.maximum(sizes[-factors:], 0))
    shared = loadings @ loadings.T
    own = np.maximum(np.diag(covariance) - np.diag(shared), _LEAST)
    return Factors(mean, shared + np.diag(own), shared)


def _filled(values: Floats, patterns: NDArray[np.bool_], of: NDArray[np.intp], found: Factors) -> tuple[Floats, Floats]:
    """The means (N, T) of what is missing, and the mean covariance (T, T) of it: models that lack the same together.

    patterns: (P, T) what models have; of: (N,) the pattern of each.
    """
    filled, unknown = values.copy(), np.zeros_like(found.covariance)
    for number, has in enumerate(patterns):
        if has.all():
            continue
        rows = np.flatnonzero(of == number)
        across = found.covariance[np.ix_(~has, has)]
        gain = np.linalg.solve(found.covariance[np.ix_(has, has)], across.T).T
        filled[np.ix_(rows, ~has)] = found.mean[~has] + (values[np.ix_(rows, has)] - found.mean[has]) @ gain.T
        rest = found.covariance[np.ix_(~has, ~has)] - gain @ across.T
        unknown[np.ix_(~has, ~has)] += rest * len(rows) / len(values)
    return filled, unknown


def drawn(scores: Floats, found: Factors, models: NDArray[np.integer], replicates: int, seed: int = 0) -> Floats:
    """Fill in what models lack, several times over.

    Args:
        scores: (N, T) NaN where missing.
        found: The distribution of scores.
        models: Which to fill in; others keep what they lack.
        replicates: How many times, K.
        seed: Of the draws.

    Returns:
        (K, N, T).
    """
    made = np.repeat(scores[None], replicates, axis=0)
    for model in models:
        lacks = np.isnan(scores[model])
        if not lacks.any():
            continue
        generator = np.random.default_rng([seed, int(model)])
        mean, covariance = found.conditional(scores[model])
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.maximum(values, 0))
        made[:, model, lacks] = mean + generator.standard_normal((replicates, len(mean))) @ root.T
    return made
