"""A retrieval layout out of a plain table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import pyarrow as pa

from runner.data.numbers import numbers
from runner.data.table import RetrievalTables, Table, TableError
from runner.data.templates import fields, fill
from runner.data.transforms.columns import identify

Numbering = Literal["row", "shared", "distinct", "occurrence"]


def to_retrieval(
    table: Table,
    *,
    query: str,
    documents: Sequence[str],
    title: str | None = None,
    relevance: int | str | Mapping[str, int] = 1,
    query_id: str = "{n}",
    document_id: str | Mapping[str, str] = "doc_{n}",
    numbering: Numbering = "row",
    repeated: Literal["first", "last"] = "first",
    rerank: bool = False,
    subset: str = "default",
) -> RetrievalTables:
    """Each row gives a query and its documents.

    `relevance` is the grade of the documents, the column that holds it, or {column: grade} where only some columns hold
    relevant documents; documents whose text equals that of a relevant one in their row are relevant too. Ids are
    templates over the row's columns, `subset`, `number` (`n` counted from 1) and `n`, which is, by `numbering`: "row"
    the row's number, counted from 0; "shared" one counter over queries and documents, where a document met again keeps
    its number; "distinct" one counter over distinct texts, so that a query or a document met again keeps its number and
    its id; "occurrence" the row's number for a query and one counter over all documents. `document_id` may be
    {column: template}. Of texts with one id, the first or the last counts, as `repeated` says; judgments are those of
    all rows. `title` is the column of the documents' titles. With `rerank`, a query's candidates are its row's
    documents.
    """
    templates = {name: document_id if isinstance(document_id, str) else document_id[name] for name in documents}
    known = {"n", "number", "subset"}
    names = [
        n
        for n in dict.fromkeys(fields(query_id) + [n for t in templates.values() for n in fields(t)])
        if n not in known
    ]
    grades = [relevance] if isinstance(relevance, str) else []
    used = list(dict.fromkeys([query, *documents, *names, *grades, *([title] if title else [])]))
    columns = {name: table.values(name) for name in used}
    for name in grades:
        columns[name] = _whole(table, name)
    count = _Counter(numbering)
    queries: dict[str, str] = {}
    corpus: dict[str, tuple[str, str | None]] = {}
    qrels: dict[tuple[str, str], int] = {}
    candidates: dict[str, list[str]] = {}

    def put(into: dict[str, Any], key: str, value: Any) -> None:
        if key not in into or repeated == "last":
            into[key] = value

    for row in range(len(table)):
        here = {"subset": subset, **{name: str(columns[name][row]) for name in names}}
        asked = _id(query_id, here, count.query(row, columns[query][row]))
        put(queries, asked, columns[query][row])
        grade = _grades(relevance, documents, {name: columns[name][row] for name in (*documents, *grades)})
        found = []
        for name in documents:
            text = columns[name][row]
            document = _id(templates[name], here, count.document(row, text))
            put(corpus, document, (text, columns[title][row] if title else None))
            found.append(document)
            if text in grade:
                qrels[asked, document] = grade[text]
        put(candidates, asked, found)
    texts = {"id": list(corpus), "text": [text for text, _ in corpus.values()]}
    return RetrievalTables(
        corpus=Table.of({**texts, "title": [title for _, title in corpus.values()]} if title else texts),
        queries=Table.of({"id": list(queries), "text": list(queries.values())}),
        qrels=Table.of(
            {
                "query-id": [asked for asked, _ in qrels],
                "corpus-id": [found for _, found in qrels],
                "score": list(qrels.values()),
            }
        ),
        top_ranked=Table.of({"query-id": list(candidates), "corpus-ids": list(candidates.values())})
        if rerank
        else None,
    )


def _whole(table: Table, name: str) -> list[int]:
    """A column of grades. Raises TableError for the first that is no whole number."""
    values = numbers(table.column(name)).to_pylist()
    for row, value in enumerate(values):
        if not isinstance(value, int | float) or not float(value).is_integer():
            raise TableError(f"column {name!r}, row {row}: expected a whole number as relevance, found {value!r}")
    return [int(value) for value in values]


def _id(template: str, here: Mapping[str, str], n: int) -> str:
    return fill(template, {**here, "n": str(n), "number": str(n + 1)})


def _grades(
    relevance: int | str | Mapping[str, int], documents: Sequence[str], row: Mapping[str, Any]
) -> dict[str, int]:
    """Text of a row → its grade."""
    if isinstance(relevance, Mapping):
        return {row[name]: grade for name, grade in relevance.items()}
    return dict.fromkeys(
        (row[name] for name in documents), int(row[relevance]) if isinstance(relevance, str) else relevance
    )


_ID_COLUMN = {"corpus": "corpus-id", "queries": "query-id"}


def unite(layout: RetrievalTables, *, by: str, id: str = "{id}", part: str) -> RetrievalTables:
    """Documents (or queries, as `part` says) that are equal in the column `by` become one, the first of them.

    Its id is the template `id`, as in `identify`; by default it keeps its own. Judgments follow.
    """
    if part not in _ID_COLUMN:
        raise TableError(f"`part` is {part!r}; expected corpus or queries")
    others = [name for name in ("top_ranked", "excluded", "qrel_diff") if getattr(layout, name) is not None]
    if others:
        raise TableError(f"{others[0]} would still name the old ids; unite is for layouts without it")
    texts: Table = getattr(layout, part)
    ids = identify(texts, column=by, into="id", id=id).values("id")
    first = {name: row for row, name in reversed(list(enumerate(ids)))}
    united = texts.put("id", pa.array(ids, pa.string())).take(sorted(first.values()))
    judged = _renamed(layout.qrels, _ID_COLUMN[part], dict(zip(texts.values("id"), ids, strict=True)))
    changed: dict[str, Any] = {"qrels": judged, part: united}
    return replace(layout, **changed)


def _renamed(table: Table, column: str, new: Mapping[str, str]) -> Table:
    """Ids replaced; ids that name nothing stay, as nothing can be found under them anyway."""
    return table.put(column, pa.array([new.get(value, value) for value in table.values(column)], pa.string()))


class _Counter:
    """Numbers for queries and documents, by one of four rules."""

    def __init__(self, numbering: Numbering) -> None:
        self._numbering = numbering
        self._next = 0
        self._known: dict[str, int] = {}

    def query(self, row: int, text: str) -> int:
        if self._numbering in ("row", "occurrence"):
            return row
        return self._of(text) if self._numbering == "distinct" else self._new()

    def document(self, row: int, text: str) -> int:
        if self._numbering == "row":
            return row
        return self._new() if self._numbering == "occurrence" else self._of(text)

    def _of(self, text: str) -> int:
        if text not in self._known:
            self._known[text] = self._new()
        return self._known[text]

    def _new(self) -> int:
        self._next += 1
        return self._next - 1
