"""Why two jobs are not the same job: the exact difference of what their fingerprints are hashes of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.terminal import plain_table, table_console
from embedmark.runner.results.inspection import IDENTITY, Found, scan
from embedmark.runner.results.record import read_object

_DIGITS = re.compile(r"[0-9a-f]{2,64}")
_ABSENT = "–"


@dataclass(frozen=True)
class Difference:
    """A key that two identities do not share; None where one has no such key, since identities hold no nulls."""

    key: str
    a: Any
    b: Any


def why(outputs: Path, a: str, b: str, console: Console | None = None) -> list[Difference]:
    """Print and return the differences of two jobs.

    Args:
        a: the first job: its folder, its path, or digits that its fingerprint begins with.
        b: the second one.

    Raises:
        UserError: when a name fits no job or more than one.
    """
    console = console or table_console()
    folders = resolve(outputs, a), resolve(outputs, b)
    found = differences(read_identity(folders[0]), read_identity(folders[1]))
    console.print(f"A  {folders[0].name}\nB  {folders[1].name}", highlight=False, markup=False, soft_wrap=True)
    if found:
        console.print()
        console.print(_table(found))
    else:
        console.print("\nNothing that decides a score differs: they are the same job.")
    return found


def resolve(outputs: Path, name: str) -> Path:
    """Find the folder of a job by path, by name in outputs/jobs, or by the first digits of its fingerprint."""
    for path in (Path(name), outputs / "jobs" / name):
        folder = path.parent if path.name == IDENTITY else path
        if (folder / IDENTITY).is_file():
            return folder
    folders = list(scan(outputs))
    fitting = _fitting(folders, name.casefold())
    if len(fitting) == 1:
        return fitting[0].path
    if fitting:
        names = "\n".join(f"  {found.path.name}" for found in fitting[:10])
        raise UserError(f"{name!r} fits {len(fitting)} jobs; give more of its name or digits:\n{names}")
    known = {found.path.name for found in folders} | {found.digits for found in folders}
    where = outputs / "jobs"
    raise UserError(f"no job {name!r} among the {len(folders)} in {where}.{nearest(name, known)}")


def _fitting(folders: list[Found], name: str) -> list[Found]:
    """Jobs whose fingerprint or folder begins so; of one job's result and failure, the result."""
    begins = _has_fingerprint if _DIGITS.fullmatch(name) else _has_name
    fitting = [found for found in folders if begins(found, name)]
    done = {found.digits for found in fitting if not found.failed}
    return [found for found in fitting if not (found.failed and found.digits in done)]


def _has_fingerprint(found: Found, digits: str) -> bool:
    """Whether a job's fingerprint begins so. What a folder's name leaves out of it is read from its files."""
    if len(digits) <= len(found.digits):
        return found.digits.startswith(digits)
    return digits.startswith(found.digits) and (found.fingerprint or digits).startswith(digits)


def _has_name(found: Found, name: str) -> bool:
    return found.path.name.casefold().startswith(name)


def read_identity(folder: Path) -> Mapping[str, Any]:
    """Read what a job's fingerprint is the hash of. Raises UserError when it cannot be read."""
    return read_object(folder / IDENTITY)


def differences(a: Any, b: Any) -> list[Difference]:
    """List every leaf that is in one and not, or not with the same JSON, in the other; in the order of keys."""
    return list(_differences(a, b, ""))


def _differences(a: Any, b: Any, key: str) -> Iterator[Difference]:
    if _both(Mapping, a, b):
        a, b = a or {}, b or {}
        for name in sorted({*a, *b}):
            yield from _differences(a.get(name), b.get(name), f"{key}.{name}" if key else str(name))
    elif _both(list, a, b):
        for index, (one, other) in enumerate(zip_longest(a or [], b or [])):
            yield from _differences(one, other, f"{key}[{index}]")
    elif _shown(a) != _shown(b):
        yield Difference(key, a, b)


def leaves(identity: Any) -> dict[str, Any]:
    """List every leaf of an identity by its path."""
    return {found.key: found.a for found in differences(identity, None)}


def _both(kind: type, a: Any, b: Any) -> bool:
    """Both are of that kind, or one is and not empty, and the other is not there."""
    if a is None or b is None:
        return isinstance(a or b, kind) and bool(a or b)
    return isinstance(a, kind) and isinstance(b, kind)


def _table(found: list[Difference]) -> Table:
    table = plain_table("key")
    table.add_column("A", overflow="fold", style="red")
    table.add_column("B", overflow="fold", style="green")
    for difference in found:
        table.add_row(Text(difference.key), Text(_shown(difference.a)), Text(_shown(difference.b)))
    return table


def _shown(value: Any) -> str:
    return _ABSENT if value is None else json.dumps(value, ensure_ascii=False)
