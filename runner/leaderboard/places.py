"""Where things are in the built folder: a short name for every model, task and benchmark."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from embedmark.runner.common.groups import grouped
from embedmark.runner.common.names import is_safe, slug


@dataclass(frozen=True)
class Slugs:
    """Where models, tasks and benchmarks are, by their names."""

    models: Mapping[str, str]
    tasks: Mapping[str, str]
    benchmarks: Mapping[str, str]


_LONGEST = 80
_DIGITS = 4


def slugs(names: Iterable[str]) -> Mapping[str, str]:
    """Give every name a file's name of its own, of a-z, 0-9 and -, that no system reads as another one's.

    Args:
        names: All of a kind; the same names give the same result in any order.

    Returns:
        Name → slug. Names that would share one, or have none, get digits of their SHA-256.
    """
    plain = {name: _plain(name) for name in names}
    found: dict[str, str] = {}
    for short, same in grouped((short, name) for name, short in plain.items()).items():
        alone = len(same) == 1 and is_safe(short)
        found |= {name: short if alone else f"{short}-{_digits(name)}".lstrip("-") for name in same}
    return found


def _plain(name: str) -> str:
    return slug(name.casefold(), gap="-").strip("-")[:_LONGEST].strip("-")


def _digits(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
