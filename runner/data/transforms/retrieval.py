"""A retrieval layout out of a plain table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import pyarrow as pa

from embedmark.runner.common.errors import TableError
from embedmark.runner.data.numbers import numbers
from embedmark.runner.data.table import RetrievalTables, Table
from embedmark.runner.data.templates import fields, fill
from embedmark.runner.data.transforms.columns import identify

Numbering = Literal["row", "shared", "distinct", "occurrence", "documents"]


def to_retrieval(
    table: Table,
    *,
    query: str,
    documents: Sequence[str],
    title: str | None = None,
    query_image: str | None = None,
    relevance: int | str | Mapping[str, int] = 1,
    otherwise: int | None = None,
    query_id: str = "{n}",
    document_id: str | Mapping[str, str] = "doc_{n}",
    numbering: Numbering = "row",
    repeated: Literal["first", "last"] = "first",
    rerank: bool = False,
    subset: str = "default",
) -> RetrievalTables:
    """Each row gives a query and its documents; a column of `documents` may hold lists of them.

    `relevance` is the grade of the documents, the column that holds it, or {column: grade} where only some columns hold
    relevant documents; documents whose text equals that of a relevant one in their row are relevant too, and what is
    not relevant has the grade `otherwise`, by default none. `query_image` is the column of the queries' images. Ids are
    templates over the row's columns, `subset`, `number` (`n` counted from 1) and `n`, which is, by `numbering`: "row"
    the row's number, counted from 0; "shared" one counter over queries and documents, where a document met again keeps
    its number; "distinct" one counter over distinct texts, so that a query or a document met again keeps its number and
    its id; "occurrence" the row's number for a query and one counter over all documents; "documents" the same, but over
    distinct texts. `document_id` may be
    {column: template}. Of texts with one id, the first or the last counts, as `repeated` says; judgments are those of
    all rows. `title` is the column of the documents' titles. With `rerank`, a query's candidates are its row's
    documents.
    """
    templates = {name: document_id if isinstance(document_id, str) else document_id[name] for name in documents}
    names = _columns_of([query_id, *templates.values()])
    grades = [relevance] if isinstance(relevance, str) else []
    judged = list(relevance) if isinstance(relevance, Mapping) else []
    used = list(dict.fromkeys([query, *documents, *names, *grades, *judged, *([title] if title else [])]))
    columns = {name: table.values(name) for name in used}
    for name in grades:
        columns[name] = _whole(table, name)
    count = _Counter(numbering)
    layout = _Layout(repeated)
    for row in range(len(table)):
        values = {name: column[row] for name, column in columns.items()}
        here = {"subset": subset, **{name: str(values[name]) for name in names}}
        asked = _id(query_id, here, count.query(row, values[query]))
        layout.ask(asked, values[query])
        grade = _grades(relevance, documents, values)
        for name, text in [(held, text) for held in documents for text in _texts(values[held])]:
            document = _id(templates[name], here, count.document(row, text))
            layout.offer(asked, document, text, values[title] if title else None, grade.get(text, otherwise))
        layout.close(asked, row)
    made = layout.tables(titled=title is not None, rerank=rerank)
    if query_image is None:
        return made
    images = table.select([query_image]).take(layout.rows).column(query_image)
    return replace(made, queries=made.queries.put("image", images))


def _columns_of(templates: Sequence[str]) -> list[str]:
    """The columns that the templates of ids name."""
    named = dict.fromkeys(name for template in templates for name in fields(template))
    return [name for name in named if name not in {"n", "number", "subset"}]


class _Layout:
    """A retrieval layout that is being made, row by row."""

    def __init__(self, repeated: Literal["first", "last"]) -> None:
        self._repeated = repeated
        self._queries: dict[str, str] = {}
        self._corpus: dict[str, tuple[str, str | None]] = {}
        self._qrels: dict[tuple[str, str], int] = {}
        self._candidates: dict[str, list[str]] = {}
        self._rows: dict[str, int] = {}
        self._row: list[str] = []

    @property
    def rows(self) -> list[int]:
        """The row that each query is of."""
        return list(self._rows.values())

    def ask(self, query: str, text: str) -> None:
        """Begin a row with its query."""
        self._put(self._queries, query, text)
        self._row = []

    def offer(self, query: str, document: str, text: str, title: str | None, grade: int | None) -> None:
        """Add a document of the row; without a grade, it is a candidate alone."""
        self._put(self._corpus, document, (text, title))
        self._row.append(document)
        if grade is not None:
            self._qrels[query, document] = grade

    def close(self, query: str, row: int) -> None:
        """End the row."""
        self._put(self._candidates, query, self._row)
        self._put(self._rows, query, row)

    def tables(self, *, titled: bool, rerank: bool) -> RetrievalTables:
        """All rows."""
        texts: dict[str, list[Any]] = {"id": list(self._corpus), "text": [text for text, _ in self._corpus.values()]}
        if titled:
            texts["title"] = [title for _, title in self._corpus.values()]
        judged: dict[str, list[Any]] = {
            "query-id": [query for query, _ in self._qrels],
            "corpus-id": [document for _, document in self._qrels],
            "score": list(self._qrels.values()),
        }
        candidates: dict[str, list[Any]] = {
            "query-id": list(self._candidates),
            "corpus-ids": list(self._candidates.values()),
        }
        return RetrievalTables(
            corpus=Table.of(texts),
            queries=Table.of({"id": list(self._queries), "text": list(self._queries.values())}),
            qrels=Table.of(judged),
            top_ranked=Table.of(candidates) if rerank else None,
        )

    def _put(self, into: dict[str, Any], key: str, value: Any) -> None:
        if key not in into or self._repeated == "last":
            into[key] = value


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
        return {text: grade for name, grade in relevance.items() for text in _texts(row[name])}
    grade = int(row[relevance]) if isinstance(relevance, str) else relevance
    return {text: grade for name in documents for text in _texts(row[name])}


def _texts(value: Any) -> Sequence[Any]:
    """What one cell holds: the elements of a list, or itself."""
    return value if isinstance(value, list) else (value,)


_ID_COLUMN = {"corpus": "corpus-id", "queries": "query-id"}


def unite(layout: RetrievalTables, *, by: str, id: str = "{id}", part: str) -> RetrievalTables:
    """Documents (or queries, as `part` says) that are equal in the column `by` become one, the first of them.

    Its id is the template `id`, as in `identify`; by default it keeps its own. Judgments follow.
    """
    if part not in _ID_COLUMN:
        raise TableError(f"`part` is {part!r}; expected corpus or queries")
    _refuse_others(layout, "the old ids", "unite")
    texts: Table = getattr(layout, part)
    ids = identify(texts, column=by, into="id", id=id).values("id")
    first = {name: row for row, name in reversed(list(enumerate(ids)))}
    united = texts.put("id", pa.array(ids, pa.string())).take(sorted(first.values()))
    judged = _renamed(layout.qrels, _ID_COLUMN[part], dict(zip(texts.values("id"), ids, strict=True)))
    changed: dict[str, Any] = {"qrels": judged, part: united}
    return replace(layout, **changed)


def swap_sides(layout: RetrievalTables) -> RetrievalTables:
    """Queries become documents and documents queries; judgments are turned round."""
    _refuse_others(layout, "the queries of before", "swap_sides")
    turned = layout.qrels.select(["corpus-id", "query-id", "score"])
    names = ["query-id", "corpus-id", "score"]
    qrels = Table(turned.arrow.rename_columns(names))
    return RetrievalTables(corpus=layout.queries, queries=layout.corpus, qrels=qrels)


def rerank_judged(layout: RetrievalTables) -> RetrievalTables:
    """Each query's candidates are the documents that are judged for it, in the order of the judgments."""
    judged: dict[str, dict[str, None]] = {}
    for query, document in zip(layout.qrels.values("query-id"), layout.qrels.values("corpus-id"), strict=True):
        judged.setdefault(query, {})[document] = None
    candidates: dict[str, list[Any]] = {
        "query-id": list(judged),
        "corpus-ids": [list(found) for found in judged.values()],
    }
    return replace(layout, top_ranked=Table.of(candidates))


def _refuse_others(layout: RetrievalTables, what: str, step: str) -> None:
    others = [name for name in ("top_ranked", "excluded", "qrel_diff") if getattr(layout, name) is not None]
    if others:
        raise TableError(f"{others[0]} would still name {what}; {step} is for layouts without it")


def _renamed(table: Table, column: str, new: Mapping[str, str]) -> Table:
    """Ids replaced; ids that name nothing stay, as nothing can be found under them anyway."""
    return table.put(column, pa.array([new.get(value, value) for value in table.values(column)], pa.string()))


class _Counter:
    """Numbers for queries and documents, by one of five rules."""

    def __init__(self, numbering: Numbering) -> None:
        self._numbering = numbering
        self._next = 0
        self._known: dict[str, int] = {}

    def query(self, row: int, text: str) -> int:
        if self._numbering in ("row", "occurrence", "documents"):
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
