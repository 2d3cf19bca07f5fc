"""Steps that see several splits of a subset: joining, naming, and label sets that all splits share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import pyarrow as pa

from embedmark.runner.common.errors import TableError
from embedmark.runner.common.names import nearest
from embedmark.runner.data.table import Table
from embedmark.runner.data.transforms.sampling import class_names


def map_splits(splits: Mapping[str, Table], *, names: Mapping[str, str]) -> dict[str, Table]:
    """Gives splits other names, {new: old}. One old split may become several; a split that is not named stays."""
    gone = set(names.values()) - set(names)
    kept = {name: table for name, table in splits.items() if name not in gone}
    return {**kept, **{new: splits[old] for new, old in names.items() if old in splits}}


def concatenate(splits: Mapping[str, Table], *, from_: Sequence[str], into: str) -> dict[str, Table]:
    """The rows of several splits, one after the other, as one. Columns that only some of them have are dropped."""
    tables = [splits[name] for name in from_]
    shared = [name for name in tables[0].names if all(name in table.names for table in tables)]
    if not shared:
        raise TableError(f"the splits {list(from_)} have no column in common")
    labels = {name: classes for name, classes in tables[0].labels.items() if name in shared}
    for table, split in zip(tables, from_, strict=True):
        for name in shared:
            if table.labels.get(name) != labels.get(name):
                raise TableError(f"column {name!r} has other class names in {split!r} than in {from_[0]!r}")
    pieces = [table.arrow.select(shared) for table in tables]
    return {**splits, into: Table(pa.concat_tables(pieces, promote_options="permissive"), labels)}


def split_by_value(splits: Mapping[str, Table], *, from_: str, column: str) -> dict[str, Table]:
    """The rows of one split become one split a value of the column, named by it."""
    table = splits[from_]
    rows: dict[str, list[int]] = {}
    for row, value in enumerate(table.values(column)):
        rows.setdefault(str(value), []).append(row)
    rest = {name: other for name, other in splits.items() if name != from_}
    return {**rest, **{value: table.take(places) for value, places in rows.items()}}


def spread_judged(
    splits: Mapping[str, Table],
    *,
    queries: str = "queries",
    corpus: str = "corpus",
    qrels: str = "qrels",
    into: str,
    column: str,
    columns: Sequence[str],
) -> dict[str, Table]:
    """The tables of a retrieval dataset, loaded as splits, become one split with a row a query.

    The relevant document's `column` is the first of `columns`, those of the others that are judged for the query follow
    in the order of the judgments, as many as there are columns. A query's last relevant document counts.
    """
    if missing := [name for name in (queries, corpus, qrels) if name not in splits]:
        raise TableError(f"no split {missing[0]!r}; the splits here are {sorted(splits)}")
    asked, documents, judged = splits[queries], splits[corpus], splits[qrels]
    places = {key: row for row, key in enumerate(documents.values("id"))}
    pools: dict[Any, list[Any]] = {}
    relevant: dict[Any, Any] = {}
    for query, document, score in zip(*(judged.values(name) for name in _QRELS), strict=True):
        pools.setdefault(query, []).append(document)
        if score == 1:
            relevant[query] = document
    rows = []
    for query in asked.values("id"):
        if query not in relevant:
            raise TableError(f"query {query!r} has no relevant document")
        first = relevant[query]
        found = [first, *(other for other in pools[query] if other != first)][: len(columns)]
        if len(found) < len(columns):
            raise TableError(f"query {query!r} has {len(found)} documents that are judged, expected {len(columns)}")
        if unknown := [document for document in found if document not in places]:
            raise TableError(f"query {query!r} has the document {unknown[0]!r}, which {corpus!r} has not")
        rows.append([places[document] for document in found])
    chosen = documents.select([column])
    made = asked
    for number, name in enumerate(columns):
        made = made.put(name, chosen.take([row[number] for row in rows]).column(column), documents.labels.get(column))
    rest = {name: table for name, table in splits.items() if name not in (queries, corpus, qrels)}
    return {**rest, into: made}


_QRELS = ("query-id", "corpus-id", "score")


def class_encode(splits: Mapping[str, Table], *, column: str, names: Sequence[str] | None = None) -> dict[str, Table]:
    """Turns values into class numbers. Unless given, names are sorted as text, one set over all splits."""
    classes = tuple(names) if names is not None else class_names(list(splits.values()), column)
    places = {name: place for place, name in enumerate(classes)}

    def encode(value: Any) -> int | None:
        try:
            return None if value is None else places[str(value)]
        except KeyError:
            raise TableError(
                f"column {column!r} holds {value!r}, which `names` does not list: {list(classes)}."
                f"{nearest(str(value), classes)}"
            ) from None

    encoded = {}
    for split, table in splits.items():
        if column in table.labels and names is None:
            encoded[split] = table
            continue
        codes = pa.array([encode(value) for value in table.values(column)], pa.int64())
        encoded[split] = table.put(column, codes, classes)
    return encoded


def drop_duplicates(
    splits: Mapping[str, Table],
    *,
    columns: Sequence[str],
    across: Sequence[str] = (),
    keep: Literal["first", "last", "none"] = "first",
) -> dict[str, Table]:
    """Keeps one row of each combination of values, the first or the last; or none of those that occur more than once.

    Rows are compared within their split, or, for the splits of `across`, over all of these in order.
    """
    keys = {split: [_key(row) for row in _tuples(table, columns)] for split, table in splits.items()}
    groups = [tuple(across), *((split,) for split in splits if split not in across)]
    kept: dict[str, list[int]] = {split: [] for split in splits}
    for group in groups:
        rows = [(split, row) for split in group for row in range(len(keys[split]))]
        for split, row in (rows[place] for place in _kept([keys[split][row] for split, row in rows], keep)):
            kept[split].append(row)
    return {split: table.take(kept[split]) for split, table in splits.items()}


def _key(row: tuple[Any, ...]) -> str:
    """What equal rows have in common; of long ones a hash, so that no image stays in memory."""
    spelled = repr(row)
    return (
        spelled
        if len(spelled) <= _LONGEST_KEY
        else hashlib.sha256(spelled.encode("utf-8", "surrogatepass")).hexdigest()
    )


_LONGEST_KEY = 1000


def _kept(keys: Sequence[str], keep: Literal["first", "last", "none"]) -> list[int]:
    """The places, in ascending order, of one key of each kind; or of those that occur once."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for place, key in enumerate(keys):
        first.setdefault(key, place)
        last[key] = place
    if keep == "none":
        return [place for key, place in first.items() if last[key] == place]
    return sorted((first if keep == "first" else last).values())


def _tuples(table: Table, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    return zip(*(table.each(name) for name in columns), strict=True)
