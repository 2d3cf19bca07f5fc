"""The `defaults` of a model, task or benchmark file: other files of its kind, over which it is put."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.config.merging import merge, with_its_weights
from embedmark.runner.config.yaml_files import read_yaml

MAX_FILES = 100
_SELF = "_self_"


Reader = Callable[[Path], dict[str, Any]]
"""What gives the values of one file, without its defaults."""


def with_defaults(path: Path, groups: Sequence[Path], reader: Reader = read_yaml) -> dict[str, Any]:
    """What a file says, put over its defaults, theirs included. Raises UserError.

    groups: the folders of its kind, in the order of the search; a default is looked for in all of them, from the place
    that the file has in its own.
    """
    return _read(path, groups, reader, (), [])


def _read(
    path: Path, groups: Sequence[Path], reader: Reader, chain: tuple[Path, ...], read: list[Path]
) -> dict[str, Any]:
    if path in chain:
        names = " → ".join(link.stem for link in (*chain[chain.index(path) :], path))
        raise UserError(f"{chain[0]}: defaults: {names} is a circle; a file cannot be put over itself")
    read.append(path)
    if len(read) > MAX_FILES:
        raise UserError(f"{read[0]}: defaults: more than {MAX_FILES} files, the limit")
    values = dict(reader(path))
    if "defaults" not in values:
        return values
    own = {key: value for key, value in values.items() if key != "defaults"}
    layers = _layers(path, values["defaults"])
    merged: dict[str, Any] = {}
    for layer in layers:
        over = own if layer == _SELF else _read(_target(path, layer, groups), groups, reader, (*chain, path), read)
        below, merged = merged, merge(merged, over)
        if groups[0].name == "model":
            merged = with_its_weights(below, merged, over)
    return merged


def _layers(path: Path, defaults: Any) -> list[str]:
    entries = [defaults] if isinstance(defaults, str) else defaults
    known = isinstance(entries, list) and entries and all(_names_a_file(entry) for entry in entries)
    if not known or entries.count(_SELF) > 1:
        raise UserError(
            f"{path}: defaults: found {str(defaults)[:80]}; expected names of files of the same kind, as in "
            f"`defaults: [e5_base_v2, {_SELF}]`"
        )
    layers = [str(entry) for entry in entries]
    return layers if _SELF in layers else [*layers, _SELF]


def _names_a_file(entry: object) -> bool:
    return (isinstance(entry, str) and bool(entry.strip())) or (isinstance(entry, int) and not isinstance(entry, bool))


def _target(path: Path, name: str, groups: Sequence[Path]) -> Path:
    """The file that a default names: beside its own file, or from the group's top where it begins with a slash."""
    home = next((group for group in groups if path.is_relative_to(group)), path.parent)
    place = path.parent.relative_to(home)
    if name.startswith("/"):
        place, name = Path(), name.removeprefix(f"/{home.name}/").removeprefix("/")
    inside = (place / name.removesuffix(".yaml")).as_posix()
    if ".." not in Path(inside).parts and len(inside) <= 200:
        for group in groups:
            target = group / f"{inside}.yaml"
            if target.is_file():
                return target
    known = [
        other.relative_to(group / place).as_posix()[:-5] for group in groups for other in (group / place).glob("*.yaml")
    ]
    raise UserError(
        f"{path}: defaults: no file {inside[:100]}.yaml in {', '.join(map(str, groups))}.{nearest(name, known)}"
    )
