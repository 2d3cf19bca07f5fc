"""Multilabel classification: which of several labels a text has, learnt from a few rows a label.

Protocol of the reference implementation (mteb 2.26): draw rows until every label has `samples_per_label` of them, vote
among the nearest drawn rows on each label of the test split; repeat, and average over the repetitions. A large test
split is cut by iterative stratification.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.neighbors import NearestNeighbors

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Embeddings, ItemSet, Rows, Scores, TaskData
from embedmark.tasks.columns import inputs_of, lists_of
from embedmark.tasks.item_arrays import UNIT, ItemArrays, class_names, cluster_column, units
from embedmark.tasks.labels.classification import mean_of
from embedmark.tasks.labels.draws import Indices, multilabel_draw
from embedmark.tasks.labels.experiments import Supervised
from embedmark.tasks.labels.settings import MultilabelClassificationSettings
from embedmark.tasks.labels.stratification import multilabel_sample
from embedmark.tasks.repeat import repeat

Vectors: TypeAlias = NDArray[np.float32]
Marks: TypeAlias = NDArray[np.bool_]
"""(n_rows, n_labels), true where a row has a label."""

_RowScores: TypeAlias = dict[str, NDArray[np.float64]]
"""Metric → one value a row, whose mean is the metric."""

_TRAIN = "train"
_TEST = "test"


@dataclass(frozen=True)
class _Plan:
    train_labels: Sequence[Sequence[Any]]
    test_labels: Sequence[Sequence[Any]]
    draws: Sequence[Sequence[int]]
    drawn: Indices
    tested: Indices


class MultilabelClassification(Supervised[MultilabelClassificationSettings]):
    """Repeated multilabel classification on drawn rows.

    Metrics: accuracy (all labels of a row right), f1 (mean over labels), lrap (label ranking average precision) and
    hamming (labels both true and predicted, over those true or predicted). Items, a test row: `predicted` in each
    experiment and `label`, one bit a class (`np.packbits`), and `accuracy` and `hamming`, the mean over experiments. A
    ranking by probability also keeps `lrap` of each row in each experiment.

    Experiments share one generator. With draws "mteb" it goes on from where the subsets before this one left it, which
    depends on the row counts of their train splits alone.
    """

    def items(self, data: TaskData) -> list[ItemSet]:
        """Train rows that any experiment draws, and the test rows that are left after the cut.

        Both before the background of the whole train split.
        """
        plan = self._plan(data)
        modality, rows = self.settings.modality, data.rows(self.settings.train_split)
        background = rows[self.settings.input_column]
        train = inputs_of(rows, self.settings, plan.drawn)
        test = inputs_of(data.rows(self.split), self.settings, plan.tested)
        return [
            ItemSet(_TRAIN, train, None, modality, background=background),
            ItemSet(_TEST, test, None, modality, background=background),
        ]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Raises DataError where the test rows have fewer than two labels, or too few rows are drawn."""
        plan = self._plan(data)
        tested = [plan.test_labels[i] for i in plan.tested]
        labels = sorted({label for row in tested for label in row})
        if len(labels) < 2:
            raise DataError(f"the test rows have {len(labels)} labels in all; multilabel classification needs two")
        true = _marks(tested, labels)
        train_vectors, test_vectors = embeddings[_TRAIN], embeddings[_TEST]

        def run(draw: Sequence[int]) -> tuple[Marks, dict[str, float], _RowScores]:
            known = _marks([plan.train_labels[i] for i in draw], labels)
            vectors = train_vectors[np.searchsorted(plan.drawn, draw)]
            if self.settings.classifier == "logistic_regression":
                predicted, lrap = _regressed(vectors, known, test_vectors, true)
            else:
                predicted = _voted(vectors, known, test_vectors, self.settings.n_neighbors)
                lrap = ranked_by_votes(true, predicted)
            rows = _row_scores(true, predicted, lrap)
            return predicted, _metrics(true, predicted, rows), rows

        found = repeat(run, plan.draws)
        experiments = [scores for _, scores, _ in found]
        items: dict[str, NDArray[Any]] = {
            "predicted": np.packbits([predicted for predicted, _, _ in found], axis=-1),
            "label": np.packbits(true, axis=-1),
            "classes": class_names(labels),
            **{name: np.mean([rows[name] for *_, rows in found], axis=0) for name in ("accuracy", "hamming")},
            **self._row_items(data.rows(self.split), plan.tested),
        }
        if self.settings.classifier == "logistic_regression":
            items["lrap"] = np.array([rows["lrap"] for *_, rows in found])
        return Scores(self.main_metric, mean_of(experiments), experiments, items)

    @staticmethod
    def values_from_items(_main_metric: str, items: ItemArrays) -> dict[str, float]:
        """Every metric."""
        true = _unpacked(items, "label")
        ranked: Iterable[Any] = items["lrap"] if "lrap" in items else itertools.repeat(None)
        experiments = []
        for predicted, lrap in zip(_unpacked(items, "predicted"), ranked, strict=False):
            rows = _row_scores(true, predicted, ranked_by_votes(true, predicted) if lrap is None else lrap)
            experiments.append(_metrics(true, predicted, rows))
        return mean_of(experiments)

    def _row_items(self, rows: Rows, tested: Indices) -> dict[str, NDArray[Any]]:
        found = units(inputs_of(rows, self.settings, tested))
        return {UNIT: found, **cluster_column(rows, self.settings.cluster_column, tested)}

    def _plan(self, data: TaskData) -> _Plan:
        settings = self.settings
        train = lists_of(data.rows(settings.train_split), settings.label_column)
        test = lists_of(data.rows(self.split), settings.label_column)
        generator = np.random.default_rng(settings.seed)
        for size in data.replayed_split_sizes if settings.draws == "mteb" else ():
            for _ in range(settings.n_experiments):
                generator.permutation(size)
        draws = [multilabel_draw(train, settings.samples_per_label, generator) for _ in range(settings.n_experiments)]
        if not draws[0]:
            raise DataError(f"no row of split {settings.train_split!r} has a label")
        tested = np.arange(len(test))
        if settings.max_eval_samples is not None and len(test) > settings.max_eval_samples:
            tested = multilabel_sample(test, settings.max_eval_samples, settings.seed)
        return _Plan(train, test, draws, np.unique(np.concatenate(draws)), tested)


def _marks(rows: Sequence[Sequence[Any]], labels: Sequence[Any]) -> Marks:
    code = {label: i for i, label in enumerate(labels)}
    marks = np.zeros((len(rows), len(labels)), dtype=np.bool_)
    for i, row in enumerate(rows):
        # A label that no test row has cannot be tested.
        marks[i, [code[label] for label in row if label in code]] = True
    return marks


def _voted(vectors: Vectors, known: Marks, asked: Vectors, n_neighbors: int) -> Marks:
    """The labels that more than half of the nearest rows have."""
    if len(vectors) < n_neighbors:
        raise DataError(f"{n_neighbors} neighbours are wanted, but only {len(vectors)} rows are drawn")
    nearest = NearestNeighbors(n_neighbors=n_neighbors).fit(vectors).kneighbors(asked, return_distance=False)
    votes = np.zeros((len(asked), known.shape[1]), dtype=np.int32)
    for neighbour in nearest.T:
        votes += known[neighbour]
    majority: Marks = 2 * votes > n_neighbors
    return majority


def _regressed(vectors: Vectors, known: Marks, asked: Vectors, true: Marks) -> tuple[Marks, NDArray[np.float64]]:
    """The labels that one logistic regression a label predicts, and each row's precision of ranking by probability."""
    if not (known.any(axis=0) & ~known.all(axis=0)).all():
        raise DataError("a label of the test rows is on none or all of the rows drawn; logistic regression needs both")
    models = [LogisticRegression().fit(vectors, marks) for marks in known.T]
    predicted = np.stack([model.predict(asked) for model in models], axis=1)
    probability = np.stack([model.predict_proba(asked)[:, 1] for model in models], axis=1)
    return predicted.astype(np.bool_), _ranked_by_probability(true, probability)


def _ranked_by_probability(true: Marks, probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Label ranking average precision of each row: (n,). Its mean is scikit-learn's."""
    found = np.ones(len(true))
    for i, (marks, values) in enumerate(zip(true, probability, strict=True)):
        if marks.any():
            of_true = np.sort(-values[marks])
            rank = np.searchsorted(np.sort(-values), of_true, side="right")
            rank_among_true = np.searchsorted(of_true, of_true, side="right")
            found[i] = (rank_among_true / rank).mean()
    return found


def ranked_by_votes(true: Marks, predicted: Marks) -> NDArray[np.float64]:
    """The same where predicted labels tie for the first rank, and all others for the last, of all rows at once."""
    n_true, n_predicted = true.sum(axis=1), predicted.sum(axis=1)
    hits = (true & predicted).sum(axis=1)
    of_hits = np.divide(hits, n_predicted, out=np.zeros(len(true)), where=n_predicted > 0)
    of_misses = n_true / true.shape[1]
    sums = hits * of_hits + (n_true - hits) * of_misses
    found: NDArray[np.float64] = np.divide(sums, n_true, out=np.ones(len(true)), where=n_true > 0)
    return found


def _metrics(true: Marks, predicted: Marks, rows: _RowScores) -> dict[str, float]:
    f1 = f1_score(true, predicted, average="macro", zero_division=0)
    return {**{name: float(values.mean()) for name, values in rows.items()}, "f1": float(f1)}


def _unpacked(items: ItemArrays, name: str) -> Marks:
    return np.unpackbits(items[name], axis=-1, count=len(items["classes"])).astype(np.bool_)


def _row_scores(true: Marks, predicted: Marks, lrap: NDArray[np.float64]) -> _RowScores:
    both, either = (true & predicted).sum(axis=1), (true | predicted).sum(axis=1)
    return {
        "accuracy": (true == predicted).all(axis=1).astype(np.float64),
        "hamming": np.divide(both, either, out=np.ones(len(true)), where=either > 0),
        "lrap": lrap,
    }
