"""The columns of all boards, each once: the same splits and subsets of a task give the same scores on every board."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import BenchmarkTask, TaskGroup
from embedmark.runner.exchange import store
from embedmark.runner.exchange.names import present_model
from embedmark.runner.exchange.task_scores import SCALE, defined
from embedmark.runner.leaderboard.bench import Bench
from embedmark.runner.leaderboard.own_records import OwnRecords
from embedmark.runner.leaderboard.places import Slugs, slugs
from embedmark.runner.leaderboard.records import Sources
from embedmark.runner.leaderboard.scores import AllScores
from embedmark.runner.plan import asked_slots
from embedmark.runner.report.rows import TaskRow
from embedmark.runner.results.record import Record

_FEW = 3
"""Subsets that are named one by one."""


@dataclass(frozen=True)
class Shown:
    """Everything that pages show: boards, and what is known of their scores.

    Args:
        scores: All scores.
        boards: Those that have any, in the order in which pages name them.
        sources: Where published scores come from.
        own: What one's own records say.
        slugs: Where the pages of models, tasks and benchmarks are.
        findings: Model and task → what lint found; of a model or a task as a whole, the other is empty.
    """

    scores: AllScores
    boards: Sequence[Bench]
    sources: Sources
    own: OwnRecords
    slugs: Slugs
    findings: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> Sequence[Column]:
        """The columns of all boards, by task, those of most boards first."""
        return _columns(self.boards, self.scores.catalogue)

    @cached_property
    def files(self) -> Mapping[str, str]:
        """What every task's file is called on the command line, by the task's name."""
        return choices(self.scores.catalogue)

    @cached_property
    def models(self) -> Sequence[str]:
        """All models of the results, by name."""
        return sorted({model for model, _ in self.scores.sizes}.union(self.unread))

    @cached_property
    def unread(self) -> Mapping[str, bool]:
        """Models of the imported scores of which none can be shown → whether any is of the model itself."""
        import polars as pl

        outputs = self.scores.outputs
        if outputs is None or not self.scores.imported:
            return {}
        itself = pl.col("experiment").is_null() & pl.col("metric").is_null()
        with store.reading(outputs):
            found = (
                store.load(outputs)
                .group_by(pl.col("model").cast(pl.String))
                .agg(itself.any().alias("itself"))
                .collect()
            )
        read = {model for model, _ in self.scores.sizes}
        told: dict[str, bool] = {}
        for name, is_itself in found.iter_rows():
            model = present_model(name)
            if model not in read:
                told[model] = told.get(model, False) or is_itself
        return told

    @cached_property
    def defined(self) -> frozenset[str]:
        """The models that have any score that is a number."""
        import polars as pl

        there = defined(self.scores.cells.lazy()).select(pl.col("model").cast(pl.String).unique()).collect()
        own = (kept.facts for kept in self.scores.collected.records if isinstance(kept.facts, Record))
        mine = {record.job.model for record in own if not math.isnan(record.main_score)}
        return frozenset(mine.union(there["model"].to_list()))

    @cached_property
    def tasks(self) -> Sequence[str]:
        """All tasks that anybody has any score of, by name."""
        return sorted({task for _, task in self.scores.sizes})


@dataclass(frozen=True)
class Column:
    """What some boards ask of a task.

    Args:
        row: The task, with the splits and subsets that count.
        words: Which those are, where they are not all of the task's.
        boards: Numbers of the boards that ask for it.
        board: One of them, that scores and models are of.
        at: Its number there.
        models: Rows of the board's matrix that have a score.
        scores: Theirs, in millionths.
        places: Among all that have one; equal scores share the best.
    """

    row: TaskRow
    words: str
    boards: Sequence[int]
    board: Bench
    at: int
    models: NDArray[np.intp]
    scores: NDArray[np.int64]
    places: NDArray[np.int64]


def slugs_of(scores: AllScores, boards: Sequence[Bench]) -> Slugs:
    """Give every model, task and benchmark that has any score its place, also those that no board shows."""
    shown = Shown(scores, boards, Sources((), {}, {}), OwnRecords({}), Slugs({}, {}, {}))
    asked = {name for board in boards for name in board.all_tasks}
    return Slugs(slugs(shown.models), slugs(sorted(asked.union(shown.tasks))), slugs(sorted(scores.benchmarks)))


def choices(catalogue: Catalogue) -> dict[str, str]:
    """Return what every task's file is called on the command line, by the task's name."""
    return {name: entry.choice for name, entry in catalogue.tasks.items()}


def _columns(boards: Sequence[Bench], catalogue: Catalogue) -> list[Column]:
    places: dict[Hashable, list[tuple[int, int]]] = {}
    for number, board in enumerate(boards):
        for at, row in enumerate(board.matrix.asked):
            places.setdefault(_key(row), []).append((number, at))
    found = [_column(boards, asking, catalogue) for asking in places.values()]
    return sorted(found, key=lambda column: (column.row.name, -len(column.boards), column.words))


def _key(row: TaskRow) -> Hashable:
    return (row.name, row.slots, tuple(map(_key, row.members)))


def _column(boards: Sequence[Bench], asking: Sequence[tuple[int, int]], catalogue: Catalogue) -> Column:
    number, at = asking[0]
    board = boards[number]
    values = board.matrix.values[:, at]
    models = np.flatnonzero(~np.isnan(values))
    scores = np.rint(values[models] * SCALE).astype(np.int64)
    ordered = np.sort(scores)
    places = len(ordered) - np.searchsorted(ordered, scores, side="right") + 1
    row = board.matrix.asked[at]
    return Column(row, words_of(row, catalogue), [one for one, _ in asking], board, at, models, scores, places)


def words_of(row: TaskRow, catalogue: Catalogue) -> str:
    """Say which splits and subsets of a task a score counts; empty where it counts all that the task's file names."""
    task = catalogue.task(row.name)
    if isinstance(task.dataset, TaskGroup):
        lacking = len(task.dataset.tasks) - len(row.members)
        return f"{len(row.members)} of {len(task.dataset.tasks)} tasks" if lacking else ""
    usual = asked_slots(task, BenchmarkTask(name=row.name))
    if {*usual} == {*row.slots}:
        return ""
    splits, subsets = (list(dict.fromkeys(slot[part] for slot in row.slots)) for part in (0, 1))
    told = []
    n_subsets = len({subset for _, subset in usual})
    if len(subsets) < n_subsets:
        told.append(", ".join(subsets) if len(subsets) <= _FEW else f"{len(subsets)} of {n_subsets} subsets")
    if {*splits} != {split for split, _ in usual}:
        told.append(f"split {', '.join(splits)}")
    return "; ".join(told)
