"""What a source gives: the splits as they were published, and the facts by which they can be found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embedmark.runner.data.table import Split

if TYPE_CHECKING:
    from embedmark.runner.hub.files import Hub


@dataclass(frozen=True)
class Request:
    """What a source is asked for: splits of one subset of a dataset, whose schema is the source's own.

    Args:
        dataset: What the task's file says of it.
        subset: The name of the subset.
        splits: The names of the splits.
        retrieval: Whether they are laid out as corpus, queries and judgments, instead of a table a split.
        content: The hash of the content that was planned with, where the source pins by it.
        offline: Whether to do without network; None as the environment says.
        hub: Another hub than the environment's.
    """

    dataset: Any
    subset: str
    splits: Sequence[str]
    retrieval: bool = False
    content: str | None = None
    offline: bool | None = None
    hub: Hub | None = None


@dataclass(frozen=True)
class Facts:
    """Where rows came from. revision: commit, version or content hash. files: the names of those that were read."""

    kind: str
    name: str
    revision: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Raw:
    """Splits of one subset before transforms. available: the names of all splits that the source has."""

    splits: Mapping[str, Split]
    available: tuple[str, ...]
    facts: Facts
