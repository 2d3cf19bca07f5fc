"""Samples of pairs and small groups: STS, pair classification, bitext mining, summarization, arrangement."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.stats import influence
from embedmark.runner.stats.bootstrap import FEWEST_FOR_INFLUENCE
from embedmark.runner.stats.checked_items import NoSampleError
from embedmark.runner.stats.sample import Sample, of_influence, of_values
from embedmark.tasks.item_arrays import UNIT, ItemArrays

Floats: TypeAlias = NDArray[np.float64]

_FEW_FOR_PRECISION, _FEW_FOR_THRESHOLD = 50, 200
"""Below this many pairs the intervals of an average precision, and of what is best over thresholds, cover less
(tests/benchmarks/coverage.py)."""


def sts(metric: str, items: ItemArrays, unit: str) -> Sample:
    """Of a pair: the influence on a correlation."""
    gold, similarity = items["gold"].astype(np.float64), items["similarity"].astype(np.float64)
    if np.ptp(gold) == 0 or np.ptp(similarity) == 0:
        raise NoSampleError("a constant column has no correlation")
    is_pearson = metric.endswith("pearson")
    of, correlate = (
        (influence.of_pearson, influence.pearson) if is_pearson else (influence.of_spearman, influence.spearman)
    )
    return of_influence(of(gold, similarity), np.array([correlate(gold, similarity)]), items[UNIT], unit, "correlation")


def pairs(metric: str, items: ItemArrays, unit: str) -> Sample:
    """Of a pair: average precision, or accuracy and F1 at the best threshold."""
    label, similarity = items["label"].astype(np.int64), items["similarity"].astype(np.float64)
    of = metric.rpartition("_")[2]
    if label.min() == label.max():
        raise NoSampleError("all pairs have one label")
    if not np.isin(label, (0, 1)).all():
        raise NoSampleError("a label is neither 0 nor 1")
    if not np.isfinite(similarity).all():
        raise NoSampleError("a similarity is infinite or no number")
    if of == "ap":
        score = influence.average_precision(similarity, label)
        psi = influence.of_average_precision(similarity, label)
        made = of_influence(psi, np.array([score]), items[UNIT], unit, "logit")
        few = len(label) < FEWEST_FOR_INFLUENCE
        ranked = np.stack([similarity, label.astype(np.float64)]) if few else None
        return replace(made, ranked=ranked, few=_FEW_FOR_PRECISION)
    if of not in {"accuracy", "f1"}:
        raise NoSampleError(f"no influence is known for {metric}")
    together = _best_threshold(of, similarity, label)
    if of == "accuracy":
        made = of_values((together == label).astype(np.float64), items[UNIT], unit, "share")
    else:
        score = 2 * float((together & (label == 1)).sum()) / float(together.sum() + label.sum())
        made = of_influence(influence.of_f1(label == 1, together), np.array([score]), items[UNIT], unit, "share")
    return replace(made, few=_FEW_FOR_THRESHOLD)


def _best_threshold(metric: str, similarity: Floats, label: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which pairs are together at the threshold that is best by a metric; to move it changes nothing to first order."""
    order = np.argsort(-similarity, kind="stable")
    ranked = similarity[order]
    last = np.flatnonzero(ranked[:-1] != ranked[1:])
    if not last.size:
        raise NoSampleError("all pairs have one similarity")
    hits, above = np.cumsum(label[order])[last], last + 1
    right = hits + (len(label) - label.sum()) - (above - hits)
    best = right if metric == "accuracy" else 2 * hits / (above + label.sum())
    return np.asarray(similarity >= ranked[last[int(np.argmax(best))]])


def bitext(metric: str, items: ItemArrays, unit: str) -> Sample:
    """Of a source sentence."""
    from sklearn.metrics import precision_recall_fscore_support

    gold, found = items["gold"].astype(np.int64), items["found"].astype(np.int64)
    if metric == "accuracy":
        return of_values(items["correct"].astype(np.float64), items[UNIT], unit, "share")
    scores = precision_recall_fscore_support(gold, found, average="weighted", zero_division=0)
    score = dict(zip(("precision", "recall", "f1"), scores, strict=False))[metric]
    return of_influence(
        influence.of_classes(f"{metric}_weighted", gold, found), np.array([score]), items[UNIT], unit, "share"
    )


def summarization(metric: str, items: ItemArrays, unit: str) -> Sample:
    """Of a text that counts."""
    values = np.where(items["scored"], items[metric].astype(np.float64), np.nan)
    return of_values(values, items[UNIT], unit, "plain")


def arrangement(metric: str, items: ItemArrays, unit: str) -> Sample:  # noqa: ARG001
    """Of an arrangement: its share in the agreement over thresholds."""
    triplets, agreed = items["triplets"].astype(np.float64), items["agreed"].astype(np.float64)
    kept = triplets.sum(axis=0) > 0
    logs = np.log(items["threshold"][kept])
    total = triplets[:, kept].mean(axis=0)
    share = agreed[:, kept].mean(axis=0) / total
    moved = 2 * (agreed[:, kept] - share * triplets[:, kept]) / total
    if len(logs) == 1:
        score, psi = float(2 * share[0] - 1), moved[:, 0]
    else:
        width = logs[-1] - logs[0]
        score = float(np.trapezoid(2 * share - 1, logs) / width)
        psi = np.trapezoid(moved, logs, axis=1) / width
    return of_influence(psi, np.array([score]), items[UNIT], unit, "plain")
