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
            block = values.slice(start, _BLOCK).combine_chunks()
            _hash_array(column, _named(block, labels) if labels is not None else block)
        _frame(digest, column.digest())
        columns[name] = column.hexdigest()
    return columns


def _named(block: pa.Array, labels: tuple[str, ...]) -> pa.Array:
    codes = block.to_pylist()
    return pa.array(
        [None if code is None or not 0 <= code < len(labels) else labels[code] for code in codes], pa.large_string()
    )


def _hash_array(digest: Any, array: pa.Array) -> None:
    """One block of at most `_BLOCK` values: kind, then which are missing, then the others."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = _kind(array.type) if array.null_count < len(array) else "none"
    _frame(digest, kind.encode())
    missing = np.asarray(array.is_null())
    _frame(digest, np.packbits(missing).tobytes())
    present = array.drop_null() if array.null_count else array
    if kind in {"text", "bytes"}:
        data = present.cast(pa.large_binary())
        _frame(digest, np.asarray(pc.binary_length(data), dtype="<i8").tobytes())
        digest.update(b"".join(data.to_pylist()))
    elif kind in {"int", "float", "bool"}:
        width = {"int": "<i8", "float": "<f8", "bool": "u1"}[kind]
        _frame(digest, present.to_numpy(zero_copy_only=False).astype(width).tobytes())
    elif kind == "list":
        _frame(digest, np.asarray(pc.list_value_length(present), dtype="<i8").tobytes())
        _hash_array(digest, present.flatten())
    elif kind == "other":
        _frame(digest, _spelled(present))


def _spelled(array: pa.Array) -> bytes:
    """Values without a hash of their own: as JSON, or as Arrow writes those that Python has not (the year 20000)."""
    try:
        return json.dumps(array.to_pylist(), sort_keys=True, ensure_ascii=False, default=repr).encode()
    except (OverflowError, ValueError):
        batch = pa.record_batch([pa.concat_arrays([array])], ["values"])
        return bytes(batch.serialize()) + str(array.type).encode()


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
