"""Hybrids: what several models find, put together into one ranking. For retrieval and reranking.

Each member searches as it would alone, and its best documents, in its own order, are given points. A document's score
is the sum of its points, each times the member's weight; from a member that does not find it, it has none. The methods
are those of mteb 2.26.24's hybrids. `parameters`:
- method: `rrf`, reciprocal rank fusion (Cormack et al. 2009), 1 / (k + rank) points; `weighted`, the scores scaled so
  that a query's lowest is 0 and its highest is 1; `dbsf`, distribution-based score fusion, the scores scaled so that
  three standard deviations below their mean are 0 and three above are 1. By default rrf.
- weights: one number a member; by default equal ones that sum to 1.
- k: of rrf, 60 by default.
- depth: how many documents a member is asked for at least, 100 by default; never fewer than the task's largest cutoff.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.models.base import Searcher, takes
from embedmark.models.parameters import FusionParameters, check
from embedmark.models.spec import ModelSpec, refuse_settings
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import Modality, TaskContext
from embedmark.tasks.retrieval.ranking import Floats, Hits, Lookup

Points = Callable[[Floats], NDArray[np.float64]]
"""The scores of a query's documents, best first, to the points of each."""

_K = 60
"""What reciprocal rank fusion adds to a rank (Cormack et al. 2009)."""


def load(spec: ModelSpec) -> Fusion:
    """The members of `spec`, put together. Raises ModelError."""
    refuse_settings(spec, "prompts", "instructions", "max_tokens", "similarity")
    given = check(FusionParameters, spec.parameters)
    methods: dict[str, Points] = {
        "rrf": partial(reciprocal_ranks, k=_K if given.k is None else given.k),
        "weighted": from_least_to_most,
        "dbsf": within_deviations,
    }
    weights = _weights(given.weights, len(spec.members))
    return Fusion(tuple(spec.members), weights, methods[given.method], given.depth)


def _weights(given: Sequence[float] | None, members: int) -> tuple[float, ...]:
    if given is None:
        return (1.0 / members,) * members
    if len(given) != members:
        raise ModelError(f"parameters: weights: found {len(given)} for {members} members; expected one for each")
    return tuple(float(weight) for weight in given)


@dataclass(frozen=True)
class Fusion:
    """A Searcher out of several."""

    members: Sequence[Searcher]
    weights: Sequence[float]
    points: Points
    depth: int = 100

    @property
    def modalities(self) -> frozenset[Modality]:
        """What any member takes."""
        return frozenset[Modality]().union(*(takes(member) for member in self.members))

    @property
    def facts(self) -> Mapping[str, Any]:
        """Those of each member."""
        return {"members": [dict(member.facts) for member in self.members]}

    def search(self, lookup: Lookup, context: TaskContext) -> Sequence[Hits]:
        """All documents of each query that any member finds. Raises ModelError and DataError as the members do."""
        asked = replace(lookup, k=max(lookup.k, self.depth))
        rankings = [asked.ranking(member.search(asked.of(takes(member)), context)) for member in self.members]
        return [self._fused([hits for _, *hits in found]) for found in zip(*rankings, strict=True)]

    def _fused(self, found: Sequence[Sequence[Any]]) -> Hits:
        """One query's documents out of those of each member."""
        documents = np.unique(np.concatenate([positions for positions, _ in found]))
        fused = np.zeros(len(documents))
        for weight, (positions, scores) in zip(self.weights, found, strict=True):
            if len(positions):
                fused[np.searchsorted(documents, positions)] += weight * self.points(scores)
        return documents, fused


def reciprocal_ranks(scores: Floats, k: int) -> NDArray[np.float64]:
    """1 / (k + rank), the first rank being 1. Equal scores have the ranks of their order, as a ranking breaks ties."""
    return 1.0 / (k + np.arange(1, len(scores) + 1))


def from_least_to_most(scores: Floats) -> NDArray[np.float64]:
    """Scores on a scale from 0, the least of them, to 1, the most; half where all are equal."""
    least, most = float(scores.min()), float(scores.max())
    if least == most:
        return np.full(len(scores), 0.5)
    scaled: NDArray[np.float64] = (scores.astype(np.float64) - least) / (most - least)
    return scaled


def within_deviations(scores: Floats) -> NDArray[np.float64]:
    """Scores on a scale from 0, three standard deviations below their mean, to 1, three above; half where all agree."""
    values = scores.astype(np.float64)
    mean, deviation = values.mean(), values.std()
    if deviation < 1e-9:
        return np.full(len(values), 0.5)
    lowest = mean - 3 * deviation
    scaled: NDArray[np.float64] = np.clip((values - lowest) / ((mean + 3 * deviation) - lowest), 0, 1)
    return scaled
