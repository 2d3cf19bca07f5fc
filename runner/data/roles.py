"""Types for the columns of files that have none, by what a task type reads them as.

A CSV or TSV holds text alone. Ids and texts stay as they are written; numbers are read where a number is wanted; labels
stay text, but for those that are whole numbers throughout, which are the same labels as in JSON.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from embedmark.runner.common.errors import TableError, UserError
from embedmark.runner.data.numbers import are_whole, empty_as_missing, numbers, yes_or_no
from embedmark.runner.data.table import Split, Table, is_text
from embedmark.runner.resolve import ResolvedTask
from embedmark.tasks.base import ColumnRoles


def typed(task: ResolvedTask, subset: str, tables: Mapping[str, Split], *, untyped: bool) -> dict[str, Split]:
    """Read texts as numbers where numbers are wanted.

    Args:
        task: the task, which says the role of each column.
        subset: the subset that the tables are of, for messages.
        tables: split → table; those of retrieval are left as they are.
        untyped: whether some came from files without types, whose labels may be whole numbers.

    Raises:
        UserError: a text is no number.
    """
    result = dict(tables)
    for split, table in tables.items():
        if isinstance(table, Table):
            result[split] = _with_numbers(table, task.columns, f"subset {subset!r}, split {split!r}")
    if untyped:
        for name, role in task.columns:
            if role == "label":
                result = _with_labels(result, name, getattr(task.settings, "candidate_labels", ()))
    return result


def _with_numbers(table: Table, columns: ColumnRoles, where: str) -> Table:
    for name, role in columns:
        if role in ("number", "value") and name in table.names and name not in table.labels:
            column = table.column(name)
            as_label = yes_or_no(column) if role == "value" and is_text(column.type) else None
            try:
                table = table.put(name, numbers(column) if as_label is None else as_label)
            except TableError as error:
                raise UserError(f"{where}: column {name!r}, {error}") from error
    return table


def _with_labels(splits: Mapping[str, Split], name: str, candidates: tuple[str, ...]) -> dict[str, Split]:
    """Empty labels are missing; whole numbers in all splits alike are numbers, unless candidate labels name them."""
    plain = {split: table for split, table in splits.items() if isinstance(table, Table) and name in table.names}
    found = {split: empty_as_missing(t.column(name)) for split, t in plain.items() if is_text(t.column(name).type)}
    whole = all(are_whole(column) for column in found.values())
    if whole and candidates:
        whole = not all(value in candidates for column in found.values() for value in column.unique().to_pylist())
    return {
        **splits,
        **{split: plain[split].put(name, c.cast(pa.int64()) if whole else c) for split, c in found.items()},
    }
