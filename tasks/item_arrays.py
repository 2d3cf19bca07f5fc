"""What is kept of a job's items, and its main score computed from that again.

An item is what a metric counts: a row, a pair, a query. `items.npz` holds their arrays; docs/items.md names those of
every type. Three names begin with `_`:

    _unit        which item a row of the arrays is, so that two records are matched by identity
    _cluster     items with one number belong together (pairs that share a sentence, a document's paragraphs)
    _left_out    the names of arrays that were too large to be kept
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Composite, Image, Item, Rows, Scores
from embedmark.tasks.types import task_types

ItemArrays: TypeAlias = Mapping[str, NDArray[Any]]
"""Array name → array, of numbers, truth values or text; never of Python objects."""

UNIT, CLUSTER, LEFT_OUT = "_unit", "_cluster", "_left_out"

LARGEST = 256 * 2**20
"""Bytes that the arrays of one job may take in memory; the file takes a tenth of that to all of it."""

_LONGEST_NAME = 200
"""Characters of a class name: NumPy gives every text of an array the room of the longest."""


def main_score_of(kind: str, main_metric: str, items: ItemArrays) -> float:
    """Compute a record's `main_score` from its items.

    Args:
        kind: the task type, as `task.type` of identity.json has it: `classification`, not `Classification`.
        main_metric: the metric that the record names.
        items: the arrays of its items.npz.

    Returns:
        The same number, rounded as the metric is: means of trec_eval's metrics to 5 decimals.

    Raises:
        DataError: the type does not exist or does not say how, the metric is none of its metrics, or an array that
            it needs is missing.
    """
    found = task_types().get(kind)
    if found is None:
        raise DataError(f"no task type {kind!r}; there are {', '.join(sorted(task_types()))}")
    module, _, name = found.implementation.partition(":")
    values_from_items = getattr(getattr(importlib.import_module(module), name), "values_from_items", None)
    if values_from_items is None:
        raise DataError(f"task type {kind!r} does not say how scores are computed from items (values_from_items)")
    try:
        values: Mapping[str, float] = values_from_items(main_metric, items)
    except KeyError as error:
        left_out = ", left out for its size" if error.args[0] in items.get(LEFT_OUT, ()) else ""
        raise DataError(
            f"{main_metric} of {kind} needs the array {error.args[0]!r}{left_out}; the items have "
            f"{', '.join(sorted(items)) or 'none'}"
        ) from None
    return Scores(main_metric, values).main_score


def units_of(name: str, items: ItemArrays) -> NDArray[np.uint64]:
    """Which items the rows of an array are.

    Most arrays have the rows of `_unit`. Those of pairs or groups of queries have rows of their own: `_unit/PREFIX`
    belongs to the arrays whose names begin with PREFIX.

    Raises:
        KeyError: the items have no such array.
    """
    own = [unit for unit in items if unit.startswith(f"{UNIT}/") and name.startswith(unit.partition("/")[2])]
    return items[max(own, key=len, default=UNIT)]


def units(items: Iterable[Item | Sequence[Item]]) -> NDArray[np.uint64]:
    """The identity of each item: the first 8 bytes, read as a big-endian number, of a SHA-256.

    Args:
        items: a text (a query's id, a row's text), an image, both in one item, or the texts or images of a row.

    Returns:
        (n,) numbers, all different: of the UTF-8 bytes of a text, the bytes of an image, those of a row joined by NUL.
        An item that occurs again has `NUL 1`, `NUL 2`, ... at the end of its bytes.
    """
    found: dict[int, int] = {}
    return np.fromiter((_unit(_bytes(item), found) for item in items), dtype=np.uint64)


def _bytes(item: Item | Sequence[Item]) -> bytes:
    """The bytes of an item, or those of several joined by NUL."""
    if isinstance(item, Image):
        return item.data
    if isinstance(item, Composite):
        return _bytes(item.parts)
    if isinstance(item, str):
        return item.encode("utf-8", "surrogatepass")
    return b"\0".join(_bytes(part) for part in item)


def _unit(content: bytes, found: dict[int, int]) -> int:
    unit = int.from_bytes(hashlib.sha256(content).digest()[:8])
    number = found.get(unit, 0)
    found[unit] = number + 1
    return _unit(b"%b\0%d" % (content, number), found) if number else unit


def clusters(values: Iterable[Any], where: str) -> NDArray[np.int32]:
    """The cluster that each item is in: equal values are one cluster, in all jobs.

    Args:
        values: texts, images or whole numbers.
        where: what a message calls them.

    Returns:
        (n,) the number itself where it fits, else the first 4 bytes of a SHA-256 of its text.

    Raises:
        DataError: a value is something else.
    """
    codes: dict[str | int | bytes, int] = {}
    return np.fromiter((_cluster(value, codes, f"{where}, row {i}") for i, value in enumerate(values)), dtype=np.int32)


def _cluster(value: object, codes: dict[str | int | bytes, int], where: str) -> int:
    if not isinstance(value, str | int | Image | Composite):
        raise DataError(
            f"{where}: found {'nothing' if value is None else value!r:.60}; expected a text or whole number"
        )
    key = value if isinstance(value, int) else _key(value)
    if key not in codes:
        if isinstance(key, int) and -(2**31) <= key < 2**31:
            codes[key] = int(key)
        else:
            digest = key if isinstance(key, bytes) else hashlib.sha256(_bytes(str(key))).digest()
            codes[key] = int.from_bytes(digest[:4], signed=True)
    return codes[key]


def _key(item: Item) -> str | bytes:
    """What equal items have in common: a text itself, of others a hash, so that no image stays in memory."""
    return item if isinstance(item, str) else hashlib.sha256(_bytes(item)).digest()


def cluster_column(rows: Rows, column: str | None, chosen: Iterable[int] | None = None) -> dict[str, NDArray[Any]]:
    """`_cluster` of a table's rows, all or those of `chosen` in that order; nothing where no column is named.

    Raises:
        DataError: the column is not there, or holds other things than texts and whole numbers.
    """
    if column is None:
        return {}
    values = rows[column]
    picked = values if chosen is None else [values[int(i)] for i in chosen]
    return {CLUSTER: clusters(picked, f"cluster_column {column!r}")}


def shared_items(*columns: Sequence[Item]) -> dict[str, NDArray[Any]]:
    """`_cluster` of pairs, by the column whose items repeat most; nothing where none repeats."""
    n_different, column = min((len({_key(item) for item in items}), number) for number, items in enumerate(columns))
    fewest = columns[column]
    return {CLUSTER: clusters(fewest, "item")} if n_different < len(fewest) else {}


def codes(values: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    """Whole numbers in 16 bits, or in 32 or 64 where one of them needs it."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    kinds = (kind for kind in (np.int16, np.int32) if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return values.astype(next(kinds, np.int64))


def class_names(classes: Sequence[Any]) -> NDArray[Any]:
    """The classes that codes stand for: numbers as they are, else texts.

    A text of more than 200 characters is cut and ends in 16 digits of its SHA-256.
    """
    if not any(isinstance(name, str) for name in classes):
        numbers = np.array(classes)
        return numbers.astype(np.float64) if numbers.dtype == object else numbers
    return np.array([_short(str(name)) for name in classes])


def _short(name: str) -> str:
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 17]}…{hashlib.sha256(_bytes(name)).hexdigest()[:16]}"


def bounded(items: ItemArrays, largest: int = LARGEST) -> dict[str, NDArray[Any]]:
    """The arrays without the largest of them, where together they take more than `largest` bytes.

    What is left out is named in `_left_out`. `_unit` and `_cluster` go last.
    """
    kept = {name: np.asarray(values) for name, values in items.items()}
    left_out = []
    for name in sorted(kept, key=lambda name: (name.startswith("_"), -kept[name].nbytes, name)):
        if sum(values.nbytes for values in kept.values()) <= largest:
            break
        del kept[name]
        left_out.append(name)
    return {**kept, LEFT_OUT: np.array(sorted(left_out))} if left_out else kept
