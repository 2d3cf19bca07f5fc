"""From settings to jobs: which model is measured on which task, subset and split, and under which fingerprint."""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.loaders import Loader, added_loaders
from runner.config.catalogue import Catalogue, task_type
from runner.config.identity import (
    Pin,
    fingerprint_of_plain,
    job_identity,
    known_loader,
    model_identity,
    plain,
    task_identity,
)
from runner.config.members import all_of
from runner.config.schema import (
    BenchmarkConfig,
    BenchmarkTask,
    HubDataset,
    HubModel,
    ModelConfig,
    Settings,
    TaskConfig,
    TaskGroup,
)
from runner.errors import UserError, nearest
from tasks.settings import Draws
from tasks.types import TaskType, added_types

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One model on one split of one subset of one task: the unit that is run, stored and skipped when done."""

    model: ModelConfig
    task: TaskConfig
    subset: str
    split: str
    languages: tuple[str, ...]
    identity: Mapping[str, Any]
    fingerprint: str
    draws_after: tuple[tuple[str, str], ...] = ()
    """The (split, subset) pairs whose random draws are replayed before this job's own."""

    @property
    def name(self) -> str:
        """What the job is called in tables and logs."""
        subset = "" if self.subset == "default" else f"/{self.subset}"
        split = "" if self.split == "test" else f" [{self.split}]"
        return f"{self.task.name}{subset}{split}"


@dataclass(frozen=True)
class TaskPart:
    """One split of one subset of a task at a commit, and its part of the identity of every job that measures it."""

    task: TaskConfig
    subset: str
    split: str
    languages: tuple[str, ...]
    identity: Mapping[str, Any]
    draws_after: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Awaiting:
    """A task that was asked for and cannot be run yet."""

    task: str
    type: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """Jobs in the order in which they were asked for, and the tasks that no job could be made of."""

    model: ModelConfig
    jobs: tuple[Job, ...]
    awaiting: tuple[Awaiting, ...] = ()

    @property
    def by_task(self) -> dict[str, list[Job]]:
        """The jobs of each task, by its name."""
        jobs: dict[str, list[Job]] = {}
        for job in self.jobs:
            jobs.setdefault(job.task.name, []).append(job)
        return jobs


@dataclass(frozen=True)
class Pins:
    """How weights and data that no commit pins are resolved."""

    model: Callable[[ModelConfig], Pin]
    dataset: Callable[[TaskConfig], Pin]


def make_plan(settings: Settings, catalogue: Catalogue, pins: Pins) -> Plan:
    """All jobs of one model. Raises UserError when a name, subset or split is not known."""
    _warn_of_plug_ins()
    model, model_values = _pinned_model(settings.model, pins)
    jobs: list[Job] = []
    awaiting: list[Awaiting] = []
    for task, wanted in _selected(settings, catalogue):
        if reason := _not_yet(task, model):
            awaiting.append(Awaiting(task.name, task.type, reason))
        else:
            jobs += _task_jobs(model, model_values, with_draws(task, settings.draws), wanted, pins)
    unique = {job.fingerprint: job for job in jobs}
    return Plan(model, tuple(unique.values()), tuple(awaiting))


def _warn_of_plug_ins() -> None:
    for what, left_out in (("task type", added_types().left_out), ("loader", added_loaders().left_out)):
        for name, reason in left_out.items():
            log.warning("%s %r is left out: %s", what, name, reason)


def _pinned_model(model: ModelConfig, pins: Pins) -> tuple[ModelConfig, Mapping[str, Any]]:
    """The model at a commit, its members too, and its part of every identity."""
    members = [_pinned_model(part, pins) for part in model.parts]
    identities = [identity for _, identity in members]
    if members:
        model = model.model_copy(update={"members": tuple(member for member, _ in members)})
    if isinstance(model.weights, HubModel) and _is_commit(model.revision):
        return model, model_identity(model, Pin(model.revision), identities)
    pin = pins.model(model)
    return model.model_copy(update={"revision": pin.revision}), model_identity(model, pin, identities)


def _pinned_task(task: TaskConfig, pins: Pins) -> tuple[TaskConfig, Mapping[str, Any]]:
    """The task with its dataset at a commit, and its part of every identity."""
    dataset = task.dataset
    if not isinstance(dataset, HubDataset):
        return task, task_identity(task, pins.dataset(task))
    if _is_commit(dataset.revision):
        return task, task_identity(task, Pin(dataset.revision))
    pin = pins.dataset(task)
    pinned = dataset.model_copy(update={"revision": pin.revision})
    return task.model_copy(update={"dataset": pinned}), task_identity(task, pin)


def _is_commit(revision: str | None) -> bool:
    """Whether a revision can never mean something else; branches and tags can."""
    return revision is not None and re.fullmatch("[0-9a-f]{40}", revision) is not None


def _not_yet(task: TaskConfig, model: ModelConfig) -> str | None:
    if task.awaits:
        return task.awaits
    kind = task_type(task, f"task {task.name}")
    if kind.implementation is None:
        return f"task type {task.type} is still to come"
    return next((reason for part in all_of(model) if (reason := _not_taken(kind, part, known_loader(part)))), None)


def _not_taken(kind: TaskType, model: ModelConfig, loader: Loader) -> str | None:
    """Why a task type cannot evaluate a model, or cannot give it its items; None where it can."""
    if loader.kind != "any" and loader.kind not in kind.accepts:
        evaluated = ", ".join(sorted(kind.accepts))
        return f"task type {kind.name} evaluates {evaluated} models, and {model.name} is a {loader.kind}"
    gives = f"task type {kind.name} gives {_items(kind.modalities)}"
    if kind.modalities - loader.modalities:
        return f"{gives}, and loader {loader.name} takes {_items(loader.modalities)} alone"
    taken = model.about.modalities
    if kind.modalities.difference(taken):
        return f"{gives}, and {model.name} takes {_items(taken)} alone, as `about: modalities` in its file says"
    return None


def _items(modalities: Iterable[str]) -> str:
    return " and ".join(f"{modality}s" for modality in sorted(modalities))


def _selected(settings: Settings, catalogue: Catalogue) -> list[tuple[TaskConfig, BenchmarkTask]]:
    if settings.task is not None:
        if settings.tasks or settings.benchmark is not None:
            other = "tasks" if settings.tasks else "benchmark"
            log.warning("task is given beside %s, and takes its place: %s alone is done", other, settings.task.name)
        return _members(settings.task, BenchmarkTask(name=settings.task.name), catalogue)
    wanted: Sequence[BenchmarkTask]
    if settings.benchmark is None:
        wanted = settings.tasks
    elif settings.tasks:
        wanted = _out_of_benchmark(settings.benchmark, settings.tasks)
    else:
        wanted = settings.benchmark.tasks
    if not wanted:
        raise UserError("nothing to run: give benchmark=NAME, task=TYPE/FILE or tasks=[NAME,...]")
    return [member for asked in wanted for member in _members(catalogue.task(asked.name), asked, catalogue)]


def _members(
    task: TaskConfig, wanted: BenchmarkTask, catalogue: Catalogue, above: tuple[str, ...] = ()
) -> list[tuple[TaskConfig, BenchmarkTask]]:
    """The task itself, or the tasks that an aggregate is the mean of."""
    if not isinstance(task.dataset, TaskGroup):
        return [(task, wanted)]
    return [
        found
        for member in asked_of_members(task, wanted, above)
        for found in _members(catalogue.task(member.name), member, catalogue, (*above, task.name))
    ]


def asked_of_members(task: TaskConfig, wanted: BenchmarkTask, above: tuple[str, ...] = ()) -> list[BenchmarkTask]:
    """What is asked of the tasks of an aggregate. above: the aggregates that it is in. Raises UserError."""
    assert isinstance(task.dataset, TaskGroup)
    if task.name in above:
        raise UserError(
            f"task {task.name}: dataset: tasks: {' → '.join((*above, task.name))} is a circle; an aggregate cannot be "
            "part of itself"
        )
    if wanted.subsets is not None:
        raise UserError(
            f"task {task.name}: found subsets {', '.join(wanted.subsets)}; it is the mean of other tasks and has none. "
            f"Leave them out, or ask for these tasks: {', '.join(task.dataset.tasks)}"
        )
    return [BenchmarkTask(name=name, splits=wanted.splits or task.splits) for name in task.dataset.tasks]


def _out_of_benchmark(benchmark: BenchmarkConfig, tasks: Sequence[BenchmarkTask]) -> list[BenchmarkTask]:
    """Some tasks, cut as the benchmark cuts them, which may list one several times."""
    listed: dict[str, list[BenchmarkTask]] = {}
    for task in benchmark.tasks:
        listed.setdefault(task.name, []).append(task)
    for task in tasks:
        if task.name not in listed:
            raise UserError(
                f"tasks: {task.name!r} is not in benchmark {benchmark.name}.{nearest(task.name, listed)} "
                "Add benchmark=null to run it by itself."
            )
    return [
        BenchmarkTask(name=task.name, subsets=task.subsets or there.subsets, splits=task.splits or there.splits)
        for task in tasks
        for there in listed[task.name]
    ]


def with_draws(task: TaskConfig, draws: Draws | None) -> TaskConfig:
    """The task with these draws, where its type has any."""
    if draws is None:
        return task
    known = {field.name for field in dataclasses.fields(task_type(task, f"task {task.name}").settings)}
    if "draws" not in known:
        return task
    return task.model_copy(update={"settings": {**task.settings, "draws": draws}})


def task_parts(task: TaskConfig, wanted: BenchmarkTask, pins: Pins) -> list[TaskPart]:
    """A task's share of its jobs, in the order in which they are run. Raises UserError as `make_plan` does."""
    subsets = _known(task, "subset", wanted.subsets, task.subsets)
    splits = tuple(dict.fromkeys(_known(task, "split", wanted.splits, None) or task.splits))
    task, task_values = _pinned_task(task, pins)
    task_values = plain(task_values)
    replays = task_values["settings"].get("draws") == "mteb"
    if replays:  # whatever the order they are asked for in, the reference goes by the task's own
        subsets = tuple(name for name in task.subsets if name in subsets)
    parts: list[TaskPart] = []
    for split in splits:
        for subset in subsets:
            before = tuple((part.split, part.subset) for part in parts) if replays else ()
            languages = task.subsets[subset]
            identity = job_identity({}, task_values, subset, split, languages, before)
            parts.append(TaskPart(task, subset, split, languages, identity, before))
    return parts


def _task_jobs(
    model: ModelConfig, model_values: Mapping[str, Any], task: TaskConfig, wanted: BenchmarkTask, pins: Pins
) -> list[Job]:
    model_values = plain(model_values)
    jobs: list[Job] = []
    for part in task_parts(task, wanted, pins):
        identity = {**part.identity, "model": model_values}
        fingerprint = fingerprint_of_plain(identity)
        jobs.append(
            Job(model, part.task, part.subset, part.split, part.languages, identity, fingerprint, part.draws_after)
        )
    return jobs


def _known(
    task: TaskConfig, what: str, wanted: tuple[str, ...] | None, known: Mapping[str, Any] | None
) -> tuple[str, ...]:
    if wanted is None:
        return tuple(known or ())
    for name in wanted:
        if known is not None and name not in known:
            raise UserError(
                f"task {task.name}: no {what} {name!r}.{nearest(name, known)} Its {what}s: {', '.join(known)}."
            )
    return wanted
