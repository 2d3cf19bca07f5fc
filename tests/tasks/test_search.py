from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import SimilarityName
from embedmark.tasks.retrieval.ranking import Ranking
from embedmark.tasks.retrieval.search import rerank, search

SIMILARITIES: list[SimilarityName] = ["cosine", "dot", "euclidean", "manhattan"]
coarse = st.integers(-3, 3).map(float)
"""Few values, so that vectors repeat and similarities tie."""
fine = st.floats(-1e3, 1e3, width=32)


def matrices(dim: int = 3) -> st.SearchStrategy[NDArray[np.float32]]:
    values = st.sampled_from([coarse, fine])
    return values.flatmap(
        lambda elements: st.integers(1, 40).flatmap(lambda n: hnp.arrays(np.float32, (n, dim), elements=elements))
    )


def exact(name: SimilarityName, a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the similarity is by definition, a pair at a time."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    lengths = [max(np.sqrt((x * x).sum()), 1e-12) for x in (a, b)]
    values = {
        "cosine": (a * b).sum() / (lengths[0] * lengths[1]),
        "dot": (a * b).sum(),
        "euclidean": -np.sqrt(((a - b) ** 2).sum()),
        "manhattan": -np.abs(a - b).sum(),
    }
    return np.float32(values[name])  # type: ignore[return-value]


def ids(prefix: str, n: int) -> list[str]:
    return [f"{prefix}{i}" for i in range(n)]


def found(ranking: Ranking) -> list[list[tuple[str, float]]]:
    return [list(ranking.hits(i).items()) for i in range(len(ranking))]


@given(
    matrices(),
    matrices(),
    st.sampled_from(SIMILARITIES),
    st.integers(1, 50),
    st.integers(1, 50),
    st.permutations(range(40)),
)
def test_finds_the_best_whatever_the_blocks(queries, corpus, similarity, k, block, order) -> None:  # type: ignore[no-untyped-def]
    documents = [f"d{i}" for i in order[: len(corpus)]]
    scores = [[(exact(similarity, q, d), name) for d, name in zip(corpus, documents, strict=True)] for q in queries]
    expected = [[(name, float(score)) for score, name in sorted(row, reverse=True)[:k]] for row in scores]

    ranking = search(queries, corpus, ids("q", len(queries)), documents, k, similarity, block=block)
    assert found(ranking) == expected

    everything = [np.arange(len(corpus))] * len(queries)
    again = rerank(queries, corpus, ids("q", len(queries)), documents, everything, k, similarity)
    assert found(again) == expected


def test_equal_documents_beyond_what_is_buffered_are_cut_by_id() -> None:
    corpus = np.ones((3_000, 4), dtype=np.float32)
    ranking = search(corpus[:1], corpus, ["q"], [f"d{i:04}" for i in range(3_000)], 10, block=500)
    assert list(ranking.hits(0)) == [f"d{i}" for i in range(2_999, 2_989, -1)]


def test_ties_are_ordered_by_id_as_text() -> None:
    corpus = np.ones((4, 2), dtype=np.float32)
    ranking = search(corpus[:1], corpus, ["q"], ["9", "10", "é", "z"], 3)
    assert list(ranking.hits(0)) == ["é", "z", "9"]


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_agrees_with_a_full_matrix_on_a_memory_map(tmp_path: Path, similarity: SimilarityName) -> None:
    draw = np.random.default_rng(0)
    corpus = draw.standard_normal((2_000, 48), dtype=np.float32)
    corpus.tofile(tmp_path / "corpus")
    mapped = np.memmap(tmp_path / "corpus", dtype=np.float32, mode="r", shape=corpus.shape)
    queries = draw.standard_normal((8, 48), dtype=np.float32)

    ranking = search(queries, mapped, ids("q", 8), ids("d", 2_000), 100, similarity, block=300)

    full = np.array([[exact(similarity, q, d) for d in corpus] for q in queries])
    best = np.argsort(-full, axis=1, kind="stable")[:, :100]
    assert [list(hits) for hits in map(ranking.hits, range(8))] == [[f"d{i}" for i in row] for row in best]


def test_a_row_that_shares_its_id_counts_once_with_its_best() -> None:
    corpus = np.array([[1, 0], [0, 1], [1, 1]], dtype=np.float32)
    ranking = search(corpus[1:2], corpus, ["q"], ["same", "same", "other"], 3, "dot")
    assert found(ranking) == [[("same", 1.0), ("other", 1.0)]]


def test_zero_vectors_are_like_nothing() -> None:
    corpus = np.array([[0, 0], [1, 0]], dtype=np.float32)
    assert found(search(corpus, corpus, ["a", "b"], ["x", "y"], 1)) == [[("y", 0.0)], [("y", 1.0)]]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.array([[np.nan, 0]], dtype=np.float32), "NaN"),
        (np.array([[np.inf, 0]], dtype=np.float32), "inf"),
        (np.zeros((1, 3), dtype=np.float32), "shape"),
        (np.zeros((2, 2), dtype=np.float32), "2 document vectors for 1 documents"),
    ],
)
def test_says_what_is_wrong_with_vectors(bad: NDArray[np.float32], message: str) -> None:
    with pytest.raises(DataError, match=message):
        search(np.ones((1, 2), dtype=np.float32), bad, ["q"], ["d"], 1)


def test_rerank_refuses_vectors_that_are_not_finite() -> None:
    bad = np.array([[np.nan, 0]], dtype=np.float32)
    with pytest.raises(DataError, match="not a finite number"):
        rerank(np.ones((1, 2), dtype=np.float32), bad, ["q"], ["d"], [np.array([0])], 1)


class Blocks:
    """Vectors that are read in blocks, and how many rows were read at once."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._vectors = vectors
        self.shape = vectors.shape
        self.largest = 0

    def __len__(self) -> int:
        return len(self._vectors)

    def __getitem__(self, rows: slice | NDArray[np.int64], /) -> NDArray[np.float32]:
        found = self._vectors[rows]
        self.largest = max(self.largest, len(found))
        return found


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_a_corpus_is_never_read_as_a_whole(similarity: SimilarityName, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedmark.tasks.retrieval.search._DOCUMENTS", 512)
    rng = np.random.default_rng(0)
    queries, corpus = (rng.normal(size=(n, 8)).astype(np.float32) for n in (5, 4000))
    names = ids("q", 5), ids("d", 4000)
    blocks = Blocks(corpus)
    ranking = search(queries, blocks, *names, 10, similarity, block=512)
    assert found(ranking) == found(search(queries, corpus, *names, 10, similarity))
    assert blocks.largest <= 512
    candidates = [np.arange(place, 4000, 100) for place in range(5)]
    ranking = rerank(queries, blocks, *names, candidates, 10, similarity)
    assert found(ranking) == found(rerank(queries, corpus, *names, candidates, 10, similarity))
    assert blocks.largest <= 512
