"""From a job's items to a sample: what one unit of each task type is, and how it moves the main score.

A row of `KINDS` a task type; docs/items.md says what the arrays are. Types of packages need none where `items` has an
array of the main metric's name whose mean is the score.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.text import shortened
from embedmark.runner.stats import influence
from embedmark.runner.stats.bootstrap import FEWEST_FOR_INFLUENCE
from embedmark.runner.stats.checked_items import NoSampleError, check_arrays, check_sample
from embedmark.runner.stats.sample import Sample, Scale, of_values
from embedmark.tasks.item_arrays import CLUSTER, LEFT_OUT, UNIT, ItemArrays, units_of

Floats: TypeAlias = NDArray[np.float64]

_BELOW_ZERO = frozenset({"p-MRR"})
"""Metrics of single items that may be below 0, also where none in a record is."""

_NONE = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True)
class Kind:
    """How a task type's items are read.

    Args:
        unit: What one item is called.
        sample: (main metric, items) → sample without clusters.
    """

    unit: str
    sample: Callable[[str, ItemArrays, str], Sample]


def sample_of(kind: str, main_metric: str, items: ItemArrays) -> Sample:
    """Make the sample of a job's main score.

    Args:
        kind: The task type, as identity.json has it.
        main_metric: The metric on record.
        items: The arrays of items.npz.

    Raises:
        NoSampleError: They do not hold what the metric needs, nothing varies in them, they are not as items are, or no
            way is known.
    """
    check_arrays(items)
    found = KINDS.get(kind, _OTHER)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd numbers: what comes of them is looked at
            made = found.sample(main_metric, items, found.unit)
            check_sample(made)
    except KeyError as error:
        name = error.args[0]
        why = "left out for its size" if name in items.get(LEFT_OUT, np.empty(0)) else "which the items lack"
        raise NoSampleError(f"{main_metric} needs {name!r}, {why}") from None
    except ValueError as error:
        raise NoSampleError(str(error)) from None
    except (TypeError, IndexError, ArithmeticError, MemoryError) as error:
        raise NoSampleError(f"its arrays do not fit together for {main_metric}: {shortened(str(error), 120)}") from None
    if made.n_units and CLUSTER in items and made.unit_name == found.unit:
        place = np.searchsorted(items[UNIT], made.unit, sorter=(order := np.argsort(items[UNIT])))
        return replace(made, cluster=items[CLUSTER][order[place]].astype(np.int64))
    return made


def _mean(metric: str, items: ItemArrays, unit: str, scale: Scale = "share") -> Sample:
    values = items[metric].astype(np.float64)
    if values.ndim != 1 or not values.size:
        raise NoSampleError(f"{metric} is no mean over items")
    own = units_of(metric, items)
    name = unit if own is items[UNIT] else "group"
    return of_values(values, own, name, "plain" if metric in _BELOW_ZERO else scale)


def _rows(psi: Floats, repetitions: Floats, items: ItemArrays, unit: str, scale: Scale) -> Sample:
    """psi: (k, n) or (n,) influence; repetitions: the score of each."""
    return Sample(float(repetitions.mean()), np.atleast_2d(psi), repetitions, items[UNIT], unit, None, scale)


def _classification(metric: str, items: ItemArrays, unit: str) -> Sample:
    label, predicted = items["label"], np.atleast_2d(items["predicted"])
    if (predicted < 0).any():
        return _cross_validated(metric, items, unit)
    if not predicted.size:
        raise NoSampleError("no row was tested")
    scores = [_class_score(metric, items, row) for row in predicted]
    psi = np.array([_class_influence(metric, items, row) for row in predicted])
    return _rows(psi, np.array(scores), {**items, "label": label}, unit, "logit" if metric == "ap" else "share")


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


def _zero_shot(metric: str, items: ItemArrays, unit: str) -> Sample:
    from embedmark.tasks.labels.class_metrics import class_metrics

    label, predicted = items["label"].astype(np.int64), items["predicted"].astype(np.int64)
    scores = class_metrics(label, predicted)
    if metric not in scores:
        psi = influence.of_average_precision(items["score"], label == 1)
        return _rows(psi, np.array([influence.average_precision(items["score"], label)]), items, unit, "logit")
    return _rows(influence.of_classes(metric, label, predicted), np.array([scores[metric]]), items, unit, "share")


def _multilabel(metric: str, items: ItemArrays, unit: str) -> Sample:
    n_classes = len(items["classes"])
    true = np.unpackbits(items["label"], axis=-1, count=n_classes).astype(np.bool_)
    predicted = np.unpackbits(items["predicted"], axis=-1, count=n_classes).astype(np.bool_)
    if metric == "f1":
        psi = np.array([influence.of_macro_f1(true, row) for row in predicted])
        both = true.sum(axis=0) + predicted.sum(axis=1)
        hits = (true & predicted).sum(axis=1)
        return _rows(psi, (2 * hits / np.maximum(both, 1)).mean(axis=1), items, unit, "share")
    values = np.array([_multilabel_values(metric, true, row) for row in predicted])
    if metric == "lrap" and "lrap" in items:
        values = items["lrap"].astype(np.float64)
    scores = values.mean(axis=1)
    return _rows(values - scores[:, None], scores, items, unit, "share")


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


def _regression(metric: str, items: ItemArrays, unit: str) -> Sample:
    predicted, label = np.atleast_2d(items["predicted"]).astype(np.float64), items["label"]
    if np.isnan(predicted).any() or metric != "kendalltau":
        raise NoSampleError(
            f"no influence is known for {metric}" if metric != "kendalltau" else "folds tested other rows"
        )
    from scipy.stats import kendalltau

    scores = np.array([kendalltau(label, row).statistic for row in predicted])
    psi = np.array([influence.of_kendall(label, row) for row in predicted])
    return _rows(psi, scores, items, unit, "correlation")


def _clustering(metric: str, items: ItemArrays, unit: str) -> Sample:  # noqa: ARG001
    """Repetitions alone vary: another sample of documents would move the score by more, and k-means with it."""
    score = _CLUSTER_SCORES.get(metric)
    if score is None:
        raise NoSampleError(f"no influence is known for {metric}")
    runs = zip(items["level"], items["drawn"], items["cluster"], strict=True)
    found = np.array([score(items["label"][level][drawn], clusters) for level, drawn, clusters in runs])
    levels = np.unique(items["level"])
    repetitions = np.mean([found[items["level"] == level] for level in levels], axis=0)
    return Sample(float(repetitions.mean()), np.empty((len(repetitions), 0)), repetitions, _NONE, "document")


def _v_measure(true: NDArray[Any], found: NDArray[Any]) -> float:
    """What scikit-learn's v_measure_score gives, without its checks of input, which take ten times as long."""
    _, true = np.unique(true, return_inverse=True)
    classes, found = np.unique(found, return_inverse=True)
    joint = np.bincount(true * len(classes) + found) / len(true)
    of_true, of_found, of_both = (
        _entropy(shares) for shares in (np.bincount(true) / len(true), np.bincount(found) / len(true), joint)
    )
    both = of_true + of_found
    return 2 * (both - of_both) / both if both > 0 else 1.0


def _entropy(shares: Floats) -> float:
    there = shares[shares > 0]
    return -float((there * np.log(there)).sum())


def _adjusted_mutual_information(true: NDArray[Any], found: NDArray[Any]) -> float:
    from sklearn.metrics import adjusted_mutual_info_score

    return float(adjusted_mutual_info_score(true, found))


_CLUSTER_SCORES = {"v_measure": _v_measure, "ami": _adjusted_mutual_information}


def _sts(metric: str, items: ItemArrays, unit: str) -> Sample:
    gold, similarity = items["gold"].astype(np.float64), items["similarity"].astype(np.float64)
    if np.ptp(gold) == 0 or np.ptp(similarity) == 0:
        raise NoSampleError("a constant column has no correlation")
    is_pearson = metric.endswith("pearson")
    of, correlate = (
        (influence.of_pearson, influence.pearson) if is_pearson else (influence.of_spearman, influence.spearman)
    )
    return _rows(of(gold, similarity), np.array([correlate(gold, similarity)]), items, unit, "correlation")


def _pairs(metric: str, items: ItemArrays, unit: str) -> Sample:
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
        made = _rows(psi, np.array([score]), items, unit, "logit")
        few = len(label) < FEWEST_FOR_INFLUENCE
        return replace(made, ranked=np.stack([similarity, label.astype(np.float64)])) if few else made
    if of not in {"accuracy", "f1"}:
        raise NoSampleError(f"no influence is known for {metric}")
    together = _best_threshold(of, similarity, label)
    if of == "accuracy":
        return of_values((together == label).astype(np.float64), items[UNIT], unit, "share")
    score = 2 * float((together & (label == 1)).sum()) / float(together.sum() + label.sum())
    return _rows(influence.of_f1(label == 1, together), np.array([score]), items, unit, "share")


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


def _bitext(metric: str, items: ItemArrays, unit: str) -> Sample:
    from sklearn.metrics import precision_recall_fscore_support

    gold, found = items["gold"].astype(np.int64), items["found"].astype(np.int64)
    if metric == "accuracy":
        return of_values(items["correct"].astype(np.float64), items[UNIT], unit, "share")
    scores = precision_recall_fscore_support(gold, found, average="weighted", zero_division=0)
    score = dict(zip(("precision", "recall", "f1"), scores, strict=False))[metric]
    return _rows(influence.of_classes(f"{metric}_weighted", gold, found), np.array([score]), items, unit, "share")


def _summarization(metric: str, items: ItemArrays, unit: str) -> Sample:
    values = np.where(items["scored"], items[metric].astype(np.float64), np.nan)
    return of_values(values, items[UNIT], unit, "plain")


def _legacy_clustering(metric: str, items: ItemArrays, unit: str) -> Sample:
    return _mean(metric, items, unit, "plain")


def _arrangement(metric: str, items: ItemArrays, unit: str) -> Sample:  # noqa: ARG001
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
    return _rows(psi, np.array([score]), items, unit, "plain")


_QUERIES = Kind("query", _mean)
_OTHER = Kind("item", _mean)

KINDS = {
    "classification": Kind("row", _classification),
    "zeroshot_classification": Kind("row", _zero_shot),
    "zeroshot_image_classification": Kind("row", _zero_shot),
    "multilabel_classification": Kind("row", _multilabel),
    "regression": Kind("row", _regression),
    "clustering": Kind("document", _clustering),
    "clustering_legacy": Kind("row", _legacy_clustering),
    "sts": Kind("pair", _sts),
    "pair_classification": Kind("pair", _pairs),
    "bitext_mining": Kind("source", _bitext),
    "summarization": Kind("text", _summarization),
    "arrangement": Kind("arrangement", _arrangement),
    "retrieval": _QUERIES,
    "reranking": _QUERIES,
    "instruction_retrieval": _QUERIES,
    "instruction_reranking": _QUERIES,
}
"""Task type → how its items are read."""
