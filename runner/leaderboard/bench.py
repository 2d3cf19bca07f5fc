"""A benchmark as its page shows it: models by tasks, ranked by the same rule as everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import BenchmarkConfig
from embedmark.runner.exchange.task_scores import SCALE
from embedmark.runner.leaderboard.scores import AllScores
from embedmark.runner.ranking.board import Board, board
from embedmark.runner.ranking.families import families, family_keys
from embedmark.runner.ranking.matrix import ScoreMatrix
from embedmark.runner.ranking.zeroshot import State
from embedmark.runner.report.aggregate import Aggregate
from embedmark.runner.report.rows import TaskRow, leaves

DRAWS = 1_000
"""Of families of tasks: as many as a page can repeat within a tenth of a second, so that both say the same."""

Whole: TypeAlias = NDArray[np.int64]
"""Scores in millionths."""

MISSING = np.iinfo(np.int64).min
"""Stands for a score that a model lacks."""


@dataclass(frozen=True)
class Bench:
    """A benchmark with its scores.

    Args:
        config: The benchmark.
        all_tasks: Names of all that it asks for, also of those that nobody has.
        board: The ranking; its matrix has the tasks that anybody has.
        parts_alone: Models that have some of what a task is the mean of, and no whole task: they are in no ranking but
            those of some languages.
        keys: Of each task of the matrix what it shares with others: see `family_keys`.
        zero_shot: Of each model, and of `parts_alone`, the percent of all tasks that it was not trained on; None where
            nobody knows.
        states: (n_models, n_tasks) values of `State`, of these and `parts_alone`.
        made: What of one's own is in it.
    """

    config: BenchmarkConfig
    all_tasks: tuple[str, ...]
    board: Board
    parts_alone: tuple[str, ...]
    keys: Sequence[Sequence[int]]
    zero_shot: Sequence[int | None]
    states: NDArray[np.int8]
    made: Aggregate | None

    @property
    def matrix(self) -> ScoreMatrix:
        """What was ranked."""
        return self.board.matrix

    @cached_property
    def whole(self) -> Whole:
        """The scores in millionths, or MISSING: (n_tasks, n_models), with those that have parts of tasks alone."""
        values = self.matrix.values.T
        there = ~np.isnan(values)
        found = np.full((len(values), values.shape[1] + len(self.parts_alone)), MISSING, dtype=np.int64)
        found[:, : values.shape[1]][there] = np.rint(values[there] * SCALE).astype(np.int64)
        return found


def bench(scores: AllScores, name: str) -> Bench | None:
    """Rank the models of a benchmark.

    Returns:
        None where no model has a score.
    """
    matrix, made = scores.matrix(name)
    if not len(matrix.models):
        return None
    ranked = board(
        matrix, _families(matrix, scores.catalogue), scores.benchmarks[name].ranked_by, draws=DRAWS, best=False
    )
    tasks = ranked.matrix.tasks
    models = (*matrix.names, *(parts := _parts_alone(matrix, scores.present[name])))
    return Bench(
        config=scores.benchmarks[name],
        all_tasks=matrix.tasks,
        board=ranked,
        parts_alone=parts,
        keys=family_keys(tasks, scores.catalogue),
        zero_shot=[scores.training.share(model, matrix.tasks) for model in models],
        states=scores.training.states(models, tasks),
        made=made,
    )


def _families(matrix: ScoreMatrix, catalogue: Catalogue) -> NDArray[np.intp]:
    """The family of each task. One that nobody has joins no others, since a page knows nothing of it."""
    scored = np.flatnonzero(~np.isnan(matrix.values).all(axis=0))
    found = np.arange(len(matrix.tasks)) + len(matrix.tasks)
    found[scored] = families([matrix.tasks[task] for task in scored], catalogue).of
    return found


def trained_on(made: Bench) -> list[list[int]]:
    """Of each task the models that were trained on it."""
    return [np.flatnonzero(column == State.TRAINED).tolist() for column in made.states.T]


def has_parts(rows: Sequence[TaskRow]) -> bool:
    """Whether any task is the mean of several splits or subsets."""
    return any(len(leaf.slots) > 1 for leaf in leaves(rows))


def _parts_alone(matrix: ScoreMatrix, present: Sequence[str]) -> tuple[str, ...]:
    """The models that have some of what a task is the mean of, and no whole task."""
    return tuple(sorted({*present} - {*matrix.names})) if has_parts(matrix.asked) else ()
