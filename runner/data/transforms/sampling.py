"""Steps that draw: shuffles, samples, and splits of one split in two. Each is repeatable from its seed.

Draws equal those of `datasets.Dataset` on the same rows, because published scores rest on them.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError, TableError
from embedmark.runner.data.table import Table
from embedmark.tasks.labels.stratification import multilabel_sample, quantile_bins, stratified_sample


def shuffle(table: Table, *, seed: int, generator: Literal["numpy", "python"] = "numpy") -> Table:
    """All rows in another order: that of `datasets.Dataset.shuffle(seed)`, or of `random.Random(seed).shuffle`."""
    return table.take(_order(len(table), seed, generator))


def subsample(
    table: Table, *, n: int = 2048, seed: int = 42, stratify: str | None = None, bins: int | None = None
) -> Table:
    """At most n rows.

    With `stratify`, each value of that column keeps its share: the test side of
    `datasets.Dataset.train_test_split(test_size=n, seed=seed, stratify_by_column=...)`, the values encoded as
    `class_encode` does; of a column of lists, about n rows in which pairs of labels keep their shares. With `bins` as
    well, numbers are cut into that many quantiles before. Without, the rows are the first n of `shuffle(seed)`. A table
    of at most n rows is left as it is.
    """
    if bins is not None and stratify is None:
        raise TableError("`bins` cuts the numbers of the column that `stratify` names; give `stratify` too")
    if n >= len(table):
        return table
    if stratify is None:
        return table.take(_order(len(table), seed, "numpy")[:n])
    kind = table.column(stratify).type
    try:
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            return table.take(multilabel_sample(table.values(stratify), n, seed))
        classes = _classes(table, stratify) if bins is None else _quantiles(table, stratify, bins)
        return table.take(stratified_sample(classes, n, seed))
    except DataError as error:
        raise TableError(f"column {stratify!r}: {error}") from error


def sample_lists(table: Table, *, columns: Sequence[str], n: int, seed: int) -> Table:
    """In each row at most n elements of its lists, the same places in each column, drawn by `random.Random(seed)`."""
    generator = random.Random(seed)
    lists = {name: table.values(name) for name in columns}
    for row in range(len(table)):
        size = len(lists[columns[0]][row])
        places = generator.sample(range(size), min(n, size))
        for name in columns:
            lists[name][row] = [lists[name][row][place] for place in places]
    for name in columns:
        table = table.put(name, pa.array(lists[name], table.column(name).type), table.labels.get(name))
    return table


def train_test_split(
    splits: Mapping[str, Table],
    *,
    from_: str,
    train: str = "train",
    test: str = "test",
    test_size: int | float | None = None,
    train_size: int | float | None = None,
    seed: int = 42,
    stratify: str | None = None,
) -> dict[str, Table]:
    """One split becomes two, as `datasets.Dataset.train_test_split` does it. Sizes are rows, or fractions below 1."""
    table = splits[from_]
    classes = [0] * len(table) if stratify is None else _classes(table, stratify)
    codes = np.unique(np.asarray(classes), return_inverse=True)[1]
    halves = _split(codes, seed, test_size=test_size, train_size=train_size, what=stratify)
    rest = {name: other for name, other in splits.items() if name != from_}
    return {**rest, train: table.take(halves[0]), test: table.take(halves[1])}


def class_names(tables: Sequence[Table], column: str) -> tuple[str, ...]:
    """The distinct values of a column over tables, as text, sorted as text."""
    values = {value for table in tables for value in table.column(column).unique().to_pylist()}
    return tuple(sorted({str(value) for value in values if value is not None}))


def _order(n: int, seed: int, generator: Literal["numpy", "python"]) -> NDArray[np.int64]:
    if generator == "python":
        order = list(range(n))
        random.Random(seed).shuffle(order)
        return np.asarray(order, dtype=np.int64)
    return np.random.default_rng(seed).permutation(n)


def _classes(table: Table, column: str) -> list[Any]:
    """What to stratify by: the class numbers of a column that has names, otherwise its values as text."""
    values = table.values(column)
    if any(value is None for value in values):
        raise TableError(f"column {column!r} has {values.count(None)} missing values; filter them before stratifying")
    if any(isinstance(value, list | dict) for value in values[:1]):
        raise TableError(f"column {column!r} holds {table.column(column).type}; stratify needs one value a row")
    return values if column in table.labels else [str(value) for value in values]


def _quantiles(table: Table, column: str, bins: int) -> NDArray[np.int64]:
    return quantile_bins(np.asarray(table.values(column), dtype=np.float64), bins).astype(np.int64)


def _split(
    codes: NDArray[np.int64], seed: int, what: str | None, **sizes: Any
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of the train and the test side. The draw is the library's own, made on row numbers alone."""
    import datasets

    features = datasets.Features(
        {
            "row": datasets.Value("int64"),
            "class": datasets.ClassLabel(names=[str(code) for code in range(int(codes.max(initial=0)) + 1)]),
        }
    )
    rows = datasets.Dataset.from_dict({"row": np.arange(len(codes)), "class": codes}, features=features)
    try:
        halves = rows.train_test_split(
            seed=seed, stratify_by_column=None if what is None else "class", keep_in_memory=True, **sizes
        )
    except ValueError as error:
        raise TableError(f"cannot split {len(codes)} rows by {what or 'chance'}: {error}") from error
    return np.asarray(halves["train"]["row"], dtype=np.int64), np.asarray(halves["test"]["row"], dtype=np.int64)
