"""Retrieval and reranking against the reference implementation, on the facts that reference/retrieval.py made."""

from __future__ import annotations

import json
import math
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as few
from hypothesis import strategies as st
from letters import vectors

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Embeddings, RetrievalRows, Rows, Scores, TaskContext, TaskData
from embedmark.tasks.retrieval import settings
from embedmark.tasks.retrieval.rank_metrics import nauc
from embedmark.tasks.retrieval.ranking import Ranking
from embedmark.tasks.retrieval.reranking import Reranking
from embedmark.tasks.retrieval.retrieval import Retrieval
from embedmark.tasks.retrieval.sides import document_texts

CASES = json.loads((Path(__file__).parent / "reference" / "retrieval.json").read_text(encoding="utf-8"))
CONTEXT = TaskContext(name="Facts", type="retrieval")


def rows(data: dict[str, Any]) -> RetrievalRows:
    return RetrievalRows(
        Rows(data["corpus"]), Rows(data["queries"]), data["qrels"], data.get("top_ranked"), data.get("changed")
    )


def task(values: dict[str, Any]) -> Retrieval:
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return Retrieval(settings.RetrievalSettings(**given), CONTEXT, "ndcg_at_10")


def embeddings(bound: Retrieval, data: TaskData, similarity: str = "cosine") -> Embeddings:
    return Embeddings({texts.name: vectors(texts.items) for texts in bound.items(data)}, similarity)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_equals_the_reference(case: dict[str, Any]) -> None:
    bound, data = task(case["settings"]), TaskData({"test": rows(case["data"])})

    sets = {texts.side: texts.items for texts in bound.items(data)}
    assert sets == case["given"]

    values = bound.evaluate(embeddings(bound, data, case["similarity"]), data).values
    assert set(values) == set(case["scores"])
    expected = {name: math.nan if value is None else value for name, value in case["scores"].items()}
    differ = {
        name: (values[name], value)
        for name, value in expected.items()
        if not np.isclose(values[name], value, rtol=0, atol=1e-6, equal_nan=True)
    }
    assert not differ


# ---------------------------------------------------------------------------------------------------- laws

document = st.sampled_from([f"{word} {i}" for word in ("rivers", "breads", "musics") for i in range(5)])


@st.composite
def small(draw: st.DrawFn) -> dict[str, Any]:
    """A few documents, many of them equal, and queries with a judgment or more."""
    texts = draw(st.lists(document, min_size=1, max_size=30))
    ids = [f"d{i}" for i in range(len(texts))]
    queries = draw(st.lists(document, min_size=1, max_size=6))
    grade = st.dictionaries(st.sampled_from([*ids, "missing"]), st.integers(-1, 3), min_size=1, max_size=4)
    return {
        "corpus": {"id": ids, "text": texts},
        "queries": {"id": [f"q{i}" for i in range(len(queries))], "text": queries},
        "qrels": {f"q{i}": draw(grade) for i in range(len(queries))},
    }


def scored(data: dict[str, Any], similarity: str = "dot", **values: Any) -> Scores:
    bound, given = task(values), TaskData({"test": rows(data)})
    return bound.evaluate(embeddings(bound, given, similarity), given)


def shuffled(table: dict[str, list[Any]], order: list[int]) -> dict[str, list[Any]]:
    return {name: [column[i] for i in order] for name, column in table.items()}


@given(small(), st.randoms(use_true_random=False))
def test_the_order_of_documents_changes_nothing(data: dict[str, Any], random: Random) -> None:
    order = list(range(len(data["corpus"]["id"])))
    random.shuffle(order)
    again = scored({**data, "corpus": shuffled(data["corpus"], order)})
    assert again.values == pytest.approx(scored(data).values, abs=0, nan_ok=True)


@given(small(), st.randoms(use_true_random=False))
def test_the_order_of_queries_changes_no_query(data: dict[str, Any], random: Random) -> None:
    order = list(range(len(data["queries"]["id"])))
    random.shuffle(order)
    once, again = scored(data), scored({**data, "queries": shuffled(data["queries"], order)})
    for name, values in once.items.items():
        assert again.items[name].tolist() == values[order].tolist()
        if name == "_unit":
            continue
        # The reference rounds means to five decimals, where the last bit of a sum may show.
        assert again.values[name] == pytest.approx(once.values[name], abs=1e-5)
    assert again.items.keys() == once.items.keys()


@given(small())
def test_a_perfect_ranking_is_perfect(data: dict[str, Any]) -> None:
    data["qrels"] = {query: judged | {"best": 3} for query, judged in data["qrels"].items()}
    data["corpus"]["id"] += ["best", "missing"]
    data["corpus"]["text"] += ["rivers", "rivers"]
    ranking = Ranking.of({query: {d: float(g) for d, g in judged.items()} for query, judged in data["qrels"].items()})
    values = task({}).score(ranking, TaskData({"test": rows(data)})).values
    names = ["ndcg_at_10", "map_at_1000", "recall_at_1000", "hit_rate_at_1", "mrr_at_1", "precision_at_1"]
    assert {name: values[name] for name in names} == dict.fromkeys(names, 1.0)


@given(small())
def test_how_many_queries_are_scored_at_a_time_changes_nothing(data: dict[str, Any]) -> None:
    once = scored(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("embedmark.tasks.retrieval.rank_metrics._QUERIES_AT_A_TIME", 2)
        assert repr(scored(data).values) == repr(once.values)


def same_of_every_text(data: dict[str, Any], **values: Any) -> Scores:
    bound, given = task(values), TaskData({"test": rows(data)})
    found = {texts.name: np.ones((len(texts.items), 4), dtype=np.float32) for texts in bound.items(given)}
    return bound.evaluate(Embeddings(found), given)


@pytest.mark.parametrize("rerank", [False, True], ids=["search", "candidates"])
def test_constant_vectors_rank_by_id_alone(rerank: bool) -> None:
    """The largest id comes first; "d9" is larger than "d10"."""
    ids = [f"d{i}" for i in range(20)]
    queries = {"id": ["first", "last"], "text": ["x", "y"]}
    data = {"corpus": {"id": ids, "text": ids}, "queries": queries, "qrels": {"first": {"d9": 1}, "last": {"d0": 1}}}
    if rerank:
        data["top_ranked"] = dict.fromkeys(queries["id"], ids[::-1])
    found = same_of_every_text(data, k_values=[1, 10, 20])
    assert found.items["mrr_at_10"].tolist() == [1, 0]
    assert found.values["mrr_at_20"] == pytest.approx((1 + 1 / 20) / 2)
    assert found.values["recall_at_20"] == found.values["ndcg_at_1"] * 2 == 1
    assert math.isnan(found.values["nauc_recall_at_20_max"])
    assert found.values["nauc_ndcg_at_10_max"] == pytest.approx(0, abs=1e-9)


@given(small(), st.randoms(use_true_random=False))
def test_the_order_of_candidates_changes_nothing(data: dict[str, Any], random: Random) -> None:
    """Nor does a candidate that is named twice."""
    candidates = {query: random.sample(data["corpus"]["id"], len(data["corpus"]["id"])) for query in data["qrels"]}
    once = scored({**data, "top_ranked": candidates})
    turned = {query: [*ids[::-1], ids[0]] for query, ids in candidates.items()}
    assert scored({**data, "top_ranked": turned}).values == pytest.approx(once.values, abs=0, nan_ok=True)
    assert once.values == pytest.approx(scored(data).values, abs=0, nan_ok=True)


@given(st.permutations([f"d{i}" for i in range(8)]), st.permutations([f"d{i}" for i in range(8)]))
@few(max_examples=25)
def test_p_mrr_by_definition(before: list[str], after: list[str]) -> None:
    """0 where nothing moves, 1 - 1/8 from the first place to the last, and the opposite back."""
    data = {
        "corpus": {"id": sorted(before), "text": ["x"] * 8},
        "queries": {"id": ["q-og", "q-changed"], "text": ["x", "y"]},
        "qrels": {"q-og": {"d0": 1}, "q-changed": {"d0": 1}},
        "changed": {"q": ["d1", "d5"]},
    }
    bound, given_data = task({"extra_metrics": ["p_mrr"], "k_values": [1, 10]}), TaskData({"test": rows(data)})

    def p_mrr(first: list[str], second: list[str]) -> float:
        order = {"q-og": first, "q-changed": second}
        ranking = Ranking.of({q: {d: -float(i) for i, d in enumerate(ids)} for q, ids in order.items()})
        return bound.score(ranking, given_data).values["p-MRR"]

    moved = [(before.index(document) + 1, after.index(document) + 1) for document in ("d1", "d5")]
    expected = [1 - old / new if new > old else new / old - 1 for old, new in moved]
    assert p_mrr(before, after) == pytest.approx(sum(expected) / 2)
    assert p_mrr(after, before) == pytest.approx(-p_mrr(before, after))
    assert p_mrr(before, before) == 0


@given(small())
def test_scores_of_items_are_their_means(data: dict[str, Any]) -> None:
    scores = scored(data)
    metrics = {f"{name}_at_10" for name in ("ndcg", "map", "recall", "precision", "hit_rate", "mrr")}
    assert set(scores.items) == {"_unit", *metrics}
    for name, values in ((metric, scores.items[metric]) for metric in metrics):
        assert len(values) == len(data["queries"]["id"])
        assert scores.values[name] == pytest.approx(values.mean(), abs=1e-5)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), min_size=1, max_size=40), st.randoms())
def test_abstention_of_an_oracle_and_of_nobody(pairs: list[tuple[int, int]], random: Random) -> None:
    """Queries that are equally sure count as their mean, so that their order does not matter."""
    sure, metric = (np.array(values, dtype=float) for values in zip(*pairs, strict=True))
    order = random.sample(range(len(pairs)), len(pairs))
    found = nauc(sure, metric)
    assert nauc(sure[order], metric[order]) == pytest.approx(found, abs=1e-9, nan_ok=True)
    assert nauc(3 * sure + 1, metric) == pytest.approx(found, abs=1e-9, nan_ok=True)
    if math.isnan(found):
        assert math.isnan(nauc(metric, metric))
        return
    assert found <= 1 + 1e-9
    assert nauc(metric, metric) == pytest.approx(1)
    assert nauc(np.ones_like(metric), metric) == pytest.approx(0, abs=1e-9)


# ---------------------------------------------------------------------------------------------------- edges


def example() -> dict[str, Any]:
    return {
        "corpus": {"id": ["a", "b"], "text": ["rivers", "breads"]},
        "queries": {"id": ["q", "r"], "text": ["rivers?", "breads?"]},
        "qrels": {"q": {"a": 1}, "r": {"b": 1}},
    }


def test_a_query_that_a_ranking_lacks_found_nothing() -> None:
    scores = task({}).score(Ranking.of({"q": {"a": 2.0}, "unjudged": {"b": 1.0}}), TaskData({"test": rows(example())}))
    assert scores.items["ndcg_at_10"].tolist() == [1.0, 0.0]
    assert scores.values["ndcg_at_10"] == 0.5


def test_the_first_of_tied_results_is_skipped_by_id() -> None:
    data = TaskData({"test": rows({**example(), "qrels": {"q": {"a": 1}}})})
    tied = Ranking.of({"q": {"a": 1.0, "b": 1.0}})
    assert task({"skip_first_result": True}).score(tied, data).values["mrr_at_1"] == 1.0


def test_no_title_a_blank_title_and_a_title() -> None:
    corpus = {"id": ["a", "b", "c", "d"], "title": [None, "", " ", "T"], "text": [" x ", "x", "x", " x"]}
    assert document_texts(Rows(corpus)) == ["x", "x", "x", "T  x"]


def without(column: str) -> dict[str, Any]:
    return {**example(), "corpus": {name: values for name, values in example()["corpus"].items() if name != column}}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({**example(), "qrels": {}}, "none of 2 queries has judgments"),
        ({**example(), "qrels": {"q": {}}}, "none of 2 queries has judgments"),
        ({**example(), "corpus": {"id": [], "text": []}}, "corpus is empty"),
        (without("text"), "no column 'text'"),
        ({**example(), "corpus": {"id": ["a"], "text": [None]}}, "document 'a' has the text None"),
        ({**example(), "queries": {"id": ["q", "q"], "text": ["x", "y"]}}, "occur more than once, such as 'q'"),
        ({**example(), "queries": {"id": ["q"], "text": [[]]}}, "a text or a conversation"),
        ({**example(), "queries": {"id": ["q"], "text": [[{"says": "x"}]]}}, "`role` and `content`"),
    ],
)
def test_says_what_is_wrong_with_data(data: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        task({}).items(TaskData({"test": rows(data)}))


def test_candidates_must_be_in_the_corpus() -> None:
    with pytest.raises(DataError, match="'nowhere', which is not in the corpus"):
        scored({**example(), "top_ranked": {"q": ["a", "nowhere"]}})


def test_reranking_needs_candidates() -> None:
    bound = Reranking(settings.RetrievalSettings(), CONTEXT, "map_at_1000")
    with pytest.raises(DataError, match="no `top_ranked` candidates"):
        bound.items(TaskData({"test": rows(example())}))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"extra_metrics": ["p_mrr"]}, "no changed judgments"),
        ({"extra_metrics": ["paired_accuracy"]}, "there is no 'q_q1'"),
        ({"extra_metrics": ["instruction_levels"]}, "no query id has 'v1' in it"),
        ({"extra_metrics": ["robustness_at_10"], "k_values": [1, 5]}, "no 'ndcg_at_10': its k is not among"),
    ],
)
def test_extra_metrics_say_what_they_need(values: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        scored(example(), **values)


def test_p_mrr_of_queries_that_are_not_there() -> None:
    with pytest.raises(DataError, match="there are none"):
        scored({**example(), "changed": {"q": ["a"]}}, extra_metrics=["p_mrr"])


def test_a_ranking_refuses_scores_that_are_not_numbers() -> None:
    with pytest.raises(DataError, match="query 'r' has a document whose score is not a finite number"):
        Ranking.of({"q": {"a": 1.0}, "r": {"a": math.nan}})
