"""The content hash of a split: equal rows give equal hashes, however Arrow laid them out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embedmark.runner.data.table import RetrievalTables, Split, Table

_BLOCK = 65_536
"""Rows that are hashed together: part of what the hash is."""

_COPIED = 64
"""Rows that are copied at once, where some between them are missing."""


def content_hash(split: Split) -> str:
    """Hash a split's columns, names and rows by SHA-256.

    Independent of the order of columns, of chunking, of the width of integers and floats, and of whether text is
    dictionary-encoded; class numbers count as their names. The order of rows matters, because scores may depend on it.
    """
    return content_hashes(split)[0]


def content_hashes(split: Split) -> tuple[str, dict[str, str]]:
    """Return the content hash of a split, and the hash of each column's values, as in `corpus.text`."""
    digest = hashlib.sha256(b"rows:1")
    columns: dict[str, str] = {}
    if isinstance(split, RetrievalTables):
        for part in fields(split):
            table = getattr(split, part.name)
            if isinstance(table, Table):
                _frame(digest, part.name.encode())
                found = _hash_table(digest, table)
                columns |= {f"{part.name}.{name}": column for name, column in found.items()}
    else:
        columns = _hash_table(digest, split)
    return digest.hexdigest(), columns


def _frame(digest: Any, data: bytes) -> None:
    digest.update(len(data).to_bytes(8, "little"))
    digest.update(data)


def _hash_table(digest: Any, table: Table) -> dict[str, str]:
    """Add a table to a hash, and return the hash of each column."""
    columns: dict[str, str] = {}
    _frame(digest, f"{len(table.names)} columns".encode())
    for name in sorted(table.names):
        _frame(digest, name.encode())
        column = hashlib.sha256()
        labels = table.labels.get(name)
        values = table.arrow.column(name)
        for start in range(0, len(values), _BLOCK):
            block = values.slice(start, _BLOCK)
            _hash_values(column, _named(block, labels) if labels is not None else block)
        _frame(digest, column.digest())
        columns[name] = column.hexdigest()
    return columns


def _named(block: pa.ChunkedArray, labels: tuple[str, ...]) -> pa.ChunkedArray:
    codes = block.to_pylist()
    names = [None if code is None or not 0 <= code < len(labels) else labels[code] for code in codes]
    return pa.chunked_array([names], pa.large_string())


def _hash_values(digest: Any, values: pa.ChunkedArray) -> None:
    """One block of at most `_BLOCK` rows: kind, then which are missing, then the others."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = _kind(values.type) if values.null_count < len(values) else "none"
    _frame(digest, kind.encode())
    _frame(digest, np.packbits(np.asarray(values.is_null(), dtype=bool)).tobytes())
    if kind in {"text", "bytes"}:
        data = values.cast(pa.large_binary())  # of texts and bytes, all but the offsets stay where they are
        _frame(digest, np.asarray(pc.binary_length(data).drop_null(), dtype="<i8").tobytes())
        for chunk in data.chunks:
            _feed(digest, chunk)
    elif kind in {"int", "float", "bool"}:
        width = {"int": "<i8", "float": "<f8", "bool": "u1"}[kind]
        _frame(digest, values.drop_null().to_numpy().astype(width).tobytes())
    elif kind == "list":
        _frame(digest, np.asarray(pc.list_value_length(values).drop_null(), dtype="<i8").tobytes())
        inside = [chunk.flatten() for chunk in values.chunks]
        _hash_values(digest, pa.chunked_array(inside, values.type.value_type))
    elif kind == "other":
        _frame(digest, _spelled(values.drop_null()))


def _feed(digest: Any, values: pa.LargeBinaryArray) -> None:
    """Add the bytes of all values that are there, out of the memory that they lie in: images are large."""
    if values.null_count:
        for start in range(0, len(values), _COPIED):
            _feed(digest, values.slice(start, _COPIED).drop_null())
    elif len(values):
        _, offsets, content = values.buffers()
        ends = np.frombuffer(offsets, dtype=np.int64)[values.offset : values.offset + len(values) + 1]
        if ends[-1] > ends[0]:
            digest.update(memoryview(content)[ends[0] : ends[-1]])


def _spelled(values: pa.ChunkedArray) -> bytes:
    """Values without a hash of their own: as JSON, or as Arrow writes those that Python has not (the year 20000)."""
    try:
        return json.dumps(values.to_pylist(), sort_keys=True, ensure_ascii=False, default=repr).encode()
    except (OverflowError, ValueError):
        batch = pa.record_batch([pa.concat_arrays(values.chunks)], ["values"])
        return bytes(batch.serialize()) + str(values.type).encode()


def _kind(kind: pa.DataType) -> str:
    tests = {
        "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
        "bytes": (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view),
        "int": (pa.types.is_integer,),
        "float": (pa.types.is_floating,),
        "bool": (pa.types.is_boolean,),
        "list": (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list),
    }
    return next((name for name, checks in tests.items() if any(check(kind) for check in checks)), "other")
