"""Finds models, tasks and benchmarks by name on the config search path, and reads them checked.

Nothing else reads their files: however a file is named, it says the same, and what is wrong in it is said alike.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.text import complain, composed
from embedmark.runner.config.defaults import Reader, with_defaults
from embedmark.runner.config.index import HeadIndex
from embedmark.runner.config.yaml_files import mapping_in, read_text, read_yaml
from embedmark.tasks.types import task_types

if TYPE_CHECKING:  # listing needs names alone, and must not wait for schemas
    from pydantic import BaseModel

    from embedmark.runner.config.schema import BenchmarkConfig, ModelConfig, TaskConfig

SHIPPED = Path(__file__).resolve().parents[2] / "configs"
"""The configs that come with the package."""

Kind = Literal["model", "task", "benchmark"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Schema = TypeVar("Schema", bound="BaseModel")

_HEAD = re.compile(
    r"(?:#[^\n]*\n|\n)*name: ([A-Za-z][\w.()/+-]*(?:,? [\w.()/+-]+)*)\n(?:type: ([a-z_]+)\n)?"
    r"(?:label: ([A-Za-z]\w*)\n)?(?=[a-z_]+:[ \n]|\Z)",
    re.ASCII,
)
"""A file whose first key is a name that YAML can read in one way alone, and perhaps a type and a label."""
_ELSEWHERE = {word: re.compile(rf"^(?:\? +)?[\"']?{word}\b", re.MULTILINE) for word in ("type", "label")}
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
    label: str | None = None
    alias: bool = False


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
        self._read_file = cache(read_yaml)
        self._heads = HeadIndex.of_user()

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
    def labels(self) -> frozenset[str]:
        """What the field calls the types of tasks, and tasks that say a label of their own."""
        own = (entry.label for entry in self.tasks.values() if entry.label)
        return frozenset((*(kind.label for kind in task_types().values()), *own))

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
        from embedmark.runner.config.schema import ModelConfig

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

    def add(self, task: TaskConfig) -> None:
        """Let a task that no file gives be found by its name, in place of one of that name that a file gives."""
        self._tasks_read[composed(task.name)] = task

    def benchmark(self, wanted: str) -> BenchmarkConfig:
        """A benchmark by name, alias or choice."""
        from embedmark.runner.config.schema import BenchmarkConfig

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
        return path, with_defaults(path, [folder / kind for folder in self.folders], self._read_file)

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
        self._heads.save()
        ordered = dict(sorted(found.by_name.items(), key=lambda item: item[0].casefold()))
        return _Index(ordered, found.by_choice, found.broken, found.other_suffix)

    def _read_group(self, group: Path, groups: Sequence[Path], found: _Index) -> None:
        here: dict[str, Entry] = {}
        shipped = group.parent == SHIPPED
        left = 0 if shipped else _READ_WHOLE
        for path, choice in _files(group):
            if choice in found.by_choice or choice in found.broken:
                continue
            if path.suffix == ".yml":
                found.other_suffix.setdefault(choice, path)
                continue
            text = ""
            status = _status(path)
            known = self._heads.get(path, status) if status else None
            try:
                text = "" if known else read_text(path)
                left -= len(text)
                entry = (
                    Entry(known[0], choice, path, *known[1:])
                    if known
                    else _entry(path, choice, text, groups, self._read_file, whole=left > 0)
                )
            except UserError as error:
                found.broken[choice] = error
                # Whoever asks for it by its name is told too.
                if (head := _head(path, choice, text)) is not None and head.name not in found.by_name:
                    found.broken[head.name] = error
                continue
            # What other files decide as well is not kept, nor what was not looked through for mistakes.
            if status and not known and (shipped or left > 0) and "defaults" not in text:
                self._heads.put(path, status, (entry.name, entry.type, entry.label))
            if entry.alias or here.setdefault(entry.name, entry) is entry:
                found.by_choice[choice] = entry
                continue
            first = here[entry.name]
            second = UserError(f"{path}: name: {entry.name!r} is already the name of {first.path}")
            found.broken[choice] = found.broken[entry.name] = second
        _take_names(here, found, group)

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


def _take_names(here: dict[str, Entry], found: _Index, group: Path) -> None:
    """Let the entries of a group be found by name, where no earlier folder has the name.

    An alias goes by its file's name; by its own only where nothing else has that.
    """
    for entry in found.by_choice.values():
        if entry.alias and entry.path.is_relative_to(group):
            here.setdefault(entry.name, entry)
    for name, entry in here.items():
        found.by_name.setdefault(name, entry)


def existing(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Config folders, resolved. Raises UserError for one that is no folder."""
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


def _status(path: Path) -> os.stat_result | None:
    """What the system says of a regular file; None for anything else."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _files(group: Path) -> Iterator[tuple[Path, str]]:
    """The YAML files below a folder, sorted, with their choices; none is read yet."""
    found = []
    for folder, _, names in os.walk(group):
        inside = os.path.relpath(folder, group).replace(os.sep, "/")
        for name in names:
            stem, _, suffix = name.rpartition(".")
            if suffix in {"yaml", "yml"}:
                found.append((Path(folder, name), composed(stem if inside == "." else f"{inside}/{stem}")))
    return iter(sorted(found, key=lambda file: file[0].parts))


def _head(path: Path, choice: str, text: str) -> Entry | None:
    """What the head of a file says where it leaves no doubt: thousands of files are looked through."""
    head = _HEAD.match(text)
    if head is None or head[1].casefold() in _NO_TEXT or "defaults" in text:
        return None
    if head[3] is not None and head[3].casefold() in _NO_TEXT:
        return None
    for said, (word, elsewhere) in zip((head[2], head[3]), _ELSEWHERE.items(), strict=True):
        if said is None and word in text and elsewhere.search(text):
            return None
    return Entry(composed(head[1]), choice, path, head[2], head[3])


def _entry(path: Path, choice: str, text: str, groups: Sequence[Path], reader: Reader, *, whole: bool) -> Entry:
    """Name, type and label. whole: look for mistakes further down as well."""
    if not whole and (entry := _head(path, choice, text)) is not None:
        return entry
    values = mapping_in(text, str(path))
    own_name = "name" in values or "defaults" not in values
    if not own_name:
        values = with_defaults(path, groups, reader)
    from embedmark.runner.config.schema.named import Named

    kind, label = values.get("type"), values.get("label")
    return Entry(
        composed(checked(values, Named, str(path)).name),
        choice,
        path,
        kind if isinstance(kind, str) else None,
        composed(label) if isinstance(label, str) else None,
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
    from pydantic import ValidationError

    try:
        return schema.model_validate(values)
    except ValidationError as error:
        from embedmark.runner.config.explain import invalid

        raise invalid(error, where, schema) from None


def checked_task(values: Mapping[str, Any], where: str, *, transforms: bool = True) -> TaskConfig:
    """The same for a task, together with its settings and, where that is asked for, its transforms."""
    from embedmark.runner.config.schema import TaskConfig

    config = checked(values, TaskConfig, where)
    check_task(config, where, transforms=transforms)
    return config


def check_task(config: TaskConfig, where: str, *, transforms: bool = True) -> None:
    """Refuse settings, a main metric and, where that is asked for, transforms that there are not. Raises UserError."""
    from embedmark.runner.config.checks import check_metric, check_reader, check_settings, check_transforms, task_type

    kind = task_type(config, where)
    check_metric(config, check_settings(config, where, kind), where)
    check_reader(config, where)
    if transforms and config.transforms:
        check_transforms(config, where)
