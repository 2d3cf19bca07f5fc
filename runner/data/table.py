"""Tables between the sources and the task types: Arrow columns, and the names of class numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

from embedmark.runner.common.errors import TableError
from embedmark.runner.common.names import nearest
from embedmark.tasks.base import RetrievalRows, Rows


@dataclass(frozen=True)
class Table:
    """One split. `labels` holds, for columns of class numbers, the name of each class.

    unreadable: columns of the source that could not become one, and what is wrong with them; nobody needs to read them.
    """

    arrow: pa.Table
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[Any]]) -> Table:
        """A table from plain columns of one length."""
        return cls(pa.table({name: _array(name, values) for name, values in columns.items()}))

    @property
    def names(self) -> list[str]:
        """The columns, in their order."""
        return list(self.arrow.column_names)

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def column(self, name: str) -> pa.ChunkedArray:
        """One column. Raises TableError when there is none of that name."""
        self.require([name])
        return self.arrow.column(name)

    def values(self, name: str) -> list[Any]:
        """One column as Python values."""
        return list(self.column(name).to_pylist())

    def each(self, name: str) -> Iterator[Any]:
        """The same one after the other; of images, few are in memory at once."""
        return iter(ArrowColumn(self.column(name)))

    def require(self, names: Sequence[str]) -> None:
        """Raises TableError when a column is missing or unreadable."""
        for name in names:
            if name in self.unreadable:
                raise TableError(f"column {name!r} {self.unreadable[name]}.")
            if name not in self.arrow.column_names:
                known = shown(", ".join(repr(known) for known in self.names) or "none")
                raise TableError(f"no column {name!r}; the columns are {known}.{nearest(name, self.names)}")

    def put(self, name: str, values: Sequence[Any] | pa.Array, labels: tuple[str, ...] | None = None) -> Table:
        """The table with a column added, or replaced where it stands."""
        array = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else _array(name, values)
        names = self.names
        arrow = (
            self.arrow.set_column(names.index(name), name, array)
            if name in names
            else self.arrow.append_column(name, array)
        )
        rest = {key: value for key, value in self.labels.items() if key != name}
        unreadable = {key: why for key, why in self.unreadable.items() if key != name}
        return Table(arrow, rest if labels is None else {**rest, name: labels}, unreadable)

    def select(self, names: Sequence[str]) -> Table:
        """Only these columns, in this order."""
        self.require(names)
        kept = {name: self.labels[name] for name in names if name in self.labels}
        return Table(self.arrow.select(list(names)), kept, self.unreadable)

    def plain(self) -> Table:
        """The table in types that all of Arrow works on: no categories, views and extensions, which mean the same."""
        table = self
        for name, column in zip(self.names, self.arrow.columns, strict=True):
            held = column.type
            kind = _plain(held)
            if kind is held:
                continue
            try:
                table = table.put(name, column.cast(kind), self.labels.get(name))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                why = f"holds {kind_name(held)} in a layout that cannot be read"
                others = [other for other in table.names if other != name]
                table = replace(table.select(others), unreadable={**table.unreadable, name: why})
        return table

    def take(self, rows: Sequence[int] | NDArray[np.integer]) -> Table:
        """Rows by number, in the order given. Long values, as images are, are not copied."""
        wanted = np.asarray(rows, dtype=np.int64)
        starts, lengths = _runs(wanted)
        if len(starts) == 1:
            return replace(self, arrow=self.arrow.slice(int(starts[0]), len(wanted)))
        arrow, places = _wide_strings(self.arrow), pa.array(wanted)
        runs = list(zip(starts.tolist(), lengths.tolist(), strict=True))
        most = len(wanted) / max(len(runs), 1) / max(len(self), 1)  # of a column's bytes, how many a run has
        columns = [
            _sliced(column, runs) if column.nbytes * most > _COPIED else column.take(places) for column in arrow.columns
        ]
        return replace(self, arrow=pa.table(columns, schema=arrow.schema))

    def where(self, keep: Callable[[Any], bool], name: str) -> Table:
        """The rows whose value in a column is kept."""
        return self.take([row for row, value in enumerate(self.each(name)) if keep(value)])

    def rows(self) -> Rows:
        """The table as task types read it."""
        return Rows({name: ArrowColumn(self.arrow.column(name)) for name in self.names}, self.labels)


@dataclass(frozen=True)
class RetrievalTables:
    """One split of a retrieval layout. Corpus and queries have `id` and `text`; qrels `query-id`, `corpus-id`, `score`;
    top_ranked `query-id` and `corpus-ids`; excluded, documents that a query must not be given, `query-id` and
    `corpus-id`; qrel_diff, documents whose relevance a changed instruction changes, `query-id` and `corpus-ids`.
    unjudged: ids of queries that were left out because nothing is judged for them."""

    corpus: Table
    queries: Table
    qrels: Table
    top_ranked: Table | None = None
    excluded: Table | None = None
    qrel_diff: Table | None = None
    unjudged: tuple[str, ...] = ()

    def rows(self) -> RetrievalRows:
        """The split as task types read it: queries without judgments left out, the last of double judgments kept."""
        qrels: dict[str, dict[str, int]] = {}
        columns = (self.qrels.values(name) for name in ("query-id", "corpus-id", "score"))
        for query, document, score in zip(*columns, strict=True):
            qrels.setdefault(query, {})[document] = score
        queries = self.queries.where(qrels.__contains__, "id")
        candidates = self._all_but_excluded(queries) if self.top_ranked is None else _lists(self.top_ranked)
        return RetrievalRows(self.corpus.rows(), queries.rows(), qrels, candidates, _lists(self.qrel_diff))

    def _all_but_excluded(self, queries: Table) -> dict[str, list[str]] | None:
        """Each query's candidates where some query has excluded documents; None where none has."""
        if self.excluded is None or not len(self.excluded):
            return None
        excluded: dict[str, set[str]] = {}
        for query, document in zip(self.excluded.values("query-id"), self.excluded.values("corpus-id"), strict=True):
            excluded.setdefault(query, set()).add(document)
        everything = self.corpus.values("id")
        return {
            query: [document for document in everything if document not in excluded[query]]
            if query in excluded
            else everything
            for query in queries.values("id")
        }


def _lists(table: Table | None) -> dict[str, list[str]] | None:
    return None if table is None else dict(zip(table.values("query-id"), table.values("corpus-ids"), strict=True))


Split = Table | RetrievalTables


class ArrowColumn(Sequence[Any]):
    """A column as a sequence of Python values, read when asked for; iterating reads a block at a time."""

    _BLOCK = 65_536
    _BLOCK_BYTES = 16 * 2**20

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    @property
    def nbytes(self) -> int:
        """What the column takes in memory."""
        return int(self._column.nbytes)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return self._column.slice(start, max(stop - start, 0)).to_pylist()
            return self._column.to_pylist()[index]
        if index < -len(self) or index >= len(self):
            raise IndexError(index)
        return self._column[int(index)].as_py()

    def __iter__(self) -> Iterator[Any]:
        block = min(self._BLOCK, max(1, self._BLOCK_BYTES * len(self) // max(1, self.nbytes)))
        for start in range(0, len(self), block):
            yield from self._column.slice(start, block).to_pylist()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if pa.types.is_integer(self._column.type) or pa.types.is_floating(self._column.type):
            return np.asarray(self._column.to_numpy(), dtype=dtype)
        return np.asarray(self._column.to_pylist(), dtype=dtype)

    def __repr__(self) -> str:
        return f"ArrowColumn({self._column.type}, {len(self)} rows)"


def is_text(kind: pa.DataType) -> bool:
    """Whether a column is text, however Arrow lays it out."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


_KINDS = (
    ("whole numbers", pa.types.is_integer),
    ("fractions", pa.types.is_floating),
    ("true and false", pa.types.is_boolean),
    ("decimal numbers", pa.types.is_decimal),
    ("bytes", pa.types.is_binary),
    ("bytes", pa.types.is_large_binary),
    ("bytes", pa.types.is_fixed_size_binary),
    ("dates or times", pa.types.is_temporal),
    ("objects", pa.types.is_struct),
    ("objects", pa.types.is_map),
    ("nothing", pa.types.is_null),
)


def kind_name(kind: pa.DataType) -> str:
    """What a column holds, in words for people."""
    if is_text(kind):
        return "text"
    if is_list(kind):
        return f"lists of {kind_name(kind.value_type)}"
    return next((name for name, test in _KINDS if test(kind)), "values of another kind")


def is_list(kind: pa.DataType) -> bool:
    """Whether a column holds lists, however Arrow lays them out."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _plain(kind: pa.DataType) -> pa.DataType:
    """The plain type of the same values; the object itself where it is plain."""
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        held = kind.value_type
        inner = _plain(held)
        make = pa.list_ if pa.types.is_list(kind) else pa.large_list
        return kind if inner is held else make(inner)
    if pa.types.is_struct(kind):
        types = [kind.field(index).type for index in range(kind.num_fields)]
        inside = [_plain(one) for one in types]
        if any(new is not old for new, old in zip(inside, types, strict=True)):
            return pa.struct([kind.field(index).with_type(new) for index, new in enumerate(inside)])
    return kind


def shown(what: object, most: int = 200) -> str:
    """A text of any length on one line, cut where it is too long for a message."""
    text = " ".join(str(what).split())
    return text if len(text) <= most else text[: most - 2] + " \u2026"


def _array(name: str, values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise TableError(f"the values of column {name!r} have no common type: {shown(error)}") from error


_COPIED = 4096
"""Consecutive values of fewer bytes than this are copied, because a piece of a column takes about as much itself."""


def _runs(rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first rows and the lengths of the runs of consecutive numbers."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    bounds = np.concatenate(([0], breaks, [len(rows)])) if len(rows) else np.zeros(1, np.int64)
    return rows[bounds[:-1]], np.diff(bounds)


def _sliced(column: pa.ChunkedArray, runs: Sequence[tuple[int, int]]) -> pa.ChunkedArray:
    """Pieces of a column, each from a row on, one after the other; nothing is copied."""
    chunks = column.chunks
    ends = np.cumsum([len(chunk) for chunk in chunks])
    pieces = []
    for first, length in runs:
        start, stop = first, first + length
        number = int(np.searchsorted(ends, start, side="right"))
        while start < stop:
            begin = int(ends[number]) - len(chunks[number])
            piece = chunks[number].slice(start - begin, stop - start)
            pieces.append(piece)
            start, number = start + len(piece), number + 1
    return pa.chunked_array(pieces, column.type)


def _wide_strings(arrow: pa.Table) -> pa.Table:
    """Strings with 64-bit offsets, because `take` joins chunks and 32 bits end at 2 GiB of text."""
    fields = [
        pa.field(part.name, pa.large_string()) if pa.types.is_string(part.type) else part.remove_metadata()
        for part in arrow.schema
    ]
    return arrow.cast(pa.schema(fields))
