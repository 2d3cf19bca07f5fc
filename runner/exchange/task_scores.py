"""From the published scores of splits and subsets to those of tasks: what each model has of what a report asks for.

A task's score is the mean over its splits' subsets, as in a report; one that lacks some of them is not a score. Means
are of whole millionths and rounded to one, half up: whoever adds up the same scores gets the same ties.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from embedmark.runner.report.rows import TaskRow, leaves
from embedmark.runner.report.versions import Slot

if TYPE_CHECKING:
    import polars as pl

Revisions: TypeAlias = Literal["one", "joined"]
"""Which revisions of a model count. one: the preferred one, else that with most tasks, and no other. joined: what it
lacks is filled in, a whole task at a time, from the others, as the field's leaderboard does; those with most published
scores come first, whatever the tasks asked for."""

UNNAMED = ("external", "no_revision_available")
"""What stands for the revision of scores that do not tell theirs, such as those of model cards."""

SCALE = 1_000_000
"""Scores are counted in millionths."""

Leaf: TypeAlias = tuple[str, tuple[Slot, ...]]
"""A task that is measured, with the splits and subsets that its score is the mean of."""


@dataclass(frozen=True)
class Scored:
    """What a model has.

    Args:
        revisions: Those that its scores are of, the one that decides first; several where they were joined.
        scores: By task; tasks that lack something are left out.
        of: By task the revision that its score is of.
    """

    revisions: tuple[str, ...]
    scores: Mapping[str, float]
    of: Mapping[str, str]


@dataclass(frozen=True)
class LeafScores:
    """Scores of what tasks are made of, collected once for any number of benchmarks.

    Args:
        numbers: Leaf → its number. Leaves of a thousand subsets take long to look up.
        scores: Model → revision → number of a leaf → the mean of its splits and subsets, in millionths.
        sizes: Model → revision → how many scores of any task are published of it.
    """

    numbers: Mapping[Leaf, int]
    scores: Mapping[str, Mapping[str, Mapping[int, int]]]
    sizes: Mapping[str, Mapping[str, int]]

    def of_tasks(
        self, tasks: Sequence[TaskRow], preferred: Mapping[str, str], revisions: Revisions = "one"
    ) -> dict[str, Scored]:
        """Compute the scores of tasks, as `scores_of_tasks` does."""
        found: dict[str, Scored] = {}
        parts = [(task.name, _parts(task, self.numbers)) for task in tasks]
        for model in sorted(self.scores):
            of_model: dict[str, dict[str, int]] = {}
            for revision, scores in self.scores[model].items():
                of_tasks = {name: score for name, part in parts if (score := _score(part, scores)) is not None}
                if of_tasks:
                    of_model[revision] = of_tasks
            if of_model:
                found[model] = _chosen(
                    of_model, self.order(model, preferred.get(model)), preferred.get(model), revisions
                )
        return found

    def order(self, model: str, preferred: str | None) -> list[str]:
        """Return a model's revisions, the one that counts before others first."""
        sizes = self.sizes[model]
        return sorted(sizes, key=lambda name: (name != preferred, name in UNNAMED, -sizes[name], name))


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
    return leaf_scores(cells, leaves(tasks)).of_tasks(tasks, preferred, revisions)


def defined(cells: pl.LazyFrame) -> pl.LazyFrame:
    """Keep the scores that are numbers."""
    import polars as pl

    return cells.filter(pl.col("main_score").is_not_null() & pl.col("main_score").is_not_nan())


def in_millionths() -> pl.Expr:
    """Return scores in millionths: a column of whole numbers from `main_score`."""
    import polars as pl

    return (pl.col("main_score") * SCALE).round(mode="half_to_even").cast(pl.Int64)


def leaf_of(task: TaskRow) -> Leaf:
    """Return what a task without members is known by."""
    return (task.name, task.slots)


def mean_of_whole(total: int, n: int) -> int:
    """Return the mean of n whole numbers of a total, rounded to a whole one, half up."""
    return (2 * total + n) // (2 * n)


_Parts: TypeAlias = "int | list[_Parts]"
"""The number of a leaf, or what a task is the mean of."""


def _parts(task: TaskRow, numbers: Mapping[Leaf, int]) -> _Parts:
    return [_parts(member, numbers) for member in task.members] if task.members else numbers[leaf_of(task)]


def leaf_scores(cells: pl.LazyFrame, tasks: Iterable[TaskRow]) -> LeafScores:
    """Collect the scores of tasks without members, of all their splits and subsets.

    Args:
        cells: As of `scores_of_tasks`.
        tasks: Each as often as it likes.
    """
    import polars as pl

    wanted_leaves = list(dict.fromkeys(map(leaf_of, tasks)))
    wanted = [
        (number, len(slots), name, split, subset)
        for number, (name, slots) in enumerate(wanted_leaves)
        for split, subset in slots
    ]
    columns = {"leaf": pl.Int32, "needed": pl.UInt32, "task": pl.String, "split": pl.String, "subset": pl.String}
    asked = pl.LazyFrame(wanted, schema=columns, orient="row")
    there = defined(cells)
    names = ("model", "revision", "task", "split", "subset")
    means = (
        # Few of the tasks that anybody published are asked for: the names of the others are not made text of.
        there.filter(pl.col("task").cast(pl.String).is_in(sorted({name for name, _ in wanted_leaves})))
        .select(*(pl.col(name).cast(pl.String) for name in names), in_millionths().alias("score"))
        .join(asked, on=["task", "split", "subset"])
        .group_by("model", "revision", "leaf", "needed")
        .agg(pl.col("score").sum(), pl.len())
        .filter(pl.col("len") == pl.col("needed"))
        .select(
            "model", "revision", "leaf", ((2 * pl.col("score") + pl.col("len")) // (2 * pl.col("len"))).alias("score")
        )
    )
    counted = there.group_by(pl.col("model").cast(pl.String), pl.col("revision").cast(pl.String)).len()
    of_leaves, of_revisions = pl.collect_all([means, counted])
    found: dict[str, dict[str, dict[int, int]]] = {}
    for model, revision, leaf, score in of_leaves.iter_rows():
        found.setdefault(model, {}).setdefault(revision, {})[leaf] = score
    sizes: dict[str, dict[str, int]] = {}
    for model, revision, size in of_revisions.iter_rows():
        sizes.setdefault(model, {})[revision] = size
    return LeafScores({leaf: number for number, leaf in enumerate(wanted_leaves)}, found, sizes)


def _score(parts: _Parts, of_leaves: Mapping[int, int]) -> int | None:
    if isinstance(parts, int):
        return of_leaves.get(parts)
    found = [_score(part, of_leaves) for part in parts]
    told = [score for score in found if score is not None]
    return mean_of_whole(sum(told), len(told)) if len(told) == len(found) else None


def _chosen(
    found: Mapping[str, Mapping[str, int]], order: Sequence[str], preferred: str | None, revisions: Revisions
) -> Scored:
    if revisions == "one":
        best = preferred if preferred in found else max(found, key=lambda name: (len(found[name]), name))
        assert best is not None
        order = [best]
    scores: dict[str, float] = {}
    of: dict[str, str] = {}
    for name in order:
        for task, score in found.get(name, {}).items():
            if task not in of:
                scores[task], of[task] = score / SCALE, name
    return Scored(tuple(dict.fromkeys(name for name in order if name in {*of.values()})), scores, of)
