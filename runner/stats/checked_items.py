"""Whether items are as items are, before and after a sample is made of them: files may be damaged, or by others."""

from __future__ import annotations

import numpy as np

from embedmark.runner.stats.sample import Sample
from embedmark.tasks.item_arrays import CLUSTER, UNIT, ItemArrays

_KINDS = "biufU"
"""NumPy's letters for truth values, numbers and text."""


class NoSampleError(ValueError):
    """Items from which no sample can be made. Its text says why."""


def check_arrays(items: ItemArrays) -> None:
    """Refuse arrays of other kinds than items have, units that are not one each, and clusters that are not theirs.

    Raises:
        NoSampleError: with the name of the array.
    """
    for name, values in items.items():
        if values.dtype.kind not in _KINDS:
            raise NoSampleError(f"array {name!r} is of {values.dtype}; items are numbers and text")
        if name.partition("/")[0] == UNIT:
            _check_units(name, items)
    if CLUSTER in items:
        found, of = items[CLUSTER], items.get(UNIT)
        if found.dtype.kind not in "iu" or of is None or found.shape != of.shape:
            raise NoSampleError(f"array {CLUSTER!r} does not hold one whole number for each of {UNIT!r}")


def _check_units(name: str, items: ItemArrays) -> None:
    found = items[name]
    if found.dtype != np.uint64 or found.ndim != 1:
        raise NoSampleError(f"array {name!r} is no list of uint64")
    different = len(np.unique(found))
    if different < len(found):
        raise NoSampleError(f"array {name!r} has {len(found)} units, of which {different} are different")


def check_sample(made: Sample) -> None:
    """Refuse what cannot be computed with: numbers that are none, and values of more or fewer units than there are.

    Raises:
        NoSampleError: There are such.
    """
    if made.psi.ndim != 2 or made.psi.shape != (len(made.repetitions), len(made.unit)):
        raise NoSampleError(f"values of {made.psi.shape[-1]} units, but {len(made.unit)} units")
    if not np.isfinite([made.score, np.square(made.psi).sum(), np.square(made.repetitions).sum()]).all():
        raise NoSampleError("a value in its items is infinite or no number")
