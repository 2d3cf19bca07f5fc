"""The rows of a report: tasks, each of one version, with the splits and subsets that its score is the mean of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from embedmark.runner.common.errors import JobError, UserError
from embedmark.runner.common.groups import grouped
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.checks import task_type
from embedmark.runner.config.identity import Pin, fingerprint_of_plain
from embedmark.runner.config.schema import BenchmarkConfig, BenchmarkTask, TaskGroup
from embedmark.runner.plan import TaskPart, asked_of_members, asked_slots, task_parts
from embedmark.runner.report.older import outdated_task
from embedmark.runner.report.variants import labels
from embedmark.runner.report.versions import Slot, Version, slot_of, version_labels, versions
from embedmark.runner.resolve import Pins
from embedmark.runner.results.collect import Kept
from embedmark.tasks.settings import Draws
from embedmark.tasks.types import task_types


@dataclass(frozen=True)
class TaskRow:
    """A task of one version, with the splits and subsets that its score is the mean of, or its member tasks.

    present: whether it is what the present configs give; identities: then, of each slot, all of the identity but the
    model. distinction: what tells the row from others of its name. in_mean: whether means count it: of one task they
    count one row.
    """

    name: str
    type: str
    slots: tuple[Slot, ...] = ()
    members: tuple[TaskRow, ...] = ()
    version: Version = field(default_factory=Version)
    identities: Mapping[Slot, Mapping[str, Any]] = field(default_factory=dict)
    distinction: str = ""
    present: bool = False
    old: bool = False
    in_mean: bool = True

    @property
    def label(self) -> str:
        """Its name, and what distinguishes it."""
        words = f"old: {self.distinction}" if self.old and self.distinction else "old" if self.old else self.distinction
        return f"{self.name} ({words})" if words else self.name

    def failed_here(self, slot: Slot, failure: Kept) -> bool:
        """Whether a failure is of what this row measures in a slot."""
        if slot in self.identities:
            return failure.measured_hash == fingerprint_of_plain(self.identities[slot])
        return slot in self.version.keys and failure.measured_hash == self.version.keys[slot][0]


@dataclass(frozen=True)
class WantedTask:
    """A task as the present configs give it. problem: why its data cannot be identified, if it cannot."""

    name: str
    type: str
    slots: tuple[Slot, ...] = ()
    members: tuple[WantedTask, ...] = ()
    identities: Mapping[Slot, Mapping[str, Any]] = field(default_factory=dict)
    problem: str = ""


AnyTask = TypeVar("AnyTask", TaskRow, WantedTask)


def leaves(tasks: Iterable[AnyTask]) -> Iterator[AnyTask]:
    """Yield the tasks that are measured: the members of those that are the mean of others."""
    for task in tasks:
        yield from leaves(task.members) if task.members else (task,)


def rows_on_record(records: Sequence[Kept]) -> list[TaskRow]:
    """A row for each version of each task. Its slots are those of any model, so that all are compared on the same."""
    return [
        row
        for name, of_task in grouped((kept.facts.job.task, kept) for kept in records).items()
        for row in _rows(name, versions(of_task))
    ]


def wanted_tasks(
    benchmark: BenchmarkConfig, catalogue: Catalogue, pins: Pins, draws: Draws | None = None
) -> list[WantedTask]:
    """What a benchmark asks for, as the present configs give it; a task that it lists several times is one.

    Raises UserError when a task of it is not known.
    """
    found: dict[str, WantedTask] = {}
    for asked in benchmark.tasks:
        task = _wanted(asked, catalogue, pins, draws)
        found[task.name] = _both(found[task.name], task) if task.name in found else task
    return list(found.values())


def rows_of_benchmark(wanted: Sequence[WantedTask], records: Sequence[Kept], *, older: bool = False) -> list[TaskRow]:
    """A row for each task that is asked for, of the version that the present configs give.

    older: after them, rows of the other versions on record, which no mean counts.
    """
    by_task = grouped((kept.facts.job.task, kept) for kept in records)
    return [row for task in wanted for row in _rows_of(task, by_task, older=older)]


def rows_asked(benchmark: BenchmarkConfig, catalogue: Catalogue) -> list[TaskRow]:
    """A row for each task of a benchmark, of no version: what others' scores are the mean of, without identities.

    Raises UserError when a task of it is not known.
    """
    found: dict[str, TaskRow] = {}
    for asked in benchmark.tasks:
        row = _asked_row(asked, catalogue)
        found[row.name] = _both_asked(found[row.name], row) if row.name in found else row
    return list(found.values())


def _asked_row(asked: BenchmarkTask, catalogue: Catalogue, above: tuple[str, ...] = ()) -> TaskRow:
    task = catalogue.task(asked.name)
    label = task.label or task_type(task, f"task {task.name}").label
    if isinstance(task.dataset, TaskGroup):
        inside = (*above, task.name)
        members = (_asked_row(member, catalogue, inside) for member in asked_of_members(task, asked, above))
        return TaskRow(task.name, label, members=tuple(members))
    return TaskRow(task.name, label, asked_slots(task, asked))


def _both_asked(one: TaskRow, other: TaskRow) -> TaskRow:
    members = tuple(_both_asked(*member) for member in zip(one.members, other.members, strict=True))
    return replace(one, slots=tuple(dict.fromkeys((*one.slots, *other.slots))), members=members)


def _both(one: WantedTask, other: WantedTask) -> WantedTask:
    """What is asked of a task in two places: the subsets and splits of both."""
    identities = {**other.identities, **one.identities}
    members = tuple(_both(*member) for member in zip(one.members, other.members, strict=True))
    return WantedTask(one.name, one.type, tuple(identities), members, identities, one.problem or other.problem)


def _wanted(
    asked: BenchmarkTask, catalogue: Catalogue, pins: Pins, draws: Draws | None, above: tuple[str, ...] = ()
) -> WantedTask:
    task = catalogue.task(asked.name)
    kind = task_type(task, f"task {task.name}")
    if isinstance(task.dataset, TaskGroup):
        members = asked_of_members(task, asked, above)
        inside = (*above, task.name)
        found = tuple(_wanted(member, catalogue, pins, draws, inside) for member in members)
        return WantedTask(task.name, task.label or kind.label, members=found)
    problem = ""
    try:
        parts = task_parts(task, kind, asked, pins, draws)
    except (UserError, JobError) as error:
        # Data that is not there, or a hub that cannot be reached: all but the pin is known.
        problem = " ".join(str(error).split())
        parts = task_parts(task, kind, asked, Pins(pins.model, lambda _: Pin()), draws)
    identities = {(part.split, part.subset): _without_model(part) for part in parts}
    return WantedTask(task.name, task.label or kind.label, tuple(identities), (), identities, problem)


def _without_model(part: TaskPart) -> Mapping[str, Any]:
    return {key: value for key, value in part.identity.items() if key != "model"}


def _rows_of(task: WantedTask, by_task: Mapping[str, Sequence[Kept]], *, older: bool) -> list[TaskRow]:
    if task.members:
        members = [_rows_of(member, by_task, older=False)[0] for member in task.members]
        return [TaskRow(task.name, task.type, members=tuple(members), present=True)]
    records = by_task.get(task.name, ())
    if task.problem:
        pins_aside = {slot: _hash_without_pin(identity) for slot, identity in task.identities.items()}
        fresh = [kept for kept in records if _hash_without_pin(kept.measured) == pins_aside.get(slot_of(kept))]
    else:
        hashes = {slot: fingerprint_of_plain(identity) for slot, identity in task.identities.items()}
        fresh = [kept for kept in records if kept.measured_hash == hashes.get(slot_of(kept))]
    found = versions(fresh)
    version = found[0] if found else Version()
    identities = {} if task.problem else task.identities
    row = TaskRow(task.name, task.type, task.slots, version=version, identities=identities, present=True)
    if not older:
        return [row]
    others = versions(kept for kept in records if not version.has(kept))
    if found:
        other_rows = _rows(task.name, [version, *others])[1:]
    else:
        other_rows = [_named(other, task.identities) for other in _rows(task.name, others)]
    return [row, *(replace(other, in_mean=False) for other in other_rows)]


def _named(row: TaskRow, identities: Mapping[Slot, Mapping[str, Any]]) -> TaskRow:
    """An only version, by what tells it from the present configs, of which nothing is on record."""
    kept = row.version.sample
    present = identities.get(slot_of(kept))
    if row.distinction or present is None:
        return row
    return replace(row, distinction=labels([kept.measured, present])[0])


def _hash_without_pin(measured: Mapping[str, Any]) -> str:
    task = measured.get("task", {})
    dataset = {key: value for key, value in task.get("dataset", {}).items() if key not in {"revision", "content"}}
    return fingerprint_of_plain({**measured, "task": {**task, "dataset": dataset}})


def _rows(name: str, found: Sequence[Version]) -> list[TaskRow]:
    """A row for each version of a task; means count the first that is not old."""
    rows = [
        TaskRow(
            name,
            _type_label(version.sample.facts.job.type),
            tuple(sorted(version.keys)),
            version=version,
            distinction=distinction,
            old=bool(outdated_task(version.sample.measured)),
            in_mean=False,
        )
        for version, distinction in zip(found, version_labels(found), strict=True)
    ]
    if not rows:
        return []
    first = min(range(len(rows)), key=lambda place: rows[place].old)
    return [replace(rows[first], in_mean=True), *rows[:first], *rows[first + 1 :]]


def _type_label(kind: str) -> str:
    known = task_types()
    return known[kind].label if kind in known else kind
