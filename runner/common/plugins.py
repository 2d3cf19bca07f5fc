"""What installed packages add through entry points: checked, so that none takes a name and none breaks a run."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

Kind = TypeVar("Kind")

GROUPS = "embedmark."
"""What the names of all groups begin with."""

_OBJECT = re.compile(r"[\w.]+:[\w.]+")
_LONGEST = 500


@dataclass(frozen=True)
class PlugIns(Generic[Kind]):
    """What the entry points of one group add.

    found: by name. clashes: a line for each that takes a name that is taken; nothing can be measured until it is gone,
    since jobs would be filed under the wrong identity. left_out: name → why it cannot be used; the others can.
    """

    found: dict[str, Kind]
    clashes: tuple[str, ...]
    left_out: dict[str, str]


def plug_ins(
    group: str,
    what: str,
    kind: Any,
    taken: Collection[str],
    names: Callable[[Any], Iterable[str]] = lambda _: (),
    fault: Callable[[Any], str | None] = lambda _: None,
) -> PlugIns[Any]:
    """Read a group of entry points.

    Args:
        group: The name of the group.
        what: What its objects are called in messages, as in "task type".
        kind: The class of its objects.
        taken: The names of what is built in. Neither an entry point nor an object may have one, in any case of letters.
        names: The names that an object takes, its own first, where objects have names.
        fault: Why an object cannot be used, None where it can.
    """
    known = {name.casefold() for name in taken}
    by_name: dict[str, dict[tuple[str, str], EntryPoint]] = defaultdict(dict)
    for entry in added_entries().get(group, ()):
        by_name[entry.name.casefold()][entry.value, _package(entry)] = entry
    usable: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    clashes = []
    for name, entries in by_name.items():
        first, *others = entries.values()
        if name in known:
            clashes.append(_taken(what, first, first.name))
        elif others:
            packages = " and ".join(sorted({_package(entry) for entry in entries.values()}))
            clashes.append(f"{what} {_plain(first.name)!r} is added more than once, by {packages}; keep one of them")
        else:
            try:
                found = _loaded(first, kind)
                clash = next((name for name in names(found) if name.casefold() in known), None)
                reason = fault(found) or _misnamed(first, next(iter(names(found)), first.name))
            except _UnusableError as error:
                clash, reason = None, str(error)
            if clash is not None:
                clashes.append(_taken(what, first, clash))
            elif reason is not None:
                left_out[first.name] = f"{_package(first)} adds it as {_plain(first.value)}, {reason}"
            else:
                usable[first.name] = found
    return PlugIns(usable, tuple(clashes), left_out)


@cache
def added_entries() -> dict[str, tuple[EntryPoint, ...]]:
    """List the entry points of every group of ours, looked up once a process: it reads a file of each package."""
    found = entry_points()
    return {group: tuple(found.select(group=group)) for group in found.groups if group.startswith(GROUPS)}


def origins(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Say which distributions things come from, without importing them.

    Args:
        named: Groups, and names in them. What is built in is in no group, since no entry point may take its name.

    Returns:
        Distribution → its version; distributions are in lower case, with hyphens.
    """
    known = added_entries()
    if not known:
        return {}
    from_outside = (entry for group, name in named for entry in known.get(group, ()) if entry.name == name)
    return dict(_distribution(entry) for entry in from_outside)


def installed() -> dict[str, str]:
    """List the distributions that add anything, with their versions, as `origins` does."""
    return dict(_distribution(entry) for of_group in added_entries().values() for entry in of_group)


def _distribution(entry: EntryPoint) -> tuple[str, str]:
    name = (entry.dist.metadata["Name"] if entry.dist else None) or entry.value.partition(":")[0]
    return re.sub(r"[-_.]+", "-", name).lower(), entry.dist.version if entry.dist else ""


class _UnusableError(Exception):
    """Why an entry point gives nothing that can be used."""


def _loaded(entry: EntryPoint, kind: Any) -> Any:
    if not _OBJECT.fullmatch(entry.value):
        raise _UnusableError(f"which names no object; expected module:NAME of a {kind.__name__}")
    try:
        found = entry.load()
    except ModuleNotFoundError as error:
        raise _UnusableError(f"which cannot be imported: there is no module {_plain(str(error.name))!r}") from error
    except AttributeError as error:
        raise _UnusableError(f"which cannot be imported: {_plain(str(error))}") from error
    except (Exception, SystemExit) as error:
        raise _UnusableError(f"which cannot be imported: {type(error).__name__}: {_plain(str(error))}") from error
    if not isinstance(found, kind):
        raise _UnusableError(f"which is no {kind.__name__} object")
    return found


def _misnamed(entry: EntryPoint, name: str) -> str | None:
    return None if entry.name == name else f"whose name is {_plain(name)!r}; expected the entry point's own"


def _taken(what: str, entry: EntryPoint, name: str) -> str:
    package = _package(entry)
    return (
        f"package {package} adds a {what} under the name {_plain(name)!r} (entry point {_plain(entry.name)!r}), which "
        f"embedmark has itself; give it another name in the package, or `pip uninstall {package.split()[0]}`"
    )


def _package(entry: EntryPoint) -> str:
    """The distribution that an entry point comes from, with its version."""
    name = entry.dist.metadata["Name"] if entry.dist else None
    return _plain(f"{name} {entry.dist.version}") if entry.dist and name else "a package without a name"


def _plain(text: str) -> str:
    """One line without control characters, not too long."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(line.split())[:_LONGEST]
