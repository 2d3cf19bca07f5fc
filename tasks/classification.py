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

from tasks.base import DataError, Embeddings, Scores, TaskContext, TaskData, TextSet
from tasks.class_metrics import UNDEFINED, binary_metrics, class_metrics
from tasks.columns import classes_of
from tasks.draws import Indices, balanced_draws, label_codes
from tasks.experiments import Experiment, Plan, make_plan
from tasks.repeat import repeat
from tasks.settings import ClassificationSettings


class Classification:
    """Repeated classification on drawn rows.

    Metrics: accuracy, f1, precision and recall (plain and weighted mean over classes), and ap and ap_weighted, which
    are NaN unless the test rows have two labels, one of which is 1. Items: `accuracy`, for each test row the share of
    experiments that got it right.
    """

    accepts = frozenset({"encoder"})

    def __init__(self, settings: ClassificationSettings, context: TaskContext, main_metric: str) -> None:
        self._settings = settings
        self._split = context.split
        self._main_metric = main_metric

    def splits(self) -> tuple[str, ...]:
        """The train split and the evaluated one."""
        return tuple(dict.fromkeys((self._settings.train_split, self._split)))

    def texts(self, data: TaskData) -> list[TextSet]:
        """Train rows that any experiment draws, and all test rows; before the background of the whole train split."""
        plan = self._plan(data, self._train_labels(data))
        background = plan.train[self._settings.input_column]
        return [replace(text_set, background=background) for text_set in plan.texts(self._settings, self._split)]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Raises DataError where an experiment's rows have fewer than two labels."""
        train_labels = self._train_labels(data)
        plan = self._plan(data, train_labels)
        test_labels = classes_of(plan.test, self._settings.label_column)
        classes = _sorted_classes([*(train_labels[i] for i in plan.drawn), *test_labels])
        code = {label: i for i, label in enumerate(classes)}
        test = np.array([code[label] for label in test_labels], dtype=np.intp)

        def predict(experiment: Experiment) -> Indices:
            known, asked = plan.vectors(experiment, embeddings)
            codes = np.array([code[train_labels[i]] for i in experiment.train], dtype=np.intp)
            predicted: Indices = self._classifier(known, codes).predict(asked)
            return predicted

        predictions = repeat(predict, plan.experiments)
        tests = [experiment.test for experiment in plan.experiments]
        experiments = [_metrics(classes, test[rows], found) for rows, found in zip(tests, predictions, strict=True)]
        items = {"accuracy": _share_right(test, tests, predictions)}
        return Scores(self._main_metric, UNDEFINED | mean_of(experiments), experiments, items)

    def _train_labels(self, data: TaskData) -> list[Any]:
        return classes_of(data.rows(self._settings.train_split), self._settings.label_column)

    def _plan(self, data: TaskData, train_labels: Sequence[Any]) -> Plan:
        codes = label_codes(train_labels)

        def draw(experiments: Iterable[Indices]) -> Iterator[Indices]:
            allowed = (codes[rows] for rows in experiments)
            return balanced_draws(allowed, self._settings.samples_per_label, self._settings.seed)

        return make_plan(data, self._settings, self._split, draw)

    def _classifier(self, vectors: Any, codes: Indices) -> ClassifierMixin:
        settings = self._settings
        if settings.classifier == "k_nearest_neighbours":
            if len(codes) < settings.n_neighbors:
                raise DataError(
                    f"{settings.n_neighbors} neighbours are asked for, but only {len(codes)} rows are drawn"
                )
            return KNeighborsClassifier(settings.n_neighbors).fit(vectors, codes)
        if len(np.unique(codes)) < 2:
            raise DataError(
                f"all {len(codes)} rows drawn from {settings.train_split!r} have one label; "
                "logistic regression needs two"
            )
        return LogisticRegression(max_iter=settings.max_iter, random_state=settings.seed).fit(vectors, codes)


def _metrics(classes: Sequence[Any], true: Indices, predicted: Indices) -> dict[str, float]:
    scores = class_metrics(true, predicted)
    if isinstance(classes[0], str):
        return scores
    values = np.array(classes)
    return scores | binary_metrics(values[true], values[predicted])


def _share_right(true: Indices, tests: Sequence[Indices], predictions: Sequence[Indices]) -> NDArray[np.float64]:
    """For each test row, the share of the experiments that tested it which predicted its class."""
    right, tested = np.zeros(len(true)), np.zeros(len(true))
    for rows, predicted in zip(tests, predictions, strict=True):
        right[rows] += predicted == true[rows]
        tested[rows] += 1
    return right / tested


def mean_of(experiments: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric over the experiments that have it."""
    names = dict.fromkeys(name for scores in experiments for name in scores)
    return {name: float(np.mean([scores[name] for scores in experiments if name in scores])) for name in names}


def _sorted_classes(labels: Iterable[Any]) -> list[Any]:
    try:
        return sorted(set(labels))
    except TypeError:
        raise DataError("labels of the train and the test split are of different kinds (strings and numbers)") from None
