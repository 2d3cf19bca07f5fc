"""Metrics of rankings that single datasets of images report; extras.py has a row for each. As in rank_extras.py."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Rows
from embedmark.tasks.retrieval.extras import RAVENEA_AT, TAXA_AT
from embedmark.tasks.retrieval.rank_extras import Extra, Kept, Outcome

_GAINS = {2 ** (grade + 3) - 1: grade for grade in range(-3, 4)}
"""What RAVENEA's data has for each grade."""
_UNJUDGED = 2**3 - 1
"""The gain of a document that nobody judged, which counts as graded 0."""


def taxon_accuracy(outcome: Outcome) -> Extra:
    """How often the right taxon is among the first k of a query's candidate taxa (BioVITA, arXiv:2603.23883).

    A taxon has the score of its best document; of equal ones the earlier candidate comes first, as among those without
    any document found. Reads the columns `candidate_taxa` and `correct_taxon` of queries and `taxon` of the corpus.
    """
    candidates = _by_id(outcome.queries, "candidate_taxa", "queries")
    right = _by_id(outcome.queries, "correct_taxon", "queries")
    taxon_of = _by_id(outcome.corpus, "taxon", "corpus")
    ranking = outcome.ranking
    found = {k: np.zeros(len(ranking)) for k in TAXA_AT}
    for place, query in enumerate(ranking.query_ids):
        best: dict[Any, float] = {}
        for document, score in ranking.hits(place).items():
            best.setdefault(taxon_of[document], score)  # hits come best first
        ranked = sorted(candidates[query], key=lambda taxon, best=best: -best.get(taxon, -math.inf))  # type: ignore[misc]
        for k in TAXA_AT:
            found[k][place] = right[query] in ranked[:k]
    return _means({f"taxon_top_{k}_accuracy": found[k] for k in TAXA_AT}, ranking.query_ids)


def ravenea(outcome: Outcome) -> Extra:
    """RAVENEA's own measures (arXiv:2505.14462): nDCG, precision and reciprocal rank.

    nDCG at k compares the first k documents with the best k of those that were found, a document that nobody judged
    counting as graded 0. Precision at k and the reciprocal rank look for the documents with the query's largest grade;
    the latter leaves out queries without a grade above 0. Grades are -3 to 3, and the judgments hold their gains,
    2^(grade + 3) - 1. The last k counts of precision: fewer where fewer documents were found.

    Equal scores are ordered as everywhere here, by document id; the reference leaves them in the order of its heap.
    """
    ranking = outcome.ranking
    values = {f"ravenea_{name}_at_{k}": np.zeros(len(ranking)) for name in ("precision", "ndcg") for k in RAVENEA_AT}
    reciprocal: dict[str, float] = {}
    for place, query in enumerate(ranking.query_ids):
        judged = outcome.qrels[query]
        largest = max(judged.values(), default=0)
        found = list(ranking.hits(place))
        top = [judged.get(document) == largest for document in found]
        gains = [judged.get(document, _UNJUDGED) for document in found]
        if _grade(largest, query) > 0:
            reciprocal[query] = 1.0 / (top.index(True) + 1) if any(top) else 0.0
        for k in RAVENEA_AT:
            values[f"ravenea_precision_at_{k}"][place] = sum(top[:k]) / len(top[:k]) if found else 0.0
            ideal = _dcg(sorted(gains, reverse=True)[:k])
            values[f"ravenea_ndcg_at_{k}"][place] = _dcg(gains[:k]) / ideal if ideal else 0.0
    means, kept = _means(values, ranking.query_ids)
    means["ravenea_mrr"] = sum(reciprocal.values()) / len(reciprocal) if reciprocal else 0.0
    kept["ravenea_mrr"] = Kept(np.array(list(reciprocal.values())), list(reciprocal), "ravenea_mrr")
    return means, kept


def _grade(gain: int, query: str) -> int:
    if gain not in _GAINS:
        raise DataError(f"query {query!r} has the judgment {gain}; expected one of RAVENEA's gains, {[*_GAINS]}")
    return _GAINS[gain]


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains))


def _means(values: Mapping[str, Any], ids: Sequence[str]) -> Extra:
    """The mean of each metric over all queries."""
    means = {name: float(sum(each.tolist())) / len(each) for name, each in values.items()}
    return means, {name: Kept(each, ids, "") for name, each in values.items()}


def _by_id(rows: Rows | None, column: str, table: str) -> dict[str, Any]:
    if rows is None or column not in rows:
        raise DataError(f"no column {column!r} in the {table}; the metric is of candidate taxa, which it names")
    return dict(zip(rows["id"], rows[column], strict=True))
