"""What is odd about rows that can be scored all the same: counted, with an example, for a warning and the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embedmark.runner.config.schema import FilesDataset, TaskConfig
from embedmark.runner.data.table import RetrievalTables, Split, Table, is_text, shown
from embedmark.runner.resolve import ResolvedTask
from embedmark.tasks.base import ItemModality, parts_of
from embedmark.tasks.clusters.settings import ClusteringSettings


@dataclass(frozen=True)
class Finding:
    """count: how many of `of`. name: what it is called in a record. about: the same for people, without the counts.
    example: empty where one would say nothing.

    usual: whether published data often has it, so that it is counted and no word is said.
    """

    name: str
    count: int
    of: int
    about: str
    example: str
    usual: bool = False

    def __str__(self) -> str:
        such = f", such as {shown(self.example, 60)}" if self.example else ""
        return f"{self.count:,} of {self.of:,} {self.about}{such}"


def find(task: ResolvedTask, split: str, splits: Mapping[str, Split]) -> tuple[Finding, ...]:
    """Find what is odd about the splits of one job; split: the one that is evaluated."""
    evaluated = splits[split]
    if isinstance(evaluated, RetrievalTables):
        shared = not isinstance(task.config.dataset, FilesDataset)
        return tuple(_of_retrieval(evaluated, task.type.sides(task.settings), shared_queries=shared))
    names = [name for name, role in task.columns if role == "text"]
    tables = {name: table for name, table in splits.items() if isinstance(table, Table)}
    sampled = _of_sample(task.config, evaluated) if task.type.name == "clustering" else ()
    return (*_of_texts(tables, names), *sampled)


def describe(findings: Sequence[Finding]) -> str:
    """Tell the unusual ones in one sentence; nothing where there are none."""
    return "; ".join(str(finding) for finding in findings if not finding.usual)


def _of_retrieval(data: RetrievalTables, sides: Sequence[ItemModality], *, shared_queries: bool) -> Iterator[Finding]:
    """sides: what queries and documents are. shared_queries: whether one table holds those of all splits, as on the
    hub."""
    corpus, queries = _wide(data.corpus.column("id")), _wide(data.queries.column("id"))
    judged, documents = _wide(data.qrels.column("query-id")), _wide(data.qrels.column("corpus-id"))
    is_relevant = pc.greater(data.qrels.column("score"), 0)
    relevant = documents.filter(is_relevant)
    lost = relevant.filter(pc.invert(pc.is_in(relevant, value_set=corpus)))
    if len(lost):
        about = "judgments of relevance name documents that are not in the corpus, and count as not found"
        yield Finding("relevant_not_in_corpus", len(lost), len(relevant), about, repr(lost[0].as_py()))
    asked = judged.unique()
    unknown = asked.filter(pc.invert(pc.is_in(asked, value_set=queries)))
    if len(unknown):
        about = "judged queries are not among the queries, and are left out"
        yield Finding("judged_queries_not_found", len(unknown), len(asked), about, repr(unknown[0].as_py()))
    there = asked.filter(pc.is_in(asked, value_set=queries))
    fruitless = there.filter(pc.invert(pc.is_in(there, value_set=judged.filter(is_relevant))))
    if len(fruitless):
        about = "judged queries have no document that is judged relevant, and score 0"
        example = repr(fruitless[0].as_py())
        yield Finding("queries_without_relevant", len(fruitless), len(there), about, example, usual=shared_queries)
    repeated = _repeated(corpus)
    if len(repeated):
        about = "documents have the id of an earlier one, and count as the same document"
        example = repr(repeated[0].as_py())
        yield Finding("repeated_document_ids", len(repeated), len(corpus), about, example, usual=shared_queries)
    if data.unjudged:
        every = len(data.unjudged) + len(queries)
        about = "queries have no judgments, and are left out"
        example = repr(data.unjudged[0])
        yield Finding("queries_without_judgments", len(data.unjudged), every, about, example, usual=shared_queries)
    asked_for, searched = sides
    for name, what, modality, table, ids in (
        ("empty_documents", "documents", searched, data.corpus, corpus),
        ("empty_queries", "queries", asked_for, data.queries, queries),
    ):
        if "text" not in parts_of(modality):
            continue
        blank = _blank(table, ("title", "text") if name == "empty_documents" else ("text",))
        empty = ids.filter(blank) if blank is not None else ids.slice(0, 0)
        if len(empty):
            about, example = f"{what} have no text", repr(empty[0].as_py())
            yield Finding(name, len(empty), len(ids), about, example, usual=modality == "text+image")
    every_id = pa.concat_arrays([ids.unique() for ids in (corpus, queries, judged, documents)]).unique()
    padded = every_id.filter(pc.not_equal(pc.utf8_trim_whitespace(every_id), every_id))
    if len(padded):
        about = "ids begin or end with a blank, which is part of the id"
        yield Finding("ids_with_blanks", len(padded), len(every_id), about, repr(padded[0].as_py()))


def _of_sample(task: TaskConfig, table: Table) -> Iterator[Finding]:
    """A clustering of one's own data that leaves documents out, without having said how many it wants."""
    chosen = {"max_fraction_of_documents_to_embed", "max_document_to_embed"} & task.settings.keys()
    fraction = ClusteringSettings.max_fraction_of_documents_to_embed
    if chosen or fraction is None or not isinstance(task.dataset, FilesDataset):
        return
    taken = int(fraction * len(table))
    about = (
        f"documents are left out of the sample that is clustered (settings: max_fraction_of_documents_to_embed: "
        f"{fraction}, as in the reference; null takes all)"
    )
    yield Finding("documents_not_sampled", len(table) - taken, len(table), about, "")


def _repeated(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each id as often as it stands there after its first time."""
    if pc.count_distinct(ids).as_py() == len(ids):
        return ids.slice(0, 0)
    codes = ids.combine_chunks().dictionary_encode().indices.to_numpy()
    first = np.unique(codes, return_index=True)[1]
    return ids.take(np.setdiff1d(np.arange(len(codes)), first))


def _blank(table: Table, names: Sequence[str]) -> pa.ChunkedArray | None:
    """Whether all of these columns that are there are blank; None where one is not text (a conversation)."""
    result = None
    for name in names:
        if name not in table.names or pa.types.is_null(table.column(name).type):
            continue
        if not is_text(table.column(name).type):
            return None
        blank = _is_blank(table.column(name))
        result = blank if result is None else pc.and_(result, blank)
    return result


def _of_texts(tables: Mapping[str, Table], names: Sequence[str]) -> Iterator[Finding]:
    count = every = 0
    example = ""
    for split, table in tables.items():
        for name in names:
            column = table.column(name)
            if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
                column = pa.chunked_array([chunk.flatten() for chunk in column.chunks], column.type.value_type)
            if not is_text(column.type):
                continue
            blank = _is_blank(column)
            found = pc.sum(blank).as_py() or 0
            if found and not example:
                example = f"number {pc.index(blank, True).as_py()} of column {name!r}, split {split!r}"
            count, every = count + found, every + len(column)
    if count:
        yield Finding("empty_texts", count, every, "texts are empty", example)


def _is_blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), ""), True)


def _wide(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.large_string())
