"""Steps that work on columns: names, types, values. Each takes one table and gives another."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import pyarrow as pa

from embedmark.runner.common.errors import PatternError, TableError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.patterns import compiled, match_groups
from embedmark.runner.data.numbers import numbers
from embedmark.runner.data.table import Table, is_text, kind_name, shown
from embedmark.runner.data.templates import fields, fill

Scalar = str | int | float | bool | None
Type = Literal["string", "int", "float", "bool"]

_TYPES = {"string": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}


def rename(table: Table, *, columns: Mapping[str, str], pattern: str | None = None, subset: str = "default") -> Table:
    """Renames columns.

    With `pattern`, a regular expression that must match the subset's name, names may hold its groups in braces.
    """
    if pattern is not None:
        try:
            matched = match_groups(pattern, subset)
        except PatternError as error:
            raise TableError(f"pattern: {error}") from None
        if matched is None:
            raise TableError(f"the pattern {pattern!r} does not match the subset's name {subset!r}")
        groups = {name: value or "" for name, value in matched.items()}
        columns = {fill(old, groups): fill(new, groups) for old, new in columns.items()}
    table.require(list(columns))
    names = [columns.get(name, name) for name in table.names]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TableError(f"two columns would be called {twice[0]!r}; drop or rename one of them first")
    labels = {columns.get(name, name): classes for name, classes in table.labels.items()}
    return Table(table.arrow.rename_columns(names), labels)


def copy(table: Table, *, columns: Mapping[str, str]) -> Table:
    """Adds columns with the values of others, or overwrites columns with them: {new: old}."""
    table.require(list(columns.values()))
    copied = table
    for new, old in columns.items():
        copied = copied.put(new, table.column(old), table.labels.get(old))
    return copied


def select_columns(table: Table, *, columns: Sequence[str]) -> Table:
    """Keeps these columns, in this order."""
    return table.select(columns)


def drop_columns(table: Table, *, columns: Sequence[str]) -> Table:
    """Removes columns."""
    table.require([name for name in columns if name not in table.unreadable])
    return table.select([name for name in table.names if name not in columns])


def cast(table: Table, *, columns: Mapping[str, Type]) -> Table:
    """Changes the types of columns. A value that does not fit the new type is an error, never rounded."""
    for name, kind in columns.items():
        column = table.column(name)
        try:
            table = table.put(name, _cast(column, kind))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise TableError(
                f"column {name!r} ({kind_name(column.type)}) cannot become {kind}: {shown(error)}"
            ) from error
        except TableError as error:
            raise TableError(f"column {name!r} cannot become {kind}: {error}") from error
    return table


def _cast(column: pa.ChunkedArray, kind: Type) -> pa.ChunkedArray:
    try:
        return column.cast(_TYPES[kind])
    except pa.ArrowInvalid:
        if not is_text(column.type) or kind not in ("int", "float"):
            raise
        return numbers(column).cast(_TYPES[kind])


def refuse_numbers(table: Table, name: str, values: Iterable[Any]) -> None:
    """Raises TableError where a column of text, as a CSV's are, is compared with numbers: nothing would be equal."""
    number = next((value for value in values if isinstance(value, int | float)), None)
    if number is not None and name not in table.labels and is_text(table.column(name).type):
        kind, word = ("bool", str(number).lower()) if isinstance(number, bool) else ("float", number)
        raise TableError(
            f"column {name!r} holds text, and {word} is no text. Cast the column before this step, as in "
            f"`- cast: {{{name}: {kind}}}`; what is text is given in quotes."
        )


def add(table: Table, *, columns: Mapping[str, Scalar]) -> Table:
    """Adds columns of one value each."""
    for name, value in columns.items():
        table = table.put(name, [value] * len(table))
    return table


def merge(
    table: Table,
    *,
    into: str,
    template: str,
    none: str = "",
    without: Mapping[str, str] | None = None,
    strip: bool = False,
) -> Table:
    """Writes a column from others, as in "{title} {text}". `none` stands for missing values.

    `without`: {column: template}, for rows where that column is missing or empty.
    """
    others = without or {}
    used = (name for one in (template, *others.values()) for name in fields(one))
    names = list(dict.fromkeys([*used, *others]))
    table.require(names)
    filled = []
    for row in zip(*(table.values(name) for name in names), strict=True):
        values = dict(zip(names, row, strict=True))
        chosen = next((one for name, one in others.items() if values[name] in (None, "")), template)
        filled.append(fill(chosen, {name: none if value is None else str(value) for name, value in values.items()}))
    return table.put(into, pa.array([text.strip() for text in filled] if strip else filled, pa.large_string()))


def extract(table: Table, *, column: str, path: Sequence[str | int], into: str) -> Table:
    """Takes a value out of nested ones, by keys of structs and places in lists: [text, 0]."""
    return table.put(into, [_dig(value, path, column) for value in table.values(column)])


def element(table: Table, *, column: str, place: str, into: str) -> Table:
    """Takes an element of each list, the one whose place, counted from 0, the column `place` holds."""
    found = []
    for row, (held, number) in enumerate(zip(table.values(column), table.values(place), strict=True)):
        if not isinstance(held, list) or not isinstance(number, int) or not 0 <= number < len(held):
            raise TableError(f"row {row}: {column!r} is {shown(held, 80)}, of which {place!r} names {number!r}")
        found.append(held[number])
    return table.put(into, found)


def pick(table: Table, *, columns: Mapping[str, Sequence[str]]) -> Table:
    """Renames the first of several columns that is there: {text: [text, sentence, utterance]}."""
    for new, candidates in columns.items():
        found = next((name for name in candidates if name in table.names), None)
        table.require([name for name in candidates if name in table.unreadable and found is None])
        if found is None:
            raise TableError(f"none of the columns {list(candidates)} is there; the columns are {table.names}")
        table = table if found == new else rename(table, columns={found: new})
    return table


def identify(table: Table, *, column: str, into: str, id: str = "{n}") -> Table:
    """Gives rows with equal values of a column the same id, and rows with different values different ones.

    `id` is filled for the first row of each value: `n` is the number of the value from 0 in order of appearance,
    `sha256` the digest of its text, and other names are columns. A missing value has no id and no number.
    """
    values = table.values(column)
    rows: dict[Any, int] = {}
    for row, value in enumerate(values):
        if value is not None:
            rows.setdefault(value, row)
    names = [name for name in fields(id) if name not in ("n", "sha256")]
    others = {name: table.values(name) for name in names}
    ids = {}
    for n, (value, row) in enumerate(rows.items()):
        known = {name: str(others[name][row]) for name in names}
        digest = hashlib.sha256(str(value).encode()).hexdigest()
        ids[value] = fill(id, {**known, "n": str(n), "sha256": digest})
    return table.put(into, pa.array([ids.get(value) for value in values], pa.string()))


def parse_list(table: Table, *, column: str, into: str | None = None) -> Table:
    """Text that spells a list, as in "[0.2, 0.8]" or "['a', 'b']", becomes that list."""
    lists = []
    for row, text in enumerate(table.values(column)):
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError) as error:
            raise TableError(f"column {column!r}, row {row}: {text!r:.80} spells no list: {error}") from error
        if not isinstance(value, list | tuple):
            raise TableError(f"column {column!r}, row {row}: {text!r:.80} spells {type(value).__name__}, not a list")
        lists.append(list(value))
    return table.put(into or column, lists)


def argmax(table: Table, *, column: str, into: str | None = None) -> Table:
    """The place of the largest number of each list, the first of equal ones."""
    lists = table.values(column)
    if any(not numbers for numbers in lists):
        raise TableError(f"column {column!r} has missing or empty lists; filter them first")
    return table.put(into or column, pa.array([numbers.index(max(numbers)) for numbers in lists], pa.int64()))


def split_text(
    table: Table,
    *,
    column: str,
    by: str,
    limit: int = -1,
    start: int = 0,
    stop: int | None = None,
    join: str | None = None,
    into: str | None = None,
) -> Table:
    """Splits text at `by`, at most `limit` times; keeps the places start:stop as a list, or joined by `join`."""
    parts = [None if text is None else text.split(by, limit)[start:stop] for text in table.values(column)]
    if join is None:
        return table.put(into or column, pa.array(parts, pa.list_(pa.large_string())))
    texts = [None if part is None else join.join(part) for part in parts]
    return table.put(into or column, pa.array(texts, pa.large_string()))


def replace_text(
    table: Table, *, column: str, pattern: str, with_: str = "", strip: bool = False, into: str | None = None
) -> Table:
    """Replaces every match of a regular expression in a text; `strip` takes whitespace off its ends afterwards."""
    try:
        found = compiled(pattern)
    except PatternError as error:
        raise TableError(f"pattern: {error}") from None
    texts = [None if text is None else found.sub(lambda _: with_, text) for text in table.values(column)]
    if strip:
        texts = [None if text is None else text.strip() for text in texts]
    return table.put(into or column, pa.array(texts, pa.large_string()))


class _Unset:
    """No default was given; None would be a value."""


def map_values(
    table: Table, *, column: str, values: Mapping[Scalar, Any], default: Any = _Unset, into: str | None = None
) -> Table:
    """Replaces the values of a column. On class numbers, their names may be used.

    A value that is not listed is an error, unless there is a default.
    """
    if not any(isinstance(key, str) for key in values):
        refuse_numbers(table, column, values)
    found = table.values(column)
    classes = table.labels.get(column)
    if classes is not None and all(isinstance(key, str) for key in values):
        found = [None if code is None else classes[code] for code in found]
    # bool and int are equal in Python, and 1 must not stand for True
    typed = {(type(key), key): value for key, value in values.items()}
    mapped = []
    for value in found:
        new = typed.get((type(value), value), default) if isinstance(value, str | int | float | None) else default
        if new is _Unset:
            raise TableError(
                f"column {column!r} holds {value!r}, for which `values` says nothing; "
                f"it lists {list(values)}. Give it there, or a `default`.{nearest(str(value), map(str, values))}"
            )
        mapped.append(new)
    return table.put(into or column, mapped)


def class_decode(table: Table, *, column: str, into: str | None = None) -> Table:
    """Turns class numbers into their names."""
    codes = table.values(column)
    if column not in table.labels:
        raise TableError(
            f"column {column!r} ({kind_name(table.column(column).type)}) has no class names; class_encode gives them"
        )
    classes = table.labels[column]
    names = [None if code is None or code < 0 else classes[code] for code in codes]
    return table.put(into or column, pa.array(names, pa.large_string()))


def reword_classes(table: Table, *, column: str, replace: Mapping[str, str]) -> Table:
    """Replaces what regular expressions match in the names of a column's classes, one expression after the other."""
    if column not in table.labels:
        table.require([column])
        raise TableError(f"column {column!r} has no class names; class_encode gives them")
    names = table.labels[column]
    try:
        for pattern, new in replace.items():
            names = tuple(compiled(pattern).sub(new, name) for name in names)
    except PatternError as error:
        raise TableError(f"replace: {error}") from None
    return table.put(column, table.column(column), names)


def collect_labels(table: Table, *, columns: Sequence[str], where: Scalar, into: str = "label") -> Table:
    """Several columns into one list: the places of the columns whose value is `where`."""
    for name in columns:
        refuse_numbers(table, name, [where])
    rows = zip(*(table.values(name) for name in columns), strict=True)
    lists = [[place for place, value in enumerate(row) if value == where] for row in rows]
    return table.put(into, pa.array(lists, pa.list_(pa.int64())))


def _dig(value: Any, path: Sequence[str | int], column: str) -> Any:
    for place in path:
        if value is None:
            return None
        try:
            value = value[place]
        except (KeyError, IndexError, TypeError):
            found = sorted(value) if isinstance(value, dict) else f"{type(value).__name__} {value!r:.80}"
            raise TableError(f"column {column!r} has no {place!r} on the path {list(path)}; found {found}") from None
    return value
