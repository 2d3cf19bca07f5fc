"""Samples of what is learnt or chosen among labels: classification, zero-shot, multilabel, regression."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.stats import influence
from embedmark.runner.stats.checked_items import NoSampleError
from embedmark.runner.stats.sample import Sample, Scale, of_influence, of_values
from embedmark.tasks.item_arrays import UNIT, ItemArrays

Floats: TypeAlias = NDArray[np.float64]

_FEW_FOR_CLASSES = 100
"""Below this many rows intervals of means over classes cover less (tests/benchmarks/coverage.py)."""


def classification(metric: str, items: ItemArrays, unit: str) -> Sample:
    """Of a row in each draw of train rows; in cross-validation, of a row alone."""
    predicted = np.atleast_2d(items["predicted"])
    if (predicted < 0).any():
        return _cross_validated(metric, items, unit)
    if not predicted.size:
        raise NoSampleError("no row was tested")
    scores = [_class_score(metric, items, row) for row in predicted]
    psi = np.array([_class_influence(metric, items, row) for row in predicted])
    scale: Scale = "logit" if metric in {"ap", "ap_weighted"} else "share"
    made = of_influence(psi, np.array(scores), items[UNIT], unit, scale)
    return made if metric == "accuracy" else replace(made, few=_FEW_FOR_CLASSES)


def _class_score(metric: str, items: ItemArrays, predicted: NDArray[Any]) -> float:
    if metric == "accuracy":  # the commonest one: sklearn checks its input for longer than this takes
        return float((items["label"] == predicted).mean())
    from embedmark.tasks.labels.class_metrics import binary_metrics, class_metrics

    scores = class_metrics(items["label"], predicted)
    if metric in scores:
        return scores[metric]
    classes = items["classes"]
    if metric in {"ap", "ap_weighted"} and classes.dtype.kind != "U":
        return binary_metrics(classes[items["label"]], classes[predicted])["ap"]
    raise NoSampleError(f"no influence is known for {metric}")


def _class_influence(metric: str, items: ItemArrays, predicted: NDArray[Any]) -> Floats:
    if metric in {"ap", "ap_weighted"}:
        classes = items["classes"]
        return influence.of_average_precision(classes[predicted], classes[items["label"]] == 1)
    return influence.of_classes(metric, items["label"], predicted)


def _cross_validated(metric: str, items: ItemArrays, unit: str) -> Sample:
    """Each row is tested once: nothing is crossed, and that folds share rows to learn from is not in the spread."""
    if metric != "accuracy":
        raise NoSampleError(f"{metric} of folds: each of them tested other rows")
    return of_values(items["accuracy"].astype(np.float64), items[UNIT], unit, "share")


def zero_shot(metric: str, items: ItemArrays, unit: str) -> Sample:
    """Of a row."""
    from embedmark.tasks.labels.class_metrics import class_metrics

    label, predicted = items["label"].astype(np.int64), items["predicted"].astype(np.int64)
    scores = class_metrics(label, predicted)
    if metric not in scores:
        psi = influence.of_average_precision(items["score"], label == 1)
        return of_influence(
            psi, np.array([influence.average_precision(items["score"], label == 1)]), items[UNIT], unit, "logit"
        )
    return of_influence(
        influence.of_classes(metric, label, predicted), np.array([scores[metric]]), items[UNIT], unit, "share"
    )


def multilabel(metric: str, items: ItemArrays, unit: str) -> Sample:
    """Of a row in each draw of train rows."""
    n_classes = len(items["classes"])
    true = np.unpackbits(items["label"], axis=-1, count=n_classes).astype(np.bool_)
    predicted = np.unpackbits(items["predicted"], axis=-1, count=n_classes).astype(np.bool_)
    if metric == "f1":
        psi = np.array([influence.of_macro_f1(true, row) for row in predicted])
        both = true.sum(axis=0) + predicted.sum(axis=1)
        hits = (true & predicted).sum(axis=1)
        return of_influence(psi, (2 * hits / np.maximum(both, 1)).mean(axis=1), items[UNIT], unit, "share")
    values = np.array([_multilabel_values(metric, true, row) for row in predicted])
    if metric == "lrap" and "lrap" in items:
        values = items["lrap"].astype(np.float64)
    scores = values.mean(axis=1)
    return of_influence(values - scores[:, None], scores, items[UNIT], unit, "share")


def _multilabel_values(metric: str, true: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Floats:
    if metric == "accuracy":
        return np.asarray((true == predicted).all(axis=1), dtype=np.float64)
    if metric == "hamming":
        both, either = (true & predicted).sum(axis=1), (true | predicted).sum(axis=1)
        return np.asarray(np.divide(both, either, out=np.ones(len(true)), where=either > 0))
    if metric == "lrap":
        from embedmark.tasks.labels.multilabel import ranked_by_votes

        return ranked_by_votes(true, predicted)
    raise NoSampleError(f"no influence is known for {metric}")


def regression(metric: str, items: ItemArrays, unit: str) -> Sample:
    """Of a row in each draw of train rows; Kendall's coefficient alone."""
    predicted, label = np.atleast_2d(items["predicted"]).astype(np.float64), items["label"]
    if np.isnan(predicted).any() or metric != "kendalltau":
        raise NoSampleError(
            f"no influence is known for {metric}" if metric != "kendalltau" else "folds tested other rows"
        )
    from scipy.stats import kendalltau

    scores = np.array([kendalltau(label, row).statistic for row in predicted])
    psi = np.array([influence.of_kendall(label, row) for row in predicted])
    return of_influence(psi, scores, items[UNIT], unit, "correlation")
