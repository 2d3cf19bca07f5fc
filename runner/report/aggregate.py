"""From the scores of jobs to the scores of tasks and models.

A task's score is the mean over the main scores of its splits' subsets; an aggregate task's the mean over its members.
Mean (Task) is the mean over tasks, Mean (TaskType) the mean over types of the mean over a type's tasks. A mean is
only given where every score that it needs is there: a model that lacks a task has no mean, and says which it lacks.
All that a mean counts is of one version of each task, the same for all models (see versions.py).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean
from typing import Any, Literal, TypeAlias

from embedmark.runner.common.groups import grouped
from embedmark.runner.common.text import shortened
from embedmark.runner.config.schema import RankedBy
from embedmark.runner.report.older import outdated_model
from embedmark.runner.report.rows import TaskRow
from embedmark.runner.report.variants import labels
from embedmark.runner.report.versions import Slot, slot_of, what_differs
from embedmark.runner.results.collect import Collected, Kept
from embedmark.runner.results.record import Failure, Record

Status = Literal["done", "missing", "incomplete", "failed", "stale", "undefined"]
"""incomplete: some subsets are there and others not. stale: there, but of another version of the task than the row.
undefined: all are there, and the score is NaN."""


@dataclass(frozen=True)
class Cell:
    """One model on one task. score: on the metric's own scale; None unless the status is done.

    records: those that count; detail: why there is no score.
    """

    status: Status
    score: float | None = None
    detail: str = ""
    records: tuple[Kept, ...] = ()


@dataclass(frozen=True)
class Column:
    """One model: its cell of each task, by the label of the row, and the means.

    distinction: what tells it from the other variants of its name, empty where there are none. content: the hash of its
    files, where no revision names them. old: whether a change
    of version made it old. lacking: the tasks that keep it from having a mean, with the reason. n_done: of how many
    tasks that means count it has a score.
    """

    distinction: str
    model: str
    revision: str | None
    content: str | None
    variant: str
    old: bool
    cells: Mapping[str, Cell]
    type_means: Mapping[str, float | None]
    mean_task: float | None
    mean_type: float | None
    lacking: tuple[str, ...]
    n_done: int

    @property
    def label(self) -> str:
        """Its name, and what distinguishes it."""
        return f"{self.model} ({self._words})" if self._words else self.model

    @property
    def short(self) -> str:
        """Its label, without its owner."""
        name = self.model.rpartition("/")[2]
        return f"{name} ({self._words})" if self._words else name

    @property
    def among_its_variants(self) -> str:
        """What distinguishes it where all columns are of one name."""
        return self._words or self.short

    @property
    def _words(self) -> str:
        if not self.old:
            return self.distinction
        return f"old: {self.distinction}" if self.distinction else "old"


@dataclass(frozen=True)
class Aggregate:
    """A whole report: rows by type, then name; columns by a mean, best first, those without one last.

    ranked_by: the rule of the benchmark; columns stand by the mean over types where that is "type", else over tasks.
    """

    title: str
    tasks: tuple[TaskRow, ...]
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()
    ranked_by: RankedBy = "borda"

    @property
    def types(self) -> dict[str, list[TaskRow]]:
        """The rows of each type."""
        return grouped((task.type, task) for task in self.tasks)

    @property
    def n_tasks(self) -> int:
        """How many tasks means count."""
        return sum(task.in_mean for task in self.tasks)


PresentModel: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


@dataclass
class _Model:
    """What is known of one variant of a model, by task and slot, the newest first."""

    name: str
    revision: str | None
    variant: str
    identity: Mapping[str, Any]
    records: dict[str, dict[Slot, list[Kept]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    failures: dict[str, dict[Slot, list[Kept]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))


def aggregate(
    collected: Collected,
    rows: Sequence[TaskRow],
    title: str = "",
    present: PresentModel = lambda _: None,
    ranked_by: RankedBy = "borda",
) -> Aggregate:
    """Compute task scores and means of every model that has anything to do with one of the rows.

    present: a model's identity → that of its name in the present configs, if they have one; columns say what differs.
    ranked_by: the rule of the benchmark.
    """
    models = _by_model(collected)
    rows = sorted(rows, key=lambda row: (row.type, row.name.casefold(), not row.in_mean))
    distinctions = _distinctions(models, present)
    columns = [_column(model, rows, distinctions[model.variant]) for model in models]
    columns = [column for column in columns if any(cell.status != "missing" for cell in column.cells.values())]
    columns.sort(key=_by_type if ranked_by == "type" else _by_task)
    notes = (*_version_notes(rows), *_failure_notes(models, rows))
    return Aggregate(title, tuple(rows), tuple(columns), notes, ranked_by)


def _by_model(collected: Collected) -> list[_Model]:
    models: dict[tuple[str, str], _Model] = {}
    kept_ones = sorted((*collected.records, *collected.failures), key=_newest, reverse=True)
    for kept in kept_ones:
        job = kept.facts.job
        model = models.setdefault(
            (job.model, kept.variant), _Model(job.model, job.model_revision, kept.variant, kept.model)
        )
        (model.records if isinstance(kept.facts, Record) else model.failures)[job.task][slot_of(kept)].append(kept)
    return list(models.values())


def _newest(kept: Kept) -> tuple[datetime, str]:
    return kept.when, kept.facts.fingerprint


def _distinctions(models: Sequence[_Model], present: PresentModel) -> dict[str, str]:
    """Variant → what tells it from the others of its name, and from the model of that name in the present configs."""
    found: dict[str, str] = {}
    for same in grouped((model.name, model) for model in models).values():
        same = sorted(same, key=lambda model: model.variant)
        identities = [model.identity for model in same]
        configured = present(identities[0])
        if configured is not None and configured not in identities:
            identities.append(configured)
        found |= zip((model.variant for model in same), labels(identities), strict=False)
    return found


def _column(model: _Model, rows: Sequence[TaskRow], distinction: str) -> Column:
    cells = {row.label: _cell(model, row) for row in rows}
    counted = [row for row in rows if row.in_mean]
    by_type = grouped((row.type, cells[row.label].score) for row in counted)
    type_means = {kind: _mean(by_type.get(kind, ())) for kind in dict.fromkeys(row.type for row in rows)}
    return Column(
        distinction=distinction,
        model=model.name,
        revision=model.revision,
        content=model.identity.get("content"),
        variant=model.variant,
        old=bool(outdated_model(model.identity)),
        cells=cells,
        type_means=type_means,
        mean_task=_mean([cells[row.label].score for row in counted]),
        mean_type=_mean([type_means[kind] for kind in by_type]),
        lacking=tuple(f"{row.label} ({cell.detail})" for row in counted if (cell := cells[row.label]).status != "done"),
        n_done=sum(cells[row.label].status == "done" for row in counted),
    )


def _cell(model: _Model, row: TaskRow) -> Cell:
    if row.members:
        return _member_cell([_cell(model, member) for member in row.members], row)
    there: dict[Slot, Kept] = {}
    others: list[tuple[Slot, Kept]] = []
    on_record = model.records.get(row.name, {})
    for slot in row.slots:
        for kept in on_record.get(slot, ()):
            if row.version.has(kept):
                there.setdefault(slot, kept)
            else:
                others.append((slot, kept))
    records = tuple(there.values())
    if len(there) == len(row.slots):
        return _scored([_main_score(kept) for kept in records], records)
    counted = f"{len(there)} of {len(row.slots)} done"
    failures = model.failures.get(row.name, {})
    if any(row.failed_here(slot, kept) for slot in row.slots if slot not in there for kept in failures.get(slot, ())):
        return Cell("failed", None, f"failed; {counted}", records)
    lacking = [(slot, kept) for slot, kept in others if slot not in there]
    if lacking and row.present:
        slot, kept = lacking[0]
        words = what_differs(kept, row.identities.get(slot), row.version.samples.get(slot))
        return Cell("stale", None, f"stale: {words or 'another version'}; {counted}", records)
    elsewhere = ", measured in another version" if lacking else ""
    if there:
        return Cell("incomplete", None, f"{counted}{elsewhere}", records)
    return Cell("missing", None, f"missing{elsewhere}")


def _member_cell(cells: Sequence[Cell], row: TaskRow) -> Cell:
    found = {cell.status for cell in cells}
    scores = [cell.score for cell in cells if cell.score is not None]
    records = tuple(kept for cell in cells for kept in cell.records)
    worst = next((status for status in _WORST if status in found), None)
    if worst is None:
        return _scored(scores, records)
    if worst == "missing" and not scores:
        return Cell("missing", detail="missing")
    status: Status = "incomplete" if worst == "missing" else worst
    return Cell(status, None, f"{status}; {len(scores)} of {len(row.members)} tasks done", records)


_WORST: tuple[Status, ...] = ("failed", "stale", "incomplete", "missing", "undefined")


def _main_score(kept: Kept) -> float:
    assert isinstance(kept.facts, Record)
    return kept.facts.main_score


def _scored(scores: Sequence[float], records: tuple[Kept, ...]) -> Cell:
    score = fmean(scores) if scores else math.nan
    if math.isnan(score):
        return Cell("undefined", None, "undefined", records)
    return Cell("done", score, "", records)


def _mean(scores: Sequence[float | None]) -> float | None:
    there = [score for score in scores if score is not None]
    return fmean(there) if scores and len(there) == len(scores) else None


def _by_task(column: Column) -> tuple[bool, float, int, str]:
    return _best_first(column, column.mean_task)


def _by_type(column: Column) -> tuple[bool, float, int, str]:
    return _best_first(column, column.mean_type)


def _best_first(column: Column, mean: float | None) -> tuple[bool, float, int, str]:
    return (mean is None, -(mean or 0.0), -column.n_done, column.label.casefold())


def _version_notes(rows: Sequence[TaskRow]) -> list[str]:
    """The tasks of which there are several versions, and which of them means count."""
    names = grouped((row.name, row) for row in rows)
    return [
        f"{name} is on record in {len(same)} versions, which cannot be compared; means count "
        f"{next(row.label for row in same if row.in_mean)} alone"
        for name, same in names.items()
        if len(same) > 1
    ]


def _failure_notes(models: Sequence[_Model], rows: Sequence[TaskRow], shown: int = 5) -> list[str]:
    """Failures that are in no cell, since nobody has a score of what they were to measure: they spoil no mean."""
    if any(row.present for row in rows):
        return []
    notes = [
        f"failed, and not counted: {kept.facts.job.name}, {model.name}: {_reason(kept)}"
        for model in models
        for task, slots in model.failures.items()
        for slot, (kept, *_) in slots.items()
        if slot not in model.records.get(task, {})
        and not any(row.name == task and slot in row.slots and row.failed_here(slot, kept) for row in rows)
    ]
    more = [f"and {len(notes) - shown} more failures that are not counted; `forget --failed` clears them"]
    return [*sorted(notes)[:shown], *(more if len(notes) > shown else [])]


def _reason(kept: Kept) -> str:
    assert isinstance(kept.facts, Failure)
    said = " ".join(kept.facts.message.split()).removeprefix(f"task {kept.facts.job.task}: ")
    return shortened(said, 300) or kept.facts.error_class
