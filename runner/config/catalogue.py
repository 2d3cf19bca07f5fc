"""Finds models, tasks and benchmarks by name on the config search path, and reads them checked.

Nothing else reads their files: however a file is named, it says the same, and what is wrong in it is said alike.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, dataclasses

from runner.config.checks import check_metric, check_transforms
from runner.config.defaults import with_defaults
from runner.config.explain import invalid
from runner.config.schema import BenchmarkConfig, ModelConfig, TaskConfig
from runner.config.values import Name
from runner.config.yaml_files import mapping_in, read_text
from runner.errors import UserError, nearest
from runner.text import complain, composed
from tasks.types import TaskType, added_types, task_types

SHIPPED = Path(__file__).resolve().parents[2] / "configs"
"""The configs that come with the package."""

Kind = Literal["model", "task", "benchmark"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Schema = TypeVar("Schema", bound=BaseModel)

_HEAD = re.compile(
    r"(?:#[^\n]*\n|\n)*name: ([A-Za-z][\w.()/+-]*(?:,? [\w.()/+-]+)*)\n(?:type: ([a-z_]+)\n)?(?=[a-z_]+:[ \n]|\Z)",
    re.ASCII,
)
"""A file whose first key is a name that YAML can read in one way alone, and perhaps a type."""
_TYPE_ELSEWHERE = re.compile(r"^(?:\? +)?[\"']?type\b", re.MULTILINE)
_NO_TEXT = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_READ_WHOLE = 100 * 1024
"""Bytes of one's own files that are read whole to find what is broken in them; of more, and of ours, just the heads."""


@dataclass(frozen=True)
class Entry:
    """One config file: its `choice` is what it is called on the command line, its path in the group without .yaml."""

    name: str
    choice: str
    path: Path
    type: str | None = None
    alias: bool = False


class _Named(BaseModel):
    """What a file must say to be found."""

    name: Name


@dataclass(frozen=True)
class _Index:
    """The files of one kind, by name and by choice, and those that cannot be read with the reason."""

    by_name: dict[str, Entry]
    by_choice: dict[str, Entry]
    broken: dict[str, UserError]
    other_suffix: dict[str, Path]


class Catalogue:
    """All config files on a search path. A file of an earlier folder shadows one of the same choice or name.

    A file that cannot be read is named in a warning (unless `quiet`), and is an error for whoever asks for it.
    """

    def __init__(self, folders: Sequence[Path] = (SHIPPED,), *, quiet: bool = False) -> None:
        self.folders = tuple(folders)
        self._quiet = quiet
        self._indexes: dict[Kind, _Index] = {}
        self._warned: set[Kind] = set()
        self._tasks_read: dict[str, TaskConfig] = {}

    @classmethod
    def of(cls, folders: Sequence[Path], *, quiet: bool = False) -> Catalogue:
        """The user's own folders, then the shipped one. Raises UserError for a folder that is not there."""
        return cls((*existing(folders), SHIPPED), quiet=quiet)

    @property
    def models(self) -> dict[str, Entry]:
        """Models by name."""
        return self.entries("model")

    @property
    def tasks(self) -> dict[str, Entry]:
        """Tasks by name."""
        return self.entries("task")

    @property
    def benchmarks(self) -> dict[str, Entry]:
        """Benchmarks by name."""
        return self.entries("benchmark")

    def entries(self, kind: Kind) -> dict[str, Entry]:
        """All entries of a kind by name."""
        return self._index(kind).by_name

    def find(self, kind: Kind, wanted: str) -> Entry:
        """The entry of that name, alias or choice. Raises UserError: the nearest names, or what is wrong with it."""
        index, wanted = self._index(kind), composed(wanted)
        choice = wanted.removesuffix(".yaml")
        if wanted in index.broken or choice in index.broken:
            raise index.broken.get(wanted) or index.broken[choice]
        self.warn(kind)
        if wanted in index.by_name:
            return index.by_name[wanted]
        if choice in index.by_choice:
            return index.by_choice[choice]
        named = {**index.by_choice, **index.by_name, **(self._aliases if kind == "benchmark" else {})}
        folded = {name.casefold(): entry for name, entry in named.items()}
        if wanted.casefold() in folded:
            return folded[wanted.casefold()]
        raise UserError(self._not_found(kind, wanted))

    def has(self, kind: Kind, wanted: str) -> bool:
        """Whether there is a file of that name or choice, be it broken."""
        index, wanted = self._index(kind), composed(wanted)
        return any(wanted in known for known in (index.by_name, index.by_choice, index.broken))

    def _not_found(self, kind: Kind, wanted: str) -> str:
        index = self._index(kind)
        shown = wanted if len(wanted) <= 80 else f"{wanted[:77]}..."
        if (path := index.other_suffix.get(wanted.removesuffix(".yml").removesuffix(".yaml"))) is not None:
            return f"no {kind} {shown!r}, but there is {path}; rename it to {path.with_suffix('.yaml').name}"
        known = [*index.by_name, *index.by_choice]
        hint = nearest(wanted, known)
        if not hint and kind == "model" and re.fullmatch(r"\w[\w.-]*/[\w.-]+", wanted):
            hint = f" `python -m runner model new {wanted}` drafts the file of a model of the hub."
            if Path(wanted).is_dir():
                hint = f" For the checkpoint in the folder of that name write ./{wanted}."
        searched = ", ".join(str(folder / kind) for folder in self.folders)
        return (
            f"no {kind} {shown!r}.{hint} `python -m runner list {kind}s` shows all {len(index.by_name)}; "
            f"searched {searched if len(searched) <= 200 else f'{len(self.folders)} folders'}"
        )

    def model(self, wanted: str) -> ModelConfig:
        """A model by name or choice."""
        path, values = self.values("model", wanted)
        return checked(values, ModelConfig, str(path))

    def task(self, wanted: str) -> TaskConfig:
        """A task by name or choice, its settings checked against its type. Each file is read once."""
        wanted = composed(wanted)
        if wanted not in self._tasks_read:
            path, values = self.values("task", wanted)
            # Reading transforms takes as long as all of a plan, and ours are read by the tests.
            self._tasks_read[wanted] = checked_task(values, str(path), transforms=not path.is_relative_to(SHIPPED))
        return self._tasks_read[wanted]

    def benchmark(self, wanted: str) -> BenchmarkConfig:
        """A benchmark by name, alias or choice."""
        path, values = self.values("benchmark", wanted)
        return checked(values, BenchmarkConfig, str(path))

    def config(self, kind: Kind, wanted: str) -> ModelConfig | TaskConfig | BenchmarkConfig:
        """A model, task or benchmark by name or choice."""
        readers: dict[Kind, Callable[[str], ModelConfig | TaskConfig | BenchmarkConfig]] = {
            "model": self.model,
            "task": self.task,
            "benchmark": self.benchmark,
        }
        return readers[kind](wanted)

    def values(self, kind: Kind, wanted: str) -> tuple[Path, dict[str, Any]]:
        """The file of that name, and what it says with its defaults, unchecked. Raises UserError."""
        path = self.find(kind, wanted).path
        return path, with_defaults(path, [folder / kind for folder in self.folders])

    def _index(self, kind: Kind) -> _Index:
        if kind not in self._indexes:
            self._indexes[kind] = self._read(kind)
        return self._indexes[kind]

    def warn(self, kind: Kind) -> None:
        """Name what is broken, once, for a verb that goes on without it."""
        broken = dict.fromkeys(str(error) for error in self._index(kind).broken.values())
        if broken and not self._quiet and kind not in self._warned:
            message = " ".join(f"warning: left out of the {kind}s: {'; '.join(broken)}".split())
            complain(message)
        self._warned.add(kind)

    def _read(self, kind: Kind) -> _Index:
        found = _Index({}, {}, {}, {})
        groups = [folder / kind for folder in self.folders]
        for group in groups:
            self._read_group(group, groups, found)
        ordered = dict(sorted(found.by_name.items(), key=lambda item: item[0].casefold()))
        return _Index(ordered, found.by_choice, found.broken, found.other_suffix)

    def _read_group(self, group: Path, groups: Sequence[Path], found: _Index) -> None:
        here: dict[str, Entry] = {}
        shipped = group.parent == SHIPPED
        left = 0 if shipped else _READ_WHOLE
        for path, choice, known in _shipped(group) if shipped else _files(group):
            if choice in found.by_choice or choice in found.broken:
                continue
            if path.suffix == ".yml":
                found.other_suffix.setdefault(choice, path)
                continue
            text = ""
            try:
                text = "" if known else read_text(path)
                left -= len(text)
                entry = known or _entry(path, choice, text, groups, whole=left > 0)
            except UserError as error:
                found.broken[choice] = error
                # Whoever asks for it by its name is told too.
                if (head := _head(path, choice, text)) is not None and head.name not in found.by_name:
                    found.broken[head.name] = error
                continue
            if entry.alias or here.setdefault(entry.name, entry) is entry:
                found.by_choice[choice] = entry
                continue
            first = here[entry.name]
            second = UserError(f"{path}: name: {entry.name!r} is already the name of {first.path}")
            found.broken[choice] = found.broken[entry.name] = second
        # An alias goes by its file's name; by its own only where nothing else has that.
        for entry in found.by_choice.values():
            if entry.alias and entry.path.is_relative_to(group):
                here.setdefault(entry.name, entry)
        for name, entry in here.items():
            found.by_name.setdefault(name, entry)

    @cached_property
    def _aliases(self) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for entry in self.benchmarks.values():
            try:
                _, values = self.values("benchmark", entry.choice)
            except UserError:
                continue
            aliases = values.get("aliases")
            found |= {alias: entry for alias in aliases if isinstance(alias, str)} if isinstance(aliases, list) else {}
        return found


def existing(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Config folders, resolved. Raises UserError for one that is none."""
    found = []
    for folder in folders:
        try:
            resolved_folder = folder.expanduser().resolve()
            there = resolved_folder.is_dir()
        except (OSError, ValueError, RuntimeError):
            there = False
        if not there:
            raise UserError(
                f"config folder {str(folder)[:200]} does not exist; "
                "give a folder that holds model/, task/ or benchmark/"
            )
        found.append(resolved_folder)
    return tuple(found)


def _files(group: Path) -> Iterator[tuple[Path, str, Entry | None]]:
    """The YAML files below a folder, sorted, with their choices; none is read yet."""
    found = []
    for folder, _, names in os.walk(group):
        inside = os.path.relpath(folder, group).replace(os.sep, "/")
        for name in names:
            stem, _, suffix = name.rpartition(".")
            if suffix in {"yaml", "yml"}:
                found.append((Path(folder, name), composed(stem if inside == "." else f"{inside}/{stem}")))
    return ((path, choice, None) for path, choice in sorted(found))


@cache
def _shipped(group: Path) -> tuple[tuple[Path, str, Entry | None], ...]:
    """The same of what comes with the package, and what the heads say: it does not change while we run."""
    return tuple((path, choice, _head(path, choice, read_text(path))) for path, choice, _ in _files(group))


def _head(path: Path, choice: str, text: str) -> Entry | None:
    """What the head of a file says where it leaves no doubt: thousands of files are looked through."""
    head = _HEAD.match(text)
    if head is None or head[1].casefold() in _NO_TEXT or "defaults" in text:
        return None
    if head[2] is None and _TYPE_ELSEWHERE.search(text):
        return None
    return Entry(composed(head[1]), choice, path, head[2])


def _entry(path: Path, choice: str, text: str, groups: Sequence[Path], *, whole: bool) -> Entry:
    """Name and type. whole: look for mistakes further down as well."""
    if not whole and (entry := _head(path, choice, text)) is not None:
        return entry
    values = mapping_in(text, str(path))
    own_name = "name" in values or "defaults" not in values
    if not own_name:
        values = with_defaults(path, groups)
    kind = values.get("type")
    return Entry(
        composed(checked(values, _Named, str(path)).name),
        choice,
        path,
        kind if isinstance(kind, str) else None,
        alias=not own_name,
    )


def read_config(path: Path, schema: type[Schema]) -> Schema:
    """A config file, checked against its schema. Raises UserError naming the file and every wrong key."""
    return checked(with_defaults(path, [path.parent]), schema, str(path))


def read_task(path: Path) -> TaskConfig:
    """A task file, checked together with its settings. Raises UserError."""
    return checked_task(with_defaults(path, [path.parent]), str(path))


def checked(values: Mapping[str, Any], schema: type[Schema], where: str) -> Schema:
    """What a file says, checked against its schema. Raises UserError naming `where` and every wrong key."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise invalid(error, where, schema) from None


def checked_task(values: Mapping[str, Any], where: str, *, transforms: bool = True) -> TaskConfig:
    """The same for a task, together with its settings and, where that is asked for, its transforms."""
    config = checked(values, TaskConfig, where)
    check_task(config, where, transforms=transforms)
    return config


def check_task(config: TaskConfig, where: str, *, transforms: bool = True) -> None:
    """Refuse settings, a main metric and, where that is asked for, transforms that there are not. Raises UserError."""
    check_metric(config, check_settings(config, where), where)
    if transforms and config.transforms:
        check_transforms(config, where)


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
