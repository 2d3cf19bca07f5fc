"""From the command line to checked settings: Hydra composes, the catalogue reads, pydantic checks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, ValidationError, create_model

from embedmark.models.prompts import check_keys
from embedmark.runner.common.errors import ModelError, UserError
from embedmark.runner.config.catalogue import KINDS, SHIPPED, Catalogue, Kind, check_task, existing
from embedmark.runner.config.checks import known_loader
from embedmark.runner.config.command_line import ASKED, as_typed, changes_of, is_path, prepare
from embedmark.runner.config.explain import invalid
from embedmark.runner.config.hydra_errors import hydra_error
from embedmark.runner.config.members import all_of, resolved
from embedmark.runner.config.merging import Change, changed, merge, with_its_weights
from embedmark.runner.config.schema import BenchmarkConfig, ModelConfig, Settings, TaskConfig
from embedmark.runner.config.yaml_files import mapping_in, read_text

_SCHEMAS: dict[Kind, type[BaseModel]] = {"model": ModelConfig, "task": TaskConfig, "benchmark": BenchmarkConfig}
_BELOW: dict[str, type[BaseModel]] = {
    kind: create_model(kind, **{kind: (schema, ...)})  # type: ignore[call-overload]
    for kind, schema in _SCHEMAS.items()
}
"""A schema one key below the top, so that errors name a value as the command line does: model.max_tokens."""
_FILE = "_file_"
_ITS_OWN = {"name", "source", "revision", "dataset"}

HYDRA_ERRORS = (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError, RecursionError)
"""What Hydra raises for a config or a command line that it cannot compose."""


def settings_from(overrides: Sequence[str], folders: Sequence[Path] = ()) -> tuple[Settings, Catalogue]:
    """Settings for one command line (no sweep), and the catalogue that its names come from.

    folders: the user's own config folders, searched before the shipped ones. Raises UserError.
    """
    with user_folders(folders):
        found = Catalogue.of(_FOLDERS.get())
        return _composed([str(handed) for handed in prepare(overrides, found)], found)


def points_from(
    overrides: Sequence[str], folders: Sequence[Path] = ()
) -> Iterator[tuple[str, Callable[[], tuple[Settings, Catalogue]]]]:
    """Each point of a sweep in the order in which they are run: its overrides as typed, and its settings_from.

    Raises UserError.
    """
    with user_folders(folders):
        found = Catalogue.of(_FOLDERS.get())
        for point in product(*(handed.points for handed in prepare(overrides, found, sweep=True))):
            yield ",".join(as_typed(point)), partial(_composed, point, found)


def _composed(overrides: Sequence[str], found: Catalogue) -> tuple[Settings, Catalogue]:
    with initialize_config_dir(str(SHIPPED), version_base="1.3"):
        try:
            config = compose("config", overrides=list(overrides))
        except UserError:
            raise
        except Exception as error:
            # Hydra checks not all that it uses.
            raise hydra_error(error) from None
        found = on_search_path(found)
        return check(config, found), found


def check(config: DictConfig, found: Catalogue) -> Settings:
    """A composed config as settings; its names come from the catalogue. Raises UserError naming the key."""
    try:
        values: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except HYDRA_ERRORS as error:
        raise hydra_error(error) from None
    assert isinstance(values, dict)
    as_written: Any = OmegaConf.to_container(config, resolve=False)
    # As in files of their own, no `${...}` is looked up in a model, task or benchmark: not the environment, above all.
    values |= {kind: as_written[kind] for kind in KINDS if isinstance(as_written.get(kind), dict)}
    values = {str(key): value for key, value in values.items() if key != "hydra"}
    changes = changes_of(values.pop(ASKED, None))
    parts: dict[str, Any] = {kind: _part(kind, values.pop(kind, None), changes, found) for kind in KINDS}
    asked = {change.path for change in changes if change.value is not None}
    if asked & {("task",), ("tasks",)} and not any(change.path == ("benchmark",) for change in changes):
        parts["benchmark"] = None
    others = [change for change in changes if change.path[0] not in KINDS]
    values = {**changed(values, others), **parts}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise invalid(error, "the command line or config.yaml", Settings) from None
    _look_up_tasks(settings, found)
    return settings.model_copy(update={"model": completed(settings.model, found, [settings.task])})


def completed(model: ModelConfig, found: Catalogue, given: Iterable[TaskConfig | None] = ()) -> ModelConfig:
    """Put configs in the place of the names of a model's members, and check what depends on names of tasks.

    Args:
        model: the model, as its file or the command line gives it.
        found: where members and tasks are looked up.
        given: tasks that are not in the catalogue.

    Raises:
        UserError: a member or a loader is not known, or no task or side has the name of a prompt.
    """
    model = resolved(model, found)
    for part in all_of(model):
        known_loader(part)
    check_names(model, found, given)
    return model


def check_names(model: ModelConfig, found: Catalogue, given: Iterable[TaskConfig | None]) -> None:
    """Refuse prompts of a model and its members that are for no task, type or side. Raises UserError."""
    tasks = [task for task in given if task is not None]
    names = {*found.tasks, *(task.name for task in tasks)}
    labels = {*found.labels, *(task.label for task in tasks if task.label)}
    for part in all_of(model):
        check_prompts(part, names, labels)


def _part(kind: Kind, composed: Any, changes: Sequence[Change], found: Catalogue) -> BaseModel | None:
    """The model, task or benchmark that was asked for: what its file says, and what is changed of it."""
    named = [change for change in changes if change.path == (kind,)]
    made = [
        Change(change.text, change.path[1:], change.value, change.removes)
        for change in changes
        if change.path[0] == kind and len(change.path) > 1
    ]
    over = dict(composed) if isinstance(composed, Mapping) else {}
    name = over.pop(_FILE, None) if isinstance(composed, Mapping) else composed
    if named:
        # What config.yaml changes of its own choice goes on being changed, but for which weights it is.
        over = {key: value for key, value in over.items() if name is not None and key not in _ITS_OWN}
        name = named[-1].value
    if name is None and not over:
        if made:
            raise UserError(f"{made[0].text!r}: there is no {kind} to change; give {kind}=NAME with it")
        return None
    if name is None:
        origin, values = "config.yaml", dict[str, Any]()
    elif kind == "model" and is_path(str(name)):
        origin, values = _drafted(str(name), found)
    elif not made and not over:
        return found.config(kind, str(name))
    else:
        path, values = found.values(kind, str(name))
        origin = str(path)
    after = changed(merge(values, over), made)
    if kind == "model":
        after = with_its_weights(values, after, {*over, *(change.path[0] for change in made)})
    where = f"config composed of {kind} from {origin} and the command line"
    try:
        config: BaseModel = getattr(_BELOW[kind].model_validate({kind: after}), kind)
    except ValidationError as error:
        raise invalid(error, where, _BELOW[kind]) from None
    if isinstance(config, TaskConfig):
        check_task(config, f"{where}: task")
    return config


def _drafted(name: str, found: Catalogue) -> tuple[str, dict[str, Any]]:
    """What `model new` would write for the checkpoint in a folder."""
    from embedmark.runner.draft.checkpoint import open_checkpoint
    from embedmark.runner.draft.model import draft

    folder = Path(name).expanduser()
    try:
        there, is_folder = folder.exists(), folder.is_dir()
    except (OSError, ValueError):
        there = is_folder = False
    if not there:
        raise UserError(f"model={name[:200]}: there is no folder {str(folder.absolute())[:200]}")
    if not is_folder:
        raise UserError(
            f"model={name[:200]}: a file; give the folder of a checkpoint, or a config's name with its folder as "
            "--config-dir"
        )
    return str(folder), mapping_in(draft(open_checkpoint(str(folder)), {*found.tasks, *found.labels})[0], str(folder))


def _look_up_tasks(settings: Settings, found: Catalogue) -> None:
    """Look up the tasks that are listed, and say what to write where the name of a benchmark is given as a task's."""
    for task in settings.tasks:
        if not found.has("task", task.name) and found.has("benchmark", task.name):
            raise UserError(f"tasks: {task.name!r} is a benchmark; write \"benchmark='{task.name}'\" instead")
        found.find("task", task.name)


def check_prompts(model: ModelConfig, tasks: Collection[str], labels: Collection[str]) -> None:
    """Refuse prompts, and arguments of a model's encode call, that no task, label or side can ever ask for.

    Args:
        model: the model, without its members.
        tasks: the names of all tasks.
        labels: the labels of all tasks, which are most often those of their types.

    Raises:
        UserError: a key is none of these; the message has the nearest that is.
    """
    encode = model.parameters.get("encode")
    without = model.instructions.without if model.instructions else ()
    keys = [*model.prompts, *(encode if isinstance(encode, Mapping) else ()), *without]
    if not keys:
        return
    try:
        check_keys(keys, labels, tasks)
    except ModelError as error:
        raise UserError(f"model {model.name}: {error}") from None


def on_search_path(found: Catalogue) -> Catalogue:
    """The catalogue of the command line, or another where a config.yaml adds to the search path of Hydra's session."""
    paths = [element.path for element in GlobalHydra.instance().config_loader().get_search_path().get_path()]
    files = [path.removeprefix("file://") for path in paths if path and ("://" not in path or path.startswith("file:"))]
    folders = tuple(dict.fromkeys(Path(path) for path in files))
    return found if folders == found.folders else Catalogue(folders)


_FOLDERS: ContextVar[tuple[Path, ...]] = ContextVar("user config folders", default=())


class Files(ConfigSource):
    """Stands in front of Hydra's search path, so that Hydra reads no file by itself.

    Of a model, task or benchmark it gets the name alone; config.yaml and `execution` are read within the bounds of all
    files, and their mistakes are told alike.
    """

    @staticmethod
    def scheme() -> str:
        """As in `catalogue://`."""
        return "catalogue"

    def load_config(self, config_path: str) -> ConfigResult:
        """A mapping with the file's name, over which config.yaml may put values; or what the file says."""
        header: dict[str, str | None] = {"package": None}
        choice = config_path.removesuffix(".yaml")
        if _is_of_catalogue(choice):
            values: dict[str, Any] = {_FILE: choice.partition("/")[2]}
        else:
            path = _file(choice)
            assert path is not None, config_path
            text = read_text(path)
            header |= ConfigSource._get_header_dict(text[:512])
            values = mapping_in(text, str(path)) if text.strip() else {}
            if ASKED in values:
                raise UserError(f"{path}: {ASKED}: no such key; leave it out")
        return ConfigResult(provider=self.provider, path="catalogue://", config=OmegaConf.create(values), header=header)

    def is_config(self, config_path: str) -> bool:
        """Whether there is such a file."""
        return _is_of_catalogue(config_path) or _file(config_path.removesuffix(".yaml")) is not None

    def is_group(self, config_path: str) -> bool:
        """Whether it is a kind that the catalogue reads."""
        return config_path in KINDS

    def available(self) -> bool:
        """Always."""
        return True

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:  # noqa: ARG002
        """Nothing: the catalogue knows."""
        return []


def _is_of_catalogue(config_path: str) -> bool:
    kind, slash, _ = config_path.partition("/")
    return kind in KINDS and slash != ""


def _file(choice: str) -> Path | None:
    folders = (*_FOLDERS.get(), SHIPPED)
    return next((path for folder in folders if (path := folder / f"{choice}.yaml").is_file()), None)


class UserFolders(SearchPathPlugin):
    """Puts the catalogue and the user's config folders in front of Hydra's search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra whenever it opens a session."""
        for folder in reversed(_FOLDERS.get()):
            search_path.prepend(provider="user", path=f"file://{folder}")
        search_path.prepend(provider="catalogue", path="catalogue://")


_CALLED = ("job_logging", "hydra_logging", "callbacks", "launcher", "sweeper", "job.env_set")


def refuse_calls(folders: Sequence[Path], execution: Sequence[str]) -> None:
    """Refuse folders whose config.yaml or execution files give Hydra something to call, or set the environment.

    Such a folder may come from a stranger. execution: what the command line chooses of `execution`. Raises UserError.
    """
    if not any((folder / name).exists() for folder in folders for name in ("config.yaml", "execution")):
        return
    # A config.yaml that chooses no logging has Hydra's own.
    ours = [_hydra_of((), overrides) for overrides in ((), [f"hydra/{key}=default" for key in _CALLED[:2]])]
    theirs = [_hydra_of(folders, overrides) for overrides in ((), *((one,) for one in execution))]
    for key in _CALLED:
        usual = [OmegaConf.select(our, key) for our in ours]
        if any(OmegaConf.select(their, key) not in usual for their in theirs):
            raise UserError(
                f"hydra.{key}: a config folder may not say what is called, or change the environment; leave it out of "
                f"its config.yaml and execution/, or give hydra.{key}... on the command line"
            )


def _hydra_of(folders: Sequence[Path], overrides: Sequence[str]) -> DictConfig:
    """Hydra's own settings with these config folders."""
    with user_folders(folders), initialize_config_dir(str(SHIPPED), version_base="1.3"):
        try:
            config = compose("config", overrides=list(overrides), return_hydra_config=True)
        except UserError:
            raise
        except Exception as error:
            raise hydra_error(error) from None
        return DictConfig(OmegaConf.to_container(config.hydra, resolve=False))


@contextmanager
def user_folders(folders: Iterable[Path]) -> Iterator[None]:
    """Search these folders before the shipped ones, so that they can shadow as well as add."""
    found = existing(folders)
    for plugin in (UserFolders, Files):
        Plugins.instance().register(plugin)
    token = _FOLDERS.set(found)
    try:
        yield
    finally:
        _FOLDERS.reset(token)
