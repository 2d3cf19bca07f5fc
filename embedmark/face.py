"""What Python programs call: the same plan, run and records as the command line's, without one."""

from __future__ import annotations

import hashlib
import logging
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from embedmark.memory_rows import Rows
from embedmark.models.objects import LOADER, ObjectLoader, encode_of, for_inference, treatment_of
from embedmark.results import Results
from embedmark.runner.common.errors import ModelError, UserError
from embedmark.runner.config.catalogue import Catalogue, checked, checked_task
from embedmark.runner.config.compose import check_names, completed
from embedmark.runner.config.explain import invalid
from embedmark.runner.config.identity import deciding, plain
from embedmark.runner.config.schema import BenchmarkTask, Execution, ModelConfig, Settings, TaskConfig
from embedmark.runner.display.progress import SilentProgress, display
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import Plan, make_plan, states_of
from embedmark.runner.resolve import ResolvedModel
from embedmark.runner.results.folder import JobFolders
from embedmark.tasks.settings import Draws

AnyModel: TypeAlias = "str | ModelConfig | Mapping[str, Any] | Any"
"""The name of a model, its config, or an object that encodes."""

AnyTask: TypeAlias = "str | TaskConfig | Mapping[str, Any] | Rows"
"""The name of a task, its config, or rows in memory."""

__all__ = ["Planned", "Rows", "evaluate", "load_results", "plan"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Planned:
    """What `evaluate` would do.

    Args:
        plan: The jobs, each with its fingerprint, in the order in which they are run.
        states: Fingerprint → "done", "failed", "absent" or "corrupt", as the outputs folder has it.
    """

    plan: Plan
    states: Mapping[str, str]

    @property
    def left(self) -> int:
        """How many jobs are left to do."""
        return sum(state != "done" for state in self.states.values())

    def __repr__(self) -> str:
        """Say how much there is to do."""
        return f"{self.plan.model.name}: {len(self.plan.jobs)} jobs, {self.left} to do"


def plan(
    model: AnyModel,
    *,
    tasks: Iterable[AnyTask] | AnyTask = (),
    benchmark: str | None = None,
    outputs: str | Path = "outputs",
    identity: str | None = None,
    prompts: Mapping[str, str] | None = None,
    config_dirs: Sequence[str | Path] = (),
    draws: Draws | None = None,
) -> Planned:
    """Say what `evaluate` would do with the same arguments, and what of it is done already.

    Returns:
        The jobs and their states. Nothing is loaded, and nothing is written but the rows of tasks in memory.

    Raises:
        UserError: A name is not known, or a value is invalid.
        JobError: What is not pinned has to be looked up, and the hub cannot be reached.
    """
    asked = _asked(model, tasks, benchmark, Path(outputs), identity, prompts, config_dirs, draws, {}, rerun=False)
    return Planned(asked.plan, JobFolders(Path(outputs)).look(job.fingerprint for job in asked.plan.jobs).states)


def evaluate(
    model: AnyModel,
    *,
    tasks: Iterable[AnyTask] | AnyTask = (),
    benchmark: str | None = None,
    outputs: str | Path = "outputs",
    identity: str | None = None,
    prompts: Mapping[str, str] | None = None,
    config_dirs: Sequence[str | Path] = (),
    draws: Draws | None = None,
    execution: Execution | Mapping[str, Any] | None = None,
    rerun: bool = False,
    progress: bool = False,
) -> Results:
    """Measure a model. What is on record already is not done again.

    Args:
        model: The name of a model, its config, an object with `encode(list of texts)`, or a function of texts.
        tasks: Names of tasks, their configs, or `Rows` in memory; alone, or out of `benchmark` where that is given.
        benchmark: The name of a benchmark.
        outputs: The folder of records and vectors, the same as the command line's.
        identity: What tells the weights of an object from all others, such as "run-7 step 12000". Without it the
            results of an object are not kept, since nothing says whether a later one is the same.
        prompts: For an object, what goes before its texts, keyed as in the file of a model.
        config_dirs: Folders of your own with model/, task/ or benchmark/ files.
        draws: "mteb" replays the reference's random draws.
        execution: How to run, as below `execution:` of a config: device, threads, batch_tokens, store, ...
        rerun: Whether to do again what is done.
        progress: Whether to show the command line's display; otherwise nothing is printed.

    Returns:
        Scores, failures and means. A job that fails is in `failures`, and raises nothing.

    Raises:
        UserError: A name is not known, or a value is invalid.
        JobError: The model or the hub cannot be reached.
        OutputError: The outputs cannot be written.

    Example:
        >>> evaluate(lambda texts: numpy_array_of(texts), tasks=["STSBenchmark"]).scores
    """
    from embedmark.runner.execute.loop import execute

    with ExitStack() as opened:
        kept = not _is_object(model) or identity is not None
        folder = Path(outputs) if kept else Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="embedmark-")))
        asked = _asked(
            model, tasks, benchmark, folder, identity, prompts, config_dirs, draws, execution or {}, rerun=rerun
        )
        shown = opened.enter_context(display() if progress else nullcontext(SilentProgress()))
        opened.enter_context(for_inference(model) if _is_object(model) else nullcontext())
        opened.enter_context(_threads_kept())
        plan, execution = asked.plan, asked.settings.execution
        if execution.order == "informative":
            from embedmark.runner.ranking.informative import informative

            plan, why_not = informative(plan, asked.settings, asked.catalogue, folder)
            if why_not is not None:
                log.warning(why_not)
        look = JobFolders(folder).look(job.fingerprint for job in plan.jobs)
        states = states_of(plan, look, predictions=execution.predictions)
        shown.planned(repr(Planned(plan, states)), len(plan.jobs))
        outcome = execute(plan, states, execution, folder, shown, rerun=rerun)
        return Results.of(plan, folder, asked.catalogue, kept=kept, stopped=outcome.stopped)


@contextmanager
def _threads_kept() -> Iterator[None]:
    """`execution.threads` is of this evaluation: a training that goes on after it has its own again."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch is not None else None
    try:
        yield
    finally:
        if torch is not None:
            torch.set_num_threads(before)


def load_results(outputs: str | Path = "outputs", *, config_dirs: Sequence[str | Path] = ()) -> Results:
    """Read all that is on record in an outputs folder.

    Args:
        outputs: The folder.
        config_dirs: Folders of your own with model/, task/ or benchmark/ files.

    Raises:
        OutputError: The folder cannot be read.
    """
    return Results.read(Path(outputs), Catalogue.of([Path(folder) for folder in config_dirs]))


@dataclass(frozen=True)
class _Asked:
    plan: Plan
    settings: Settings
    catalogue: Catalogue


def _asked(
    model: AnyModel,
    tasks: Iterable[AnyTask] | AnyTask,
    benchmark: str | None,
    outputs: Path,
    identity: str | None,
    prompts: Mapping[str, str] | None,
    config_dirs: Sequence[str | Path],
    draws: Draws | None,
    execution: Execution | Mapping[str, Any],
    *,
    rerun: bool,
) -> _Asked:
    found = Catalogue.of([Path(folder) for folder in config_dirs])
    given = [_task(task, found, outputs) for task in _listed(tasks)]
    _refuse_two_of_one_name(given)
    config, resolved = _model(model, identity, prompts, found)
    configs = [task for task in given if isinstance(task, TaskConfig)]
    if resolved is None:
        config = completed(config, found, configs)
    else:  # its loader is in no table
        check_names(config, found, configs)
    values = {
        "model": config,
        "benchmark": found.benchmark(benchmark) if benchmark is not None else None,
        "tasks": [BenchmarkTask(name=task if isinstance(task, str) else task.name) for task in given],
        "execution": execution,
        "outputs": str(outputs),
        "rerun": rerun,
        "draws": draws,
    }
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise invalid(error, "arguments of embedmark", Settings) from None
    return _Asked(make_plan(settings, found, default_pins(), resolved), settings, found)


def _listed(tasks: Iterable[AnyTask] | AnyTask) -> Iterator[AnyTask]:
    if isinstance(tasks, (str, TaskConfig, Mapping, Rows)):
        yield tasks
    else:
        yield from tasks


def _task(task: AnyTask, found: Catalogue, outputs: Path) -> str | TaskConfig:
    """The name of a task that a file gives, or the config of another, which is now in the catalogue."""
    if isinstance(task, str):
        if not found.has("task", task) and found.has("benchmark", task):
            raise UserError(f"tasks: {task!r} is a benchmark; give benchmark={task!r} instead")
        return found.find("task", task).name
    values = task.config(outputs) if isinstance(task, Rows) else task
    if not isinstance(values, (TaskConfig, Mapping)):
        raise UserError(
            f"tasks: found {type(task).__name__}; expected the name of a task, its config, or embedmark.Rows"
        )
    config = values if isinstance(values, TaskConfig) else checked_task(values, f"task {values.get('name')!r}")
    found.add(config)
    return config


def _refuse_two_of_one_name(tasks: Sequence[str | TaskConfig]) -> None:
    """The catalogue holds one task a name: of two that differ, one would be left out."""
    met: dict[str, str | TaskConfig] = {}
    for task in tasks:
        name = task if isinstance(task, str) else task.name
        if met.setdefault(name, task) != task:
            raise UserError(f"tasks: found two that are called {name!r} and differ; give each a name of its own")


def _is_object(model: AnyModel) -> bool:
    return not isinstance(model, (str, ModelConfig, Mapping))


def _model(
    model: AnyModel, identity: str | None, prompts: Mapping[str, str] | None, found: Catalogue
) -> tuple[ModelConfig, ResolvedModel | None]:
    if _is_object(model):
        return _object(model, identity, prompts or {})
    for name, value in (("identity", identity), ("prompts", prompts)):
        if value is not None:
            raise UserError(f"{name}: is for models that are objects; a config says it itself")
    if isinstance(model, str):
        return found.model(model), None
    return model if isinstance(model, ModelConfig) else checked(model, ModelConfig, "model"), None


def _object(model: Any, identity: str | None, prompts: Mapping[str, str]) -> tuple[ModelConfig, ResolvedModel]:
    """The config of an object, and what it is for the plan: no look-up can say."""
    try:
        encode_of(model)
    except ModelError as error:
        raise UserError(str(error)) from None
    if identity is not None and not identity.strip():
        raise UserError("identity: found an empty text; give what tells these weights from all others, or leave it out")
    kind = type(model).__name__ if hasattr(model, "encode") else getattr(model, "__name__", type(model).__name__)
    modalities = ["text", *(["image"] if "image" in getattr(model, "modalities", ()) else [])]
    values = {"name": identity or kind, "loader": LOADER, "prompts": prompts, "about": {"modalities": modalities}}
    config = checked(values, ModelConfig, "model")
    loader = ObjectLoader(given=model)
    content = hashlib.sha256((identity or "").encode()).hexdigest()
    source = {"object": kind, "treatment": treatment_of(model)}
    values = {**deciding(config), "source": source, "content": content, "loader_version": loader.version}
    return config, ResolvedModel(config, loader, {}, plain(values))
