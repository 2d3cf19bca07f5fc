"""The names of the metrics that each task type computes, so that a plan can refuse a main metric that none is.

Light, as planning needs it. tests/tasks/test_metric_names.py holds them against what is computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from tasks.settings import RetrievalSettings

_CLASSES = (
    "accuracy",
    *(f"{name}{form}" for name in ("f1", "precision", "recall", "ap") for form in ("", "_weighted")),
)
_THRESHOLDS = ("accuracy", "f1", "precision", "recall", "ap")
_WAYS = ("similarity", "cosine", "dot", "manhattan", "euclidean", "max")
_CORRELATIONS = ("pearson", "spearman")
_AT_K = ("ndcg", "map", "recall", "precision", "hit_rate", "mrr")
_CONFIDENCES = ("max", "std", "diff1")

_NAMES = {
    "classification": _CLASSES,
    "zeroshot_classification": _CLASSES,
    "zeroshot_image_classification": _CLASSES,
    "multilabel_classification": ("accuracy", "hamming", "lrap", "f1"),
    "regression": ("mse", "mae", "r2", "kendalltau", "rmse"),
    "clustering": ("v_measure", "v_measure_std", "ami", "ami_std"),
    "clustering_legacy": ("v_measure", "v_measure_std"),
    "pair_classification": tuple(f"{way}_{metric}" for way, metric in product(_WAYS, _THRESHOLDS)),
    "sts": tuple(f"{way}{name}" for way in ("", "cosine_", "manhattan_", "euclidean_") for name in _CORRELATIONS),
    "arrangement": ("alpha_auc",),
    "bitext_mining": ("precision", "recall", "f1", "accuracy"),
    "summarization": tuple(f"{way}{name}" for way in ("", "cosine_", "dot_") for name in _CORRELATIONS),
}


def metric_names(kind: str, settings: Any) -> frozenset[str] | None:
    """The metrics of a task type under these settings; None for a type of another package, which nobody knows here."""
    if isinstance(settings, RetrievalSettings):
        return frozenset(_ranking(settings))
    names = _NAMES.get(kind)
    return None if names is None else frozenset(names)


def _ranking(settings: RetrievalSettings) -> Iterator[str]:
    """Every metric at every k, and what the extra metrics add."""
    plain = [f"{name}_at_{k}" for name, k in product(_AT_K, settings.k_values)]
    common = [*plain, *(["accuracy"] if 1 in settings.k_values else [])]
    common += [f"nauc_{name}_{way}" for name in plain if not name.startswith("hit_rate") for way in _CONFIDENCES]
    yield from common
    for extra in settings.extra_metrics:
        if extra == "max_over_subqueries":
            yield from (f"max_over_subqueries_{name}" for name in common)
        elif extra == "capped_recall":
            yield from (f"R_cap_at_{k}" for k in settings.k_values)
        elif extra == "instruction_levels":
            yield from (f"level_scores/level_{level}" for level in (1, 2, 3))
        elif extra == "p_mrr":
            yield from ("p-MRR", *(f"{half}/{name}" for half, name in product(("og", "changed"), common)))
        else:
            yield extra
