"""Regression: how well a number can be read from vectors by a linear model.

Protocol of the reference implementation (mteb 2.26): linear regression on at most `n_samples` train rows, drawn in
proportion to ten bins of equal counts; repeated, each repetition with a seed of its own.

Least squares in float32 round in the fourth or fifth digit, by the order in which the machine's threads add up. Here,
as in the reference, they use all threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from embedmark.tasks.base import Embeddings, ItemSet, Rows, Scores, TaskData
from embedmark.tasks.columns import numbers_of
from embedmark.tasks.item_arrays import ItemArrays
from embedmark.tasks.labels.classification import mean_of
from embedmark.tasks.labels.draws import Indices
from embedmark.tasks.labels.experiments import Experiment, Plan, Supervised, make_plan
from embedmark.tasks.labels.settings import RegressionSettings
from embedmark.tasks.labels.stratification import quantile_bins, stratified_sample

_BINS = 10


class Regression(Supervised[RegressionSettings]):
    """Repeated linear regression.

    Metrics: mse, rmse, mae, r2 and kendalltau, which is NaN where all predictions are equal. Items, a test row:
    `predicted` in each experiment (NaN where it was not tested), `label`, and `squared_error`, the mean over
    experiments.
    """

    def items(self, data: TaskData) -> list[ItemSet]:
        """Train rows that any experiment draws, and all test rows."""
        return self._plan(data).items(self.settings)

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Raises DataError where a value is not a finite number, or where there are fewer rows than bins."""
        plan = self._plan(data)
        train, test = self._values(plan.train), self._values(plan.test)
        found = []
        known: dict[bytes, NDArray[np.floating]] = {}
        for experiment in plan.experiments:
            # Where no rows are left out, all experiments are the same one.
            key = experiment.train.tobytes()
            if key not in known:
                known[key] = _predictions(plan, experiment, embeddings, train)
            found.append(known[key])
        predicted = np.full((len(found), len(test)), np.nan, dtype=found[0].dtype)
        for row, experiment, values in zip(predicted, plan.experiments, found, strict=True):
            row[experiment.test] = values
        items = {"predicted": predicted, "label": test, "squared_error": np.nanmean((predicted - test) ** 2, axis=0)}
        experiments = _experiments(items)
        items |= plan.row_items(self.settings)
        return Scores(self.main_metric, mean_of(experiments), experiments, items)

    @staticmethod
    def values_from_items(_main_metric: str, items: ItemArrays) -> dict[str, float]:
        """Every metric."""
        return mean_of(_experiments(items))

    def _plan(self, data: TaskData) -> Plan:
        values = self._values(data.rows(self.settings.train_split))

        def draw(experiments: Iterable[Indices]) -> Iterator[Indices]:
            for i, rows in enumerate(experiments):
                if self.settings.n_samples >= len(rows):
                    yield np.arange(len(rows))
                else:
                    bins = quantile_bins(values[rows], _BINS)
                    yield stratified_sample(bins, self.settings.n_samples, self.settings.seed + i)

        return make_plan(data, self.settings, self.split, draw)

    def _values(self, rows: Rows) -> NDArray[np.float64]:
        return numbers_of(rows, self.settings.label_column)


def _predictions(
    plan: Plan, experiment: Experiment, embeddings: Embeddings, train: NDArray[np.float64]
) -> NDArray[np.floating]:
    known, asked = plan.vectors(experiment, embeddings)
    predicted: NDArray[np.floating] = LinearRegression().fit(known, train[experiment.train]).predict(asked)
    return predicted


def _experiments(items: ItemArrays) -> list[dict[str, float]]:
    """The metrics of each experiment, over the rows that it tested."""
    label = items["label"]
    rows = [(predicted, ~np.isnan(predicted)) for predicted in items["predicted"]]
    return [_metrics(label[tested], predicted[tested]) for predicted, tested in rows]


def _metrics(values: NDArray[np.float64], predicted: NDArray[np.floating]) -> dict[str, float]:
    # The reference hands scikit-learn a list, which then computes in the precision of the predictions.
    true = values.tolist()
    mse = float(mean_squared_error(true, predicted))
    return {
        "mse": mse,
        "mae": float(mean_absolute_error(true, predicted)),
        "r2": float(r2_score(true, predicted)),
        "kendalltau": float(kendalltau(true, predicted).statistic),
        "rmse": float(np.sqrt(mse)),
    }
