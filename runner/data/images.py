"""Columns of images: as the bytes of their files, whatever the source made of them, and whether they are images."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embedmark.runner.common.errors import UserError
from embedmark.runner.data.parquet import mapped
from embedmark.runner.data.table import RetrievalTables, Split, Table, is_list


def as_bytes(split: Split) -> Split:
    """The split with the images of `datasets` (a struct of bytes and path), and lists of them, as bytes alone.

    A path without bytes becomes a missing value: a content hash would not see what lies behind it. Bytes have 64-bit
    offsets, because joined chunks may be larger than 2 GiB; nothing is copied.
    """
    if isinstance(split, RetrievalTables):
        return replace(split, corpus=_bytes_of(split.corpus), queries=_bytes_of(split.queries))
    return _bytes_of(split)


def _bytes_of(split: Table) -> Table:
    for name in split.names:
        column = split.arrow.column(name)
        if is_image(column.type):
            bare = pa.chunked_array([_contents(chunk) for chunk in column.chunks], pa.large_binary())
        elif is_list(column.type) and is_image(column.type.value_type):
            bare = pa.chunked_array([_lists(chunk) for chunk in column.chunks], pa.large_list(pa.large_binary()))
        else:
            continue
        split = split.put(name, bare, split.labels.get(name))
    return split


def with_files(table: Table, files: Iterable[Path]) -> Table:
    """The table with the bytes of images that are paths alone, where these are among the files of the dataset.

    So `datasets` gives a folder of images. What other paths lead to is not part of the dataset, and is not read.
    """
    known = frozenset(map(str, files))
    lacking = [
        name
        for name, column in zip(table.names, table.arrow.columns, strict=True)
        if pa.types.is_struct(column.type) and is_image(column.type) and pc.struct_field(column, "bytes").null_count
    ]
    if not lacking or not len(table):
        return table

    def pieces() -> Iterator[Table]:
        for start in range(0, len(table), _READ_AT_ONCE):
            piece = Table(table.arrow.slice(start, _READ_AT_ONCE))
            for name in lacking:
                contents = [_content(image, known) for image in piece.values(name)]
                piece = piece.put(name, pa.array(contents, pa.large_binary()))
            yield piece

    return replace(mapped(pieces()), labels=table.labels, unreadable=table.unreadable)


_READ_AT_ONCE = 32


def _content(image: Mapping[str, Any] | None, known: frozenset[str]) -> bytes | None:
    if image is None or image["bytes"] is not None or image["path"] not in known:
        return None if image is None else image["bytes"]
    return Path(image["path"]).read_bytes()


def is_image(kind: pa.DataType) -> bool:
    """Whether values may be images: bytes, or the struct of bytes and path that `datasets` makes of one."""
    return bool(pa.types.is_binary(kind)) or (
        pa.types.is_struct(kind) and {field.name for field in kind} == {"bytes", "path"}
    )


def _contents(images: pa.Array) -> pa.Array:
    inside = pc.struct_field(images, "bytes") if pa.types.is_struct(images.type) else images
    return inside.cast(pa.large_binary())


def _lists(lists: pa.Array) -> pa.Array:
    counts = np.asarray(pc.fill_null(pc.list_value_length(lists), 0), dtype=np.int64)
    offsets = pa.array(np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]))
    return pa.LargeListArray.from_arrays(offsets, _contents(lists.flatten()), mask=lists.is_null())


def check(table: Table, name: str, where: str) -> None:
    """Raises UserError for the first row that no image begins with; the rest of a file is read when it is encoded."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ModuleNotFoundError:
        raise UserError(
            f"{where}: column {name!r} holds images, and Pillow, which reads them, is not installed; run: "
            "pip install 'embedmark[image]'"
        ) from None
    for place, content in _each(table.column(name)):
        if content is None:
            raise UserError(
                f"{where}: column {name!r}, {place}: expected an image, found nothing (a path without bytes is no "
                "image). Mend the data, or leave the row out in `transforms`."
            )
        try:
            with Image.open(io.BytesIO(content)):
                pass
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            unknown = isinstance(error, UnidentifiedImageError)
            why = "they begin like no kind of image that Pillow knows" if unknown else str(error)
            raise UserError(
                f"{where}: column {name!r}, {place}: expected an image, found {content.size} bytes: {why}. Mend the "
                "data, or leave the row out in `transforms`."
            ) from error


def _each(column: pa.ChunkedArray) -> Iterator[tuple[str, pa.Buffer | None]]:
    """Every image, where it stands and what it holds."""
    for row, value in enumerate(column):
        if not is_list(column.type):
            yield f"row {row}", value.as_buffer()
        elif value.is_valid:
            for place, image in enumerate(value.values):
                yield f"row {row}, place {place}", image.as_buffer()
