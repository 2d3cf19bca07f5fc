"""Metrics of rankings: trec_eval's, reciprocal rank and abstention, under the reference implementation's names.

nDCG, MAP, recall, precision and hit rate at k come from trec_eval itself (pytrec_eval), which orders equal scores by
document id, descending. A document is relevant when its grade is above 0, and a negative grade counts as 0; nDCG's gain
is the grade, with the ideal taken over all judgments, so that relevant documents missing from the corpus count against
a ranking. A query without hits, or without a relevant document, scores 0.

nAUC is the area under the abstention curve of Gisserot-Boukhlef et al. (Towards Trustworthy Reranking, 2024,
arXiv:2402.12997), scaled so that an oracle has 1 and a random confidence 0. It is NaN where abstaining cannot help.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytrec_eval
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Qrels
from embedmark.tasks.retrieval.ranking import Ranking

Values = NDArray[np.float64]

_TREC_NAMES = {"ndcg": "ndcg_cut", "map": "map_cut", "recall": "recall", "precision": "P", "hit_rate": "success"}
_NAUC = re.compile(r"nauc_(?P<metric>.+)_(?P<confidence>max|std|diff1)")
_QUERIES_AT_A_TIME = 1_000
_DECIMALS = 5
_ABSTENTION_RATES = np.linspace(0, 1, 11)[:-1]


@dataclass(frozen=True)
class RankScores:
    """Metric → mean over queries, and metric → one value a query, in the ranking's order of queries.

    confidences: `confidence_max`, `confidence_std` and `confidence_diff1` of each query, which nAUC orders queries by.
    """

    values: Mapping[str, float]
    per_query: Mapping[str, Values]
    confidences: Mapping[str, Values]

    @property
    def items(self) -> dict[str, Values]:
        """All that the values can be computed from: one value a query."""
        return {**self.per_query, **self.confidences}


def rank_scores(ranking: Ranking, qrels: Qrels, k_values: Sequence[int], skip_first_result: bool = False) -> RankScores:
    """Every metric at every k: ndcg, map, recall, precision, hit_rate and mrr, and the nAUC of all but hit_rate.

    `accuracy` is recall at 1. `skip_first_result` drops each query's best hit (by trec_eval's rule for ties). The means
    of trec_eval's metrics are rounded to 5 decimals, as the reference rounds them; MRR and nAUC are not rounded.
    Every query of the ranking needs an entry in `qrels`. Raises DataError when there is no query.
    """
    if not len(ranking):
        raise DataError("no query to score; expected at least one with judgments")
    if skip_first_result:
        ranking = _without_first(ranking)
    grades = grades_of_hits(ranking, qrels)
    trec = _trec_values(ranking, grades, qrels, k_values)
    reciprocal = _reciprocal_ranks(ranking, grades, k_values)
    values = {name: mean_of_metric(name, values) for name, values in {**trec, **reciprocal}.items()}
    if 1 in k_values:
        values["accuracy"] = values["recall_at_1"]
    per_query = {**trec, **reciprocal}
    abstaining = {name: values for name, values in per_query.items() if not name.startswith("hit_rate")}
    confidences = _confidences(ranking)
    naucs = _abstention(confidences, abstaining)
    return RankScores(values | naucs, per_query, {f"confidence_{name}": found for name, found in confidences.items()})


def needed_items(metric: str) -> tuple[str, ...]:
    """Which of `RankScores.items` a common metric is computed from."""
    if metric == "accuracy":
        return ("recall_at_1",)
    if found := _NAUC.fullmatch(metric):
        return found["metric"], f"confidence_{found['confidence']}"
    return (metric,)


def value_from_items(metric: str, items: Mapping[str, Values]) -> float:
    """A common metric, computed from what `needed_items` names. Raises KeyError where that is missing."""
    name, *confidence = needed_items(metric)
    return nauc(items[confidence[0]], items[name]) if confidence else mean_of_metric(name, items[name])


def mean_of_metric(metric: str, values: Values) -> float:
    """The mean over queries, rounded where the metric is trec_eval's; 0 where no query counts."""
    mean = _mean(values) if len(values) else 0.0
    return round(mean, _DECIMALS) if metric.rpartition("_at_")[0] in _TREC_NAMES else mean


def grades_of_hits(ranking: Ranking, qrels: Qrels) -> NDArray[np.int64]:
    """The grade of each hit for its query; 0 where it was not judged."""
    grades = np.zeros(len(ranking.documents), dtype=np.int64)
    place, n_documents = ranking.place_of, len(ranking.document_ids)
    judged = [
        (query * n_documents + place[document], grade)
        for query, query_id in enumerate(ranking.query_ids)
        for document, grade in qrels[query_id].items()
        if document in place
    ]
    if judged:
        keys, values = np.array(sorted(judged), dtype=np.int64).T
        hits = ranking.query_of_hit() * n_documents + ranking.documents
        nearest = np.minimum(np.searchsorted(keys, hits), len(keys) - 1)
        found = keys[nearest] == hits
        grades[found] = values[nearest[found]]
    return grades


def _without_first(ranking: Ranking) -> Ranking:
    keep = np.ones(len(ranking.documents), dtype=bool)
    keep[ranking.offsets[:-1][np.diff(ranking.offsets) > 0]] = False
    return ranking.keep_hits(keep)


def _mean(values: Values) -> float:
    """Summed one after another in the order of queries, as the reference does: its rounding shows a last-bit change."""
    return float(np.add.accumulate(values)[-1]) / len(values)


# ---------------------------------------------------------------------------------------------------- trec_eval


def _trec_values(
    ranking: Ranking, grades: NDArray[np.int64], qrels: Qrels, k_values: Sequence[int]
) -> dict[str, Values]:
    cutoffs = ",".join(str(k) for k in k_values)
    measures = {f"{measure}.{cutoffs}" for measure in _TREC_NAMES.values()}
    names = {f"{name}_at_{k}": f"{measure}_{k}" for name, measure in _TREC_NAMES.items() for k in k_values}
    values = {name: np.zeros(len(ranking)) for name in names}
    ranking = ranking.keep_hits(_up_to_last_judged(ranking, grades))
    for start in range(0, len(ranking), _QUERIES_AT_A_TIME):
        queries = {i: ranking.query_ids[i] for i in range(start, min(start + _QUERIES_AT_A_TIME, len(ranking)))}
        # Below -1 trec_eval writes outside of its memory; to these measures every grade below 1 is the same.
        judged = {
            query: {document: max(int(grade), 0) for document, grade in qrels[query].items()}
            for query in queries.values()
        }
        run = {query: ranking.hits(i) for i, query in queries.items()}
        measured = pytrec_eval.RelevanceEvaluator(judged, measures).evaluate(run)
        for i, query in queries.items():
            for name, measure in names.items():
                values[name][i] = measured[query][measure]
    return values


def _up_to_last_judged(ranking: Ranking, grades: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which hits can change a metric: the rest would only make trec_eval slow. trec_eval compares scores as float32."""
    scores = ranking.scores.astype(np.float32)
    query = ranking.query_of_hit()
    worst = np.full(len(ranking), np.inf, dtype=np.float32)
    np.minimum.at(worst, query[grades != 0], scores[grades != 0])
    keep = scores >= worst[query]
    keep[ranking.offsets[:-1][np.diff(ranking.offsets) > 0]] = True
    return keep


# ---------------------------------------------------------------------------------------------------- reciprocal rank


def _reciprocal_ranks(ranking: Ranking, grades: NDArray[np.int64], k_values: Sequence[int]) -> dict[str, Values]:
    relevant = np.flatnonzero(grades > 0)
    queries, first = np.unique(ranking.query_of_hit()[relevant], return_index=True)
    ranks = np.full(len(ranking), np.inf)
    ranks[queries] = relevant[first] - ranking.offsets[queries] + 1
    return {f"mrr_at_{k}": np.where(ranks <= k, 1.0 / ranks, 0.0) for k in k_values}


# ---------------------------------------------------------------------------------------------------- abstention


def _confidences(ranking: Ranking) -> dict[str, Values]:
    """How sure a ranking looks: its best score, its scores' standard deviation, the best one's lead on the second."""
    confidences = {name: np.zeros(len(ranking)) for name in ("max", "std", "diff1")}
    for i, (_, _, hits) in enumerate(ranking):
        if len(hits):
            scores = hits.astype(np.float64)
            confidences["max"][i] = scores[0]
            confidences["std"][i] = scores.std()
            confidences["diff1"][i] = scores[0] - scores[1] if len(scores) > 1 else 0.0
    return confidences


def _abstention(confidences: Mapping[str, Values], metrics: Mapping[str, Values]) -> dict[str, float]:
    orders = {name: _TieGroups(confidence) for name, confidence in confidences.items()}
    naucs = {}
    for metric, values in metrics.items():
        oracle = _TieGroups(values).curve(values)
        for name, order in orders.items():
            naucs[f"nauc_{metric}_{name}"] = _nauc(order.curve(values), oracle)
    return naucs


def nauc(confidence: Values, metric: Values) -> float:
    """Normalised area under the abstention curve: how well a confidence (n,) tells where a metric (n,) is low."""
    return _nauc(_TieGroups(confidence).curve(metric), _TieGroups(metric).curve(metric))


def _nauc(curve: Values, oracle: Values) -> float:
    area, best = (float(np.trapezoid(means, _ABSTENTION_RATES)) for means in (curve, oracle))
    flat = float(oracle[0] * (_ABSTENTION_RATES[-1] - _ABSTENTION_RATES[0]))
    return float("nan") if best == flat else (area - flat) / (best - flat)


class _TieGroups:
    """Queries from the least to the most confident; those equally confident share the mean of a metric."""

    def __init__(self, confidence: Values) -> None:
        self._order = np.argsort(confidence, stable=True)
        ordered = confidence[self._order]
        self._starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        self._sizes = np.diff(np.r_[self._starts, len(ordered)])

    def curve(self, metric: Values) -> Values:
        """The mean of the metric over the queries answered, at each abstention rate."""
        n = len(metric)
        means = np.add.reduceat(metric[self._order], self._starts) / self._sizes
        answered = np.repeat(means, self._sizes)
        return np.array([answered[min(round(rate * n), n - 1) :].mean() for rate in _ABSTENTION_RATES])
