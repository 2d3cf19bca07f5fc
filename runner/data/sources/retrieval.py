"""The parts of a retrieval dataset, brought to the columns and types that scoring relies on."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from embedmark.runner.common.errors import TableError, UserError
from embedmark.runner.data.table import RetrievalTables, Table, kind_name, shown

REQUIRED = ("corpus", "queries", "qrels")
OPTIONAL = ("top_ranked", "instruction", "qrel_diff", "excluded")
IDS = ("_id", "id", "query-id", "corpus-id")
"""Columns of single ids."""

_LISTS = {"query-id": pa.string(), "corpus-ids": pa.list_(pa.string())}


def retrieval_tables(parts: Mapping[str, Table], where: str) -> RetrievalTables:
    """Parts of a retrieval dataset with the columns and types that scoring relies on: ids are text, grades integers.

    parts: those of REQUIRED, and any of OPTIONAL. Queries without judgments are left out, instructions joined to their
    queries. Raises UserError for missing columns and for grades that are not whole numbers.
    """

    def cast(part: str, types: dict[str, pa.DataType]) -> Table | None:
        return _cast(parts[part], types) if part in parts else None

    try:
        judged = _cast(parts["qrels"], {"query-id": pa.string(), "corpus-id": pa.string(), "score": pa.int32()})
        asked = set(judged.column("query-id").unique().to_pylist())
        every = _with_id(parts["queries"])
        queries = every.where(asked.__contains__, "id")
        told = cast("instruction", {"query-id": pa.string(), "instruction": pa.string()})
        return RetrievalTables(
            corpus=_with_id(parts["corpus"]),
            queries=queries if told is None else _join_instructions(queries, told),
            qrels=judged,
            top_ranked=cast("top_ranked", _LISTS),
            excluded=cast("excluded", {"query-id": pa.string(), "corpus-id": pa.string()}),
            qrel_diff=cast("qrel_diff", _LISTS),
            unjudged=tuple(query for query in every.values("id") if query is not None and query not in asked),
        )
    except TableError as error:
        raise UserError(f"{where}: {error}") from error


def _with_id(table: Table) -> Table:
    """Publishers call the id `_id` or `id`."""
    table.require([name for name in ("title", "text") if name in table.unreadable])
    if "_id" in table.names:
        others = [name for name in table.names if name not in {"_id", "id"}]
        table = table.put("id", table.column("_id")).select(["id", *others])
    return table.put("id", table.column("id").cast(pa.string()))


def _cast(table: Table, types: dict[str, pa.DataType]) -> Table:
    table = table.select(list(types))
    for name, kind in types.items():
        column = table.column(name)
        try:
            table = table.put(name, column.cast(kind))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            expected = "whole numbers" if pa.types.is_integer(kind) else kind_name(kind)
            raise TableError(
                f"column {name!r} holds {kind_name(column.type)}, expected {expected} ({_first_misfit(column, kind)})"
            ) from error
    return table


def _first_misfit(column: pa.ChunkedArray, kind: pa.DataType) -> str:
    for row, value in enumerate(column):
        try:
            value.cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return f"row {row} is {shown(value.as_py(), 60)}"
    return f"{len(column)} rows"


def _join_instructions(queries: Table, told: Table) -> Table:
    instructions = dict(zip(told.values("query-id"), told.values("instruction"), strict=True))
    ids = queries.values("id")
    missing = [query for query in ids if query not in instructions]
    if missing:
        raise TableError(f"{len(missing)} queries have no instruction, the first is {missing[0]!r}")
    return queries.put("instruction", [instructions[query] for query in ids])
