"""Columns of images: as the bytes of their files, whatever the source made of them, and whether they are images."""

from __future__ import annotations

import io
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from embedmark.runner.common.errors import UserError
from embedmark.runner.data.table import RetrievalTables, Split, Table


def as_bytes(split: Split) -> Split:
    """The split with the images of `datasets` (a struct of bytes and path) as bytes alone.

    A path without bytes becomes a missing value: a content hash would not see what lies behind it. Bytes have 64-bit
    offsets, because joined chunks may be larger than 2 GiB; nothing is copied.
    """
    if isinstance(split, RetrievalTables):
        return replace(split, corpus=_bytes_of(split.corpus), queries=_bytes_of(split.queries))
    return _bytes_of(split)


def _bytes_of(split: Table) -> Table:
    for name in split.names:
        column = split.arrow.column(name)
        if pa.types.is_struct(column.type) and {field.name for field in column.type} == {"bytes", "path"}:
            column = pc.struct_field(column, "bytes")
        if pa.types.is_binary(column.type):
            split = split.put(name, column.cast(pa.large_binary()), split.labels.get(name))
    return split


def check(table: Table, name: str, where: str) -> None:
    """Raises UserError for the first row that no image begins with; the rest of a file is read when it is encoded."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ModuleNotFoundError:
        raise UserError(
            f"{where}: column {name!r} holds images, and Pillow, which reads them, is not installed; run: "
            "pip install 'embedmark[image]'"
        ) from None
    for row, value in enumerate(table.column(name)):
        content = value.as_py()
        try:
            with Image.open(io.BytesIO(content)):
                pass
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            unknown = isinstance(error, UnidentifiedImageError)
            why = "they begin like no kind of image that Pillow knows" if unknown else str(error)
            raise UserError(
                f"{where}: column {name!r}, row {row}: expected an image, found {len(content)} bytes: {why}. Mend the "
                "data, or leave the row out in `transforms`."
            ) from error
