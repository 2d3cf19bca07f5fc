"""Which rows an experiment learns from. All draws depend on labels and seeds alone, never on vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Indices: TypeAlias = NDArray[np.intp]


def label_codes(labels: Iterable[Any]) -> Indices:
    """Labels as numbers from 0, in order of first appearance."""
    codes: dict[Any, int] = {}
    return np.fromiter((codes.setdefault(label, len(codes)) for label in labels), dtype=np.intp)


def balanced_draws(experiments: Iterable[Indices], per_label: int, seed: int) -> Iterator[Indices]:
    """For each experiment, given the label codes of its train rows: the rows drawn, at most `per_label` a label.

    The order of rows is shuffled with a fresh generator before every experiment, starting from the order that the
    experiment before left, and the first rows of each label are taken. As one seed gives one permutation, the order
    is that permutation applied once more. Later experiments may have more rows than the first, which are never drawn.
    """
    permutation: Indices | None = None
    order = np.empty(0, dtype=np.intp)
    for codes in experiments:
        if permutation is None:
            permutation = order = np.random.RandomState(seed).permutation(len(codes)).astype(np.intp)
        else:
            order = order[permutation]
        yield order[_first_of_each(codes[order], per_label)]


def _first_of_each(codes: Indices, per_label: int) -> Indices:
    """Positions, ascending, at which a code occurs for the first to the `per_label`-th time."""
    # NumPy sorts small integers in linear time.
    by_code = np.argsort(codes.astype(np.min_scalar_type(int(codes.max()))), kind="stable")
    counts = np.bincount(codes)
    starts = np.cumsum(counts) - counts
    occurrence = np.arange(len(codes)) - starts[codes[by_code]]
    return np.sort(by_code[occurrence < per_label])


def multilabel_draw(labels: Sequence[Sequence[Any]], per_label: int, generator: np.random.Generator) -> list[int]:
    """Rows in shuffled order, each taken while any of its labels has fewer than `per_label` rows taken.

    The generator is advanced by one shuffle of all rows.
    """
    order = generator.permutation(len(labels))
    missing: dict[Any, int] = {}
    for row in labels:
        for label in row:
            missing[label] = min(per_label, missing.get(label, 0) + 1)
    n_missing = len(missing)
    drawn = []
    for i in order.tolist():
        if n_missing == 0:
            break
        if any(missing[label] > 0 for label in labels[i]):
            drawn.append(i)
            for label in labels[i]:
                missing[label] -= 1
                n_missing -= missing[label] == 0
    return drawn
