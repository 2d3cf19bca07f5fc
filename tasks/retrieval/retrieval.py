"""Retrieval: which documents answer a query, searched for in a whole corpus or among given candidates.

Search and scoring are apart: `rank` makes a `Ranking` out of vectors, `score` takes one from anywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Bound, Embeddings, ItemSet, RetrievalRows, Scores, TaskData, parts_of
from embedmark.tasks.columns import text_part
from embedmark.tasks.item_arrays import UNIT, ItemArrays, cluster_column, units
from embedmark.tasks.retrieval.extras import rank_metric
from embedmark.tasks.retrieval.rank_extras import Kept, Outcome, kept_of
from embedmark.tasks.retrieval.rank_metrics import needed_items, rank_scores, value_from_items
from embedmark.tasks.retrieval.ranking import Lookup, Ranking
from embedmark.tasks.retrieval.search import rerank, search
from embedmark.tasks.retrieval.settings import RetrievalSettings
from embedmark.tasks.retrieval.sides import documents_of, queries_of

QUERIES = "queries"
CORPUS = "corpus"


class Retrieval(Bound[RetrievalSettings]):
    """Exact search by the model's own similarity, scored with TREC metrics.

    Where the data has candidates (`top_ranked`), only they are scored. Queries without judgments are dropped; a query
    whose judgments name no relevant document is kept and scores 0, and relevant documents that the corpus lacks count
    as not found.
    """

    def items(self, data: TaskData) -> list[ItemSet]:
        """`queries` and `corpus`, on their sides. Raises DataError where a column or every judgment is missing.

        Both before the background of the texts of the whole corpus, where it has any.
        """
        rows, asked, searched = self._rows(data), self.settings.query_modality, self.settings.document_modality
        queries = queries_of(rows.queries, judged_queries(rows), asked)
        documents = documents_of(rows.corpus, searched)
        background = None if "text" not in parts_of(searched) else text_part(documents, searched)
        return [
            ItemSet(QUERIES, queries, "query", asked, background),
            ItemSet(CORPUS, documents, "document", searched, background, in_blocks=True),
        ]

    def rank(self, embeddings: Embeddings, data: TaskData) -> Ranking:
        """The best documents of each judged query, as many as the largest k, by the model's similarity."""
        rows = self._rows(data)
        queries = _judged_ids(rows)
        documents = list(rows.corpus["id"])
        vectors = (embeddings[QUERIES], embeddings.rows(CORPUS), queries, documents)
        k = max(self.settings.k_values)
        if rows.top_ranked is None:
            return search(*vectors, k, embeddings.similarity)
        return rerank(*vectors, _candidates(rows.top_ranked, queries, documents), k, embeddings.similarity)

    def lookup(self, data: TaskData) -> Lookup:
        """What a model that searches itself is asked. Raises DataError as `items` does."""
        rows = self._rows(data)
        queries, documents = _judged_ids(rows), list(rows.corpus["id"])
        if len(set(documents)) < len(documents):
            raise DataError("document ids occur more than once in the corpus; ids must be unique to be searched")
        return Lookup(
            query_ids=queries,
            queries=queries_of(rows.queries, judged_queries(rows), self.settings.query_modality),
            document_ids=documents,
            documents=documents_of(rows.corpus, self.settings.document_modality),
            candidates=None if rows.top_ranked is None else _candidates(rows.top_ranked, queries, documents),
            k=max(self.settings.k_values),
            query_modality=self.settings.query_modality,
            document_modality=self.settings.document_modality,
        )

    def score(self, ranking: Ranking, data: TaskData) -> Scores:
        """Score a ranking, whatever made it. Judged queries that it lacks have found nothing and score 0.

        `Scores.items` has one value a judged query, in the order of the data, for nDCG@10 and each metric at the main
        metric's k (10 where it has none), and what else the main metric needs; metrics of pairs and groups of queries
        have one value a pair or group.
        """
        rows = self._rows(data)
        queries = _judged_ids(rows)
        ranking = ranking.for_queries(queries)
        if self.settings.ignore_identical_ids:
            ranking = _without_identical_ids(ranking)
        settings = self.settings
        scores = rank_scores(ranking, rows.qrels, settings.k_values, settings.skip_first_result)
        outcome = Outcome(ranking, rows.qrels, settings.k_values, scores, rows.changed, rows.queries, rows.corpus)
        values, kept = dict(scores.values), kept_of(ranking, scores)
        for name in settings.extra_metrics:
            extra_values, extra_items = rank_metric(name).compute(outcome)
            if taken := extra_values.keys() & values.keys():
                raise DataError(f"extra metric {name!r} reports {min(taken)!r}, which is computed already")
            values |= extra_values
            kept |= extra_items
        ties = ranking.ties_at(self._cutoff)
        return Scores(self.main_metric, values, items=self._items(kept, rows), ties=ties, ranking=ranking)

    @staticmethod
    def values_from_items(main_metric: str, items: ItemArrays) -> dict[str, float]:
        """The main metric."""
        prefix = _prefix(main_metric)
        own = {name.removeprefix(prefix): values for name, values in items.items() if name.startswith(prefix)}
        try:
            return {main_metric: value_from_items(main_metric.removeprefix(prefix), own)}
        except KeyError as error:
            raise KeyError(f"{prefix}{error.args[0]}") from None

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """`score` of `rank`."""
        return self.score(self.rank(embeddings, data), data)

    @property
    def _cutoff(self) -> int:
        """The main metric's k; 10 where it has none."""
        found = re.search(r"_at_(\d+)$", self.main_metric)
        return int(found[1]) if found else 10

    def _rows(self, data: TaskData) -> RetrievalRows:
        return data.retrieval(self.split)

    def _items(self, kept: Mapping[str, Kept], rows: RetrievalRows) -> dict[str, NDArray[Any]]:
        """What is worth keeping, and the ids that it belongs to."""
        items: dict[str, NDArray[Any]] = {UNIT: units(_judged_ids(rows))}
        for name, (values, ids, group) in kept.items():
            if self._is_worth_keeping(name):
                items[name] = values
                if group and f"{UNIT}/{group}" not in items:
                    items[f"{UNIT}/{group}"] = units(ids)
        return items | cluster_column(rows.queries, self.settings.cluster_column, judged_queries(rows))

    def _is_worth_keeping(self, name: str) -> bool:
        prefix = _prefix(self.main_metric)
        needed = needed_items(self.main_metric.removeprefix(prefix))
        if name in {f"{prefix}{item}" for item in needed}:
            return True
        if "/" in name or name.startswith("confidence_") or "_confidence_" in name:
            return False
        cutoff = re.search(r"_at_\d+$", needed[0])
        return "_at_" not in name or name.endswith((cutoff[0] if cutoff else "_at_10", "ndcg_at_10"))


def _prefix(metric: str) -> str:
    """What stands before a common metric's name where it is not of all queries as they are."""
    return next((prefix for prefix in ("max_over_subqueries_", "og/", "changed/") if metric.startswith(prefix)), "")


def judged_queries(rows: RetrievalRows) -> list[int]:
    """Positions of the queries that have judgments. Raises DataError when there is none, or when ids repeat."""
    ids = list(rows.queries["id"])
    judged = [i for i, query in enumerate(ids) if rows.qrels.get(query)]
    if not judged:
        raise DataError(
            f"none of {len(ids)} queries has judgments (qrels have {len(rows.qrels)} query ids, such as "
            f"{next(iter(rows.qrels), None)!r}; queries such as {ids[0] if ids else None!r})"
        )
    repeated = [query for query, count in Counter(ids[i] for i in judged).items() if count > 1]
    if repeated:
        raise DataError(f"{len(repeated)} query ids occur more than once, such as {repeated[0]!r}; ids must be unique")
    return judged


def _judged_ids(rows: RetrievalRows) -> list[str]:
    ids = list(rows.queries["id"])
    return [ids[i] for i in judged_queries(rows)]


def _candidates(
    top_ranked: Mapping[str, Sequence[str]], queries: Sequence[str], documents: Sequence[str]
) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """Positions in the corpus of each query's candidates; none for a query without."""
    place = {document: i for i, document in enumerate(documents)}
    try:
        return [np.array([place[d] for d in top_ranked.get(query, ())], dtype=np.int64) for query in queries]
    except KeyError as error:
        raise DataError(f"top_ranked names the document {error}, which is not in the corpus") from None


def _without_identical_ids(ranking: Ranking) -> Ranking:
    own = np.array([ranking.place_of.get(query, -1) for query in ranking.query_ids], dtype=np.int64)
    return ranking.keep_hits(ranking.documents != own[ranking.query_of_hit()])
