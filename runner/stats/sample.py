"""A score as statistics see it: the influence of each unit in each repetition, and which units they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

Scale: TypeAlias = Literal["share", "correlation", "logit", "plain"]
"""On which scale an interval is symmetric. share: a mean between 0 and 1 (Wilson); correlation: Fisher's z; logit: a
score between 0 and 1 that is no mean; plain: as it is."""


FEW = 10
"""Fewer independent units than this give an interval that covers less than it says."""


class DifferentUnitsError(ValueError):
    """Two samples are not of the same units. Its text says how many each has and how many both have."""


@dataclass(frozen=True)
class Sample:
    """What one score was computed from.

    Args:
        score: On the metric's own scale.
        psi: (repetitions, n) influence values: of each unit on the score of each repetition, of mean 0 over the units.
            One repetition where nothing is drawn; n = 0 where units are held fixed.
        repetitions: (repetitions,) the score of each; their mean is the score.
        unit: (n,) which unit each is; the same number is the same unit in every record.
        unit_name: What one unit is called, in the singular.
        cluster: (n,) units of one number belong together; None where all are apart.
        scale: On which scale an interval is symmetric.
        dropped: Units that gave no value.
        is_mean: Whether the score is the mean of the units' values, so that some of them can be left out.
        ranked: (2, n) similarity and label, where the score is an average precision of few pairs.
        few: Fewer independent units than this give an interval that covers less than it says.
    """

    score: float
    psi: Floats
    repetitions: Floats
    unit: NDArray[np.uint64]
    unit_name: str
    cluster: NDArray[np.int64] | None = None
    scale: Scale = "plain"
    dropped: int = 0
    is_mean: bool = False
    ranked: Floats | None = None
    few: int = FEW

    @property
    def n_units(self) -> int:
        """How many units vary."""
        return int(self.psi.shape[1])

    @property
    def keys(self) -> NDArray[np.int64]:
        """(n,) the number of the cluster that each unit is in: its own where there are none."""
        return self.unit.view(np.int64) if self.cluster is None else self.cluster

    def turned(self) -> Sample:
        """The sample of minus the score: of a metric of which less is better, how good it is."""
        return replace(self, score=-self.score, psi=-self.psi, repetitions=-self.repetitions)


def of_values(values: Floats, unit: NDArray[np.uint64], unit_name: str, scale: Scale) -> Sample:
    """Make the sample of a mean of values (n,); those that are NaN are left out and counted.

    A share of which a value is not between 0 and 1 is a plain mean.

    Raises:
        ValueError: All are NaN, or they are not one for each unit.
    """
    if values.shape != unit.shape:
        raise ValueError(f"{values.size} values of {len(unit)} units")
    there = ~np.isnan(values)
    if not there.any():
        raise ValueError("no unit has a value")
    kept = values[there].astype(np.float64)
    if scale == "share" and (kept.min() < 0 or kept.max() > 1):
        scale = "plain"
    score = float(kept.mean())
    return Sample(
        score, (kept - score)[None], np.array([score]), unit[there], unit_name, None, scale,
        int((~there).sum()), is_mean=True,
    )  # fmt: skip


def of_influence(psi: Floats, repetitions: Floats, unit: NDArray[np.uint64], unit_name: str, scale: Scale) -> Sample:
    """Make the sample of what is no mean: psi (k, n) or (n,), and the score of each of its k repetitions."""
    return Sample(float(repetitions.mean()), np.atleast_2d(psi), repetitions, unit, unit_name, None, scale)


def difference(a: Sample, b: Sample) -> Sample:
    """Make the sample of a score minus another of the same units: draws and units are both paired.

    Of means the units that both have are compared; the scores are then those of these units. Everything else needs
    equal units.

    Raises:
        DifferentUnitsError: The units or the repetitions are not the same.
    """
    if a.psi.shape[0] != b.psi.shape[0]:
        raise DifferentUnitsError(f"{a.psi.shape[0]} and {b.psi.shape[0]} repetitions")
    shared, of_a, of_b = _matched(a, b)
    if len(shared) < max(a.n_units, b.n_units):
        if not (a.is_mean and b.is_mean) or not len(shared):
            raise DifferentUnitsError(
                f"{a.n_units} and {b.n_units} {a.unit_name} units, of which {len(shared)} are the same"
            )
        a, of_a, b, of_b = _among(a, of_a), np.arange(len(shared)), _among(b, of_b), np.arange(len(shared))
    return Sample(
        a.score - b.score,
        a.psi[:, of_a] - b.psi[:, of_b],
        a.repetitions - b.repetitions,
        shared,
        a.unit_name,
        _clusters(a, of_a, b, of_b),
        "plain",
        max(a.n_units + a.dropped, b.n_units + b.dropped) - len(shared),
        is_mean=a.is_mean and b.is_mean,
    )


def correlation(a: Sample, b: Sample) -> float | None:
    """Correlate what the same units do in two samples; None where one of them does not vary, or units are held."""
    shared, of_a, of_b = _matched(a, b)
    if len(shared) < 2:
        return None
    x, y = a.psi[:, of_a].mean(axis=0), b.psi[:, of_b].mean(axis=0)
    spread = x.std() * y.std()
    return float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 0 else None


def _matched(a: Sample, b: Sample) -> tuple[NDArray[np.uint64], NDArray[np.intp], NDArray[np.intp]]:
    """The units that both have, and where each of the two has them."""
    if np.array_equal(a.unit, b.unit):  # records of the same rows have them in one order: nothing is to be sorted
        same = np.arange(len(a.unit))
        return a.unit, same, same
    return np.intersect1d(a.unit, b.unit, assume_unique=True, return_indices=True)


def _clusters(a: Sample, of_a: NDArray[np.intp], b: Sample, of_b: NDArray[np.intp]) -> NDArray[np.int64] | None:
    """The clusters of the units that both have; one of the two may not say which they are."""
    if a.cluster is None or b.cluster is None:
        return b.cluster[of_b] if b.cluster is not None else None if a.cluster is None else a.cluster[of_a]
    if not np.array_equal(a.cluster[of_a], b.cluster[of_b]):
        raise DifferentUnitsError(f"the same {a.unit_name} units are in different clusters (_cluster)")
    return a.cluster[of_a]


def _among(sample: Sample, chosen: NDArray[np.intp]) -> Sample:
    values = sample.psi[:, chosen] + sample.repetitions[:, None]
    repetitions = values.mean(axis=1)
    return replace(
        sample,
        score=float(repetitions.mean()),
        psi=values - repetitions[:, None],
        repetitions=repetitions,
        unit=sample.unit[chosen],
        cluster=None if sample.cluster is None else sample.cluster[chosen],
        dropped=sample.dropped + sample.n_units - len(chosen),
    )
