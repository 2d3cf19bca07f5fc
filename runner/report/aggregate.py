"""From the scores of jobs to the scores of tasks and models.

A task's score is the mean over the main scores of its splits' subsets; an aggregate task's the mean over its members.
Mean (Task) is the mean over tasks, Mean (TaskType) the mean over types of the mean over a type's tasks. A mean is
only given where every score that it needs is there: a model that lacks a task has no mean, and says which it lacks.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Literal, TypeVar

from runner.config.catalogue import Catalogue, task_type
from runner.config.schema import BenchmarkConfig, BenchmarkTask, TaskGroup
from runner.report.variants import labels
from runner.results.collect import Collected, Kept
from runner.results.record import Record
from tasks.types import task_types

Status = Literal["done", "missing", "incomplete", "failed", "undefined"]
"""incomplete: some subsets are there and others not. undefined: all are there, and the score is NaN."""

Slot = tuple[str, str]
"""Split and subset."""


@dataclass(frozen=True)
class Wanted:
    """A row of the report: a task with the splits and subsets that its score is the mean of, or its member tasks."""

    name: str
    type: str
    slots: tuple[Slot, ...] = ()
    members: tuple[Wanted, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One model on one task. score: on the metric's own scale; None unless the status is done."""

    status: Status
    score: float | None = None
    detail: str = ""


@dataclass(frozen=True)
class Column:
    """One model: its cell of each task, and the means.

    distinction: what tells it from the other variants of its name, empty where there are none.
    """

    distinction: str
    model: str
    revision: str | None
    variant: str
    cells: Mapping[str, Cell]
    type_means: Mapping[str, float | None]
    mean_task: float | None
    mean_type: float | None

    @property
    def label(self) -> str:
        """Its name, and what distinguishes it."""
        return f"{self.model} ({self.distinction})" if self.distinction else self.model

    @property
    def short(self) -> str:
        """What distinguishes it, or its name without its owner."""
        return self.distinction or self.model.rpartition("/")[2]

    @property
    def lacking(self) -> list[str]:
        """The tasks that keep this model from having a mean, with the reason."""
        return [f"{task} ({cell.detail})" for task, cell in self.cells.items() if cell.status != "done"]

    @property
    def n_done(self) -> int:
        """How many tasks have a score."""
        return sum(cell.status == "done" for cell in self.cells.values())


@dataclass(frozen=True)
class Aggregate:
    """A whole report: rows by type, then name; columns by Mean (Task), best first, those without one last."""

    title: str
    tasks: tuple[Wanted, ...]
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()

    @property
    def types(self) -> dict[str, list[Wanted]]:
        """The rows of each type."""
        return _grouped((task.type, task) for task in self.tasks)


@dataclass
class _Model:
    """What is known of one variant of a model, by task, split and subset."""

    name: str
    revision: str | None
    variant: str
    identity: Mapping[str, Any]
    scores: dict[str, dict[Slot, Kept]] = field(default_factory=lambda: defaultdict(dict))
    failed: dict[str, dict[Slot, Kept]] = field(default_factory=lambda: defaultdict(dict))


def aggregate(collected: Collected, title: str = "", tasks: Sequence[Wanted] | None = None) -> Aggregate:
    """Task scores and means of every model. tasks: the rows; by default every task that any model was measured on."""
    models, notes = _by_model(collected)
    rows = sorted(_seen(models) if tasks is None else tasks, key=lambda task: (task.type, task.name.casefold()))
    told_apart = _distinctions(models)
    columns = [_column(model, rows, told_apart[model.variant]) for model in models]
    if tasks is not None:
        columns = [column for column in columns if any(cell.status != "missing" for cell in column.cells.values())]
    columns.sort(key=_best_first)
    return Aggregate(title, tuple(rows), tuple(columns), tuple(notes))


def of_benchmark(benchmark: BenchmarkConfig, catalogue: Catalogue) -> list[Wanted]:
    """The rows that a benchmark asks for. Raises UserError when a task of it is not known."""
    return [_wanted(task, catalogue) for task in benchmark.tasks]


def _wanted(asked: BenchmarkTask, catalogue: Catalogue) -> Wanted:
    task = catalogue.task(asked.name)
    label = task_type(task, f"task {task.name}").label
    splits = asked.splits or task.splits
    if isinstance(task.dataset, TaskGroup):
        members = [_wanted(BenchmarkTask(name=name, splits=splits), catalogue) for name in task.dataset.tasks]
        return Wanted(task.name, label, members=tuple(members))
    subsets = asked.subsets if asked.subsets is not None else tuple(task.subsets)
    return Wanted(task.name, label, tuple((split, subset) for split in splits for subset in subsets))


def _by_model(collected: Collected) -> tuple[list[_Model], list[str]]:
    models: dict[tuple[str, str], _Model] = {}
    older: dict[str, int] = defaultdict(int)
    for kept in (*collected.records, *collected.failures):
        facts, job = kept.facts, kept.facts.job
        model = models.setdefault(
            (job.model, kept.variant), _Model(job.model, job.model_revision, kept.variant, kept.model)
        )
        slots = (model.scores if isinstance(facts, Record) else model.failed)[job.task]
        slot = (job.split, job.subset)
        if slot in slots:
            older[job.task] += 1
        if slot not in slots or _when(kept) > _when(slots[slot]):
            slots[slot] = kept
    notes = [
        f"{task}: {count} older {'result' if count == 1 else 'results'} of another identity left out; "
        "`why` shows what differs"
        for task, count in sorted(older.items())
    ]
    return list(models.values()), notes


def _distinctions(models: Sequence[_Model]) -> dict[str, str]:
    """Variant → what tells it from the others of its name."""
    found: dict[str, str] = {}
    for same in _grouped((model.name, model) for model in models).values():
        found |= zip((model.variant for model in same), labels([model.identity for model in same]), strict=True)
    return found


def _when(kept: Kept) -> float:
    facts = kept.facts
    return (facts.finished_at if isinstance(facts, Record) else facts.when).timestamp()


def _seen(models: Iterable[_Model]) -> list[Wanted]:
    """Every task on record; its slots are those of any model, so that all models are compared on the same."""
    types: dict[str, str] = {}
    slots: dict[str, set[Slot]] = defaultdict(set)
    known = task_types()
    for model in models:
        for by_task in (model.failed, model.scores):
            for task, kept in by_task.items():
                slots[task] |= set(kept)
                kind = next(iter(kept.values())).facts.job.type
                types[task] = known[kind].label if kind in known else kind
    return [Wanted(task, types[task], tuple(sorted(slots[task]))) for task in slots]


def _column(model: _Model, rows: Sequence[Wanted], distinction: str) -> Column:
    cells = {task.name: _cell(model, task) for task in rows}
    by_type = _grouped((task.type, cells[task.name].score) for task in rows)
    type_means = {kind: _mean(scores) for kind, scores in by_type.items()}
    return Column(
        distinction=distinction,
        model=model.name,
        revision=model.revision,
        variant=model.variant,
        cells=cells,
        type_means=type_means,
        mean_task=_mean([cell.score for cell in cells.values()]),
        mean_type=_mean(list(type_means.values())),
    )


def _cell(model: _Model, task: Wanted) -> Cell:
    if task.members:
        return _member_cell([_cell(model, member) for member in task.members], task)
    there, failed = model.scores.get(task.name, {}), model.failed.get(task.name, {})
    scores = [there[slot].facts.main_score for slot in task.slots if slot in there]  # type: ignore[union-attr]
    if len(scores) == len(task.slots):
        return _scored(scores)
    if any(slot in failed and slot not in there for slot in task.slots):
        return Cell("failed", detail=f"failed; {len(scores)} of {len(task.slots)} done")
    if scores:
        return Cell("incomplete", detail=f"{len(scores)} of {len(task.slots)} done")
    return Cell("missing", detail="missing")


def _member_cell(cells: Sequence[Cell], task: Wanted) -> Cell:
    found = {cell.status for cell in cells}
    scores = [cell.score for cell in cells if cell.score is not None]
    worst = next((status for status in _WORST if status in found), None)
    if worst is None:
        return _scored(scores)
    if worst == "missing" and not scores:
        return Cell("missing", detail="missing")
    status: Status = "incomplete" if worst == "missing" else worst
    return Cell(status, detail=f"{status}; {len(scores)} of {len(task.members)} tasks done")


_WORST: tuple[Status, ...] = ("failed", "incomplete", "missing", "undefined")


def _scored(scores: Sequence[float]) -> Cell:
    score = fmean(scores) if scores else math.nan
    return Cell("undefined", detail="undefined") if math.isnan(score) else Cell("done", score)


def _mean(scores: Sequence[float | None]) -> float | None:
    there = [score for score in scores if score is not None]
    return fmean(there) if scores and len(there) == len(scores) else None


def _best_first(column: Column) -> tuple[bool, float, int, str]:
    return (column.mean_task is None, -(column.mean_task or 0.0), -column.n_done, column.label.casefold())


Key = TypeVar("Key")
Value = TypeVar("Value")


def _grouped(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, list[Value]]:
    groups: dict[Key, list[Value]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
