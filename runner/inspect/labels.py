"""Rows with the classes that were taken for others, labels that were missed, and numbers that are far off."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.inspect.items import Items, Parts, Source, numbered, text_of

_SHOWN = 3
_NOTES = 5


def classes(source: Source) -> Items:
    """A row went well as often as its class was found. Notes: which classes are taken for which."""
    label, predicted = source.arrays["label"], source.arrays["predicted"]
    names = [str(name) for name in source.arrays["classes"].tolist()]
    votes = np.atleast_2d(predicted)
    tested = source.evaluated

    def parts(row: int) -> Parts:
        wrong = Counter(int(code) for code in votes[:, row] if code >= 0 and code != label[row])
        told = ", ".join(f"{names[code]} ({count})" for code, count in wrong.most_common(_SHOWN))
        return (("text", text_of(tested[row])), ("right", names[int(label[row])]), ("predicted", told or "right"))

    right = np.broadcast_to(label, votes.shape)
    wrong = (votes >= 0) & (votes != right)
    pairs = Counter(zip(right[wrong].tolist(), votes[wrong].tolist(), strict=True))
    notes = tuple(f"{names[one]} taken for {names[other]}: {n}" for (one, other), n in pairs.most_common(_NOTES))
    scores = source.arrays["accuracy"].astype(np.float64)
    return Items(source.arrays["_unit"], scores, numbered("row"), parts, notes)


def labels(source: Source) -> Items:
    """A row of several labels went well as far as the labels given are the right ones (Hamming score)."""
    names = [str(name) for name in source.arrays["classes"].tolist()]
    right = _unpacked(source.arrays["label"], len(names))
    given = _unpacked(source.arrays["predicted"], len(names))
    missed, added = (right & ~given).sum(axis=0), (given & ~right).sum(axis=0)
    tested = source.evaluated

    def parts(row: int) -> Parts:
        told = (("missed", missed[row]), ("too many", added[row]))
        return (
            ("text", text_of(tested[row])),
            ("right", ", ".join(names[code] for code in np.flatnonzero(right[row]))),
            *((word, _most(counts, names, _SHOWN)) for word, counts in told if counts.any()),
        )

    notes = [f"{word}: {_most(n.sum(axis=0), names, _NOTES)}" for word, n in (("missed", missed), ("too many", added))]
    scores = source.arrays["hamming"].astype(np.float64)
    return Items(source.arrays["_unit"], scores, numbered("row"), parts, tuple(notes))


def numbers(source: Source) -> Items:
    """A row of a regression went well as far as what was read from its vector is near: less the squared error."""
    label, predicted = source.arrays["label"], np.atleast_2d(source.arrays["predicted"])
    tested = source.evaluated

    def parts(row: int) -> Parts:
        mean = np.nanmean(predicted[:, row])
        return (("text", text_of(tested[row])), ("right", f"{label[row]:g}"), ("predicted", f"{mean:.6g}"))

    scores = -source.arrays["squared_error"].astype(np.float64)
    return Items(source.arrays["_unit"], scores, numbered("row"), parts)


def _unpacked(bits: NDArray[np.uint8], count: int) -> NDArray[np.bool_]:
    return np.unpackbits(bits, axis=-1, count=count).astype(bool)


def _most(counts: NDArray[np.int64], names: list[str], most: int) -> str:
    """The names that are counted most often, as in `red (4), blue (1)`."""
    order = np.argsort(-counts, kind="stable")[:most]
    return ", ".join(f"{names[code]} ({counts[code]})" for code in order if counts[code]) or "none"
