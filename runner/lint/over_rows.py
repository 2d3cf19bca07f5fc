"""Rules over the scores of one split and subset, which hold by the metrics' definitions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from embedmark.runner.lint.finding import Severity

Metrics = Mapping[str, float | None]

_EPSILON = 2e-5
"""Metrics of retrieval have five digits."""

_RANKS = re.compile(r"((?:[a-z]+_)*?(?:map|mrr|recall|hit_rate|precision|ndcg))_at_(\d+)")
_PARTS = ("cosine_", "dot_", "euclidean_", "manhattan_", "similarity_", "hamming_")
_SHARES = re.compile(
    r"(?:(?:cosine|dot|euclidean|manhattan|similarity|max|hamming)_)?"
    r"(?:accuracy|f1|f1_weighted|precision|recall|ap|lrap|v_measure|completeness|homogeneity|nmi|cluster_accuracy|image_acc|text_acc)|"
    r"(?:ndcg|map|mrr|recall|precision|hit_rate)_at_\d+"
)


@dataclass(frozen=True)
class RowRule:
    """A rule over one row. severity: of what it finds."""

    name: str
    severity: Severity
    find: Callable[[Metrics, Sequence[Metrics]], Iterator[str]]


def _mrr(metrics: Metrics, _: Sequence[Metrics]) -> Iterator[str]:
    """Mean average precision is at most the mean reciprocal rank at the same k, where one document is right; never far
    above it, and a reciprocal rank of 0 says that nothing was found."""
    for k, precision, reciprocal in _both(metrics, "map", "mrr"):
        if reciprocal == 0 < precision:
            yield f"mrr_at_{k} is 0, and map_at_{k} {precision:g}"
        elif precision - reciprocal > _MARGIN:
            yield f"map_at_{k} {precision:g} is above mrr_at_{k} {reciprocal:g}"


_MARGIN = 1e-3


def _first(metrics: Metrics, _: Sequence[Metrics]) -> Iterator[str]:
    """The mean reciprocal rank at 1 is the precision at 1."""
    precision, reciprocal = metrics.get("precision_at_1"), metrics.get("mrr_at_1")
    if precision is not None and reciprocal is not None and abs(precision - reciprocal) > _EPSILON:
        yield f"mrr_at_1 {reciprocal:g} is not precision_at_1 {precision:g}"


def _largest(metrics: Metrics, _: Sequence[Metrics]) -> Iterator[str]:
    """A maximum over similarities is the largest of its parts."""
    for name, largest in metrics.items():
        kind = name.removeprefix("max_")
        parts = [metrics[part + kind] for part in _PARTS if metrics.get(part + kind) is not None]
        if name == kind or largest is None or len(parts) < 2 or kind in {"precision", "recall"}:
            continue
        most = max(part for part in parts if part is not None)
        if abs(most - largest) > _EPSILON:
            yield f"{name} {largest:g}, and the largest of its parts is {most:g}"


def _range(metrics: Metrics, _: Sequence[Metrics]) -> Iterator[str]:
    """Shares are between 0 and 1."""
    for name, value in metrics.items():
        if value is not None and _SHARES.fullmatch(name) and not -1e-9 <= value <= 1 + 1e-9:
            yield f"{name} {value:g} is no share"


def _falling(metrics: Metrics, _: Sequence[Metrics]) -> Iterator[str]:
    """Recall, hit rate and reciprocal rank do not fall with k."""
    for kind in ("recall", "hit_rate", "mrr"):
        by_k = sorted((int(match[2]), value) for name, value in metrics.items()
                      if value is not None and (match := _RANKS.fullmatch(name)) and match[1] == kind)  # fmt: skip
        for (k, value), (more, later) in pairwise(by_k):
            if later < value - _EPSILON:
                yield f"{kind}_at_{k} is {value:g}, and {kind}_at_{more} {later:g}"


def _precision(metrics: Metrics, _: Sequence[Metrics]) -> Iterator[str]:
    """Mean average precision is at most the recall at the same k."""
    for k, precision, recall in _both(metrics, "map", "recall"):
        if precision > recall + _MARGIN:
            yield f"map_at_{k} {precision:g} is above recall_at_{k} {recall:g}"


def _harmonic(metrics: Metrics, _: Sequence[Metrics]) -> Iterator[str]:
    """F1 of pairs is the harmonic mean of precision and recall; of classes it is none, since it is a mean itself."""
    for part in _PARTS:
        f1, precision, recall = (metrics.get(part + kind) for kind in ("f1", "precision", "recall"))
        if f1 is None or precision is None or recall is None or precision + recall == 0:
            continue
        mean = 2 * precision * recall / (precision + recall)
        if abs(mean - f1) > _TENTHS:
            yield f"{part}f1 {f1:g}, and precision and recall give {mean:g}"


_TENTHS = 1e-4


def _weighted(metrics: Metrics, _: Sequence[Metrics]) -> Iterator[str]:
    """Accuracy is the recall of every class, weighted by its rows."""
    accuracy, recall = metrics.get("accuracy"), metrics.get("recall_weighted")
    if accuracy is not None and recall is not None and abs(accuracy - recall) > _EPSILON:
        yield f"accuracy {accuracy:g} is not recall_weighted {recall:g}"


def _experiments(metrics: Metrics, experiments: Sequence[Metrics]) -> Iterator[str]:
    """A score is the mean of its experiments."""
    if any("level" in experiment for experiment in experiments):
        return
    names = {name for experiment in experiments for name in experiment}
    for name in sorted(names & set(metrics)):
        told = [experiment.get(name) for experiment in experiments]
        values = [value for value in told if value is not None]
        score = metrics[name]
        if score is None or len(values) < len(told):
            continue
        if abs(fmean(values) - score) > _EPSILON:
            yield f"{name} {score:g}, and the mean of {len(values)} experiments is {fmean(values):g}"


def _both(metrics: Metrics, one: str, other: str) -> Iterator[tuple[int, float, float]]:
    for name, value in metrics.items():
        match = _RANKS.fullmatch(name)
        beside = metrics.get(f"{other}_at_{match[2]}") if match and match[1] == one else None
        if match and value is not None and beside is not None:
            yield int(match[2]), value, beside


ROW_RULES = (
    RowRule("mrr", "error", _mrr),
    RowRule("mrr-first", "warning", _first),
    RowRule("maximum", "warning", _largest),
    RowRule("share", "error", _range),
    RowRule("falling", "error", _falling),
    RowRule("map-recall", "error", _precision),
    RowRule("f1", "error", _harmonic),
    RowRule("accuracy", "error", _weighted),
    RowRule("experiments", "error", _experiments),
)
"""In the order in which they are tried."""


def faults(metrics: Metrics, experiments: Sequence[Metrics]) -> Iterator[tuple[RowRule, str]]:
    """Yield what the rules find in one row, each rule's first finding, with how many more there are."""
    for rule in ROW_RULES:
        found = list(rule.find(metrics, experiments))
        if found:
            yield rule, found[0] + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
