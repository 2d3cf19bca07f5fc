"""Overrides of the command line: what Hydra is handed of them, and what they change.

Hydra composes `config.yaml` and `execution`, and sweeps. What is said of a model, a task or a benchmark goes through it
unread, as texts below the key `asked`: their files are the catalogue's to read, and a change is made to what a file
says before that is checked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from pydantic import BaseModel

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.text import complain
from embedmark.runner.config.annotations import holds, kinds_in, plain_types, schemas_in
from embedmark.runner.config.catalogue import KINDS, Catalogue
from embedmark.runner.config.grammar import alternatives, name_of, one_of_many, short, split, value_of
from embedmark.runner.config.merging import Change
from embedmark.runner.config.schema import BenchmarkConfig, Execution, ModelConfig, Settings, TaskConfig
from embedmark.runner.config.yaml_files import parse

ASKED = "asked"
"""The key below which Hydra carries overrides as they were typed."""

_GROUPS: dict[str, type[BaseModel]] = {
    "model": ModelConfig,
    "execution": Execution,
    "task": TaskConfig,
    "benchmark": BenchmarkConfig,
}
_KEY = re.compile(r"^(?P<sign>\+\+|\+|~)?(?P<key>[^=]+?)(?:=(?P<value>.*))?$", re.DOTALL)
_SPELLED_BREAK = re.compile(r"[+]{0,2}(model\.(prompts|instructions)|task\.prompt)\b.*\\[nt]", re.DOTALL)
_HIDDEN = re.compile(r"[%$'\"\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CARRIED = re.compile(rf"^\+\+{ASKED}\.\d+='(.*)'$", re.DOTALL)

_GIVES_ADDRESS = re.compile(r"\+*model\.parameters(\.url=|=.*\burl\b)", re.DOTALL)


@dataclass(frozen=True)
class Handed:
    """One override as Hydra is given it: a key, and the values of a sweep (or one)."""

    key: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.key}{','.join(self.values)}"

    @property
    def points(self) -> list[str]:
        """One override for each value."""
        return [f"{self.key}{value}" for value in self.values]


def prepare(overrides: Sequence[str], found: Catalogue, *, sweep: bool = False) -> list[Handed]:
    """Overrides as Hydra wants them, each read once so that mistakes are found before anything runs.

    Raises UserError.
    """
    for override in overrides:
        if _SPELLED_BREAK.match(override):
            complain(
                f"warning: {short(override)}: \\n and \\t are two characters each on the command line, also in quotes. "
                "A line break is $'\\n' in most shells, or \"\\n\" in a model's file."
            )
    return [_prepare(override, place, found, sweep=sweep) for place, override in enumerate(overrides)]


def as_typed(overrides: Sequence[str]) -> list[str]:
    """Overrides that Hydra was handed, as they were typed."""
    return [_shown(match[1]) if (match := _CARRIED.match(override)) else override for override in overrides]


def changes_of(asked: Mapping[Any, Any] | None) -> list[Change]:
    """What Hydra carried below `asked`, in the order in which it was typed."""
    in_order = sorted((asked or {}).items(), key=lambda item: int(item[0]))
    return [change_of(_shown(str(text))) for _, text in in_order]


def change_of(override: str) -> Change:
    """What one override changes. Raises UserError."""
    sign, key, value = _parts(override)
    head, *rest = key.split(".")
    if head not in Settings.model_fields:
        raise UserError(
            f"{short(override)}: no key {head[:80]!r}.{nearest(head, Settings.model_fields)} Known: "
            f"{', '.join(Settings.model_fields)}."
        )
    if not rest and (head in KINDS or sign == "~"):
        return _whole(override, sign, head, value)
    path, text = _place(override, head, rest)
    if sign == "~":
        if value is not None:
            raise UserError(f"{short(override)}: `~` takes a key away, whatever its value; write {'~' + key!r}")
        return Change(override, path, removes=True)
    assert value is not None
    if path == ("tasks",):
        return Change(override, path, _tasks(override, value))
    return Change(override, path, value_of(override, value, text=text))


def _prepare(override: str, place: int, found: Catalogue, *, sweep: bool) -> Handed:
    sign, key, value = _parts(override)
    if re.split(r"[./@]", key)[0] == "hydra":
        return Handed("", (_readable(override, key),))
    if key == "execution" and value is not None and sign != "~":
        names = alternatives(override, value, lambda: _executions(found))
        one_of_many(override, names, sweep=sweep)
        return Handed("execution=", tuple(_execution(name, found) for name in names))
    if key == "outputs" and value is not None and sign != "~":
        return _outputs(override, value, sweep=sweep)
    if sign == "~" or value is None:
        texts = [override]
    else:
        texts = [f"{sign}{key}={choice}" for choice in _choices(override, key, value, found)]
    for text in texts:
        change = change_of(text)
        if len(texts) > 1 and key in KINDS and change.value is not None and not is_path(change.value):
            found.find(change.path[0], change.value)  # type: ignore[arg-type]
    one_of_many(override, texts, sweep=sweep)
    return Handed(f"++{ASKED}.{place}=", tuple(f"'{_hide(text)}'" for text in texts))


def _choices(override: str, key: str, value: str, found: Catalogue) -> list[str]:
    """The values of one override, several in a sweep."""
    if key in KINDS:
        known = found.has(key, name_of(value) or "")
        every = lambda: [entry.choice for entry in found.entries(key).values()]  # noqa: E731
        return [value] if known else alternatives(override, value, every)
    # A list in brackets is one value, whatever the names in it look like.
    listed = key == "tasks" and value.strip().startswith("[") and len(split(value)) == 1
    return [value] if listed else alternatives(override, value, list)


def _readable(override: str, key: str) -> str:
    """An override of Hydra's own keys, which Hydra reads."""
    try:
        OverridesParser.create().parse_override(override)
    except (HydraException, ValueError, RecursionError):
        raise UserError(
            f"{short(override)}: cannot be read; put the value in quotes within the shell's: \"{key}='value'\""
        ) from None
    return override


def is_path(name: str | None) -> bool:
    """Whether a model is given as the folder of a checkpoint."""
    return name is not None and (name in {".", ".."} or name.startswith(("/", "./", "../", "~")) or name.endswith("/"))


def _parts(override: str) -> tuple[str, str, str | None]:
    match = _KEY.match(override)
    if match is None:
        raise UserError(f"{short(override)}: expected key=value, as in model=e5 or model.max_tokens=128")
    sign, key, value = match["sign"] or "", match["key"].strip(), match["value"]
    if value is None and sign != "~":
        raise UserError(f"{short(override)}: expected key=value.{_meant(key)}")
    return sign, key, value


def _meant(key: str) -> str:
    verbs = ["run", "plan", "list", "show", "report", "why"]
    if key in verbs:
        return f" The verb stands first: python -m runner {key} ..."
    return nearest(key, ["model=", "benchmark=", "task=", "tasks=", *verbs])


def _whole(override: str, sign: str, head: str, value: str | None) -> Change:
    """A model, task or benchmark by name, or a key taken away."""
    if sign == "~":
        if value is not None:
            raise UserError(f"{short(override)}: `~` takes a key away, whatever its value; write '~{head}'")
        if head not in {"task", "benchmark", "tasks", "rerun"}:
            raise UserError(f"{short(override)}: a run needs its {head}; give another with {head}=...")
        return Change(override, (head,), removes=True)
    assert value is not None
    name = name_of(value)
    if head == "model" and name is None:
        name = "null"
    if name is not None and (not name.strip() or name[:1] in "{["):
        raise UserError(f"{short(override)}: expected a name, as `python -m runner list {head}s` shows them")
    return Change(override, (head,), name)


def _tasks(override: str, value: str) -> list[Any]:
    """A list of names, as they stand or in quotes, and of mappings."""
    plain = value.strip()
    if plain == "null":
        return []
    if plain.startswith("[") != plain.endswith("]"):
        raise UserError(f"{short(override)}: expected a list in brackets, as in tasks=[STSBenchmark,SICK-R]")
    entries = split(plain[1:-1] if plain.startswith("[") else plain)
    return [
        value_of(override, entry) if entry.strip()[:1] in ("{", "[") else name_of(entry) or "null"
        for entry in (entries if entries != [""] else [])
    ]


def _place(override: str, head: str, rest: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """The path that a dotted key means, and whether nothing but a text can stand there. Raises UserError."""
    annotation: Any = Settings.model_fields[head].annotation
    if not rest:
        return (head,), _only_text(annotation)
    schemas: list[type[BaseModel]] = [_GROUPS[head]] if head in _GROUPS else []
    for place, part in enumerate(rest):
        fields = {name: field for schema in schemas for name, field in schema.model_fields.items()}
        if part not in fields:
            where = ".".join((head, *rest[:place]))
            known = f" Known keys: {', '.join(sorted(fields))}." if fields else ""
            raise UserError(f"{short(override)}: {where} has no key {part[:80]!r}.{nearest(part, fields)}{known}")
        annotation = fields[part].annotation
        schemas = list(schemas_in(annotation))
        below = rest[place + 1 :]
        if not schemas or not below:
            break
    done = (head, *rest[: len(rest) - len(below)])
    if not below:
        return done, _only_text(annotation)
    if (values := _values_of(annotation)) is not None:
        return (*done, ".".join(below)), _only_text(values)
    return (*done, *below), False


def _values_of(annotation: Any) -> Any:
    """What the values of a flat mapping are; None where entries may have entries of their own, or there is none."""
    if not holds(annotation, Mapping):
        return None
    values = get_args(annotation)[1]
    nested = Any in plain_types(values) or any(holds(kind, Mapping) for kind in kinds_in(values))
    return None if nested else values


def _only_text(annotation: Any) -> bool:
    kinds = set(plain_types(annotation))
    return str in kinds and not kinds & {int, float, bool, Any}


def _executions(found: Catalogue) -> list[str]:
    return [path.stem for folder in found.folders for path in sorted((folder / "execution").glob("*.yaml"))]


def _execution(value: str, found: Catalogue) -> str:
    name = name_of(value) or "null"
    known = _executions(found)
    if name not in known:
        raise UserError(
            f"execution={name[:80]}: no file execution/{name[:80]}.yaml.{nearest(name, known)} Known: "
            f"{', '.join(dict.fromkeys(known))}."
        )
    return _quoted(name)


def _outputs(override: str, value: str, *, sweep: bool) -> Handed:
    """Hydra keeps its own records below `outputs`, so it reads the value; a path is taken as it stands."""
    values = alternatives(override, value, list) if sweep else [value]
    return Handed("++outputs=", tuple(_path(override, path) for path in values))


def _path(override: str, value: str) -> str:
    if "${" in value:
        _readable(override, "outputs")
        return value
    name = name_of(value)
    if not name:
        raise UserError(f"{short(override)}: expected a folder, as in outputs=results")
    return _quoted(os.path.expanduser(name))  # noqa: PTH111 (which leaves `~` where no user has that name)


def _quoted(text: str) -> str:
    escaped = re.sub(r"(\\*)'", lambda found: f"{found[1] * 2}\\'", text)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return f"'{escaped}{chr(92) * trailing}'"


def _hide(text: str) -> str:
    return _HIDDEN.sub(lambda found: f"%{ord(found[0]):X};", text)


def _shown(text: str) -> str:
    return re.sub(r"%([0-9A-F]+);", lambda found: chr(int(found[1], 16)), text)


def split_search_path(overrides: Sequence[str]) -> tuple[list[str], list[Path]]:
    """Take `hydra.searchpath=[...]` out of the overrides: Hydra would search it last, where it cannot shadow."""
    kept, folders = [], []
    for override in overrides:
        key, _, value = override.partition("=")
        if key.lstrip("+") != "hydra.searchpath":
            kept.append(override)
            continue
        paths = parse(value, short(override))
        for path in paths if isinstance(paths, list) else [paths]:
            if not isinstance(path, str):
                raise UserError(f"{short(override)}: expected folders, as in hydra.searchpath=[/a,/b]")
            folders.append(Path(path.removeprefix("file://")))
    return kept, folders


def trusting(overrides: Sequence[str]) -> list[str]:
    """The overrides; who gives the address of a service on the command line trusts it."""
    given = any(map(_GIVES_ADDRESS.match, overrides)) and not any("trust_url" in override for override in overrides)
    return [*overrides, "model.trust_url=true"] if given else list(overrides)
