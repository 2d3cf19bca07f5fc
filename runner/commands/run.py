"""`run`: Hydra composes and records the invocation (once, or for each point of a sweep), the jobs are run."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from runner.commands.plan import summary
from runner.config.catalogue import SHIPPED, Catalogue
from runner.config.command_line import as_typed, prepare, split_search_path, trusting
from runner.config.compose import check, refuse_calls, settings_from, user_folders
from runner.config.hydra_errors import hydra_error
from runner.config.schema import Settings
from runner.errors import FAILED, OK, USER_ERROR, JobError, OutputError, UserError
from runner.execute.leftovers import clean
from runner.execute.log import LOG_LINE
from runner.pins import default_pins
from runner.plan import make_plan
from runner.progress import display
from runner.report.closing import closing
from runner.report.sweep import Point, show_sweep
from runner.results.folder import JobFolders
from runner.text import complain


def run(overrides: Sequence[str], folders: Sequence[Path], *, sweep: bool) -> int:
    """Run one command line and return its exit status; a sweep's is the worst of its runs."""
    overrides, more = split_search_path(trusting(overrides))
    folders = [*folders, *more]
    found = Catalogue.of(folders) if sweep else settings_from(overrides, folders)[1]
    points = _Points(sweep)
    raised: list[Exception] = []

    @hydra.main(version_base="1.3", config_path=str(SHIPPED), config_name="config")
    def invocation(config: DictConfig) -> None:
        try:
            points.statuses.append(_one(config, found, points))
        except Exception as error:
            # Hydra would print a line of its own about it.
            raised.append(error)

    changes = prepare(overrides, found, sweep=sweep)
    refuse_calls(folders, [point for change in changes if change.key == "execution=" for point in change.points])
    with user_folders(folders), _command_line([*map(str, changes), *(["--multirun"] if sweep else [])]):
        try:
            invocation()
        except (UserError, MemoryError):
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
    if sweep:
        show_sweep(points.measured)
    return max(points.statuses, default=0)


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


@contextmanager
def _command_line(overrides: Sequence[str]) -> Iterator[None]:
    """Hydra reads sys.argv, and ends the process on an error unless it is told to raise it."""
    arguments, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = ["runner", *overrides]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = arguments
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error


def _one(config: DictConfig, found: Catalogue, points: _Points) -> int:
    """One composed config, from plan to closing table. In a sweep a mistake ends only its own run."""
    if points.sweep:
        points.measured.append(Point(tuple(as_typed(HydraConfig.get().overrides.task))))
    if points.stopped:
        complain(f"failed: {_point().strip()} was not tried: {points.stopped}")
        return FAILED
    try:
        settings, found = check(config, found)
        _record(settings)
        return _measure(settings, found, points)
    except (UserError, JobError) as error:
        if not points.sweep:
            raise
        complain(f"error: {error}")
        return USER_ERROR if isinstance(error, UserError) else FAILED


def _measure(settings: Settings, found: Catalogue, points: _Points) -> int:
    outputs = Path(settings.outputs)
    plan = make_plan(settings, found, default_pins())
    if points.sweep:
        points.measured[-1] = replace(points.measured[-1], plan=plan, outputs=outputs)
    states = JobFolders(outputs).states([job.fingerprint for job in plan.jobs])
    todo = len(plan.jobs) if settings.rerun else sum(state != "done" for state in states.values())
    outcome = None
    with _stoppable(), _log(Path(HydraConfig.get().runtime.output_dir) / "run.log"), display() as progress:
        progress.planned(f"{_point()}{summary(plan, states, outputs)}", todo)
        if todo:
            from runner.execute.loop import execute
            from runner.execute.model import LastModel

            points.models = points.models or LastModel()
            outcome = execute(
                plan, states, settings.execution, outputs, progress, rerun=settings.rerun, models=points.models
            )
            points.stopped = outcome.stopped
            if outcome.stopped:
                left = todo - len(outcome.done) - len(outcome.failed)
                progress.message(f"stopped: {outcome.stopped}; left to do by the same command: {left}")
        else:
            clean(outputs)
    closing(plan, outputs)
    return FAILED if outcome is not None and (outcome.failed or outcome.stopped) else OK


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
