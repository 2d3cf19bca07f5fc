"""The functions of the metrics of rankings that some tasks ask for by name; extras.py has a row for each.

Each takes an `Outcome` and returns metrics, and the values whose mean a metric is, with the queries, pairs or groups of
queries that they belong to. A slash in a name stands for nesting in the reference's result files: `og/ndcg_at_5` is
`{"og": {"ndcg_at_5": …}}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from embedmark.runner.common.errors import DataError
from embedmark.runner.common.groups import grouped
from embedmark.tasks.base import Qrels, Rows
from embedmark.tasks.retrieval.rank_metrics import RankScores, Values, grades_of_hits, rank_scores
from embedmark.tasks.retrieval.ranking import Ranking, tie_order


@dataclass(frozen=True)
class Outcome:
    """A scored ranking: what was found, what was relevant, the common metrics, and FollowIR's changed documents.

    queries and corpus: the tables, for metrics that read columns of their own.
    """

    ranking: Ranking
    qrels: Qrels
    k_values: Sequence[int]
    scores: RankScores
    changed: Mapping[str, Sequence[str]] | None = None
    queries: Rows | None = None
    corpus: Rows | None = None

    def per_query(self, metric: str) -> dict[str, float]:
        """Query id → value. Raises DataError when the metric is not computed because k_values lacks its k."""
        if metric not in self.scores.per_query:
            raise DataError(f"no {metric!r}: its k is not among k_values {tuple(self.k_values)}")
        return dict(zip(self.ranking.query_ids, self.scores.per_query[metric].tolist(), strict=True))


class Kept(NamedTuple):
    """Values whose mean is a metric (or that `rank_metrics.value_from_items` takes), one for each id.

    rows: what names begin with whose values are for the same ids; "" where the ids are those of all queries.
    """

    values: Values
    ids: Sequence[str]
    rows: str


Extra = tuple[dict[str, float], dict[str, Kept]]
"""Metrics, and what they can be computed from."""


def kept_of(ranking: Ranking, scores: RankScores, prefix: str = "") -> dict[str, Kept]:
    """What the common metrics of a ranking, reported under a prefix, can be computed from."""
    rows = prefix.rstrip("_/")
    return {f"{prefix}{name}": Kept(values, ranking.query_ids, rows) for name, values in scores.items.items()}


def paired_accuracy(outcome: Outcome) -> Extra:
    """How often both queries of a pair, `<pair>_q1` and `<pair>_q2`, find their document first (arXiv:2305.07614)."""
    first = outcome.per_query("recall_at_1")
    pairs = list(dict.fromkeys(query.split("_")[0] for query in first))
    missing = [name for pair in pairs for name in (f"{pair}_q1", f"{pair}_q2") if name not in first]
    if missing:
        raise DataError(f"paired accuracy needs queries `<pair>_q1` and `<pair>_q2`; there is no {missing[0]!r}")
    both = {pair: float(first[f"{pair}_q1"] == 1 and first[f"{pair}_q2"] == 1) for pair in pairs}
    return _mean_of("paired_accuracy", both)


def robustness_at_10(outcome: Outcome) -> Extra:
    """The lowest nDCG@10 over a query's instructions; queries are grouped by their id up to "_" (arXiv:2402.14334)."""
    groups = grouped((query.split("_")[0], value) for query, value in outcome.per_query("ndcg_at_10").items())
    return _mean_of("robustness_at_10", {group: min(values) for group, values in groups.items()})


def instruction_levels(outcome: Outcome) -> Extra:
    """Mean nDCG@20 of the queries whose ids name instructions of level v1, v2 and v3 (IFIR, arXiv:2503.04644)."""
    levels: dict[str, dict[str, float]] = {"v1": {}, "v2": {}, "v3": {}}
    for query, value in outcome.per_query("ndcg_at_20").items():
        level = next((level for level in levels if level in query), None)
        if level is not None:
            levels[level][query] = value
    empty = [level for level, values in levels.items() if not values]
    if empty:
        raise DataError(f"no query id has {empty[0]!r} in it; expected instructions of the levels v1, v2 and v3")
    found: Extra = ({}, {})
    for level, of_level in levels.items():
        values, items = _mean_of(f"level_scores/level_{level[1]}", of_level)
        found = (found[0] | values, found[1] | items)
    return found


def capped_recall(outcome: Outcome) -> Extra:
    """Relevant documents among the first k, of as many as could be there; queries without any do not count."""
    ranking = outcome.ranking
    relevant = grades_of_hits(ranking, outcome.qrels) > 0
    rank = np.arange(len(relevant)) - ranking.offsets[ranking.query_of_hit()]
    wanted = np.array([sum(grade > 0 for grade in outcome.qrels[query].values()) for query in ranking.query_ids])
    counted = [query for query, n in zip(ranking.query_ids, wanted, strict=True) if n]
    values, items = {}, {}
    for k in outcome.k_values:
        found = np.bincount(ranking.query_of_hit()[relevant & (rank < k)], minlength=len(ranking))
        recall = found[wanted > 0] / np.minimum(wanted[wanted > 0], k)
        values[f"R_cap_at_{k}"] = _mean(recall.tolist()) if recall.size else 0.0
        items[f"R_cap_at_{k}"] = Kept(recall, counted, "R_cap")
    return values, items


def max_over_subqueries(outcome: Outcome) -> Extra:
    """All metrics over queries merged from subqueries: ids up to the last "_", each document with its best score.

    The judgments are those of a query's last subquery; they are the same for all.
    """
    ranking = outcome.ranking
    ranked = set(ranking.query_ids)
    merged = {_base(query): judged for query, judged in outcome.qrels.items() if query in ranked}
    place = {query: i for i, query in enumerate(merged)}
    base = np.array([place[_base(query)] for query in ranking.query_ids])[ranking.query_of_hit()]
    order = np.lexsort((-ranking.scores, ranking.documents, base))
    once = np.r_[True, (np.diff(base[order]) != 0) | (np.diff(ranking.documents[order]) != 0)][: len(order)]
    hits = order[once]
    ids = tie_order(ranking.document_ids)[ranking.documents[hits]]
    hits = hits[np.lexsort((-ids, -ranking.scores[hits], base[hits]))]
    offsets = np.searchsorted(base[hits], np.arange(len(merged) + 1))
    whole = Ranking(list(merged), ranking.document_ids, offsets, ranking.documents[hits], ranking.scores[hits])
    scores = rank_scores(whole, merged, outcome.k_values)
    values = {f"max_over_subqueries_{name}": value for name, value in scores.values.items()}
    return values, kept_of(whole, scores, "max_over_subqueries_")


def p_mrr(outcome: Outcome) -> Extra:
    """FollowIR's p-MRR (arXiv:2403.15246): how far documents fall that a changed instruction made irrelevant.

    `<query>-og` and `<query>-changed` are the query under both instructions. From -1 (the opposite of what was asked)
    over 0 (no change) to 1. Adds all metrics of each half, as `og/…` and `changed/…`.
    """
    if outcome.changed is None:
        raise DataError("no changed judgments (`qrel_diff`); p-MRR needs the documents whose relevance changed")
    ranking = outcome.ranking
    place = {query: i for i, query in enumerate(ranking.query_ids)}
    movements = {}
    for query, documents in sorted(outcome.changed.items()):
        if documents and f"{query}-og" in place and f"{query}-changed" in place:
            before, after = (list(ranking.hits(place[f"{query}-{half}"])) for half in ("og", "changed"))
            movements[query] = _mean([_movement(before, after, document) for document in documents])
    if not movements:
        raise DataError("p-MRR needs queries `<query>-og` and `<query>-changed` with changed documents; there are none")
    values, items = _mean_of("p-MRR", movements)
    for name, original in (("og", True), ("changed", False)):
        half = ranking.for_queries([query for query in ranking.query_ids if query.endswith("-og") == original])
        scores = rank_scores(half, outcome.qrels, outcome.k_values)
        values |= {f"{name}/{metric}": value for metric, value in scores.values.items()}
        items |= kept_of(half, scores, f"{name}/")
    return values, items


def _movement(before: list[str], after: list[str], document: str) -> float:
    """How far a document fell, from -1 to 1; a document that was not found is one place behind the last."""
    old, new = (hits.index(document) + 1 if document in hits else len(hits) + 1 for hits in (before, after))
    return new / old - 1 if old >= new else 1 - old / new


def _base(query: str) -> str:
    return "_".join(query.split("_")[:-1])


def _mean_of(name: str, values: Mapping[str, float]) -> Extra:
    """A metric that is the mean of values, each of its own group (or query): id → value."""
    found = list(values.values())
    return {name: _mean(found)}, {name: Kept(np.array(found), list(values), name)}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
