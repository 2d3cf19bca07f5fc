"""Where one's own models stand among those whose scores were published, on the tasks of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from embedmark.runner.exchange import snapshot
from embedmark.runner.exchange.task_scores import scores_of_tasks
from embedmark.runner.report.aggregate import Aggregate


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
    model one counts: the one that the field's metadata names, else the one with most tasks.
    """
    tasks = [task for task in made.tasks if task.in_mean]
    found = scores_of_tasks(snapshot.scores(), tasks, snapshot.revisions())
    means = {model: fmean(one.scores.values()) for model, one in found.items() if len(one.scores) == len(tasks)}
    places = [
        _place(column.label, column.mean_task, {name: mean for name, mean in means.items() if name != column.model})
        for column in made.columns
        if column.mean_task is not None
    ]
    return Field(tuple(places), len(tasks), len(found) - len(means))


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
