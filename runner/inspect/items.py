"""How each item of a job went: what the families of task types make, and what they make it of."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.execute.jobs import Prepared
from embedmark.runner.inspect.rankings import Rankings
from embedmark.tasks.base import Composite, Item, Rows

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
"""The arrays of an items.npz, by name."""

Floats: TypeAlias = NDArray[np.floating[Any]]

Parts: TypeAlias = tuple[tuple[str, str], ...]
"""Words and a text each, as in `found 1` and the document."""


@dataclass(frozen=True)
class Items:
    """The items of a job.

    Args:
        units: Which they are, by which those of two jobs are matched: (n,).
        scores: How well each went, higher is better, NaN where it does not count: (n,).
        name: What to call one, by its place.
        parts: The texts of one, by its place.
        notes: What is true of many items together, a line each.
    """

    units: NDArray[Any]
    scores: Floats
    name: Callable[[int], str]
    parts: Callable[[int], Parts]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """What is known of a job: its data, the arrays of items.npz, and what finds its rankings, for tasks that rank."""

    prepared: Prepared
    arrays: Arrays
    rankings: Callable[[], Rankings]

    @property
    def settings(self) -> Any:
        """The settings of the task, of its type's class."""
        return self.prepared.job.task.settings

    @property
    def rows(self) -> Rows:
        """The rows that were evaluated, of tasks of one table."""
        return self.prepared.data.rows(self.prepared.job.split)

    @property
    def evaluated(self) -> Sequence[Item]:
        """The items of the last side: rows that are tested come after those that are learnt from."""
        return self.prepared.item_sets[-1].items

    @property
    def sides(self) -> list[Sequence[Item]]:
        """The items of all sides."""
        return [side.items for side in self.prepared.item_sets]


def numbered(word: str) -> Callable[[int], str]:
    """Return what names items by their place, as in `pair 3`."""
    return lambda place: f"{word} {place}"


def text_of(item: Item) -> str:
    """Return a text as it is, and words in place of an image: what it is, and where it is from."""
    if isinstance(item, str):
        return item
    if isinstance(item, Composite):
        return " + ".join(text_of(part) for part in item.parts)
    where = f" ({item.where})" if item.where else ""
    return f"an image, {_kind_of(item.data)}{len(item):,} bytes{where}"


def _kind_of(data: bytes) -> str:
    """Say the format and size that the head of a file names; nothing where they cannot be told."""
    try:
        from PIL import Image
    except ModuleNotFoundError:
        return ""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return f"{picture.format} {picture.width} x {picture.height}, "
    except (OSError, ValueError, Image.DecompressionBombError):
        return ""
