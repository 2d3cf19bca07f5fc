"""As what a task type reads the columns of a plain table, by its settings; and the types of columns that have none.

A CSV or TSV holds text alone. Ids and texts stay as they are written; numbers are read where a number is wanted; labels
stay text, but for those that are whole numbers throughout, which are the same labels as in JSON.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from runner.config.schema import TaskConfig
from runner.data.numbers import are_whole, empty_as_missing, numbers, yes_or_no
from runner.data.table import Split, Table, TableError, is_text
from runner.errors import UserError
from tasks.types import task_types


@dataclass(frozen=True)
class Roles:
    """Columns by what they are read as. numeric: those in which text is read as numbers, labels among them."""

    texts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()


def roles(task: TaskConfig) -> Roles:
    """The columns that a task's settings name."""
    settings = _settings(task)

    def column(key: str) -> tuple[str, ...]:
        return (settings[key],) if settings.get(key) is not None else ()

    texts = column("input_column") or tuple(settings.get("columns", ()))
    numeric = getattr(task_types()[task.type].settings, "numeric", ("score_column",))
    return Roles(
        # with parallel subsets the columns are languages, which the task type takes from the subset's name
        texts=() if settings.get("parallel_subsets") else texts,
        labels=column("label_column"),
        numbers=column("score_column"),
        images=column("image_column"),
        clusters=column("cluster_column"),
        numeric=tuple(settings[key] for key in numeric if key in settings),
    )


def _settings(task: TaskConfig) -> dict[str, Any]:
    """The values of the task type's settings, its defaults filled in."""
    fields = dataclasses.fields(task_types()[task.type].settings)
    defaults = {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}
    return {**defaults, **task.settings}


def typed(task: TaskConfig, subset: str, tables: Mapping[str, Split], *, untyped: bool) -> dict[str, Split]:
    """The splits with numbers where numbers are wanted. untyped: whether some came from files without types.

    Raises UserError for the first text that is no number.
    """
    given = roles(task)
    result = dict(tables)
    for split, table in tables.items():
        if isinstance(table, Table):
            result[split] = _with_numbers(table, given, f"subset {subset!r}, split {split!r}")
    if untyped:
        for name in given.labels:
            if name not in given.numeric:
                result = _with_labels(result, name, _settings(task).get("candidate_labels", ()))
    return result


def _with_numbers(table: Table, given: Roles, where: str) -> Table:
    for name in given.numeric:
        if name in table.names and name not in table.labels:
            column = table.column(name)
            is_label = name in given.labels and is_text(column.type)
            as_label = yes_or_no(column) if is_label else None
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
