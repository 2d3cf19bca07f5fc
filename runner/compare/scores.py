"""The scores of one model, each with its interval, and their mean with both: `report --intervals`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from embedmark.runner.compare.families import family_numbers
from embedmark.runner.compare.samples import interval_of
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.report.aggregate import Aggregate, Column
from embedmark.runner.report.rows import TaskRow
from embedmark.runner.results.record import Record
from embedmark.runner.stats.intervals import Interval, NoInterval
from embedmark.runner.stats.means import MeanOfTasks, mean_of_tasks


@dataclass(frozen=True)
class Scored:
    """A task's score with its interval, or why it has none."""

    task: str
    metric: str
    score: float
    interval: Interval | NoInterval


@dataclass(frozen=True)
class ModelScores:
    """A model's scores, and their mean where means count more than one of them.

    Args:
        model: Its label in the report.
        tasks: Those that are done, in the report's order.
        mean: Over the tasks that means count; None where there are fewer than two, or some are missing.
        n_families: How many families those tasks are of.
        without: Tasks that have no interval, which keep the mean from having one as the benchmark is.
    """

    model: str
    tasks: tuple[Scored, ...]
    mean: MeanOfTasks | None
    n_families: int
    without: tuple[str, ...]


def scores_of(made: Aggregate, catalogue: Catalogue, level: float) -> list[ModelScores]:
    """Compute the intervals of every score of a report."""
    return [_of_column(made, column, catalogue, level) for column in made.columns]


def _of_column(made: Aggregate, column: Column, catalogue: Catalogue, level: float) -> ModelScores:
    done = [row for row in made.tasks if column.cells[row.label].status == "done"]
    scored = {row.label: _scored(row, column, level) for row in done}
    counted = [row for row in done if row.in_mean]
    mean, n_families = None, 0
    if len(counted) > 1 and column.mean_task is not None:
        numbers = family_numbers([row.name for row in counted], catalogue)
        n_families = len(set(numbers))
        of_rows = [scored[row.label] for row in counted]
        scores = [one.score for one in of_rows]
        mean = _within(mean_of_tasks(scores, numbers, [_error(one) for one in of_rows], level), scores)
    without = tuple(row.label for row in counted if isinstance(scored[row.label].interval, NoInterval))
    return ModelScores(column.label, tuple(scored.values()), mean, n_families, without)


def _within(mean: MeanOfTasks, scores: Sequence[float]) -> MeanOfTasks:
    """Ends of an interval beyond 0 and 1 are cut off where every score lies between them: no mean can lie there."""
    if mean.like_these is None or not all(0 <= score <= 1 for score in scores):
        return mean
    low, high = mean.like_these
    return replace(mean, like_these=(max(low, 0.0), min(high, 1.0)))


def _scored(row: TaskRow, column: Column, level: float) -> Scored:
    cell = column.cells[row.label]
    facts = cell.records[0].facts
    assert isinstance(facts, Record)
    assert cell.score is not None
    return Scored(row.label, facts.main_metric, cell.score, interval_of(row, cell, level))


def _error(one: Scored) -> float | None:
    return one.interval.spread.se if isinstance(one.interval, Interval) else None
