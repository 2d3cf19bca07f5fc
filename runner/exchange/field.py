"""Where one's own models stand among those whose scores were published, on the tasks of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from embedmark.runner.exchange import snapshot
from embedmark.runner.report.aggregate import Aggregate
from embedmark.runner.report.rows import TaskRow
from embedmark.runner.report.versions import Slot

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Place:
    """A model of one's own among the published.

    Args:
        model: Its label in the report.
        mean: Over the tasks.
        rank: From 1; models of equal means share the better one.
        n_models: How many were ranked, this one included; what is published of the model itself is not.
        before: The published model with the next higher mean, and that; None for the first.
        after: The published model with the next lower mean, and that; None for the last.
    """

    model: str
    mean: float
    rank: int
    n_models: int
    before: tuple[str, float] | None
    after: tuple[str, float] | None


@dataclass(frozen=True)
class Field:
    """The published models on the tasks of a report.

    Args:
        places: Of one's own models that have a mean.
        n_tasks: How many tasks means count.
        incomplete: Published models that lack some of what the tasks need, and are left out.
    """

    places: tuple[Place, ...]
    n_tasks: int
    incomplete: int


def among_published(made: Aggregate) -> Field:
    """Rank one's own models with the published ones that have every score that a report's means count.

    A published task's score is the mean over the same splits and subsets as the report's. Of several revisions of a
    model the one with most scores counts.
    """
    tasks = [task for task in made.tasks if task.in_mean]
    means, incomplete = _means(tasks, _scores(tasks))
    places = [
        _place(column.label, column.mean_task, {name: mean for name, mean in means.items() if name != column.model})
        for column in made.columns
        if column.mean_task is not None
    ]
    return Field(tuple(places), len(tasks), incomplete)


def _place(model: str, mean: float, published: Mapping[str, float]) -> Place:
    better = [(score, name) for name, score in published.items() if score > mean]
    worse = [(score, name) for name, score in published.items() if score <= mean]
    before, after = min(better, default=None), max(worse, default=None)
    return Place(
        model,
        mean,
        len(better) + 1,
        len(published) + 1,
        None if before is None else (before[1], before[0]),
        None if after is None else (after[1], after[0]),
    )


def _leaves(tasks: Sequence[TaskRow]) -> Iterator[TaskRow]:
    for task in tasks:
        yield from _leaves(task.members) if task.members else (task,)


def _scores(tasks: Sequence[TaskRow]) -> Mapping[str, Mapping[tuple[str, Slot], float]]:
    """Model → (task, slot) → its published score."""
    import polars as pl

    names = sorted({task.name for task in _leaves(tasks)})
    found = snapshot.scores().filter(pl.col("task").cast(pl.String).is_in(names)).collect()
    found = found.with_columns(pl.col(pl.Categorical).cast(pl.String))
    by_model: dict[str, dict[tuple[str, Slot], float]] = {}
    for row in _of_best_revisions(found).iter_rows(named=True):
        cell = (row["task"], (row["split"], row["subset"]))
        by_model.setdefault(row["model"], {})[cell] = row["main_score"]
    return by_model


def _of_best_revisions(scores: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    counted = scores.group_by("model", "revision").len().sort("len", "revision", descending=True)
    return scores.join(counted.unique("model", keep="first", maintain_order=True).select("model", "revision"),
                       on=["model", "revision"], how="semi").filter(pl.col("main_score").is_not_null())  # fmt: skip


def _means(
    tasks: Sequence[TaskRow], scores: Mapping[str, Mapping[tuple[str, Slot], float]]
) -> tuple[dict[str, float], int]:
    means = {}
    for model, cells in scores.items():
        of_tasks = [_task_score(task, cells) for task in tasks]
        told = [score for score in of_tasks if score is not None]
        if tasks and len(told) == len(tasks):
            means[model] = fmean(told)
    return means, len(scores) - len(means)


def _task_score(task: TaskRow, cells: Mapping[tuple[str, Slot], float]) -> float | None:
    if task.members:
        found = [_task_score(member, cells) for member in task.members]
    else:
        found = [cells.get((task.name, slot)) for slot in task.slots]
    told = [score for score in found if score is not None]
    return fmean(told) if found and len(told) == len(found) else None
