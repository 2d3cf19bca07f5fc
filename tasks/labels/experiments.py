"""Repeated experiments that learn from some rows and are tested on others: classification and regression."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Bound, Embeddings, Item, ItemSet, Rows, TaskData
from embedmark.tasks.columns import inputs_of
from embedmark.tasks.item_arrays import UNIT, cluster_column, units
from embedmark.tasks.labels.draws import Indices
from embedmark.tasks.settings import Inputs

Vectors: TypeAlias = NDArray[np.float32]

TRAIN = "train"
TEST = "test"


class SupervisedSettings(Inputs, Protocol):
    """What settings of types that learn have in common."""

    @property
    def train_split(self) -> str: ...  # noqa: D102
    @property
    def cluster_column(self) -> str | None: ...  # noqa: D102


class ExperimentSettings(SupervisedSettings, Protocol):
    """What settings of repeated experiments have in common."""

    @property
    def n_experiments(self) -> int: ...  # noqa: D102
    @property
    def is_cross_validation(self) -> bool: ...  # noqa: D102
    @property
    def n_splits(self) -> int: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102


Settings = TypeVar("Settings", bound=SupervisedSettings)


class Supervised(Bound[Settings]):
    """A task that learns from rows of one split and is tested on rows of another."""

    def splits(self) -> tuple[str, ...]:
        """The train split and the evaluated one."""
        return tuple(dict.fromkeys((self.settings.train_split, self.split)))


Draw: TypeAlias = Callable[[Iterable[Indices]], Iterator[Indices]]
"""Given, for each experiment, the rows of the train table that it may learn from: positions in them, as drawn."""


@dataclass(frozen=True)
class Experiment:
    """Rows of the train table to learn from, in order, and rows of the test table to be tested on."""

    train: Indices
    test: Indices


@dataclass(frozen=True)
class Plan:
    """All experiments of a job. In cross-validation both tables are the same one, and all of its rows are encoded."""

    train: Rows
    test: Rows
    experiments: tuple[Experiment, ...]
    is_cross_validation: bool

    @cached_property
    def drawn(self) -> Indices:
        """The train rows that any experiment draws, ascending."""
        return np.unique(np.concatenate([experiment.train for experiment in self.experiments]))

    def items(self, settings: ExperimentSettings) -> list[ItemSet]:
        """Drawn train rows and all test rows; in cross-validation the test rows alone."""
        test = ItemSet(TEST, _items(self.test, settings), None, settings.modality)
        if self.is_cross_validation:
            return [test]
        drawn = _items(self.train, settings, self.drawn)
        return [ItemSet(TRAIN, drawn, None, settings.modality), test]

    def row_items(self, settings: ExperimentSettings) -> dict[str, NDArray[Any]]:
        """`_unit` and, where the task names a column of them, `_cluster` of the test rows."""
        found = units(_items(self.test, settings))
        return {UNIT: found, **cluster_column(self.test, settings.cluster_column)}

    def vectors(self, experiment: Experiment, embeddings: Embeddings) -> tuple[Vectors, Vectors]:
        """Vectors to learn from and vectors to be tested on."""
        if self.is_cross_validation:
            return embeddings[TEST][experiment.train], embeddings[TEST][experiment.test]
        return embeddings[TRAIN][np.searchsorted(self.drawn, experiment.train)], embeddings[TEST]


def _items(rows: Rows, settings: ExperimentSettings, chosen: Indices | None = None) -> Sequence[Item]:
    return inputs_of(rows, settings, chosen)


def make_plan(data: TaskData, settings: ExperimentSettings, split: str, draw: Draw) -> Plan:
    """Raises DataError when a split is missing or empty, or unfit for cross-validation."""
    if settings.is_cross_validation:
        return _cross_validation(data, settings, split, draw)
    train, test = data.rows(settings.train_split), data.rows(split)
    everything, tested = np.arange(train.n_rows), np.arange(test.n_rows)
    drawn = draw([everything] * settings.n_experiments)
    return Plan(train, test, tuple(Experiment(rows, tested) for rows in drawn), False)


def _cross_validation(data: TaskData, settings: ExperimentSettings, split: str, draw: Draw) -> Plan:
    if settings.train_split != split:
        raise DataError(
            f"cross-validation learns from and tests on one split, but the split evaluated is {split!r} and "
            f"`train_split` is {settings.train_split!r}; make them equal, or set `is_cross_validation: false`"
        )
    rows = data.rows(split)
    if rows.n_rows < settings.n_splits:
        raise DataError(f"{settings.n_splits} folds of {rows.n_rows} rows: fewer rows than folds")
    folds = list(KFold(settings.n_splits, shuffle=True, random_state=settings.seed).split(np.arange(rows.n_rows)))
    drawn = draw([train for train, _ in folds])
    experiments = tuple(Experiment(train[chosen], test) for (train, test), chosen in zip(folds, drawn, strict=True))
    return Plan(rows, rows, experiments, True)
