"""Tables of a hub dataset that lie in places of their own: names to fill in, rows and columns to keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, Literal

import pyarrow as pa

from embedmark.runner.common.errors import PatternError, TableError, UserError
from embedmark.runner.common.patterns import match_groups
from embedmark.runner.config.schema import HubDataset, Place
from embedmark.runner.data.table import Table
from embedmark.runner.data.templates import fields, fill
from embedmark.runner.data.transforms.rows import explode

Names = Mapping[str, str]


def names(dataset: HubDataset, subset: str, split: str) -> Names:
    """What templates of a dataset may hold. Raises UserError when its pattern does not match."""
    known = {"subset": subset, "split": split}
    if dataset.pattern is not None:
        try:
            groups = match_groups(dataset.pattern, f"{subset}/{split}")
        except PatternError as error:
            raise UserError(f"dataset.pattern: {error}") from None
        if groups is None:
            raise UserError(f"dataset.pattern: {dataset.pattern!r} does not match {subset + '/' + split!r}")
        known |= {name: value or "" for name, value in groups.items()}
    if dataset.config is not None:
        known["config"] = format_template(dataset.config, known, "config")
    return known


def format_template(template: str, known: Names, where: str) -> str:
    """Replace the names in a template of a dataset. Raises UserError when one is unknown."""
    try:
        return fill(template, known)
    except TableError as error:
        raise UserError(f"dataset.{where}: {error}") from error


def select_place(table: Table, place: Place, known: Names) -> Table:
    """Select the rows and columns of a table that a place asks for.

    known: the names in its templates, `split` the one read. Raises TableError for columns that are missing or misfit.
    """
    for column, wanted in place.where.items():
        table = _where(table, column, fill(wanted, known))
    for column, what in place.skip.items():
        if column != place.explode:
            table = table.where(_kept_by(what), column)
    if not place.columns and place.explode is None:
        return table
    numbers = list(range(len(table)))
    counted: dict[str, list[int]] = {}
    if place.explode is not None:
        table = _read_by(place, table)
        if place.explode in place.skip:
            table = _without(table, place.explode, _kept_by(place.skip[place.explode]))
        lengths = [len(value or ()) for value in table.values(place.explode)]
        numbers = list(chain.from_iterable([number] * length for number, length in enumerate(lengths)))
        counted["index"] = list(chain.from_iterable(range(length) for length in lengths))
        counted["place"] = [index + 1 for index in counted["index"]]
        table = explode(table, columns=[place.explode])
    if not place.columns:
        return table
    counted |= {"n": numbers, "number": [number + 1 for number in numbers]}
    shaped = table
    for new, old in place.columns.items():
        shaped = shaped.put(new, _column(table, old, known, counted), _labels(table, old))
    return shaped.select(list(place.columns))


def look_up(table: Table, column: str, other: Table, key: str, value: str) -> Table:
    """Replace the values of a column by those of `value` in the last row of another table that has them in `key`.

    Both are compared as text. Raises TableError for a value that the other table has not.
    """
    names = {str(old): str(new) for old, new in zip(other.values(key), other.values(value), strict=True)}
    held = [str(old) for old in table.values(column)]
    unknown = [old for old in held if old not in names]
    if unknown:
        raise TableError(
            f"{len(unknown)} values of column {column!r} are not in its {key!r}, the first is {unknown[0]!r}"
        )
    return table.put(column, pa.array([names[old] for old in held], pa.string()))


def _read_by(place: Place, table: Table) -> Table:
    """Only the columns that the place reads, so that no others (images!) are repeated when a list is exploded."""
    if not place.columns:
        return table
    texts = [old for old in place.columns.values() if isinstance(old, str)]
    asked = {place.explode, *texts, *chain.from_iterable(fields(old) for old in texts if old not in table.names)}
    return table.select([name for name in table.names if name in asked])


def _kept_by(what: Literal["missing", "blank"]) -> Callable[[Any], bool]:
    """The test of values that are not skipped."""
    if what == "missing":
        return lambda value: value is not None
    return lambda value: value is not None and bool(value.strip() if isinstance(value, str) else True)


def _without(table: Table, name: str, keep: Callable[[Any], bool]) -> Table:
    """The elements of a column of lists that are kept."""
    lists = [None if value is None else [held for held in value if keep(held)] for value in table.values(name)]
    return table.put(name, pa.array(lists, table.column(name).type), table.labels.get(name))


def _where(table: Table, column: str, wanted: str) -> Table:
    classes = table.labels.get(column)
    return table.where(lambda value: wanted == (classes[value] if classes else str(value)), column)


def _column(
    table: Table, old: str | int, known: Names, counted: Mapping[str, list[int]]
) -> pa.ChunkedArray | pa.Array | list[Any]:
    if isinstance(old, int):
        return pa.array([old] * len(table), pa.int64())
    asked = fields(old) if old not in table.names else []
    if not asked:
        return table.column(old)
    columns = {name: counted[name] for name in asked if name in counted}
    columns |= {name: table.values(name) for name in asked if name not in columns and name not in known}
    return pa.array(
        [
            fill(old, {**known, **{name: str(values[row]) for name, values in columns.items()}})
            for row in range(len(table))
        ],
        pa.string(),
    )


def _labels(table: Table, old: str | int) -> tuple[str, ...] | None:
    return table.labels.get(old) if isinstance(old, str) else None
