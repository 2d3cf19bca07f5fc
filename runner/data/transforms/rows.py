"""Steps that work on rows: which of them, in which order, in what pieces. Each takes one table and gives another."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from embedmark.runner.common.errors import TableError
from embedmark.runner.data.table import Table, kind_name, shown
from embedmark.runner.data.transforms.columns import Scalar, refuse_numbers


def filter_rows(
    table: Table,
    *,
    column: str,
    in_: Sequence[Scalar] | None = None,
    not_in: Sequence[Scalar] | None = None,
    non_empty: bool = False,
    min: float | None = None,
    max: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
) -> Table:
    """Keeps the rows that meet every condition given.

    `non_empty` refuses None, empty lists and blank text; lengths are of text in characters and of lists; None has no
    value and no length, and meets neither a range nor a length.
    """
    if all(rule is None for rule in (in_, not_in, min, max, min_length, max_length)) and not non_empty:
        raise TableError("no condition; give in, not_in, non_empty, min, max, min_length or max_length")
    refuse_numbers(table, column, [*(in_ or ()), *(not_in or ()), min, max])
    low = -np.inf if min is None else min
    high = np.inf if max is None else max
    classes = table.labels.get(column)
    allowed = None if in_ is None else _exact(in_, classes)
    refused = None if not_in is None else _exact(not_in, classes)

    def keep(value: Any) -> bool:
        if allowed is not None and _key(value) not in allowed:
            return False
        if refused is not None and _key(value) in refused:
            return False
        if non_empty and not (value.strip() if isinstance(value, str) else _present(value)):
            return False
        if (min is not None or max is not None) and (value is None or not low <= value <= high):
            return False
        return _length_fits(value, min_length, max_length)

    try:
        return table.where(keep, column)
    except TypeError as error:
        raise TableError(
            f"column {column!r} ({kind_name(table.column(column).type)}) does not fit the condition: {shown(error)}"
        ) from error


def drop_rare(table: Table, *, column: str, min_count: int = 2) -> Table:
    """Drops the rows whose value in a column occurs less than `min_count` times."""
    counts = Counter(table.values(column))
    return table.where(lambda value: counts[value] >= min_count, column)


def explode(table: Table, *, columns: Sequence[str]) -> Table:
    """Rows of lists become one row an element; lists of a row must be equally long, other columns are repeated."""
    lists = [table.values(name) for name in columns]
    lengths = [len(value or ()) for value in lists[0]]
    for name, values in zip(columns, lists, strict=True):
        for row, (value, length) in enumerate(zip(values, lengths, strict=True)):
            if len(value or ()) != length:
                raise TableError(
                    f"row {row} has {length} elements in {columns[0]!r} and {len(value or ())} in {name!r}"
                )
    exploded = table.take(np.repeat(np.arange(len(table)), lengths))
    for name in columns:
        kind = table.column(name).type
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
            raise TableError(f"column {name!r} holds {kind_name(kind)}, not lists")
        column = table.column(name)
        flat = pa.chunked_array([chunk.flatten() for chunk in column.chunks], kind.value_type)
        exploded = exploded.put(name, flat, table.labels.get(name))
    return exploded


def stack(table: Table, *, columns: Sequence[str], into: str, origin: str | None = None) -> Table:
    """All rows with the first column as `into`, then all rows with the second, and so on.

    `origin` is a new column that says which column a value came from.
    """
    rest = table.select([name for name in table.names if name not in columns])
    table.require(columns)
    pieces = [rest.put(into, table.column(name).cast(pa.large_string())) for name in columns]
    if origin is not None:
        pieces = [piece.put(origin, [name] * len(piece)) for piece, name in zip(pieces, columns, strict=True)]
    return Table(pa.concat_tables([piece.arrow for piece in pieces]), rest.labels)


def group_rows(
    table: Table, *, columns: Sequence[str], size: int | None = None, parts: int | None = None, take: int | None = None
) -> Table:
    """Consecutive rows become rows of lists: `size` rows each (the last may be shorter), or `parts` almost equal ones.

    Of these the first `take` are kept. Other columns are dropped.
    """
    if (size is None) == (parts is None):
        raise TableError("give either `size` (rows in a list) or `parts` (how many lists)")
    if size is not None:
        bounds = [*range(0, len(table), size), len(table)]
    else:
        bounds = [0, *itertools.accumulate(len(part) for part in np.array_split(np.arange(len(table)), parts or 1))]
    offsets = pa.array(bounds[: None if take is None else take + 1], pa.int64())
    arrays = {}
    for name in columns:
        values = table.column(name).combine_chunks()
        arrays[name] = pa.LargeListArray.from_arrays(offsets, values)
    return Table(pa.table(arrays), {name: table.labels[name] for name in columns if name in table.labels})


def subset_rows(table: Table, *, column: str = "lang", keep: bool = False, subset: str = "default") -> Table:
    """The rows of a merged table whose `column` is the subset's name; the column itself is dropped unless `keep`."""
    found = table.where(lambda value: value == subset, column)
    if len(table) and not len(found):
        values = sorted({str(value) for value in table.values(column)})
        raise TableError(f"no row has {subset!r} in column {column!r}; it holds {', '.join(values[:20])}")
    return found if keep else found.select([name for name in found.names if name != column])


def drop_rows(table: Table, *, rows: Sequence[int]) -> Table:
    """Drops rows by number, counted from 0; numbers past the end name nothing."""
    return table.take(np.delete(np.arange(len(table)), [row for row in rows if 0 <= row < len(table)]))


def take(table: Table, *, n: int) -> Table:
    """The first n rows."""
    return table.take(range(min(n, len(table))))


def _exact(values: Sequence[Scalar], classes: tuple[str, ...] | None) -> set[tuple[bool, Scalar]]:
    """Values to look up; on class numbers a name stands for its number."""
    known = {name: code for code, name in enumerate(classes or ())}
    return {_key(known.get(value, value) if isinstance(value, str) else value) for value in values}


def _key(value: Any) -> tuple[bool, Any]:
    # True == 1 in Python; a condition on 1 must not keep True
    return isinstance(value, bool), value


def _present(value: Any) -> bool:
    return value is not None and (not hasattr(value, "__len__") or len(value) > 0)


def _length_fits(value: Any, low: int | None, high: int | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low or 0) <= len(value) <= (np.inf if high is None else high)
