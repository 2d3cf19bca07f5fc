"""Drawing rows so that labels keep their proportions.

The draws equal those of the reference implementation, row for row: `stratified_sample` is the stratified split of
Hugging Face's datasets, and `multilabel_sample` the iterative stratification of scikit-multilearn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError
from embedmark.tasks.labels.draws import Indices


def quantile_bins(values: NDArray[np.float64], n_bins: int) -> Indices:
    """The bin of each value, from 0, where the edges are quantiles and a value on an edge falls below it."""
    percentages = np.linspace(0, 1, n_bins + 1) * 100
    edges = np.unique(np.percentile(values, percentages))
    return np.maximum(np.searchsorted(edges, values, side="left") - 1, 0)


def stratified_sample(classes: Sequence[Any] | NDArray[Any], n_samples: int, seed: int) -> Indices:
    """`n_samples` rows, shuffled, in which classes keep their proportions.

    classes: one a row; their sorted order matters. Raises DataError when a class has one row, or when there are fewer
    rows than classes on either side of the cut.
    """
    labels, codes = np.unique(np.asarray(classes), return_inverse=True)
    counts = np.bincount(codes)
    n_rest = len(codes) - n_samples
    if counts.min() < 2:
        lonely = labels.tolist()[counts.argmin()]
        raise DataError(f"label {lonely!r} has one row; a stratified sample needs two of each")
    if min(n_rest, n_samples) < len(labels):
        raise DataError(
            f"a stratified sample of {n_samples} of {len(codes)} rows has no place for {len(labels)} labels "
            "on both sides of the cut"
        )
    generator = np.random.default_rng(seed)
    rows_of_label = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    left_out = _shares(counts, n_rest, generator)
    taken = _shares(counts - left_out, n_samples, generator)
    rest, sample = [], []
    for rows, before, n in zip(rows_of_label, left_out, taken, strict=True):
        shuffled = rows[generator.permutation(len(rows))]
        rest.append(shuffled[:before])
        sample.append(shuffled[before : before + n])
    generator.permutation(n_rest)  # the order of the rows left out, which is drawn first
    drawn: Indices = generator.permutation(np.concatenate(sample))
    return drawn


def _shares(counts: Indices, n: int, generator: np.random.Generator) -> Indices:
    """How many of `n` rows each label gets: its share rounded down, the rest to the largest remainders."""
    exact = n * counts / counts.sum()
    shares = np.floor(exact)
    remainders = exact - shares
    missing = int(n - shares.sum())
    for remainder in np.unique(remainders)[::-1]:
        if missing == 0:
            break
        (tied,) = np.where(remainders == remainder)
        chosen = generator.choice(tied, size=min(len(tied), missing), replace=False)
        shares[chosen] += 1
        missing -= len(chosen)
    rounded: Indices = shares.astype(np.intp)
    return rounded


Pair: TypeAlias = tuple[int, int]


def multilabel_sample(labels: Sequence[Sequence[Any]], n_samples: int, seed: int) -> Indices:
    """About `n_samples` rows, ascending, in which pairs of labels keep their proportions.

    Iterative stratification of the second order into two folds (Sechidis et al., 2011; Szymański and Kajdanowicz,
    2017): pair by pair, rarer pairs first, each of its rows goes to the fold that lacks that pair most.
    """
    folds = _Folds(labels, n_samples / len(labels), np.random.RandomState(seed))
    while (pair := folds.next_pair()) is not None:
        folds.distribute(pair)
    folds.distribute_unlabelled()
    return np.flatnonzero(folds.fold == 0)


class _Folds:
    """The two folds while they are filled. Fold 0 is the sample."""

    def __init__(self, labels: Sequence[Sequence[Any]], share: float, random: np.random.RandomState) -> None:
        code = {label: i for i, label in enumerate(sorted({label for row in labels for label in row}))}
        shares = (share, 1.0 - share)
        self._random = random
        self._pairs_of = [
            list(combinations_with_replacement(sorted({code[label] for label in row}), 2)) for row in labels
        ]
        self._rows: dict[Pair, list[int]] = {}
        for row, pairs in enumerate(self._pairs_of):
            for pair in pairs:
                self._rows.setdefault(pair, []).append(row)
        self._left = {pair: len(rows) for pair, rows in self._rows.items()}
        self._wanted = {pair: [len(rows) * share for share in shares] for pair, rows in self._rows.items()}
        self._places = [share * len(labels) for share in shares]
        self.fold = np.full(len(labels), -1)

    def next_pair(self) -> Pair | None:
        """The first pair with rows left; where that is a single label, the first pair of two labels that is rarer."""
        first = next(iter(self._left), None)
        if first is None or first[0] != first[1]:
            return first
        rarer = (pair for pair, left in self._left.items() if pair[0] != pair[1] and left < self._left[first])
        return next(rarer, first)

    def distribute(self, pair: Pair) -> None:
        """Put all rows with this pair into folds, the last first."""
        while pair in self._left:
            row = self._rows[pair].pop()
            if self.fold[row] < 0:
                self._put(row, self._fold_for(pair))

    def _fold_for(self, pair: Pair) -> int:
        first, second = self._wanted[pair]
        if first == second:
            return int(self._random.choice(2, 1)[0])
        return 0 if first > second else 1

    def _put(self, row: int, fold: int) -> None:
        self.fold[row] = fold
        self._places[fold] -= 1
        for pair in self._pairs_of[row]:
            self._left[pair] -= 1
            if self._left[pair] == 0:
                del self._left[pair]
            self._wanted[pair][fold] -= 1

    def distribute_unlabelled(self) -> None:
        """Put the remaining rows, which have no labels, into folds with places left, at random."""
        for row in np.flatnonzero(self.fold < 0)[::-1]:
            open_folds = [fold for fold, places in enumerate(self._places) if places > 0]
            self.fold[row] = fold = int(self._random.choice(open_folds, 1)[0])
            self._places[fold] -= 1
