"""How mappings of configs are put over one another: a file over its defaults, the command line over a file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest

_UNIONS = {"source": ("hub", "package", "path"), "dataset": ("hub", "package", "files", "tasks")}
"""Mappings of which a config has one kind, each told by a key of its own."""


@dataclass(frozen=True)
class Change:
    """One override: the value that a key path gets, whole, or that the path is removed."""

    text: str
    path: tuple[str, ...]
    value: Any = None
    removes: bool = False


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` put over `base`: mappings key by key, everything else whole."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(below, value) if both and not _other_kind(key, below, value) else value  # type: ignore[arg-type]
    return merged


def _other_kind(key: str, base: Any, over: Any) -> bool:
    return any(tag in over and tag not in base for tag in _UNIONS.get(key, ()))


def changed(values: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """The mapping with changes made, in their order; what was given is left as it is. Raises UserError."""
    result: Any = dict(values)
    for change in changes:
        result = _changed(result, change.path, change)
    return result  # type: ignore[no-any-return]


def _changed(here: Any, path: Sequence[str], change: Change) -> Any:
    if not path:
        return change.value
    if isinstance(here, list):
        return _changed_list(here, path, change)
    if here is not None and not isinstance(here, Mapping):
        done = ".".join(change.path[: len(change.path) - len(path)])
        raise UserError(f"{change.text!r}: {done} is {str(here)[:80]!r}, which has no entries; give {done} as a whole")
    known: Mapping[str, Any] = here or {}
    key, rest = path[0], path[1:]
    if change.removes and key not in known and len(path) < len(change.path):
        raise UserError(f"{change.text!r}: there is no {key!r} to remove.{nearest(key, map(str, known))}")
    if change.removes and not rest:
        return {name: value for name, value in known.items() if name != key}
    return {**known, key: _changed(known.get(key), rest, change)}


def _changed_list(here: list[Any], path: Sequence[str], change: Change) -> list[Any]:
    if not path[0].isdecimal() or int(path[0]) >= len(here):
        raise UserError(f"{change.text!r}: no entry {path[0]!r} in a list of {len(here)}; they are counted from 0")
    place = int(path[0])
    removed = change.removes and len(path) == 1
    new = [] if removed else [_changed(here[place], path[1:], change)]
    return [*here[:place], *new, *here[place + 1 :]]


def with_its_weights(before: Mapping[str, Any], after: Mapping[str, Any], given: Collection[str]) -> dict[str, Any]:
    """A model's mapping without what described other weights than it has now.

    Where the weights are not those of `before`, its revision and `about` (except for the modalities) go, and its name
    becomes that of the source, unless they are `given` with the change.
    """
    now = _weights(after)
    if now is None or now == _weights(before) or not {"name", "source"} & set(before):
        return dict(after)
    kept = {key: value for key, value in after.items() if key in given or key not in {"revision", "about"}}
    about = before.get("about")
    if "about" not in given and isinstance(about, Mapping) and "modalities" in about:
        kept["about"] = {"modalities": about["modalities"]}
    if "name" not in given and isinstance(now, Mapping):
        kept["name"] = _name(now)
    return kept


def _weights(values: Mapping[str, Any]) -> Any:
    """Where the weights are; None where that is not said."""
    from embedmark.models.loaders import find_loader  # what lists names has no use for it

    if values.get("source") is not None:
        return values["source"]
    loader = values.get("loader", "sentence_transformer")
    known = find_loader(loader) if isinstance(loader, str) else None
    if "name" not in values or (known is not None and not known.needs_weights):
        return None
    return {"hub": values["name"]}


def _name(source: Mapping[str, Any]) -> Any:
    if isinstance(path := source.get("path"), str):
        return Path(path).expanduser().resolve().name or "checkpoint"
    return source.get("hub") or source.get("package")
