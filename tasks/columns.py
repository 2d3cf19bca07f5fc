"""Reading columns of a table, with messages that say what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast, overload

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Composite, Image, Item, ItemModality, Modality, Rows, in_words, parts_of
from embedmark.tasks.settings import Inputs


def items_of(
    rows: Rows, column: str, modality: Modality = "text", indices: Iterable[int] | None = None
) -> Sequence[Item]:
    """Read the items of a column.

    Args:
        rows: the table.
        column: the name of the column.
        modality: what its values are.
        indices: which rows, in that order; all by default.

    Returns:
        A list of texts, or images that are read when they are asked for.

    Raises:
        DataError: there is no such column; a text is not a string. Images are looked at when they are read.
    """
    return texts_of(rows, column, indices) if modality == "text" else ImageColumn(rows, column, indices)


def inputs_of(rows: Rows, settings: Inputs, indices: Iterable[int] | None = None) -> Sequence[Item]:
    """Read the items that settings name, all or those of `indices` in that order. Raises DataError as `items_of`."""
    if settings.modality == "text+image":
        columns: Mapping[Modality, str] = {"text": settings.input_column, "image": settings.image_column}
        return composite_items(rows, columns, indices)
    return items_of(rows, settings.input_column, settings.modality, indices)


def texts_of(rows: Rows, column: str, indices: Iterable[int] | None = None) -> list[str]:
    """Read the texts of a column, all or those of `indices` in that order.

    Raises:
        DataError: there is no such column, or a value is not a string.
    """
    values = rows[column]
    chosen = range(rows.n_rows) if indices is None else [int(i) for i in indices]
    found = list(values) if indices is None else [values[i] for i in chosen]
    for i, text in zip(chosen, found, strict=True):
        if not isinstance(text, str):
            raise DataError(f"column {column!r}, row {i}: expected a text, found {shown(text)}")
    return found


class ImageColumn(Sequence[Image]):
    """A column of encoded images, read when asked for: image data is large.

    Raises DataError, when it is read, for a value that is not bytes.
    """

    def __init__(self, rows: Rows, column: str, indices: Iterable[int] | None = None) -> None:
        self._values = rows[column]
        self._column = column
        self._rows: Sequence[int] = range(rows.n_rows) if indices is None else [int(i) for i in indices]

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Image: ...
    @overload
    def __getitem__(self, index: slice) -> list[Image]: ...
    def __getitem__(self, index: int | slice) -> Image | list[Image]:
        if not isinstance(index, slice):
            return self._image(self._rows[index], self._values[self._rows[index]])
        rows = self._rows[index]
        # One slice of a lazy column is faster than its values one by one.
        values = self._values[index] if isinstance(rows, range) else [self._values[row] for row in rows]
        return [self._image(row, value) for row, value in zip(rows, values, strict=True)]

    def _image(self, row: int, value: object) -> Image:
        where = f"column {self._column!r}, row {row}"
        if not isinstance(value, bytes):
            raise DataError(f"{where}: expected an encoded image, as bytes, found {shown(value)}")
        return Image(value, where)


def composite_items(
    rows: Rows, columns: Mapping[Modality, str], indices: Iterable[int] | None = None
) -> Sequence[Composite]:
    """Read items of a text and an image.

    Args:
        rows: the table.
        columns: which column holds the texts, and which the images.
        indices: which rows, in that order; all by default.

    Returns:
        Items whose images are read when they are asked for.

    Raises:
        DataError: a column is missing; a text is not a string. Images are looked at when they are read.
    """
    chosen = None if indices is None else [int(i) for i in indices]
    return CompositeColumn(texts_of(rows, columns["text"], chosen), ImageColumn(rows, columns["image"], chosen))


class CompositeColumn(Sequence[Composite]):
    """Texts beside images, row by row; an image is read when its item is asked for."""

    def __init__(self, texts: Sequence[str], images: Sequence[Image]) -> None:
        if len(texts) != len(images):
            raise DataError(f"{len(texts)} texts and {len(images)} images; expected as many of the one as of the other")
        self.texts = texts
        self.images = images

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, index: int) -> Composite: ...
    @overload
    def __getitem__(self, index: slice) -> list[Composite]: ...
    def __getitem__(self, index: int | slice) -> Composite | list[Composite]:
        if not isinstance(index, slice):
            return Composite((self.texts[index], self.images[index]))
        return [Composite(parts) for parts in zip(self.texts[index], self.images[index], strict=True)]


def part_of(items: Sequence[Item], modality: Modality) -> Sequence[Item]:
    """Give one part of each composite item, as lazy as the items are."""
    if isinstance(items, CompositeColumn):
        return items.texts if modality == "text" else items.images
    return _Part(items, ("text", "image").index(modality))


def parts_taken(
    name: str, items: Sequence[Item], modality: ItemModality, taken: frozenset[Modality]
) -> tuple[Sequence[Item], ItemModality]:
    """Keep the parts of items that a model takes, and say what they then are. name: of the items, for messages.

    Raises:
        DataError: it takes none of them.
    """
    parts = parts_of(modality)
    kept = tuple(part for part in parts if part in taken)
    if not kept:
        raise DataError(f"{name} are {in_words(parts)}, and the model takes {in_words(taken)} alone")
    return (items, modality) if kept == parts else (part_of(items, kept[0]), kept[0])


def text_part(items: Sequence[Item], modality: ItemModality) -> Sequence[str]:
    """Give the texts of items that have one."""
    return cast("Sequence[str]", items if modality == "text" else part_of(items, "text"))


class _Part(Sequence[Item]):
    """One part of each of any sequence of composite items."""

    def __init__(self, items: Sequence[Item], place: int) -> None:
        self._items = items
        self._place = place

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self._of(item) for item in self._items[index]]
        return self._of(self._items[index])

    def _of(self, item: object) -> Item:
        if not isinstance(item, Composite):
            raise DataError(f"{item!r:.60}; expected a text and an image in one item")
        return item.parts[self._place]


def classes_of(rows: Rows, column: str) -> list[Any]:
    """One label a row: strings, or whole numbers.

    Raises DataError where a label is missing, a list or a fraction, or where strings and numbers are mixed.
    """
    labels = list(rows[column])
    kinds = {type(label) for label in labels}
    if not all(issubclass(kind, str | int | float) for kind in kinds):
        wrong = next(i for i, label in enumerate(labels) if not isinstance(label, str | int | float))
        raise DataError(f"column {column!r}, row {wrong}: expected one label, found {shown(labels[wrong])}")
    if str in kinds and len(kinds) > 1:
        raise DataError(f"column {column!r} mixes strings and numbers; use one kind of label")
    if any(isinstance(label, float) and not label.is_integer() for label in labels if type(label) is float):
        raise DataError(f"column {column!r} holds fractions; labels are strings or whole numbers")
    return labels


def lists_of(rows: Rows, column: str) -> list[list[Any]]:
    """A list a row. Raises DataError where a value is not a list."""
    found = []
    for i, values in enumerate(rows[column]):
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise DataError(f"column {column!r}, row {i}: expected a list, found {shown(values)}")
        found.append(list(values))
    return found


def numbers_of(rows: Rows, column: str) -> NDArray[np.float64]:
    """One number a row. Raises DataError where a value is missing, not finite or not a number."""
    return as_numbers(rows[column], f"column {column!r}")


def as_numbers(values: Iterable[Any], where: str) -> NDArray[np.float64]:
    """`values` as floats. Raises DataError, saying `where`, when one is missing, not finite or not a number."""
    try:
        found = np.asarray(list(values), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: expected numbers only ({error})") from error
    wrong = np.flatnonzero(~np.isfinite(found))
    if wrong.size:
        raise DataError(f"{where}: {wrong.size} numbers are missing or infinite, the first in row {wrong[0]}")
    return found


def one_row_of_lists(rows: Rows, columns: Iterable[str]) -> bool:
    """Whether the table is in the older layout, where one row holds each whole column as a list."""
    return rows.n_rows == 1 and not any(isinstance(rows[column][0], str | int | float) for column in columns)


def shown(value: object) -> str:
    """A value of a wrong kind, for messages."""
    return f"{type(value).__name__} {str(value)[:60]!r}" if value is not None else "nothing"
