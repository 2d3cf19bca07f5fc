"""Strange data about pairs of texts: what the reference says of it, or an error that says what is wrong."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Embeddings, Rows, Scores, TaskContext, TaskData
from embedmark.tasks.pairs.pair_classification import threshold_metrics
from embedmark.tasks.similarity import matrix, pairwise
from embedmark.tasks.types import task_types

VECTORS: dict[str, list[float]] = {"": [0, 0], "a": [1, 0], "b": [0.8, 0.6], "c": [0, 1], "d": [-1, 0.5]}


def score(kind: str, columns: dict[str, Any], *, subset: str = "default", vectors: Any = None, **values: Any) -> Scores:
    task_type = task_types()[kind]
    task = task_type.bind(task_type.settings(**values), TaskContext("Odd", kind, subset=subset), "main")
    data = TaskData({"test": Rows(columns)})
    table = VECTORS | (vectors or {})
    found = {
        texts.name: np.array([table[text] for text in texts.items], dtype=np.float32).reshape(-1, 2)
        for texts in task.items(data)
    }
    return task.evaluate(Embeddings(found), data)


def pairs(second: str, **columns: Any) -> dict[str, Any]:
    return {"sentence1": ["a"] * len(second), "sentence2": list(second), **columns}


def test_equal_texts_are_exactly_alike_and_tie() -> None:
    """A pair of equal texts has cosine 1 and distance 0 to the last bit, so such pairs share a rank."""
    texts = {f"t{i}": np.random.default_rng(i).standard_normal(2).tolist() for i in range(40)}
    columns = {"sentence1": [*texts, "a"], "sentence2": [*texts, "c"], "labels": [*[0, 1] * 20, 0]}
    found = score("pair_classification", columns, vectors=texts).values
    for way in ("cosine", "euclidean", "manhattan"):
        assert found[f"{way}_ap"] == pytest.approx(0.5)
        assert found[f"{way}_accuracy"] == pytest.approx(21 / 41)


def test_an_empty_text_whose_vector_is_zero_is_half_alike() -> None:
    """As scikit-learn's paired cosine distance has it, and so the reference."""
    values = {"": [0, 0], "a": [1, 0]}
    found = score("sts", pairs("bc", score=[5, 0]) | {"sentence1": ["", "a"]}, vectors=values)
    assert found.values["cosine_spearman"] == pytest.approx(1)
    assert pairwise("cosine", np.zeros((1, 2), np.float32), np.ones((1, 2), np.float32)) == 0


def test_a_model_that_says_the_same_of_every_text_has_no_correlation() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = score("sts", pairs("bbb", score=[1, 2, 3]))
    assert all(math.isnan(value) for value in found.values.values())


@pytest.mark.parametrize("label", [0, 1])
def test_labels_of_one_class(label: int) -> None:
    """The verdict "together" on every pair is never tried, so that even labels of all ones leave an error."""
    similarity, labels = np.array([3, 2, 1], dtype=np.float32), np.full(3, label)
    assert threshold_metrics(similarity, labels) == pytest.approx(
        {"accuracy": 2 / 3, "f1": 0.8, "precision": 1, "recall": 2 / 3, "ap": 1}
        if label
        else {"accuracy": 2 / 3, "f1": 0, "precision": 0, "recall": 0, "ap": 0}
    )


@pytest.mark.parametrize("n", [1, 4])
def test_pairs_that_are_all_alike_have_no_threshold(n: int) -> None:
    found = threshold_metrics(np.ones(n, dtype=np.float32), np.ones(n, dtype=int))
    assert found == {"accuracy": 0, "f1": 0, "precision": 0, "recall": 0, "ap": 1}


def test_a_repeated_target_counts_once() -> None:
    found = score("bitext_mining", {"sentence1": ["a", "a", "c"], "sentence2": ["a", "a", "c"]})
    assert found.items["correct"].tolist() == [1, 0, 1]
    assert found.values["accuracy"] == pytest.approx(2 / 3)


def test_summaries_that_are_all_alike_are_left_out() -> None:
    columns = {
        "human_summaries": [["a"], ["a"], ["a"]],
        "machine_summaries": [["b", "c", "d"], ["b", "b", "b"], ["b", "c", "d"]],
        "relevance": [[5, 3, 0], [5, 3, 0], [1, 1, 1]],
    }
    assert score("summarization", columns).values["cosine_spearman"] == pytest.approx(1)
    columns["machine_summaries"] = [["b", "b", "b"]] * 3
    assert all(math.isnan(value) for value in score("summarization", columns).values.values())


BAD_SUMMARIES = {"human_summaries": [["a"]], "machine_summaries": [["b", "c"]], "relevance": [[1, 2]]}


@pytest.mark.parametrize(
    ("kind", "columns", "options", "message"),
    [
        ("sts", pairs("bc", score=[2, 2]), {}, "one and the same score in all 2 rows"),
        ("sts", pairs("bc", score=[2, None]), {}, "'score'"),
        ("sts", pairs("bc", score=[2, math.nan]), {}, "missing or infinite, the first in row 1"),
        ("sts", pairs("bc", score=["high", "low"]), {}, "expected numbers"),
        ("sts", pairs("bc", score=[1, 2]), {"min_score": 5}, "expected max_score to be larger"),
        ("sts", pairs("bc", score=[1, 2]) | {"sentence2": ["b", None]}, {}, "row 1: expected a text"),
        ("sts", pairs("bc", gold=[1, 2]), {}, "no column 'score'"),
        ("pair_classification", pairs("bc", labels=[0, 2]), {}, "holds 2 in row 1; expected 0"),
        ("pair_classification", pairs("bc", labels=[0, None]), {}, "missing"),
        (
            "pair_classification",
            {"sentence1": [["a", "b"]], "sentence2": [["a"]], "labels": [[1, 0]]},
            {},
            "columns differ in length",
        ),
        ("bitext_mining", {"eng": ["a"], "deu": ["a"]}, {"parallel_subsets": True}, "joined by a hyphen"),
        (
            "bitext_mining",
            {"eng": ["a"], "deu": ["a"]},
            {"parallel_subsets": True, "subset": "eng-fra"},
            "no column 'fra'",
        ),
        (
            "bitext_mining",
            {"sentence1": [["a"]], "sentence2": [["b"]], "gold": [[[1, 2]]]},
            {"gold_column": "gold"},
            "points outside the 1 sources and 1 targets",
        ),
        ("summarization", BAD_SUMMARIES | {"relevance": [[1, 2, 3]]}, {}, "3 scores in 'relevance' and 2 machine"),
        ("summarization", BAD_SUMMARIES | {"human_summaries": [[]]}, {}, "at least one text"),
        ("summarization", BAD_SUMMARIES | {"machine_summaries": ["b c"]}, {}, "expected a list"),
        ("summarization", BAD_SUMMARIES | {"relevance": [[1, 1]]}, {}, "one and the same score within every text"),
    ],
)
def test_unusable_data_is_refused(kind: str, columns: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        score(kind, columns, **options)


WITH_X = {
    "sts": {"sentence1": ["a", "x"], "sentence2": ["b", "x"], "score": [1, 2]},
    "pair_classification": {"sentence1": ["a", "x"], "sentence2": ["b", "x"], "labels": [1, 0]},
    "summarization": {"human_summaries": [["x"]], "machine_summaries": [["x", "b"]], "relevance": [[1, 2]]},
    "bitext_mining": {"sentence1": ["a", "x"], "sentence2": ["b", "x"]},
}


@pytest.mark.parametrize("kind", WITH_X)
@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_vectors_that_are_not_finite_are_refused(kind: str, value: float) -> None:
    with pytest.raises(DataError, match="not finite"):
        score(kind, WITH_X[kind], vectors={"x": [value, 1]})


@pytest.mark.parametrize("kind", ["sts", "pair_classification", "summarization"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_products_that_overflow_are_refused(kind: str) -> None:
    with pytest.raises(DataError, match="not finite"):
        score(kind, WITH_X[kind], vectors={"x": [1e30, 1]})


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean", "manhattan"])
def test_nothing_compares_to_nothing(similarity: Any) -> None:
    none = np.empty((0, 8), dtype=np.float32)
    assert pairwise(similarity, none, none).shape == (0,)
    if similarity in {"cosine", "dot"}:
        assert matrix(similarity, none, np.ones((3, 8), dtype=np.float32)).shape == (0, 3)
