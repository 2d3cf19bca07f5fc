"""Influence values: how much each unit moves a score, so that the score's error is that of their mean.

A score θ of n units has values ψ of mean 0 with θ̂ - θ ≈ mean(ψ) (Hampel 1974, JASA 69). Intervals, clusters, paired
tests and the smallest visible difference are computed from ψ alone, the same for all metrics. Functions
named `of_` return ψ, of shape (n,); the score itself comes from the metric.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = NDArray[Any]

_BLOCK = 1 << 22


def of_mean(values: Numbers) -> Floats:
    """Of a mean of values (n,)."""
    floats: Floats = np.asarray(values, dtype=np.float64)
    centred: Floats = floats - floats.mean()
    return centred


def of_pearson(x: Numbers, y: Numbers) -> Floats:
    """Of Pearson's correlation of two columns (n,), neither of them constant."""
    a, b = _standardized(x), _standardized(y)
    psi: Floats = a * b - (a * b).mean() / 2 * (a**2 + b**2)
    return psi


def pearson(x: Numbers, y: Numbers) -> float:
    """Pearson's correlation of two columns (n,), neither of them constant."""
    return float((_standardized(x) * _standardized(y)).mean())


def spearman(x: Numbers, y: Numbers) -> float:
    """Spearman's correlation of two columns (n,), neither of them constant, with mid-ranks for ties."""
    return pearson(_centred_ranks(x), _centred_ranks(y))


def of_spearman(x: Numbers, y: Numbers) -> Floats:
    """Of Spearman's correlation with mid-ranks for ties (Croux and Dehon 2010, Stat. Methods Appl. 19).

    x, y: (n,), neither of them constant. A unit moves the correlation by its own ranks and by those of all others.
    """
    a, b = _centred_ranks(x), _centred_ranks(y)
    var_a, var_b = (a**2).mean(), (b**2).mean()
    r = (a * b).mean() / np.sqrt(var_a * var_b)
    covariance = of_mean(a * b + _share_above(x, b) + _share_above(y, a))
    of_a = of_mean(a**2 + 2 * _share_above(x, a))
    of_b = of_mean(b**2 + 2 * _share_above(y, b))
    found: Floats = covariance / np.sqrt(var_a * var_b) - r / 2 * (of_a / var_a + of_b / var_b)
    return found


def of_kendall(x: Numbers, y: Numbers) -> Floats:
    """Of Kendall's tau-b of two columns (n,), neither of them constant; takes n² steps."""
    agree, apart_x, apart_y = _pairwise_signs(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
    total, total_x, total_y = agree.mean(), apart_x.mean(), apart_y.mean()
    tau = total / np.sqrt(total_x * total_y)
    found: Floats = 2 * (agree - total) / np.sqrt(total_x * total_y)
    found -= tau * ((apart_x - total_x) / total_x + (apart_y - total_y) / total_y)
    return found


def average_precision(similarity: Numbers, label: Numbers) -> float:
    """scikit-learn's average precision; arguments as those of `of_average_precision`."""
    positive, ends = _ranked(similarity, label)
    return float((positive * np.cumsum(positive)[ends] / (ends + 1)).sum() / positive.sum())


def of_average_precision(similarity: Numbers, label: Numbers) -> Floats:
    """Of scikit-learn's average precision, whose thresholds part no ties.

    similarity: (n,), higher the more a pair belongs together. label: (n,) of 0 and 1, both of them there.
    """
    order = _downwards(similarity)
    positive, ends = _ranked(similarity, label)
    above = (ends + 1).astype(np.float64)
    precision = np.cumsum(positive)[ends] / above
    score = (positive * precision).sum() / positive.sum()
    below = _sums_from(positive / above, ends)
    below_precise = _sums_from(positive * precision / above, ends)
    ordered = positive * (precision - score) + positive * below - below_precise
    found = np.empty(len(order))
    found[order] = ordered * len(order) / positive.sum()
    return found


def of_classes(metric: str, label: Numbers, predicted: Numbers) -> Floats:
    """Of what a confusion matrix gives: accuracy, and f1, precision and recall, plain or `_weighted` by true rows.

    label, predicted: (n,) codes of classes. A class that is neither true nor predicted anywhere does not count. The
    rows of a weighted F1 are not independent: a false hit lowers the precision of another row's class.

    Raises:
        KeyError: the metric is none of these.
    """
    right = label == predicted
    if metric == "accuracy":
        return of_mean(right)
    name, _, weighted = metric.partition("_")
    classes, codes = np.unique(np.concatenate([label, predicted]), return_inverse=True)
    size, label, predicted = len(classes), codes[: len(label)], codes[len(label) :]
    true, found = (np.bincount(place, minlength=size).astype(np.float64) for place in (label, predicted))
    hits = np.bincount(label[right], minlength=size).astype(np.float64)
    value, by_hit, by_true, by_found = _CLASS_METRICS[name](hits, true, found)
    own = by_hit[label] * right + by_true[label]
    if weighted == "weighted":
        psi: Floats = value[label] + true[label] * own + true[predicted] * by_found[predicted]
        psi -= (true * value).sum() / len(label)
        return psi
    if weighted:
        raise KeyError(metric)
    of_rows: Floats = (own + by_found[predicted]) * len(label) / size
    return of_rows


def of_f1(label: Numbers, predicted: Numbers) -> Floats:
    """Of the F1 of the positive class. label, predicted: (n,) truth values; 0 where neither has a positive."""
    label, predicted = label.astype(np.float64), predicted.astype(np.float64)
    both = label.sum() + predicted.sum()
    if not both:
        return np.zeros(len(label))
    hits = label * predicted
    psi: Floats = len(label) * (2 * hits / both - 2 * hits.sum() * (label + predicted) / both**2)
    return psi


def of_macro_f1(label: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Floats:
    """Of the mean over classes of F1. label, predicted: (n, classes), true where a row has a class."""
    both = (label.sum(axis=0) + predicted.sum(axis=0)).astype(np.float64)
    safe = np.where(both > 0, both, 1.0)
    hits = label & predicted
    marks = label.astype(np.float64) + predicted
    psi: Floats = (hits @ (2 / safe) - marks @ (2 * hits.sum(axis=0) / safe**2)) * len(label) / label.shape[1]
    return psi


def _of_f1(hits: Floats, true: Floats, found: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    both = np.maximum(true + found, 1)
    slope = -2 * hits / both**2
    return 2 * hits / both, 2 / both, slope, slope


def _of_precision(hits: Floats, true: Floats, found: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    some = np.maximum(found, 1)
    return hits / some, 1 / some, np.zeros(len(true)), -hits / some**2


def _of_recall(hits: Floats, true: Floats, found: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    some = np.maximum(true, 1)
    return hits / some, 1 / some, -hits / some**2, np.zeros(len(found))


_CLASS_METRICS = {"f1": _of_f1, "precision": _of_precision, "recall": _of_recall}
"""Name → function of the hits, true rows and predicted rows of each class: value, and its slope by each of them."""


def _standardized(values: Numbers) -> Floats:
    centred = of_mean(values)
    found: Floats = centred / np.sqrt((centred**2).mean())
    return found


def _centred_ranks(values: Numbers) -> Floats:
    """Mid-ranks as shares of n, of mean 0."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(sizes) - (sizes - 1) / 2
    return of_mean(ranks[group] / len(values))


def _share_above(values: Numbers, weights: Floats) -> Floats:
    """Of each i the mean over j of weights[j] where values[j] > values[i], and half of it where they are equal."""
    _, group = np.unique(values, return_inverse=True)
    sums = np.bincount(group, weights=weights)
    above = np.concatenate([np.cumsum(sums[::-1])[::-1][1:], [0.0]])
    found: Floats = (above + sums / 2)[group] / len(weights)
    return found


def _pairwise_signs(x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Of each unit the mean over all units of the product of signs of differences, and of differences at all."""
    agree, apart_x, apart_y = np.empty(len(x)), np.empty(len(x)), np.empty(len(x))
    step = max(1, _BLOCK // len(x))
    for start in range(0, len(x), step):
        rows = slice(start, start + step)
        signs_x, signs_y = np.sign(x[rows, None] - x), np.sign(y[rows, None] - y)
        agree[rows] = (signs_x * signs_y).mean(axis=1)
        apart_x[rows], apart_y[rows] = (signs_x != 0).mean(axis=1), (signs_y != 0).mean(axis=1)
    return agree, apart_x, apart_y


def _downwards(similarity: Numbers) -> NDArray[np.intp]:
    return np.argsort(-np.asarray(similarity, dtype=np.float64), kind="stable")


def _ranked(similarity: Numbers, label: Numbers) -> tuple[Floats, NDArray[np.intp]]:
    """The labels from the highest similarity down, and of each place the last one of equal similarity."""
    order = _downwards(similarity)
    return np.asarray(label, dtype=np.float64)[order], _group_ends(np.asarray(similarity)[order])


def _group_ends(ranked: Numbers) -> NDArray[np.intp]:
    """Of each place the last place of the run of equal values that it is in."""
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    return ends[np.searchsorted(ends, np.arange(len(ranked)))]


def _sums_from(values: Floats, ends: NDArray[np.intp]) -> Floats:
    """Of each place the sum of values from the beginning of its run to the end of all."""
    from_here = np.cumsum(values[::-1])[::-1]
    starts = np.searchsorted(ends, ends, side="left")
    return from_here[starts]
