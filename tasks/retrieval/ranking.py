"""What a search found: for every query its documents, best first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Item, ItemModality, Modality
from embedmark.tasks.columns import parts_taken

TEXTS: frozenset[Modality] = frozenset({"text"})

Floats: TypeAlias = NDArray[np.floating[Any]]
Hits: TypeAlias = tuple[NDArray[np.int64], Floats]
"""Positions of documents and their scores, alongside."""


@dataclass(frozen=True)
class Ranking:
    """The hits of each query, ordered by score and then by document id, both descending (trec_eval's rule for ties).

    Hits are stored flat: those of query i are `documents[offsets[i]:offsets[i + 1]]`, positions in `document_ids`, with
    `scores` alongside. A document occurs once a query. Build one with `of`, or let `search.py` make it.
    """

    query_ids: Sequence[str]
    document_ids: Sequence[str]
    offsets: NDArray[np.int64]
    documents: NDArray[np.int64]
    scores: Floats

    @classmethod
    def of(cls, scores: Mapping[str, Mapping[str, float]]) -> Ranking:
        """A ranking that something else made: query id → document id → score. Raises DataError on a NaN or inf."""
        document_ids = sorted({document for hits in scores.values() for document in hits})
        position = {document: i for i, document in enumerate(document_ids)}
        documents = [np.array([position[document] for document in hits], dtype=np.int64) for hits in scores.values()]
        values = [np.array(list(hits.values()), dtype=np.float64) for hits in scores.values()]
        orders = [best_first(value, document) for value, document in zip(values, documents, strict=True)]
        return cls.join(
            list(scores),
            document_ids,
            [document[order] for document, order in zip(documents, orders, strict=True)],
            [value[order] for value, order in zip(values, orders, strict=True)],
        )

    @classmethod
    def join(
        cls,
        query_ids: Sequence[str],
        document_ids: Sequence[str],
        documents: Sequence[NDArray[np.int64]],
        scores: Sequence[Floats],
    ) -> Ranking:
        """A ranking out of the ordered hits of each query. Raises DataError when a score is NaN or infinite."""
        offsets = np.zeros(len(query_ids) + 1, dtype=np.int64)
        np.cumsum([len(hits) for hits in documents], out=offsets[1:])
        flat = np.concatenate(scores) if scores else np.zeros(0)
        if not np.isfinite(flat).all():
            query = int(np.searchsorted(offsets, np.flatnonzero(~np.isfinite(flat))[0], side="right")) - 1
            raise DataError(f"query {query_ids[query]!r} has a document whose score is not a finite number")
        return cls(
            query_ids,
            document_ids,
            offsets,
            np.concatenate(documents) if documents else np.zeros(0, dtype=np.int64),
            flat,
        )

    def __len__(self) -> int:
        return len(self.query_ids)

    def __iter__(self) -> Iterator[tuple[str, NDArray[np.int64], Floats]]:
        """Each query's id, with the positions and the scores of its hits."""
        for i, query in enumerate(self.query_ids):
            hits = slice(self.offsets[i], self.offsets[i + 1])
            yield query, self.documents[hits], self.scores[hits]

    def hits(self, query: int) -> dict[str, float]:
        """Document id → score of the query at that place, best first."""
        hits = slice(self.offsets[query], self.offsets[query + 1])
        return dict(zip(self._ids[self.documents[hits]].tolist(), self.scores[hits].tolist(), strict=True))

    @cached_property
    def _ids(self) -> NDArray[np.object_]:
        return np.array(self.document_ids, dtype=object)

    @cached_property
    def place_of(self) -> Mapping[str, int]:
        """Document id → its position, as hits say it: the first, where several rows of a corpus share an id."""
        return {document: i for i, document in reversed(list(enumerate(self.document_ids)))}

    def query_of_hit(self) -> NDArray[np.int64]:
        """For each hit the place of its query."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))

    def keep_hits(self, keep: NDArray[np.bool_]) -> Ranking:
        """The same queries with some of their hits. `keep` has one entry a hit."""
        counts = np.bincount(self.query_of_hit()[keep], minlength=len(self))
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Ranking(self.query_ids, self.document_ids, offsets, self.documents[keep], self.scores[keep])

    def ties_at(self, k: int) -> float:
        """Return the share of queries of which the document at rank k and the next one have exactly equal scores.

        Which of the two is within k is then a matter of their ids.
        """
        last = self.offsets[:-1] + k - 1
        within = last + 1 < self.offsets[1:]
        tied = self.scores[last[within]] == self.scores[last[within] + 1]
        return float(tied.sum()) / max(1, len(self))

    def for_queries(self, query_ids: Sequence[str]) -> Ranking:
        """The hits of these queries in this order; a query that was not searched for has none."""
        if list(query_ids) == list(self.query_ids):
            return self
        place = {query: i for i, query in enumerate(self.query_ids)}
        spans = [
            slice(*self.offsets[[place[query], place[query] + 1]]) if query in place else slice(0)
            for query in query_ids
        ]
        return Ranking.join(
            query_ids,
            self.document_ids,
            [self.documents[span] for span in spans],
            [self.scores[span] for span in spans],
        )


@dataclass(frozen=True)
class Lookup:
    """What a search is asked: for each query the k best documents, among its own candidates where there are any.

    candidates: for each query the positions of its documents; None where all are searched. query_modality and
    document_modality: what queries and documents are.
    """

    query_ids: Sequence[str]
    queries: Sequence[Item]
    document_ids: Sequence[str]
    documents: Sequence[Item]
    candidates: Sequence[NDArray[np.int64]] | None
    k: int
    query_modality: ItemModality = "text"
    document_modality: ItemModality = "text"

    def of(self, taken: frozenset[Modality]) -> Lookup:
        """The same with the parts of queries and documents that a model takes. Raises DataError where one has none."""
        queries, asked = parts_taken("queries", self.queries, self.query_modality, taken)
        documents, searched = parts_taken("documents", self.documents, self.document_modality, taken)
        return replace(self, queries=queries, documents=documents, query_modality=asked, document_modality=searched)

    @property
    def query_texts(self) -> Sequence[str]:
        """The text of each query. Raises DataError where queries have none."""
        return cast("Sequence[str]", parts_taken("queries", self.queries, self.query_modality, TEXTS)[0])

    @property
    def document_texts(self) -> Sequence[str]:
        """The text of each document. Raises DataError where documents have none."""
        return cast("Sequence[str]", parts_taken("documents", self.documents, self.document_modality, TEXTS)[0])

    def ranking(self, hits: Sequence[Hits]) -> Ranking:
        """The hits of each query as a ranking, the k best of each.

        Raises DataError when a score is not finite or hits do not fit the queries and documents.
        """
        if len(hits) != len(self.queries):
            raise DataError(f"the search returned hits for {len(hits)} queries; expected {len(self.queries)}")
        order = tie_order(self.document_ids)
        kept = [_best(documents, scores, order, self.k) for documents, scores in hits]
        return Ranking.join(
            self.query_ids, self.document_ids, [documents for documents, _ in kept], [scores for _, scores in kept]
        )


def _best(documents: NDArray[np.int64], scores: Floats, order: NDArray[np.int64], k: int) -> Hits:
    if len(documents) != len(scores) or len(np.unique(documents)) < len(documents):
        raise DataError(f"the search returned {len(documents)} documents, some twice, with {len(scores)} scores")
    best = best_first(scores, order[documents])[:k]
    return documents[best], scores[best]


def best_first(scores: Floats, tie_order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order of hits: by score and, where scores are equal, by `tie_order` (of document ids), both descending."""
    return np.lexsort((-tie_order, -scores))


def tie_order(document_ids: Sequence[str]) -> NDArray[np.int64]:
    """The place of each id when ids are sorted. Compares as bytes in UTF-8 would, as trec_eval does."""
    order = np.empty(len(document_ids), dtype=np.int64)
    order[sorted(range(len(document_ids)), key=document_ids.__getitem__)] = np.arange(len(document_ids))
    return order
