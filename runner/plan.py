"""From settings to jobs: which model is measured on which task, subset and split, and under which fingerprint."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.groups import grouped
from embedmark.runner.common.names import job_name, nearest
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.checks import check_plug_ins, check_settings, task_type
from embedmark.runner.config.identity import fingerprint_of_plain, job_identity
from embedmark.runner.config.schema import (
    BenchmarkConfig,
    BenchmarkTask,
    Settings,
    TaskConfig,
    TaskGroup,
)
from embedmark.runner.resolve import Pins, ResolvedModel, ResolvedTask, resolve_model, resolve_task
from embedmark.runner.results.folder import Look
from embedmark.runner.results.inspection import SIGNATURE, STATEMENT, State
from embedmark.runner.results.predictions import PREDICTIONS
from embedmark.tasks.base import Modality, in_words
from embedmark.tasks.settings import Draws, TaskSettings
from embedmark.tasks.types import TaskType

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One model on one split of one subset of one task: the unit that is run, stored and skipped when done."""

    model: ResolvedModel
    task: ResolvedTask
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
        return job_name(self.task.name, self.subset, self.split)

    @property
    def unread(self) -> tuple[str, ...]:
        """The modalities of queries and documents that are left out, since the model does not take them."""
        taken = self.model.loader.modalities & {*self.model.config.about.modalities}
        return tuple(sorted(self.task.type.gives(self.task.settings) - taken))


@dataclass(frozen=True)
class TaskPart:
    """One split of one subset of a task at a commit, and its part of the identity of every job that measures it."""

    task: ResolvedTask
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

    model: ResolvedModel
    jobs: tuple[Job, ...]
    awaiting: tuple[Awaiting, ...] = ()

    @property
    def by_task(self) -> dict[str, list[Job]]:
        """The jobs of each task, by its name."""
        return grouped((job.task.name, job) for job in self.jobs)


def make_plan(settings: Settings, catalogue: Catalogue, pins: Pins, model: ResolvedModel | None = None) -> Plan:
    """Make all jobs of one model.

    Args:
        settings: What is asked for.
        catalogue: Where the tasks are found by name.
        pins: How weights and data that no commit pins are resolved.
        model: The model, where it is resolved already; by default that of the settings.

    Raises:
        UserError: A name, subset or split is not known, or a package takes a name that is taken.
        JobError: The hub cannot be reached.
    """
    check_plug_ins()
    model = model or resolve_model(settings.model, pins)
    jobs: list[Job] = []
    awaiting: list[Awaiting] = []
    for task, wanted in _selected(settings, catalogue):
        kind = task_type(task, f"task {task.name}")
        if reason := _not_yet(task, kind, model):
            awaiting.append(Awaiting(task.name, task.type, reason))
        else:
            jobs += [_job(model, part) for part in task_parts(task, kind, wanted, pins, settings.draws)]
    awaiting += _outside(settings)
    _tell_of_parts(model, jobs)
    unique = {job.fingerprint: job for job in jobs}
    return Plan(model, tuple(unique.values()), tuple(awaiting))


def _outside(settings: Settings) -> list[Awaiting]:
    """The tasks of a whole benchmark that are not in the catalogue."""
    if settings.benchmark is None or settings.task is not None or settings.tasks:
        return []
    return [Awaiting(name, "–", reason) for name, reason in settings.benchmark.awaits.items()]


def _tell_of_parts(model: ResolvedModel, jobs: Sequence[Job]) -> None:
    """Warn of tasks whose queries or documents the model takes a part of."""
    taken = frozenset(model.config.about.modalities)
    tasks = dict.fromkeys(job.task.name for job in jobs if job.unread)
    if tasks:
        log.warning(
            "%s takes %s alone: of queries and documents that have %s as well, only they are encoded, as the reference "
            "does (%s%s)",
            model.name, in_words(taken), in_words(set(get_args(Modality)) - taken), next(iter(tasks)),
            f" and {len(tasks) - 1} more tasks" if len(tasks) > 1 else "",
        )  # fmt: skip


def lacks_predictions(job: Job, folder: Path | None) -> bool:
    """Whether a job that is done is one of rankings, and has not kept them.

    A signed record is never one of these: a file more, and its signature would be of something else.
    """
    if folder is None or not job.task.type.retrieval_layout or (folder / PREDICTIONS).is_file():
        return False
    if signed := (folder / STATEMENT).is_file():
        log.warning(
            "%s: is signed, so that no rankings are added to it; to have them, delete %s and %s, run, and sign anew",
            folder, STATEMENT, SIGNATURE,
        )  # fmt: skip
    return not signed


def states_of(plan: Plan, look: Look, *, predictions: bool) -> dict[str, State]:
    """Find the state of each job of a plan.

    Args:
        plan: The jobs.
        look: What the folders of its jobs hold.
        predictions: Whether rankings are wanted; a job that is done and lacks them is then "absent".
    """
    states = look.states
    for job in plan.jobs if predictions else ():
        found = look.jobs[job.fingerprint]
        if states[job.fingerprint] == "done" and found is not None and lacks_predictions(job, found.found.path):
            states[job.fingerprint] = "absent"
    return states


def _not_yet(task: TaskConfig, kind: TaskType, model: ResolvedModel) -> str | None:
    if task.awaits:
        return task.awaits
    if later := set(task.about.modalities) - set(get_args(Modality)):
        return f"its file says that it has {' and '.join(sorted(later))}; only texts and images can be measured yet"
    settings = check_settings(task, f"task {task.name}", kind)
    return next((reason for part in model.everything if (reason := _not_taken(kind, settings, part))), None)


def _not_taken(kind: TaskType, settings: TaskSettings, model: ResolvedModel) -> str | None:
    """Why a task type cannot evaluate a model, or cannot give it its items; None where it can."""
    loader = model.loader
    if loader.kind != "any" and loader.kind not in kind.accepts:
        evaluated = ", ".join(sorted(kind.accepts))
        return f"task type {kind.name} evaluates {evaluated} models, and {model.name} is a {loader.kind}"
    taken = model.config.about.modalities
    if lacking := kind.lacks(settings, loader.modalities):
        return f"the task gives {in_words(lacking)}, and loader {loader.name} takes {in_words(loader.modalities)} alone"
    if lacking := kind.lacks(settings, frozenset(taken)):
        return (
            f"the task gives {in_words(lacking)}, and {model.name} takes {in_words(taken)} alone, as "
            "`about: modalities` in its file says"
        )
    return None


def _selected(settings: Settings, catalogue: Catalogue) -> list[tuple[TaskConfig, BenchmarkTask]]:
    if settings.task is not None:
        if settings.tasks or settings.benchmark is not None:
            other = "tasks" if settings.tasks else "benchmark"
            log.warning("task is given beside %s, and takes its place: %s alone is done", other, settings.task.name)
        return _members(settings.task, BenchmarkTask(name=settings.task.name), catalogue)
    wanted = wanted_tasks(settings)
    return [member for asked in wanted for member in _members(catalogue.task(asked.name), asked, catalogue)]


def wanted_tasks(settings: Settings) -> Sequence[BenchmarkTask]:
    """Which tasks are asked for, by name, aggregates as they are. Raises UserError where none is."""
    wanted: Sequence[BenchmarkTask]
    if settings.task is not None:
        wanted = [BenchmarkTask(name=settings.task.name)]
    elif settings.benchmark is None:
        wanted = settings.tasks
    elif settings.tasks:
        wanted = _out_of_benchmark(settings.benchmark, settings.tasks)
    else:
        wanted = settings.benchmark.tasks
    if not wanted:
        raise UserError("nothing to run: give benchmark=NAME, task=TYPE/FILE or tasks=[NAME,...]")
    return wanted


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
    subsets = task.dataset.subsets or None
    return [
        BenchmarkTask(name=name, subsets=subsets, splits=wanted.splits or task.splits) for name in task.dataset.tasks
    ]


def _out_of_benchmark(benchmark: BenchmarkConfig, tasks: Sequence[BenchmarkTask]) -> list[BenchmarkTask]:
    """Some tasks, cut as the benchmark cuts them, which may list one several times."""
    listed = grouped((task.name, task) for task in benchmark.tasks)
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


def task_parts(
    task: TaskConfig, kind: TaskType, wanted: BenchmarkTask, pins: Pins, draws: Draws | None = None
) -> list[TaskPart]:
    """A task's share of its jobs, in the order in which they are run. Raises UserError as `make_plan` does.

    draws: the draws of all tasks whose type has any, in the place of their own.
    """
    splits, subsets = _asked(task, wanted)
    if draws is not None and "draws" in {field.name for field in dataclasses.fields(kind.settings)}:
        task = task.model_copy(update={"settings": {**task.settings, "draws": draws}})
    resolved = resolve_task(task, kind, pins)
    replays = getattr(resolved.settings, "draws", None) == "mteb"
    if replays:  # whatever the order they are asked for in, the reference goes by the task's own
        subsets = tuple(name for name in task.subsets if name in subsets)
    parts: list[TaskPart] = []
    for split in splits:
        for subset in subsets:
            before = tuple((part.split, part.subset) for part in parts) if replays else ()
            languages = task.subsets[subset]
            identity = job_identity({}, resolved.identity, subset, split, languages, before)
            parts.append(TaskPart(resolved, subset, split, languages, identity, before))
    return parts


def asked_slots(task: TaskConfig, wanted: BenchmarkTask) -> tuple[tuple[str, str], ...]:
    """List the splits and subsets that are asked for of a task, each pair once. Raises UserError for unknown ones."""
    splits, subsets = _asked(task, wanted)
    return tuple((split, subset) for split in splits for subset in dict.fromkeys(subsets))


def _asked(task: TaskConfig, wanted: BenchmarkTask) -> tuple[tuple[str, ...], tuple[str, ...]]:
    splits = tuple(dict.fromkeys(_known(task, "split", wanted.splits, None) or task.splits))
    return splits, _known(task, "subset", wanted.subsets, task.subsets)


def _job(model: ResolvedModel, part: TaskPart) -> Job:
    identity = {**part.identity, "model": model.identity}
    fingerprint = fingerprint_of_plain(identity)
    return Job(model, part.task, part.subset, part.split, part.languages, identity, fingerprint, part.draws_after)


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
