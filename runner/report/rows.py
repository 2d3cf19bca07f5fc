"""The rows of a report: tasks, each of one version, with the splits and subsets that its score is the mean of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from runner.config.catalogue import Catalogue, task_type
from runner.config.identity import Pin, fingerprint_of_plain
from runner.config.schema import BenchmarkConfig, BenchmarkTask, TaskGroup
from runner.errors import JobError, UserError
from runner.plan import Pins, TaskPart, task_parts, with_draws
from runner.report.older import outdated_task
from runner.report.versions import Slot, Version, slot_of, version_labels, versions
from runner.results.collect import Kept
from tasks.settings import Draws
from tasks.types import task_types


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


def rows_on_record(records: Sequence[Kept]) -> list[TaskRow]:
    """A row for each version of each task. Its slots are those of any model, so that all are compared on the same."""
    known = task_types()
    rows: list[TaskRow] = []
    for name, of_task in _by_task(records).items():
        kind = of_task[0].facts.job.type
        label = known[kind].label if kind in known else kind
        rows += _rows(TaskRow(name, label), versions(of_task))
    return rows


def wanted_tasks(
    benchmark: BenchmarkConfig, catalogue: Catalogue, pins: Pins, draws: Draws | None = None
) -> list[WantedTask]:
    """What a benchmark asks for, as the present configs give it. Raises UserError when a task of it is not known."""
    return [_wanted(task, catalogue, pins, draws) for task in benchmark.tasks]


def rows_of_benchmark(wanted: Sequence[WantedTask], records: Sequence[Kept], *, older: bool = False) -> list[TaskRow]:
    """A row for each task that is asked for, of the version that the present configs give.

    older: after them, rows of the other versions on record, which no mean counts.
    """
    by_task = _by_task(records)
    return [row for task in wanted for row in _rows_of(task, by_task, older=older)]


def _wanted(asked: BenchmarkTask, catalogue: Catalogue, pins: Pins, draws: Draws | None) -> WantedTask:
    task = catalogue.task(asked.name)
    kind = task_type(task, f"task {task.name}")
    if isinstance(task.dataset, TaskGroup):
        splits = asked.splits or task.splits
        asked_of = [BenchmarkTask(name=name, splits=splits) for name in task.dataset.tasks]
        members = tuple(_wanted(member, catalogue, pins, draws) for member in asked_of)
        return WantedTask(task.name, kind.label, members=members)
    task, problem = with_draws(task, draws), ""
    try:
        parts = task_parts(task, asked, pins)
    except (UserError, JobError) as error:
        # Data that is not there, or a hub that cannot be reached: all but the pin is known.
        problem = " ".join(str(error).split())
        parts = task_parts(task, asked, Pins(pins.model, lambda _: Pin()))
    identities = {(part.split, part.subset): _without_model(part) for part in parts}
    return WantedTask(task.name, kind.label, tuple(identities), (), identities, problem)


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
    others = [kept for kept in records if not version.has(kept)]
    every = [version, *versions(others)] if found else versions(others)
    others_rows = [replace(other, in_mean=False) for other in _rows(TaskRow(task.name, task.type), every)]
    return [row, *(others_rows[1:] if found else others_rows)]


def _hash_without_pin(measured: Mapping[str, Any]) -> str:
    task = measured.get("task", {})
    dataset = {key: value for key, value in task.get("dataset", {}).items() if key not in {"revision", "content"}}
    return fingerprint_of_plain({**measured, "task": {**task, "dataset": dataset}})


def _rows(row: TaskRow, found: Sequence[Version]) -> list[TaskRow]:
    """A row for each version; means count the first that is not old."""
    old = [bool(outdated_task(next(iter(version.samples.values())).measured)) for version in found]
    first = old.index(False) if False in old else 0
    order = [first, *(place for place in range(len(found)) if place != first)]
    told_apart = version_labels(found)
    return [
        replace(
            row,
            slots=tuple(sorted(found[place].keys)),
            version=found[place],
            distinction=told_apart[place],
            old=old[place],
            in_mean=place == first,
        )
        for place in order
    ]


def _by_task(records: Iterable[Kept]) -> dict[str, list[Kept]]:
    found: dict[str, list[Kept]] = defaultdict(list)
    for kept in records:
        found[kept.facts.job.task].append(kept)
    return found
