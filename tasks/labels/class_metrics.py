"""How well predicted classes agree with true ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, average_precision_score, precision_recall_fscore_support

from embedmark.tasks.labels.draws import Indices


def class_metrics(true: Indices, predicted: Indices) -> dict[str, float]:
    """Accuracy; precision, recall and F1, their plain mean over classes and their mean weighted by true rows.

    true, predicted: (n,) codes of classes. A class that is neither true nor predicted anywhere does not count.
    """
    precision, recall, f1, support = precision_recall_fscore_support(true, predicted, zero_division=0)
    scores = {"accuracy": float(accuracy_score(true, predicted))}
    for name, values in (("f1", f1), ("precision", precision), ("recall", recall)):
        scores[name] = float(np.mean(values))
        scores[f"{name}_weighted"] = float(np.average(values, weights=support))
    return scores


AP_NOT_APPLICABLE = {"ap": float("nan"), "ap_weighted": float("nan")}
"""What is reported of average precision where `binary_metrics` has nothing."""


def binary_metrics(true: NDArray[np.number[Any]], scored: NDArray[np.number[Any]]) -> dict[str, float]:
    """Average precision of the label 1 where the true labels are two and one of them is 1; otherwise nothing.

    true: (n,) labels. scored: (n,) numbers, higher the more a row is taken for positive; may be predicted labels. The
    weighted form equals the plain one for two classes; the reference implementation reports both.
    """
    labels = np.unique(true)
    if len(labels) != 2 or 1 not in labels:
        return {}
    precision = float(average_precision_score(true == 1, scored))
    return {"ap": precision, "ap_weighted": precision}
