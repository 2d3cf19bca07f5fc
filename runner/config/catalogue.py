"""Finds models, tasks and benchmarks by name on the config search path, and reads them checked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, dataclasses

from runner.config.explain import invalid
from runner.config.schema import BenchmarkConfig, ModelConfig, TaskConfig
from runner.errors import UserError, nearest
from tasks.types import TaskType, added_types, task_types

SHIPPED = Path(__file__).resolve().parents[2] / "configs"
"""The configs that come with the package."""

Kind = Literal["model", "task", "benchmark"]
Schema = TypeVar("Schema", bound=BaseModel)

_HEAD = 2048
_NAME = re.compile(r"^name:[ \t]*(.+?)[ \t]*(?:#.*)?$", re.MULTILINE)
_TYPE = re.compile(r"^type:[ \t]*([\w-]+)", re.MULTILINE)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Entry:
    """One config file: its `choice` is what Hydra calls it (the path inside the group, without .yaml)."""

    name: str
    choice: str
    path: Path
    type: str | None = None
    alias: bool = False


class Catalogue:
    """All config files on a search path. A file of an earlier folder shadows one of the same choice or name."""

    def __init__(self, folders: Sequence[Path] = (SHIPPED,)) -> None:
        self.folders = tuple(folders)
        self._tasks_read: dict[str, TaskConfig] = {}

    @cached_property
    def models(self) -> dict[str, Entry]:
        """Models by name."""
        return self._index("model")

    @cached_property
    def tasks(self) -> dict[str, Entry]:
        """Tasks by name."""
        return self._index("task")

    @cached_property
    def benchmarks(self) -> dict[str, Entry]:
        """Benchmarks by name."""
        return self._index("benchmark")

    def entries(self, kind: Kind) -> dict[str, Entry]:
        """All entries of a kind by name."""
        return {"model": self.models, "task": self.tasks, "benchmark": self.benchmarks}[kind]

    def find(self, kind: Kind, wanted: str) -> Entry:
        """The entry of that name, alias or Hydra choice. Raises UserError with the nearest names."""
        entries = self.entries(kind)
        if wanted in entries:
            return entries[wanted]
        for folder in self.folders:
            path = folder / kind / f"{wanted}.yaml"
            if path.is_file():
                return _read_head(path, wanted)
        choices = {entry.choice: entry for entry in entries.values()}
        folded = {name.casefold(): entry for name, entry in {**choices, **entries, **self._aliases(kind)}.items()}
        if wanted.casefold() in folded:
            return folded[wanted.casefold()]
        known = [*entries, *choices]
        raise UserError(
            f"no {kind} {wanted!r}.{nearest(wanted, known)} `python -m runner list {kind}s` shows all {len(entries)}; "
            f"searched {', '.join(str(folder / kind) for folder in self.folders)}"
        )

    def model(self, wanted: str) -> ModelConfig:
        """A model by name or choice."""
        return read_config(self.find("model", wanted).path, ModelConfig)

    def task(self, wanted: str) -> TaskConfig:
        """A task by name or choice, its settings checked against its type. Each file is read once."""
        if wanted not in self._tasks_read:
            self._tasks_read[wanted] = read_task(self.find("task", wanted).path)
        return self._tasks_read[wanted]

    def benchmark(self, wanted: str) -> BenchmarkConfig:
        """A benchmark by name, alias or choice."""
        return read_config(self.find("benchmark", wanted).path, BenchmarkConfig)

    def _index(self, kind: Kind) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        choices: set[str] = set()
        for folder in self.folders:
            here: dict[str, Entry] = {}
            for path in _yaml_files(folder / kind):
                choice = path.relative_to(folder / kind).with_suffix("").as_posix()
                if choice in choices:
                    continue
                choices.add(choice)
                entry = _read_head(path, choice)
                if entry.name not in here or here[entry.name].alias:
                    here[entry.name] = entry
                elif not entry.alias:
                    raise UserError(f"{path}: name: {entry.name!r} is already the name of {here[entry.name].path}")
            found = {**here, **found}
        return dict(sorted(found.items(), key=lambda item: item[0].casefold()))

    def _aliases(self, kind: Kind) -> dict[str, Entry]:
        if kind != "benchmark":
            return {}
        read = {name: read_yaml(entry.path) for name, entry in self.benchmarks.items()}
        return {alias: self.benchmarks[name] for name, values in read.items() for alias in values.get("aliases") or ()}


def read_task(path: Path) -> TaskConfig:
    """A task file, checked together with its settings. Raises UserError."""
    config = read_config(path, TaskConfig)
    check_settings(config, str(path))
    return config


def check_settings(task: TaskConfig, where: str) -> Any:
    """The settings of a task as its type's own class, defaults filled in. Raises UserError."""
    kind = task_type(task, where)
    try:
        # As JSON: there a list is a tuple too, while true is no number.
        return _strict(kind.settings).validate_json(json.dumps(dict(task.settings)), strict=True)  # type: ignore[arg-type]
    except ValidationError as error:
        raise invalid(error, f"{where}: settings", kind.settings) from None


@cache
def _strict(settings: type[Any]) -> TypeAdapter[Any]:
    """Settings are plain dataclasses, which let unknown keys pass unless told otherwise."""
    checked: type[Any] = dataclasses.dataclass(settings, config=ConfigDict(extra="forbid"), frozen=True)
    return TypeAdapter(checked)


def task_type(task: TaskConfig, where: str) -> TaskType:
    """The type of a task. Raises UserError when no such type is known, or when a package takes a name of another."""
    types, added = task_types(), added_types()
    if added.clashes:
        raise UserError(added.clashes[0])
    if task.type not in types:
        left_out = f" One is left out: {added.left_out[task.type]}." if task.type in added.left_out else ""
        raise UserError(
            f"{where}: type: no task type {task.type!r}.{left_out}{nearest(task.type, types)} "
            f"Known types: {', '.join(sorted(types))}."
        )
    return types[task.type]


def read_config(path: Path, schema: type[Schema]) -> Schema:
    """A config file, checked against its schema. Raises UserError naming the file and every wrong key."""
    values = read_yaml(path)
    if list(values) == ["defaults"]:
        return read_config(_alias_target(path, values), schema)
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise invalid(error, str(path), schema) from None


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises UserError naming the file and, where known, the line."""
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: found {type(values).__name__}; expected a mapping of keys to values")
    return values


def _yaml_files(folder: Path) -> Iterator[Path]:
    return iter(sorted(path for path in folder.rglob("*.yaml") if path.is_file()))


def _read_head(path: Path, choice: str) -> Entry:
    """Name and type without parsing the file: thousands of files are looked through on every command."""
    try:
        with path.open(encoding="utf-8") as handle:
            head = handle.read(_HEAD)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    name, kind = _NAME.search(head), _TYPE.search(head)
    if name is None:
        values = read_yaml(path)
        if list(values) == ["defaults"]:
            return Entry(_read_head(_alias_target(path, values), choice).name, choice, path, alias=True)
        if not isinstance(values.get("name"), str):
            raise UserError(f"{path}: name: missing; every config file has to name what it describes")
        return Entry(values["name"], choice, path, values.get("type"))
    plain = name[1] if name[1][0] not in "\"'[{&*|>!%@`" else str(yaml.safe_load(name[1]))
    return Entry(plain, choice, path, kind[1] if kind else None)


def _alias_target(path: Path, values: dict[str, Any]) -> Path:
    """An alias file is a Hydra defaults list with one entry: the file it stands for."""
    entries = [entry for entry in values["defaults"] if entry != "_self_"]
    if len(entries) != 1 or not isinstance(entries[0], str):
        raise UserError(f"{path}: defaults: found {values['defaults']}; expected one file name, as in [e5_base_v2]")
    target = path.parent / f"{entries[0]}.yaml"
    if not target.is_file():
        raise UserError(f"{path}: defaults: no file {target}")
    return target
