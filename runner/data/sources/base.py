"""What a source gives: the splits as they were published, and the facts by which they can be found again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.data.table import Split


@dataclass(frozen=True)
class Facts:
    """Where rows came from. revision: commit, version or content hash; files: path → sha256 or git's sha1, as known."""

    kind: str
    name: str
    revision: str
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """Splits of one subset before transforms. available: the names of all splits that the source has."""

    splits: Mapping[str, Split]
    available: tuple[str, ...]
    facts: Facts
