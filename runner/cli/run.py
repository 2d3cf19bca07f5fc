"""`run`: Hydra composes and records the invocation (once, or for each point of a sweep), the jobs are run."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import run_job
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf

from embedmark.runner.cli.plan import summary
from embedmark.runner.common.errors import FAILED, OK, USER_ERROR, JobError, OutputError, UserError
from embedmark.runner.common.text import complain
from embedmark.runner.config.catalogue import SHIPPED, Catalogue
from embedmark.runner.config.command_line import as_typed, prepare, split_search_path, trusting
from embedmark.runner.config.compose import check, on_search_path, refuse_calls, user_folders
from embedmark.runner.config.hydra_errors import hydra_error
from embedmark.runner.config.schema import Settings
from embedmark.runner.display.progress import display
from embedmark.runner.execute.leftovers import clean
from embedmark.runner.execute.log import LOG_LINE
from embedmark.runner.lint.over_records import errors_of
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import make_plan, states_of
from embedmark.runner.report.closing import closing
from embedmark.runner.report.sweep import Point, show_sweep
from embedmark.runner.results.folder import JobFolders, Look
from embedmark.runner.results.record import Failure, Record

if TYPE_CHECKING:  # what runs jobs is imported where there are any to run
    from embedmark.runner.execute.loop import Outcome


def run(overrides: Sequence[str], folders: Sequence[Path], *, sweep: bool) -> int:
    """Run one command line and return its exit status; a sweep's is the worst of its runs."""
    overrides, more = split_search_path(trusting(overrides))
    folders = [*folders, *more]
    found = Catalogue.of(folders)
    changes = prepare(overrides, found, sweep=sweep)
    refuse_calls(folders, [point for change in changes if change.key == "execution=" for point in change.points])
    points = _Points(sweep)
    with user_folders(folders), initialize_config_dir(str(SHIPPED), version_base="1.3"):
        _invoke([*map(str, changes)], found, points)
    if sweep:
        show_sweep(points.measured)
    return max(points.statuses, default=0)


def _invoke(overrides: list[str], found: Catalogue, points: _Points) -> None:
    """Measure each point in a job of Hydra's, which gives each a folder of its own. Raises what stops them."""
    session: Any = GlobalHydra.instance().hydra
    raised: list[Exception] = []

    def guarded(measure: Callable[[], int]) -> None:
        try:
            points.statuses.append(measure())
        except Exception as error:
            # Hydra would print a line of its own about it.
            raised.append(error)

    def each(point: DictConfig) -> None:
        guarded(partial(_one, point, found, points))

    try:
        if points.sweep:
            session.multirun("config", each, [*overrides, "hydra.mode=MULTIRUN"])
        else:
            config = _composed(session, overrides)
            found = on_search_path(found)
            # Before Hydra makes a folder, so that a mistake leaves none.
            settings = check(OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"]), found)
            measure = partial(_recorded, settings, found, points)
            context = HydraContext(session.config_loader, Callbacks(config))
            run_job(lambda _: guarded(measure), config, "hydra.run.dir", None, context)
    except (UserError, OutputError, MemoryError):
        raise
    except OSError as error:
        # Hydra could not make the folder of the invocation.
        raise OutputError(
            f"{error.filename or 'outputs'}: cannot be written: {error.strerror}; give outputs=FOLDER"
        ) from error
    except Exception as error:
        # What the run raises is kept in `raised`, so this is Hydra's.
        raise hydra_error(error) from None
    if raised:
        raise raised[0]


def _composed(session: Any, overrides: list[str]) -> DictConfig:
    """The config of a plain run, with Hydra's own settings."""
    config: DictConfig = session.compose_config(
        "config", overrides, RunMode.RUN, with_log_configuration=True, from_shell=False
    )
    if config.hydra.mode == RunMode.MULTIRUN:
        raise UserError("hydra.mode: found MULTIRUN; leave it out, and give -m before the overrides of a sweep")
    config.hydra.mode = RunMode.RUN
    return config


@dataclass
class _Points:
    """The points of a sweep, or the one of a plain run, and what they share. models: a LastModel, once there is one.

    stopped: why no further point can be measured by this process.
    """

    sweep: bool
    statuses: list[int] = field(default_factory=list)
    measured: list[Point] = field(default_factory=list)
    models: Any = None
    stopped: str | None = None


def _one(config: DictConfig, found: Catalogue, points: _Points) -> int:
    """One point of a sweep, from plan to closing table. A mistake ends only its own run."""
    points.measured.append(Point(tuple(as_typed(HydraConfig.get().overrides.task))))
    if points.stopped:
        complain(f"failed: {_point().strip()} was not tried: {points.stopped}")
        return FAILED
    try:
        found = on_search_path(found)
        return _recorded(check(config, found), found, points)
    except (UserError, OutputError, JobError) as error:
        complain(f"error: {error}")
        return FAILED if isinstance(error, JobError) else USER_ERROR


def _recorded(settings: Settings, found: Catalogue, points: _Points) -> int:
    _record(settings)
    return _measure(settings, found, points)


def _measure(settings: Settings, found: Catalogue, points: _Points) -> int:
    outputs = Path(settings.outputs)
    outcome = None
    with _stoppable(), _log(Path(HydraConfig.get().runtime.output_dir) / "run.log"), display() as progress:
        progress.phase("plan", None, "")
        plan = make_plan(settings, found, default_pins())
        if settings.execution.order == "informative":
            from embedmark.runner.ranking.informative import informative

            plan, why_not = informative(plan, settings, found, outputs)
            if why_not is not None:
                progress.message(why_not)
        if points.sweep:
            points.measured[-1] = replace(points.measured[-1], plan=plan)
        look = JobFolders(outputs).look(job.fingerprint for job in plan.jobs)
        states, kept = states_of(plan, look, predictions=settings.execution.predictions), look.kept
        todo = len(plan.jobs) if settings.rerun else sum(state != "done" for state in states.values())
        progress.planned(f"{_point()}{summary(plan, look, states)}", todo)
        if todo:
            progress.phase("libraries", None, "")
            from embedmark.runner.execute.loop import execute
            from embedmark.runner.execute.model import LastModel

            points.models = points.models or LastModel()
            outcome = execute(
                plan, states, settings.execution, outputs, progress, rerun=settings.rerun, models=points.models
            )
            points.stopped = outcome.stopped
            kept = _kept(look, outcome, outputs)
            if outcome.stopped:
                left = todo - len(outcome.done) - len(outcome.failed)
                progress.message(f"stopped: {outcome.stopped}; left to do by the same command: {left}")
        else:
            clean(outputs)
    if points.sweep:
        points.measured[-1] = replace(points.measured[-1], kept=kept)
    closing(plan, kept, outputs)
    if outcome is not None and (odd := errors_of(record for _, record in outcome.done)):
        complain(f"warning: {odd}")
    return FAILED if outcome is not None and (outcome.failed or outcome.stopped) else OK


def _kept(look: Look, outcome: Outcome, outputs: Path) -> dict[str, Record | Failure]:
    """What is on record after a run: what was before, and what became of it. A failure takes no record's place."""
    elsewhere = [job.fingerprint for job in outcome.already if look.states[job.fingerprint] != "done"]
    kept = {**look.kept, **(JobFolders(outputs).look(elsewhere).kept if elsewhere else {})}
    kept |= {job.fingerprint: record for job, record in outcome.done}
    for job, failure in outcome.failed:
        if not isinstance(kept.get(job.fingerprint), Record):
            kept[job.fingerprint] = failure
    return kept


@contextmanager
def _stoppable() -> Iterator[None]:
    """Being asked to end (SIGTERM) is what Ctrl-C is: what is scored and what is encoded is kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _record(settings: Settings) -> None:
    """Let Hydra's record of the invocation say what was typed, and what it was understood to be."""
    config = HydraConfig.get()
    if config.output_subdir is None:
        return
    folder = Path(config.runtime.output_dir) / config.output_subdir
    typed = as_typed(config.overrides.task)
    recorded: Any = OmegaConf.to_container(config, resolve=False, enum_to_str=True)
    recorded["overrides"]["task"] = typed
    recorded["job"]["override_dirname"] = ",".join(typed)
    understood = settings.model_dump(mode="json", exclude_defaults=True)
    for name, content in (("overrides", typed), ("hydra", {"hydra": recorded}), ("config", understood)):
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def _point() -> str:
    """What sets one run of a sweep apart from the others, as a line above its own; nothing outside of sweeps."""
    config = HydraConfig.get()
    swept = config.mode == RunMode.MULTIRUN
    return f"[{config.job.num + 1}] {','.join(as_typed(config.overrides.task))}\n" if swept else ""


@contextmanager
def _log(path: Path) -> Iterator[None]:
    """Keep what is logged during the run with the record of its invocation."""
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(LOG_LINE)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
