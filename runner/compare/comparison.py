"""Two models or more, task by task on the same items, and over all tasks: better, worse, or cannot tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np

from embedmark.runner.common.errors import UserError
from embedmark.runner.compare.families import family_numbers
from embedmark.runner.compare.samples import LOWER_IS_BETTER, gain, shared_rows, weighted
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.report.aggregate import Aggregate, Cell, Column
from embedmark.runner.report.rows import TaskRow
from embedmark.runner.results.record import Record
from embedmark.runner.stats import paired
from embedmark.runner.stats.checked_items import NoSampleError
from embedmark.runner.stats.intervals import LEVEL, NoInterval
from embedmark.runner.stats.means import MeanOfTasks, mean_of_tasks
from embedmark.runner.stats.paired import Paired, Verdict
from embedmark.runner.stats.sample import DifferentUnitsError

Adjust: TypeAlias = Literal["holm", "bh"]

_ADJUST = {"holm": paired.holm, "bh": paired.benjamini_hochberg}


@dataclass(frozen=True)
class Asked:
    """How models are compared.

    Args:
        level: The coverage of intervals; verdicts claim at 1 less this.
        test: "t", or "permutation" of the signs of clusters.
        adjust: "holm" bounds the chance of any false claim, "bh" the expected share of false claims.
    """

    level: float = LEVEL
    test: paired.Test = "t"
    adjust: Adjust = "holm"


@dataclass(frozen=True)
class TaskComparison:
    """One task, of one model against another.

    Args:
        task: Its label in the report.
        name: Without what tells its versions apart.
        type: What the field calls its type.
        metric: The main metric.
        a: The first model's score.
        b: The second's.
        paired: How much better the first is, on the same items; a reason where the items give no answer.
        p: Adjusted for all tasks and pairs of models that are compared at once; None where there is no test.
        verdict: Of the first model against the second; None where no test is possible.
    """

    task: str
    name: str
    type: str
    metric: str
    a: float
    b: float
    paired: Paired | NoInterval
    p: float | None = None
    verdict: Verdict | None = None

    @property
    def difference(self) -> float:
        """How much better the first is, on the metric's scale: turned round where less is better."""
        return self.b - self.a if self.metric in LOWER_IS_BETTER else self.a - self.b


@dataclass(frozen=True)
class Overall:
    """The mean of the differences of all tasks.

    Args:
        a: The first model's mean.
        b: The second's.
        mean: The mean difference with both intervals.
        n_families: How many families of tasks.
        as_it_is: The verdict for these tasks with new items; None where a task has no test.
        p_as_it_is: Of it, adjusted for all pairs of models that are compared at once.
        like_these: The verdict for tasks like these; None below three families.
        p_like_these: Of it, adjusted likewise.
        families_needed: How many families would decide the difference, if it stays; None where no number in reach
            would, or it is decided.
    """

    a: float
    b: float
    mean: MeanOfTasks
    n_families: int
    as_it_is: Verdict | None
    p_as_it_is: float | None
    like_these: Verdict | None
    p_like_these: float | None
    families_needed: int | None


@dataclass(frozen=True)
class Lacking:
    """A task that is left out, since a model lacks it, or some of its splits and subsets; and why it does."""

    task: str
    model: str
    why: str


@dataclass(frozen=True)
class Comparison:
    """One model against another.

    Args:
        a: The first model's label.
        b: The second's.
        tasks: Those that both have, in the report's order.
        overall: Over these; None for a single task.
        lacking: Tasks that are left out, of which at least one of the two has something.
    """

    a: str
    b: str
    tasks: tuple[TaskComparison, ...]
    overall: Overall | None
    lacking: tuple[Lacking, ...]


def compare(made: Aggregate, columns: Sequence[Column], catalogue: Catalogue, asked: Asked) -> list[Comparison]:
    """Compare every pair of models on the tasks that both have.

    Args:
        made: A report that has them.
        columns: The models, each of which is compared with those after it.
        catalogue: Where the files of tasks are, which say what belongs to one family.
        asked: How.

    Raises:
        UserError: The two have no task in common, or were measured on different data.
    """
    found = [_pair(made, a, b, asked) for a, b in combinations(columns, 2)]
    tests = [(i, j) for i, pair in enumerate(found) for j, task in enumerate(pair.tasks) if task.p is not None]
    adjusted = _ADJUST[asked.adjust]([found[i].tasks[j].p or 0.0 for i, j in tests])
    by_place = dict(zip(tests, adjusted.tolist(), strict=True))
    judged = [
        replace(pair, tasks=tuple(_judged(task, by_place.get((i, j)), asked) for j, task in enumerate(pair.tasks)))
        for i, pair in enumerate(found)
    ]
    return with_overall(judged, catalogue, asked)


def _pair(made: Aggregate, a: Column, b: Column, asked: Asked) -> Comparison:
    both = shared_rows(made, (a, b))
    names = {row.name for row in both}
    others = [row for row in made.tasks if row.in_mean and row.name not in names]
    _refuse_other_data(made, a, b, others)
    if not both:
        raise UserError(f"{a.label} and {b.label} have no task in common: {_lacks(a, others)}; {_lacks(b, others)}")
    lacking = tuple(lack for row in others for lack in _lacking(row, a, b))
    tasks = tuple(_task(row, a.cells[row.label], b.cells[row.label], asked) for row in both)
    return Comparison(a.label, b.label, tasks, None, lacking)


def _lacking(row: TaskRow, a: Column, b: Column) -> Iterator[Lacking]:
    """Who lacks a task of which there is something; nothing where there is nothing of either."""
    cells = {column.label: column.cells[row.label] for column in (a, b)}
    if {cell.status for cell in cells.values()} == {"missing"}:
        return
    for label, cell in cells.items():
        if cell.status != "done":
            yield Lacking(row.label, label, cell.detail)


def _lacks(column: Column, rows: Sequence[TaskRow]) -> str:
    told = [f"{row.label} ({column.cells[row.label].detail})" for row in rows[:3] if column.cells[row.label].detail]
    return f"of {column.label} {', '.join(told)}" if told else f"{column.label} has all"


def _refuse_other_data(made: Aggregate, a: Column, b: Column, rows: Sequence[TaskRow]) -> None:
    """A task that both have, but on different data or settings, is no task that one of them lacks."""
    for row in rows:
        versions = [other for other in made.tasks if other.name == row.name]
        of_a, of_b = (
            next((version for version in versions if column.cells[version.label].status == "done"), None)
            for column in (a, b)
        )
        if of_a is None or of_b is None:
            continue
        one, other = a.cells[of_a.label].records[0], b.cells[of_b.label].records[0]
        raise UserError(
            f"{a.label} and {b.label} were measured on different versions of {row.name}: {of_a.label} and "
            f"{of_b.label}; `why {one.facts.fingerprint[:12]} {other.facts.fingerprint[:12]}` shows what differs. "
            "Run one of them again on the data of the other, or leave the task out with --task"
        )


def _task(row: TaskRow, a: Cell, b: Cell, asked: Asked) -> TaskComparison:
    facts = a.records[0].facts
    assert isinstance(facts, Record)
    assert a.score is not None
    assert b.score is not None
    found = _paired(row, a, b, asked)
    p = found.p if isinstance(found, Paired) else None
    return TaskComparison(row.label, row.name, row.type, facts.main_metric, a.score, b.score, found, p)


def _paired(row: TaskRow, a: Cell, b: Cell, asked: Asked) -> Paired | NoInterval:
    try:
        parts = [
            (of_a.weight, gain(of_a.kept), gain(of_b.kept))
            for of_a, of_b in zip(weighted(row, a), weighted(row, b), strict=True)
        ]
        return paired.compare(parts, asked.level, asked.test)
    except (NoSampleError, DifferentUnitsError) as error:
        return NoInterval(str(error))


def _judged(task: TaskComparison, p: float | None, asked: Asked) -> TaskComparison:
    if p is None:
        return task
    return replace(task, p=p, verdict=paired.verdict(task.difference, p, 1 - asked.level))


def with_overall(pairs: Sequence[Comparison], catalogue: Catalogue, asked: Asked) -> list[Comparison]:
    """Add what the mean over tasks says to pairs of more than one task; its p values are adjusted for all pairs."""
    found = [_overall(pair.tasks, catalogue, asked) if len(pair.tasks) > 1 else None for pair in pairs]
    as_it_is = _adjusted([one.p_as_it_is if one else None for one in found], asked)
    like_these = _adjusted([one.p_like_these if one else None for one in found], asked)
    return [
        replace(pair, overall=_overall_judged(one, items, tasks, asked) if one else None)
        for pair, one, items, tasks in zip(pairs, found, as_it_is, like_these, strict=True)
    ]


def _adjusted(p: Sequence[float | None], asked: Asked) -> list[float | None]:
    there = [value for value in p if value is not None]
    adjusted = iter(_ADJUST[asked.adjust](there).tolist())
    return [None if value is None else next(adjusted) for value in p]


def _overall(tasks: Sequence[TaskComparison], catalogue: Catalogue, asked: Asked) -> Overall:
    """The mean difference of tasks, before its p values are adjusted and judged."""
    families = family_numbers([task.name for task in tasks], catalogue)
    errors = [task.paired.spread.se if isinstance(task.paired, Paired) else None for task in tasks]
    mean = mean_of_tasks([task.difference for task in tasks], families, errors, asked.level)
    a, b = (float(np.mean(scores)) for scores in zip(*((task.a, task.b) for task in tasks), strict=True))
    return Overall(a, b, mean, mean.spread.n_clusters, None, mean.p_items, None, mean.p_tasks, None)


def _overall_judged(one: Overall, p_items: float | None, p_tasks: float | None, asked: Asked) -> Overall:
    value, alpha = one.mean.mean, 1 - asked.level
    as_it_is, like_these = (None if p is None else paired.verdict(value, p, alpha) for p in (p_items, p_tasks))
    needed = None
    if like_these == "cannot tell":
        needed = paired.units_needed(one.mean.spread.se, one.n_families, value)
    return replace(
        one, as_it_is=as_it_is, p_as_it_is=p_items, like_these=like_these, p_like_these=p_tasks, families_needed=needed
    )
