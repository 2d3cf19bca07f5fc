"""From the published scores of splits and subsets to those of tasks: what each model has of what a report asks for.

A task's score is the mean over its splits' subsets, as in a report; one that lacks some of them is not a score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Literal, TypeAlias

from embedmark.runner.report.rows import TaskRow, leaves
from embedmark.runner.report.versions import Slot

if TYPE_CHECKING:
    import polars as pl

Revisions: TypeAlias = Literal["one", "joined"]
"""Which revisions of a model count. one: the preferred one, else that with most tasks, and no other. joined: what it
lacks is filled in, a whole task at a time, from the others, as the field's leaderboard does."""

UNNAMED = ("external", "no_revision_available")
"""What stands for the revision of scores that do not tell theirs, such as those of model cards."""


@dataclass(frozen=True)
class Scored:
    """What a model has.

    Args:
        revisions: Those that its scores are of, the one that decides first; several where they were joined.
        scores: By task; tasks that lack something are left out.
    """

    revisions: tuple[str, ...]
    scores: Mapping[str, float]


def scores_of_tasks(
    cells: pl.LazyFrame, tasks: Sequence[TaskRow], preferred: Mapping[str, str], revisions: Revisions = "one"
) -> dict[str, Scored]:
    """Compute the scores of tasks.

    Args:
        cells: model, revision, task, split, subset and main_score, each cell once.
        tasks: With the splits and subsets, or the member tasks, that their scores are the mean of; each by its name.
        preferred: Model → the revision that counts before others, where it has any score.
        revisions: Which of a model count.

    Returns:
        By model, as `cells` names it, in the order of names. A task is of one revision even where they are joined.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    numbers = {leaf: number for number, leaf in enumerate(dict.fromkeys(map(_leaf, leaves(tasks))))}
    parts = {task.name: _parts(task, numbers) for task in tasks}
    for model, of_model in _leaf_scores(cells, list(numbers)).items():
        for revision, scores in of_model.items():
            of_tasks = {name: score for name, part in parts.items() if (score := _score(part, scores)) is not None}
            if of_tasks:
                found.setdefault(model, {})[revision] = of_tasks
    return {model: _chosen(found[model], preferred.get(model), revisions) for model in sorted(found)}


_Leaf: TypeAlias = tuple[str, tuple[Slot, ...]]
_Parts: TypeAlias = "int | list[_Parts]"
"""A leaf by its number, or what a task is the mean of."""


def _leaf(task: TaskRow) -> _Leaf:
    return (task.name, task.slots)


def _parts(task: TaskRow, numbers: Mapping[_Leaf, int]) -> _Parts:
    return [_parts(member, numbers) for member in task.members] if task.members else numbers[_leaf(task)]


def _leaf_scores(cells: pl.LazyFrame, wanted_leaves: Sequence[_Leaf]) -> dict[str, dict[str, dict[int, float]]]:
    """Model → revision → the number of a leaf → its score, where it has all that the leaf is the mean of."""
    import polars as pl

    wanted = [
        (number, len(slots), name, split, subset)
        for number, (name, slots) in enumerate(wanted_leaves)
        for split, subset in slots
    ]
    columns = {"leaf": pl.Int32, "needed": pl.UInt32, "task": pl.String, "split": pl.String, "subset": pl.String}
    asked = pl.LazyFrame(wanted, schema=columns, orient="row")
    names = ("model", "revision", "task", "split", "subset")
    means = (
        # Few of the tasks that anybody published are asked for: the names of the others are not made text of.
        cells.filter(pl.col("task").cast(pl.String).is_in(sorted({name for name, _ in wanted_leaves})))
        .select(*(pl.col(name).cast(pl.String) for name in names), pl.col("main_score").fill_nan(None))
        .drop_nulls("main_score")
        .join(asked, on=["task", "split", "subset"])
        .group_by("model", "revision", "leaf", "needed")
        .agg(pl.col("main_score").sort().mean(), pl.len())
        .filter(pl.col("len") == pl.col("needed"))
        .select("model", "revision", "leaf", "main_score")
        .collect()
    )
    found: dict[str, dict[str, dict[int, float]]] = {}
    for model, revision, leaf, score in means.iter_rows():
        found.setdefault(model, {}).setdefault(revision, {})[leaf] = score
    return found


def _score(parts: _Parts, of_leaves: Mapping[int, float]) -> float | None:
    if isinstance(parts, int):
        return of_leaves.get(parts)
    found = [_score(part, of_leaves) for part in parts]
    told = [score for score in found if score is not None]
    return fmean(told) if len(told) == len(found) else None


def _chosen(found: Mapping[str, Mapping[str, float]], preferred: str | None, revisions: Revisions) -> Scored:
    order = sorted(found, key=lambda name: (name != preferred, name in UNNAMED, -len(found[name]), name))
    if revisions == "one":
        best = order[0] if order[0] == preferred else max(order, key=lambda name: (len(found[name]), name))
        return Scored((best,), found[best])
    scores: dict[str, float] = {}
    used = []
    for name in order:
        new = {task: score for task, score in found[name].items() if task not in scores}
        if new:
            scores |= new
            used.append(name)
    return Scored(tuple(used), scores)
