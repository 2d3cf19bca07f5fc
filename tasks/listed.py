"""Columns that hold one item a row, or a list of items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Image, Item, Modality, Rows
from embedmark.tasks.columns import items_of, shown


@dataclass(frozen=True)
class Listed:
    """The items of a column that holds one a row, or a list of them, in order, and how many each row has."""

    items: Sequence[Item]
    counts: NDArray[np.intp]


def listed_items(rows: Rows, column: str, modality: Modality) -> Listed:
    """Read a column of items or of lists of items.

    Args:
        rows: the table.
        column: the name of the column.
        modality: what the items are.

    Raises:
        DataError: there is no such column, a list is empty, or a text is not a string. Images are looked at when they
            are read.
    """
    values = rows[column]
    if rows.n_rows == 0 or not isinstance(values[0], list | tuple | np.ndarray):
        return Listed(items_of(rows, column, modality), np.ones(rows.n_rows, dtype=np.intp))
    counts = np.zeros(rows.n_rows, dtype=np.intp)
    for row, value in enumerate(values):
        if not isinstance(value, list | tuple | np.ndarray) or not len(value):
            found = "an empty list" if isinstance(value, list | tuple | np.ndarray) else shown(value)
            raise DataError(f"column {column!r}, row {row}: expected a list of at least one {modality}, found {found}")
        counts[row] = len(value)
    nested = _Nested(values, column, counts)
    return Listed(nested if modality == "image" else [nested.text(item) for item in range(len(nested))], counts)


class _Nested(Sequence[Image]):
    """Images, or texts, in lists: read when asked for, row by row."""

    def __init__(self, values: Sequence[Any], column: str, counts: NDArray[np.intp]) -> None:
        self._values = values
        self._column = column
        self._row = np.repeat(np.arange(len(counts)), counts)
        self._place = np.arange(len(self._row)) - np.repeat(np.cumsum(counts) - counts, counts)
        self._last: tuple[int, Any] = (-1, ())

    def __len__(self) -> int:
        return len(self._row)

    @overload
    def __getitem__(self, index: int) -> Image: ...
    @overload
    def __getitem__(self, index: slice) -> list[Image]: ...
    def __getitem__(self, index: int | slice) -> Image | list[Image]:
        if isinstance(index, slice):
            return [self._image(item) for item in range(*index.indices(len(self)))]
        return self._image(range(len(self))[index])

    def _image(self, item: int) -> Image:
        value, where = self._value(item)
        if not isinstance(value, bytes):
            raise DataError(f"{where}: expected an encoded image, as bytes, found {shown(value)}")
        return Image(value, where)

    def text(self, item: int) -> str:
        """One of the texts. Raises DataError where it is none."""
        value, where = self._value(item)
        if not isinstance(value, str):
            raise DataError(f"{where}: expected a text, found {shown(value)}")
        return value

    def _value(self, item: int) -> tuple[object, str]:
        row, place = int(self._row[item]), int(self._place[item])
        if self._last[0] != row:
            self._last = row, self._values[row]
        return self._last[1][place], f"column {self._column!r}, row {row}, place {place}"
