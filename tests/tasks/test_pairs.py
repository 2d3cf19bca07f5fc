"""STS, pair classification, bitext mining and summarization: equal to the reference, and the laws that hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedmark.tasks.base import Embeddings, Rows, Scores, SimilarityName, TaskContext, TaskData
from embedmark.tasks.pairs.bitext_mining import nearest
from embedmark.tasks.pairs.pair_classification import threshold_metrics
from embedmark.tasks.similarity import matrix, normalized, pairwise
from embedmark.tasks.types import task_types

FACTS = json.loads((Path(__file__).parent / "reference" / "pairs.json").read_text(encoding="utf-8"))
VECTORS = dict(zip(FACTS["texts"], np.load(Path(__file__).parent / "reference" / "pairs.npz")["vectors"], strict=True))
SIMILARITIES: tuple[SimilarityName, ...] = ("cosine", "dot", "euclidean", "manhattan")


def score(
    kind: str,
    columns: dict[str, Any],
    *,
    values: dict[str, Any] | None = None,
    main: str = "",
    similarity: SimilarityName = "cosine",
    subset: str = "default",
    vectors: dict[str, np.ndarray] = VECTORS,
) -> Scores:
    """Score looked-up vectors with a task of that type."""
    task_type = task_types()[kind]
    task = task_type.bind(task_type.settings(**(values or {})), TaskContext("Facts", kind, subset=subset), main)
    data = TaskData({"test": Rows(columns)})
    found = {texts.name: np.stack([vectors[text] for text in texts.items]) for texts in task.items(data)}
    return task.evaluate(Embeddings(found, similarity), data)


@pytest.mark.parametrize(
    ("case", "subset"),
    [
        pytest.param(case, subset, id=f"{case['type']}-{i}-{case['similarity']}-{subset}")
        for i, case in enumerate(FACTS["cases"])
        for subset in case["expected"]
    ],
)
def test_every_metric_equals_the_reference(case: dict[str, Any], subset: str) -> None:
    expected = case["expected"][subset]
    scores = score(
        case["type"],
        case["columns"],
        values=case["settings"],
        main=case["main"],
        similarity=case["similarity"],
        subset=subset,
    )
    assert {**scores.values, "main_score": scores.main_score} == pytest.approx(expected, abs=1e-6, rel=0, nan_ok=True)


seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=25, deadline=None)


def drawn_pairs(seed: int, n: int = 40) -> tuple[dict[str, list[Any]], np.random.Generator]:
    """Pairs over few texts, so that texts and pairs repeat, with labels and scores of both kinds."""
    rng = np.random.default_rng(seed)
    first, second = ([FACTS["texts"][i] for i in rng.integers(0, 25, n)] for _ in range(2))
    labels = [0, 1, *rng.integers(0, 2, n - 2).tolist()]
    return {"sentence1": first, "sentence2": second, "labels": labels, "score": [*labels[:-1], 3.0]}, rng


@few
@given(seeds, st.sampled_from(SIMILARITIES), st.sampled_from(["sts", "pair_classification"]))
def test_order_of_pairs_changes_nothing(seed: int, similarity: SimilarityName, kind: str) -> None:
    columns, rng = drawn_pairs(seed)
    order = rng.permutation(len(columns["labels"]))
    permuted = {name: [values[i] for i in order] for name, values in columns.items()}
    expected = score(kind, columns, similarity=similarity).values
    assert score(kind, permuted, similarity=similarity).values == pytest.approx(expected, abs=1e-12, nan_ok=True)


@few
@given(seeds)
def test_order_of_sources_and_targets_changes_no_match(seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = FACTS["texts"][1:80]
    order = rng.permutation(len(texts))
    columns = {"sentence1": texts, "sentence2": FACTS["texts"][81:160]}
    permuted = {name: [values[i] for i in order] for name, values in columns.items()}
    expected = score("bitext_mining", columns).values
    assert score("bitext_mining", permuted).values == pytest.approx(expected, abs=1e-12)


@few
@given(seeds)
def test_perfect_predictions_score_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 30
    gold = rng.permutation(n) / n * 5
    angles = np.arccos(gold / 5)
    vectors = {f"b{i}": np.array([np.cos(angle), np.sin(angle)], dtype=np.float32) for i, angle in enumerate(angles)}
    vectors["a"] = np.array([1, 0], dtype=np.float32)
    pairs = {"sentence1": ["a"] * n, "sentence2": [f"b{i}" for i in range(n)]}

    sts = score("sts", {**pairs, "score": gold.tolist()}, vectors=vectors).values
    assert sts["cosine_spearman"] == sts["euclidean_spearman"] == pytest.approx(1)
    assert sts["cosine_pearson"] == pytest.approx(1, abs=1e-6)

    labels = (gold > 2.5).astype(int).tolist()
    together = score("pair_classification", {**pairs, "labels": labels}, vectors=vectors).values
    assert [together[f"max_{metric}"] for metric in ("accuracy", "f1", "precision", "recall", "ap")] == pytest.approx(
        [1, 1, 1, 1, 1]
    )

    texts = [f"b{i}" for i in range(n)]
    mined = score("bitext_mining", {"sentence1": texts, "sentence2": texts}, vectors=vectors).values
    assert set(mined.values()) == {1.0}


def test_constant_vectors_find_the_first_target() -> None:
    texts = [f"text {i}" for i in range(30)]
    same = {text: np.ones(4, dtype=np.float32) for text in texts}
    for similarity in SIMILARITIES:
        mined = score("bitext_mining", {"sentence1": texts, "sentence2": texts}, vectors=same, similarity=similarity)
        assert mined.values["accuracy"] == mined.values["recall"] == pytest.approx(1 / 30)
        assert mined.items["correct"].tolist() == [1, *[0] * 29]


def drawn_summaries(rng: np.random.Generator) -> dict[str, list[Any]]:
    sizes = rng.integers(3, 8, 6).tolist()

    def texts(n: int) -> list[str]:
        return [FACTS["texts"][i] for i in rng.integers(1, 160, n)]

    return {
        "human_summaries": [texts(n // 2) for n in sizes],
        "machine_summaries": [texts(n) for n in sizes],
        "relevance": [[*rng.random(n - 1).tolist(), 2.0] for n in sizes],
    }


@few
@given(seeds, st.sampled_from(SIMILARITIES), st.booleans())
def test_order_of_summaries_changes_nothing(seed: int, similarity: SimilarityName, old: bool) -> None:
    """Of the texts, of a text's human summaries, and of its machine summaries with their scores."""
    rng = np.random.default_rng(seed)
    columns, values = drawn_summaries(rng), {"average_p_values": old}
    texts = rng.permutation(len(columns["relevance"])).tolist()
    within = [rng.permutation(len(row)) for row in columns["relevance"]]
    turned = {
        "human_summaries": [columns["human_summaries"][i][::-1] for i in texts],
        "machine_summaries": [[columns["machine_summaries"][i][j] for j in within[i]] for i in texts],
        "relevance": [[columns["relevance"][i][j] for j in within[i]] for i in texts],
    }
    kind, main = "summarization", "spearman"
    found, again = (score(kind, data, values=values, main=main, similarity=similarity) for data in (columns, turned))
    assert again.values == pytest.approx(found.values, abs=1e-9, nan_ok=True)
    assert again.items[main] == pytest.approx(found.items[main][texts], abs=1e-9, nan_ok=True)


def test_summaries_ordered_as_humans_order_them_score_one() -> None:
    angles = np.linspace(0, 1.5, 9)
    vectors = {f"b{i}": np.array([np.cos(angle), np.sin(angle)], np.float32) for i, angle in enumerate(angles)}
    vectors["a"] = np.array([1, 0], dtype=np.float32)
    columns = {
        "human_summaries": [["a", "b8"], ["a"]],
        "machine_summaries": [["b0", "b3", "b4"], [f"b{i}" for i in range(9)]],
        "relevance": [[4, 3, 1], [5 * float(np.cos(angle)) for angle in angles]],
    }
    found = score("summarization", columns, vectors=vectors, main="cosine_spearman")
    assert found.values["cosine_spearman"] == found.values["dot_spearman"] == pytest.approx(1)
    assert found.items["cosine_spearman"] == pytest.approx([1, 1])


@few
@given(seeds, st.sampled_from([0.25, 2, 32]))
def test_cosine_knows_no_length(seed: int, factor: float) -> None:
    """Powers of two, which round nothing: other factors break or make ties in the last bit."""
    columns, _ = drawn_pairs(seed)
    scaled = {text: np.float32(factor) * vector for text, vector in VECTORS.items()}
    for kind in ("sts", "pair_classification"):
        before, after = score(kind, columns).values, score(kind, columns, vectors=scaled).values
        cosine = [metric for metric in before if metric.startswith(("cosine_", "similarity_"))]
        assert [after[metric] for metric in cosine] == [before[metric] for metric in cosine]


def by_definition(similarity: list[float], labels: list[int]) -> dict[str, float]:
    """Every threshold between two different similarities, tried one by one."""
    best = {"accuracy": 0.0, "f1": 0.0, "precision": 0.0, "recall": 0.0}
    for threshold in sorted(set(similarity), reverse=True)[:-1]:
        verdicts = [value >= threshold for value in similarity]
        hits = sum(1 for verdict, label in zip(verdicts, labels, strict=True) if verdict and label)
        accuracy = sum(verdict == bool(label) for verdict, label in zip(verdicts, labels, strict=True)) / len(labels)
        best["accuracy"] = max(best["accuracy"], accuracy)
        if hits:
            precision, recall = hits / sum(verdicts), hits / sum(labels)
            # Rounding decides which of two equally good thresholds is taken; the reference rounds like this.
            if (f1 := 2 * precision * recall / (precision + recall)) > best["f1"]:
                best |= {"f1": f1, "precision": precision, "recall": recall}
    return best


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), min_size=1, max_size=30))
@settings(deadline=None)
def test_thresholds_by_definition(rows: list[tuple[int, int]]) -> None:
    similarity, labels = zip(*rows, strict=True)
    found = threshold_metrics(np.array(similarity, dtype=np.float32), np.array(labels))
    found.pop("ap")
    assert found == pytest.approx(by_definition(list(similarity), list(labels)))


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("dim", [1, 7, 100, 384, 1024])
def test_matrix_and_pairs_agree(similarity: SimilarityName, dim: int) -> None:
    rng = np.random.default_rng(dim)
    a, b = rng.standard_normal((2, 30, dim)).astype(np.float32)
    b[:5] = a[:5]
    scale = float(np.abs(matrix("dot", a, a)).max())
    assert np.diag(matrix(similarity, a, b)) == pytest.approx(pairwise(similarity, a, b), abs=1e-5 * max(1.0, scale))


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("dim", [4, 100, 384, 768, 1024, 4096])
def test_pairs_are_rounded_as_torch_rounds(similarity: SimilarityName, dim: int) -> None:
    torch = pytest.importorskip("torch")
    if torch.backends.cpu.get_cpu_capability() not in {"AVX2", "AVX512"}:
        pytest.skip("torch adds in another order on this machine")
    from sentence_transformers import SimilarityFunction

    rng = np.random.default_rng(dim)
    a, b = rng.standard_normal((2, 300, dim)).astype(np.float32)
    b[:50] = a[:50]
    expected = SimilarityFunction.to_similarity_pairwise_fn(similarity)(a, b).numpy()
    np.testing.assert_array_equal(pairwise(similarity, a, b), expected)


def test_zeros_stay_zeros() -> None:
    assert not normalized(np.zeros((2, 8), dtype=np.float32)).any()


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_nearest_in_blocks_is_nearest(similarity: SimilarityName) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((2, 50, 16)).astype(np.float32)
    whole = nearest(similarity, a, b)
    for found, expected in zip(nearest(similarity, a, b, cells=120), whole, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
