"""Data at the edges of each protocol: what the reference says of it, an error that says what is wrong, or a difference
that docs/fidelity.md tells.

The facts are made by reference/odd.py.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoders import random_vectors

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Embeddings, RetrievalRows, Rows, Scores, Task, TaskContext, TaskData
from embedmark.tasks.retrieval.ranking import Ranking
from embedmark.tasks.retrieval.retrieval import Retrieval
from embedmark.tasks.types import task_types

FACTS = json.loads((Path(__file__).parent / "reference" / "odd.json").read_text(encoding="utf-8"))
DIM = 16

REFUSED_BY_OURS_ALONE = {
    "one score": "one and the same score in all 20 rows",
    "one machine summary": "one and the same score within every text",
    "query ids that repeat": "4 query ids occur more than once",
}
"""What the reference has a score for, which may be NaN."""

SCORED_BY_ANOTHER_RULE = {"few repeated targets", "document ids that repeat"}

RANKED = {f"{metric}_at_10" for metric in ("ndcg", "map", "recall", "precision", "hit_rate", "mrr")}
ITEMS = {
    "classification": {"predicted", "label", "classes", "accuracy"},
    "multilabel_classification": {"predicted", "label", "classes", "accuracy", "hamming"},
    "zeroshot_classification": {"predicted", "label", "classes", "score", "accuracy"},
    "regression": {"predicted", "label", "squared_error"},
    "clustering": {"drawn", "cluster", "level", "label"},
    "clustering_legacy": {"v_measure"},
    "pair_classification": {"similarity", "compared", "label"},
    "sts": {"similarity", "gold"},
    "arrangement": {"threshold", "triplets", "agreed", "agreement"},
    "bitext_mining": {"gold", "found", "correct"},
    "summarization": {"scored", "cosine_spearman"},
    "retrieval": RANKED,
    "reranking": RANKED,
}
"""What is kept of each item, of all types but those of images and with instructions (which retrieval and reranking
score)."""


def bound(case: Mapping[str, Any]) -> tuple[Task, TaskData]:
    kind = task_types()[case["type"]]
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in case["settings"].items()}
    task = kind.bind(kind.settings(**settings), TaskContext("Odd", kind.label), case["main"])
    found = case["data"]
    if kind.retrieval_layout:
        tables = Rows(found["corpus"]), Rows(found["queries"])
        return task, TaskData({"test": RetrievalRows(*tables, found["qrels"], found.get("top_ranked"))})
    return task, TaskData({split: Rows(columns) for split, columns in found.items()})


def score(case: Mapping[str, Any]) -> Scores:
    task, data = bound(case)
    vectors = {texts.name: random_vectors(list(texts.items), DIM) for texts in task.items(data)}  # type: ignore[arg-type]
    return task.evaluate(Embeddings(vectors, case["similarity"]), data)


def metrics(case: Mapping[str, Any]) -> dict[str, float]:
    """What ours reports, the main score under its own name too, as the reference has it."""
    scores = score(case)
    return {**scores.values, "main_score": scores.main_score}


def expected(case: Mapping[str, Any]) -> dict[str, float]:
    """What the reference reports, without repetitions."""
    found = {name: value for name, value in case["expected"].items() if not isinstance(value, list | dict)}
    return {name: math.nan if value is None else value for name, value in found.items()}


def fact(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(case for case in FACTS if case["name"] == name)
    return found


@pytest.mark.parametrize("case", FACTS, ids=lambda case: f"{case['type']}: {case['name']}, {case['similarity']}")
@pytest.mark.filterwarnings("ignore:.*(less than two samples|too small)")
def test_odd_data_is_scored_as_the_reference_does_or_refused(case: dict[str, Any]) -> None:
    name = case["name"]
    if name in SCORED_BY_ANOTHER_RULE:
        assert metrics(case) != pytest.approx(expected(case), abs=1e-6)
    elif name in REFUSED_BY_OURS_ALONE or "expected" not in case:
        with pytest.raises(DataError, match=REFUSED_BY_OURS_ALONE.get(name)):
            score(case)
    else:
        # Least squares in float32: their last digits differ from one BLAS kernel to the next.
        close = {"rel": 5e-3, "abs": 5e-3} if case["type"] == "regression" else {"rel": 0, "abs": 1e-6}
        found, told = metrics(case), expected(case)
        if "error" in case:
            # Average precision needs to know which of two labels is the positive one.
            told = {metric: math.nan if metric.startswith("ap") else told[metric] for metric in found}
        assert found == pytest.approx(told, **close, nan_ok=True)


@pytest.mark.filterwarnings("ignore:.*(less than two samples|too small)")
def test_no_score_depends_on_what_was_scored_before() -> None:
    """All types, in one order and in another, from other states of the generators that a process shares: bit by bit."""
    cases = [case for case in FACTS if case["name"] not in REFUSED_BY_OURS_ALONE and "expected" in case]
    assert {case["type"] for case in cases} == ITEMS.keys()
    first = {number: score(case) for number, case in enumerate(cases)}
    random.seed(7)
    np.random.seed(7)
    for number in random.sample(range(len(cases)), len(cases)):
        again = score(cases[number])
        assert repr(again.values) == repr(first[number].values), cases[number]["name"]
        assert repr(again.experiments) == repr(first[number].experiments)
        assert {name: values.tobytes() for name, values in again.items.items()} == {
            name: values.tobytes() for name, values in first[number].items.items()
        }


@pytest.mark.parametrize("kind", ITEMS)
def test_what_is_kept_of_each_item(kind: str) -> None:
    case = next(case for case in FACTS if case["type"] == kind and "expected" in case)
    items = score(case).items
    assert set(items) - {"_cluster"} == {"_unit", *ITEMS[kind]}
    of_rows = {name: values for name, values in items.items() if name in {"_unit", "_cluster", "label", "accuracy"}}
    assert len({values.shape[-1] for name, values in of_rows.items() if values.dtype != np.uint8}) == 1


def test_among_few_repeated_targets_the_first_counts() -> None:
    """The reference, too, takes the first of equals where there are 64 targets or more; see `torch.topk`."""
    targets = fact("few repeated targets")["data"]["test"]["sentence2"]
    correct = score(fact("few repeated targets")).items["correct"]
    assert len(targets) < 64
    assert not any(correct[i] for i, target in enumerate(targets) if targets.index(target) < i)
    assert correct.any()


@pytest.mark.parametrize("own", [False, True], ids=["all ids", "a query's own id ignored"])
def test_of_document_ids_that_repeat_the_best_row_counts(own: bool) -> None:
    case = fact("document ids that repeat")
    table, qrels = case["data"]["queries"], case["data"]["qrels"]
    ids = [f"d{i}" for i in range(len(table["id"]))] if own else table["id"]
    judged = {new: qrels[old] for old, new in zip(table["id"], ids, strict=True)}
    data = {**case["data"], "queries": {**table, "id": ids}, "qrels": judged}
    case = {
        **case,
        "data": data,
        "settings": {"k_values": [1, 3, 30], "ignore_identical_ids": own},
        "main": "ndcg_at_3",
    }
    task, given = bound(case)
    assert isinstance(task, Retrieval)
    queries, documents = (random_vectors(texts.items, DIM).astype(float) for texts in task.items(given))
    similarity = queries @ documents.T
    similarity /= np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(documents, axis=1)
    best = {
        query: dict(sorted(zip(row, data["corpus"]["id"], strict=True)))
        for query, row in zip(ids, similarity, strict=True)
    }
    ranking = Ranking.of({query: {name: score for score, name in found.items()} for query, found in best.items()})
    assert score(case).values == pytest.approx(task.score(ranking, given).values, abs=1e-6, nan_ok=True)


def test_grades_below_minus_one_count_as_zero() -> None:
    """The reference passes them to trec_eval, which then writes outside of its memory and ends the process."""
    case = fact("grades from -1 to 3")
    lowered = {
        query: {document: -7 if grade < 0 else grade for document, grade in judged.items()}
        for query, judged in case["data"]["qrels"].items()
    }
    assert any(-7 in judged.values() for judged in lowered.values())
    found = metrics({**case, "data": {**case["data"], "qrels": lowered}})
    assert found == pytest.approx(expected(case), abs=1e-6, nan_ok=True)
