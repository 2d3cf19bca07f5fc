"""From the command line to checked settings: Hydra composes, pydantic checks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, get_args

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, ValidationError

from models.base import ModelError
from models.prompts import check_keys
from runner.config.catalogue import SHIPPED, Catalogue, Kind, check_settings
from runner.config.explain import invalid
from runner.config.members import all_of, resolved
from runner.config.schema import Execution, ModelConfig, Settings, TaskConfig
from runner.errors import UserError, nearest
from tasks.types import task_types

_GROUPS: dict[str, type[BaseModel]] = {"model": ModelConfig, "execution": Execution, "task": TaskConfig}
_BY_NAME: tuple[Kind, ...] = ("model", "task", "benchmark")
_KEY = re.compile(r"^(?P<sign>\+\+|\+|~)?(?P<key>[^=]+?)(?:=(?P<value>.*))?$", re.DOTALL)
_PLAIN_LIST = re.compile(r"[\[({'\"]")


def settings_from(overrides: Sequence[str], folders: Sequence[Path] = ()) -> tuple[Settings, Catalogue]:
    """Settings for one command line (no sweep), and the catalogue that its names come from.

    folders: the user's own config folders, searched before the shipped ones. Raises UserError.
    """
    with user_folders(folders), initialize_config_dir(str(SHIPPED), version_base="1.3"):
        try:
            config = compose("config", overrides=prepare(overrides, folders))
        except (HydraException, OmegaConfBaseException) as error:
            raise hydra_error(error) from None
        return check(config, catalogue())


def check(config: DictConfig, found: Catalogue) -> tuple[Settings, Catalogue]:
    """A composed config as settings. Raises UserError naming the key."""
    try:
        values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise hydra_error(error) from None
    assert isinstance(values, dict)
    values.pop("hydra", None)
    where = _origin(values, found)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise invalid(error, where, Settings) from None
    if settings.task is not None:
        check_settings(settings.task, f"{where}: task")
    settings = settings.model_copy(update={"model": resolved(settings.model, found)})
    for model in all_of(settings.model):
        check_prompts(model, {*found.tasks, *([settings.task.name] if settings.task else ())})
    return settings, found


def _origin(values: Mapping[Any, Any], found: Catalogue) -> str:
    """The files that a composed config comes from, as far as its names tell."""
    named = {kind: values.get(kind) for kind in _BY_NAME}
    files = {
        kind: found.entries(kind).get(str(part.get("name")))
        for kind, part in named.items()
        if isinstance(part, Mapping)
    }
    listed = [f"{kind} from {entry.path}" for kind, entry in files.items() if entry is not None]
    return f"config composed of {', '.join([*listed, 'and the command line'])}"


def check_prompts(model: ModelConfig, tasks: Collection[str]) -> None:
    """Refuse prompts, and arguments of a model's encode call, that no task, type or side can ever ask for.

    tasks: the names of all. Raises UserError.
    """
    encode = model.parameters.get("encode")
    keys = [*model.prompts, *(encode if isinstance(encode, Mapping) else ())]
    if not keys:
        return
    try:
        check_keys(keys, {kind.label for kind in task_types().values()}, tasks)
    except ModelError as error:
        raise UserError(f"model {model.name}: {error}") from None


def catalogue() -> Catalogue:
    """The catalogue on the search path of the Hydra session that is open now."""
    loader = GlobalHydra.instance().config_loader()
    paths = [element.path for element in loader.get_search_path().get_path() if element.path]
    folders = [Path(path.removeprefix("file://")) for path in paths if "://" not in path or path.startswith("file://")]
    return Catalogue(tuple(dict.fromkeys(folders)))


def prepare(overrides: Sequence[str], folders: Sequence[Path]) -> list[str]:
    """Overrides as Hydra wants them: names become file choices, known keys need no `+`, unknown ones are refused."""
    found = Catalogue((*folders, SHIPPED))
    prepared = [_prepare(override, found) for override in overrides]
    keys = {override.partition("=")[0] for override in prepared}
    if keys & {"task", "tasks"} and not keys & {"benchmark", "~benchmark"}:
        prepared.append("~benchmark")
    return prepared


def _prepare(override: str, found: Catalogue) -> str:
    match = _KEY.match(override)
    if match is None:
        raise UserError(f"{override!r}: expected key=value, as in model=e5 or model.max_tokens=128")
    sign, key, value = match["sign"] or "", match["key"], match["value"]
    if sign == "~" or key.startswith("hydra") or "@" in key:
        return override
    if value is None:
        raise UserError(f"{override!r}: expected key=value.{_verb_or_group_hint(key)}")
    if key in _BY_NAME:
        if value == "null":
            return f"~{key}"
        return f"{sign}{key}={_choices(key, value, found)}"
    head, _, rest = key.partition(".")
    if head not in Settings.model_fields:
        raise UserError(
            f"{override!r}: no key {head!r}.{nearest(head, Settings.model_fields)} Known: "
            f"{', '.join(Settings.model_fields)}."
        )
    if rest and head in _GROUPS:
        _refuse_unknown(override, head, rest.split("."))
        return f"++{key}={value}"
    return override


def _verb_or_group_hint(key: str) -> str:
    return nearest(key, ["model=", "benchmark=", "task=", "tasks=", "run", "plan", "list", "show", "report", "why"])


def _choices(kind: Kind, value: str, found: Catalogue) -> str:
    """File choices for names; a sweep's comma-separated names each. A list in brackets is left to Hydra."""
    text = value.strip("'\"")
    entries = found.entries(kind)
    if text in entries:
        return entries[text].choice
    if "," in text and not _PLAIN_LIST.search(value):
        return ",".join(found.find(kind, part.strip()).choice for part in text.split(","))
    return found.find(kind, text).choice


def _refuse_unknown(override: str, group: str, path: Sequence[str]) -> None:
    schemas: list[type[BaseModel]] = [_GROUPS[group]]
    for part in path:
        fields = {name: field for schema in schemas for name, field in schema.model_fields.items()}
        if part not in fields:
            raise UserError(
                f"{override!r}: {group} has no key {part!r}.{nearest(part, fields)} Known keys: "
                f"{', '.join(sorted(fields))}."
            )
        schemas = list(_schemas(fields[part].annotation))
        if not schemas:
            return


def _schemas(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _schemas(inner)


def hydra_error(error: Exception) -> UserError:
    """What Hydra or OmegaConf found wrong, without its stack."""
    lines = [line.rstrip() for line in str(error).splitlines() if line.strip()]
    return UserError("the command line or a config file is not right:\n" + "\n".join(f"  {line}" for line in lines))


_FOLDERS: ContextVar[tuple[Path, ...]] = ContextVar("user config folders", default=())


class UserFolders(SearchPathPlugin):
    """Puts the user's config folders in front of Hydra's search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra whenever it opens a session."""
        for folder in reversed(_FOLDERS.get()):
            search_path.prepend(provider="user", path=f"file://{folder}")


@contextmanager
def user_folders(folders: Iterable[Path]) -> Iterator[None]:
    """Search these folders before the shipped ones, so that they can shadow as well as add."""
    found = tuple(folder.resolve() for folder in folders)
    for folder in found:
        if not folder.is_dir():
            raise UserError(
                f"config folder {folder} does not exist; give a folder that holds model/, task/ or benchmark/"
            )
    Plugins.instance().register(UserFolders)
    token = _FOLDERS.set(found)
    try:
        yield
    finally:
        _FOLDERS.reset(token)


def split_search_path(overrides: Sequence[str]) -> tuple[list[str], list[Path]]:
    """Take `hydra.searchpath=[...]` out of the overrides: Hydra would search it last, where it cannot shadow."""
    kept, folders = [], []
    for override in overrides:
        key, _, value = override.partition("=")
        if key.lstrip("+") != "hydra.searchpath":
            kept.append(override)
            continue
        paths = yaml.safe_load(value)
        folders += [Path(str(path).removeprefix("file://")) for path in (paths if isinstance(paths, list) else [paths])]
    return kept, folders
