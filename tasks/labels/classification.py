"""Classification: how well a few labelled rows a class tell the classes of the rest.

Protocol of the reference implementation (mteb 2.26): draw `samples_per_label` train rows a label, fit a classifier on
their vectors, predict the test rows; repeat, and average every metric over the repetitions. In cross-validation the
repetitions are the folds of one split.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Embeddings, ItemSet, Scores, TaskData
from embedmark.tasks.columns import classes_of
from embedmark.tasks.item_arrays import ItemArrays, class_names, codes
from embedmark.tasks.labels.class_metrics import AP_NOT_APPLICABLE, binary_metrics, class_metrics
from embedmark.tasks.labels.draws import Indices, balanced_draws, label_codes
from embedmark.tasks.labels.experiments import Experiment, Plan, Supervised, make_plan
from embedmark.tasks.labels.settings import ClassificationSettings
from embedmark.tasks.repeat import repeat

_NOT_TESTED = -1
"""Stands for the class of rows outside the fold that an experiment tests."""


class Classification(Supervised[ClassificationSettings]):
    """Repeated classification on drawn rows.

    Metrics: accuracy, f1, precision and recall (plain and weighted mean over classes), and ap and ap_weighted, which
    are NaN unless the test rows have two labels, one of which is 1. Items, a test row: `predicted`, its class in each
    experiment (-1 where it was not tested), `label`, and `accuracy`, the share of experiments that got it right.
    """

    def items(self, data: TaskData) -> list[ItemSet]:
        """Train rows that any experiment draws, and all test rows; before the background of the whole train split."""
        plan = self._plan(data, self._train_labels(data))
        background = plan.train[self.settings.input_column]
        return [replace(item_set, background=background) for item_set in plan.items(self.settings)]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Raises DataError where an experiment's rows have fewer than two labels."""
        train_labels = self._train_labels(data)
        plan = self._plan(data, train_labels)
        test_labels = classes_of(plan.test, self.settings.label_column)
        classes = _sorted_classes([*(train_labels[i] for i in plan.drawn), *test_labels])
        code = {label: i for i, label in enumerate(classes)}
        test = np.array([code[label] for label in test_labels], dtype=np.intp)
        names = class_names(classes)

        def predict(experiment: Experiment) -> Indices:
            known, asked = plan.vectors(experiment, embeddings)
            learned = np.array([code[train_labels[i]] for i in experiment.train], dtype=np.intp)
            predicted: Indices = self._classifier(known, learned).predict(asked)
            return predicted

        predicted = np.full((len(plan.experiments), len(test)), _NOT_TESTED, dtype=np.intp)
        for row, experiment, found in zip(predicted, plan.experiments, repeat(predict, plan.experiments), strict=True):
            row[experiment.test] = found
        items = {"predicted": codes(predicted), "label": codes(test), "classes": names}
        experiments = _experiments(items)
        items["accuracy"] = (predicted == test).sum(axis=0) / (predicted != _NOT_TESTED).sum(axis=0)
        items |= plan.row_items(self.settings)
        return Scores(self.main_metric, AP_NOT_APPLICABLE | mean_of(experiments), experiments, items)

    @staticmethod
    def values_from_items(_main_metric: str, items: ItemArrays) -> dict[str, float]:
        """Every metric."""
        return AP_NOT_APPLICABLE | mean_of(_experiments(items))

    def _train_labels(self, data: TaskData) -> list[Any]:
        return classes_of(data.rows(self.settings.train_split), self.settings.label_column)

    def _plan(self, data: TaskData, train_labels: Sequence[Any]) -> Plan:
        labels = label_codes(train_labels)

        def draw(experiments: Iterable[Indices]) -> Iterator[Indices]:
            allowed = (labels[rows] for rows in experiments)
            return balanced_draws(allowed, self.settings.samples_per_label, self.settings.seed)

        return make_plan(data, self.settings, self.split, draw)

    def _classifier(self, vectors: Any, labels: Indices) -> ClassifierMixin:
        settings = self.settings
        if settings.classifier == "k_nearest_neighbours":
            if len(labels) < settings.n_neighbors:
                raise DataError(
                    f"{settings.n_neighbors} neighbours are asked for, but only {len(labels)} rows are drawn"
                )
            return KNeighborsClassifier(settings.n_neighbors).fit(vectors, labels)
        if len(np.unique(labels)) < 2:
            raise DataError(
                f"all {len(labels)} rows drawn from {settings.train_split!r} have one label; "
                "logistic regression needs two"
            )
        return LogisticRegression(max_iter=settings.max_iter, random_state=settings.seed).fit(vectors, labels)


def _experiments(items: ItemArrays) -> list[dict[str, float]]:
    """The metrics of each experiment, over the rows that it tested."""
    label, classes = items["label"], items["classes"]
    found = []
    for predicted in items["predicted"]:
        tested = predicted != _NOT_TESTED
        found.append(_metrics(classes, label[tested], predicted[tested]))
    return found


def _metrics(classes: NDArray[Any], true: Indices, predicted: Indices) -> dict[str, float]:
    scores = class_metrics(true, predicted)
    return scores if classes.dtype.kind == "U" else scores | binary_metrics(classes[true], classes[predicted])


def mean_of(experiments: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric over the experiments that have it."""
    names = dict.fromkeys(name for scores in experiments for name in scores)
    return {name: float(np.mean([scores[name] for scores in experiments if name in scores])) for name in names}


def _sorted_classes(labels: Iterable[Any]) -> list[Any]:
    try:
        return sorted(set(labels))
    except TypeError:
        raise DataError("labels of the train and the test split are of different kinds (strings and numbers)") from None
