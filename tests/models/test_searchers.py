"""Models that search or score pairs, against the libraries' own results on the same tiny checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_transformers import CrossEncoder, MultiVectorEncoder, SparseEncoder
from tiny_models import tiny_colbert, tiny_cross_encoder, tiny_splade

from embedmark.models.base import Searcher
from embedmark.models.lexical.bm25 import language_of
from embedmark.models.lexical.bm25 import load as load_bm25
from embedmark.models.lexical.reranker import Reranker
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.cross_encoder import load as load_cross_encoder
from embedmark.models.torch.multi_vector import load as load_multi_vector
from embedmark.models.torch.multi_vector import max_sim
from embedmark.models.torch.sparse import load as load_sparse
from embedmark.runner.common.errors import DataError, ModelError
from embedmark.tasks.base import TaskContext
from embedmark.tasks.retrieval.ranking import Lookup

QUERIES = ["what sat on the mat?", "a dog", "zzz"]
DOCUMENTS = ["the cat sat on the mat", "dogs bark", "", "a dog and a cat", "numbers: 1 2 3"]
CONTEXT = TaskContext("Search", "Retrieval", ("eng-Latn",))


def lookup(candidates: Sequence[Sequence[int]] | None = None, k: int = 10) -> Lookup:
    return Lookup(
        [f"q{i}" for i in range(len(QUERIES))],
        QUERIES,
        [f"d{i}" for i in range(len(DOCUMENTS))],
        DOCUMENTS,
        None if candidates is None else [np.array(positions, dtype=np.int64) for positions in candidates],
        k,
    )


def scores(searcher: Searcher, wanted: Lookup) -> list[dict[str, float]]:
    ranking = wanted.ranking(searcher.search(wanted, CONTEXT))
    return [ranking.hits(query) for query in range(len(QUERIES))]


def matrix(searcher: Searcher) -> np.ndarray:
    return np.array([[hits[f"d{i}"] for i in range(len(DOCUMENTS))] for hits in scores(searcher, lookup())])


def spec(folder: Path | None, loader: str = "x", **more: Any) -> ModelSpec:
    return ModelSpec("tiny", folder, loader=loader, device="cpu", **more)


def test_a_cross_encoder_orders_candidates(tmp_path: Path) -> None:
    folder = tiny_cross_encoder(tmp_path)
    reference = CrossEncoder(str(folder), device="cpu")
    reranker = Reranker(load_cross_encoder(spec(folder, prompts={"query": "q: "})))
    wanted = lookup([[3, 0], [1], []])
    found = scores(reranker, wanted)
    assert [set(hits) for hits in found] == [{"d0", "d3"}, {"d1"}, set()]
    expected = reference.predict([("q: " + QUERIES[0], DOCUMENTS[0]), ("q: " + QUERIES[0], DOCUMENTS[3])])
    np.testing.assert_allclose([found[0]["d0"], found[0]["d3"]], expected, atol=1e-6)
    with pytest.raises(ModelError, match="Search gives no candidates"):
        reranker.search(lookup(), CONTEXT)
    raw = load_cross_encoder(spec(folder, parameters={"activation": "identity"}))
    pairs = list(zip(QUERIES, DOCUMENTS[:3], strict=True))
    np.testing.assert_allclose(1 / (1 + np.exp(-raw.score(pairs, CONTEXT))), reference.predict(pairs), atol=1e-6)
    with pytest.raises(ModelError, match="found 'tanh'; expected sigmoid or identity"):
        load_cross_encoder(spec(folder, parameters={"activation": "tanh"}))
    with pytest.raises(ModelError, match="gives 3 scores a pair"):
        load_cross_encoder(spec(tiny_cross_encoder(tmp_path / "three", num_labels=3)))


def test_splade_is_the_product_of_its_vectors(tmp_path: Path) -> None:
    folder = tiny_splade(tmp_path)
    reference = SparseEncoder(str(folder), device="cpu")
    queries = reference.encode_query(QUERIES, prompt="q: ").to_dense().numpy()
    documents = reference.encode_document(DOCUMENTS).to_dense().numpy()
    searcher = load_sparse(spec(folder, prompts={"query": "q: "}))
    np.testing.assert_allclose(matrix(searcher), queries @ documents.T, rtol=1e-4, atol=1e-4)
    cosine = load_sparse(spec(folder, similarity="cosine"))
    assert np.abs(matrix(cosine)).max() <= 1 + 1e-5
    with pytest.raises(ModelError, match="compared by dot or cosine"):
        load_sparse(spec(folder, similarity="euclidean"))


def test_late_interaction_is_max_sim(tmp_path: Path) -> None:
    folder = tiny_colbert(tmp_path)
    reference = MultiVectorEncoder(str(folder), device="cpu")
    expected = reference.similarity(reference.encode_query(QUERIES), reference.encode_document(DOCUMENTS))
    searcher = load_multi_vector(spec(folder))
    np.testing.assert_allclose(matrix(searcher), expected.numpy(), rtol=1e-4, atol=1e-4)
    some = scores(searcher, lookup([[2, 4], [0], []]))
    np.testing.assert_allclose(some[0]["d4"], expected[0, 4], rtol=1e-4)
    assert [set(hits) for hits in some] == [{"d2", "d4"}, {"d0"}, set()]


def test_max_sim_by_hand() -> None:
    query = np.array([[1, 0], [0, 1]], dtype=np.float32)
    documents = [np.array([[1, 0], [2, 0]]), np.zeros((0, 2)), np.array([[0, 3], [1, 1]])]
    np.testing.assert_array_equal(max_sim(query, [d.astype(np.float32) for d in documents]), [2, 0, 4])


def test_bm25_finds_words_and_weighs_rare_ones() -> None:
    found = scores(load_bm25(spec(None, "bm25")), lookup(k=2))
    assert next(iter(found[0])) == "d0"
    assert next(iter(found[1])) in {"d1", "d3"}, "dogs are stemmed to dog"
    assert found[1]["d1"] > 0
    assert set(found[2].values()) == {0.0}
    assert list(found[2]) == ["d4", "d3"], "ties go to the larger id"


def test_bm25_cuts_languages_without_spaces_into_characters() -> None:
    texts = ["猫が座った", "犬が吠えた", "鳥"]
    wanted = Lookup(["q"], ["犬"], ["a", "b", "c"], texts, None, 3)
    hits = wanted.ranking(load_bm25(spec(None)).search(wanted, TaskContext("T", "Retrieval", ("jpn-Jpan",))))
    assert next(iter(hits.hits(0))) == "b"


def test_bm25_drops_words_of_nearly_all_documents_where_no_stop_words_are_known() -> None:
    texts = [f"og {word}" for word in ("kat", "hund", "fugl", "fisk")]
    wanted = Lookup(["q"], ["og hund"], list("abcd"), texts, None, 4)
    context = TaskContext("T", "Retrieval", ("dan-Latn",))
    kept = wanted.ranking(load_bm25(spec(None, parameters={"frequent": 0})).search(wanted, context))
    dropped = wanted.ranking(load_bm25(spec(None)).search(wanted, context))
    assert kept.hits(0)["a"] > 0
    assert dropped.hits(0)["a"] == 0 < dropped.hits(0)["b"]


def test_a_subset_of_several_languages_is_read_as_english() -> None:
    assert language_of(["deu-Latn"]) == "deu"
    assert language_of(["deu-Latn", "eng-Latn"]) == "eng"
    assert language_of([]) == "eng"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"parameters": {"k2": 1}}, "no parameter 'k2'"),
        ({"prompts": {"query": "q"}}, "prompts: the bm25 loader has no use for it"),
    ],
)
def test_what_bm25_has_no_use_for_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load_bm25(spec(None, "bm25", **more))


def test_hits_that_do_not_fit_are_refused() -> None:
    twice = (np.array([1, 1]), np.array([0.5, 0.5], dtype=np.float32))
    with pytest.raises(DataError, match="hits for 1 queries; expected 3"):
        lookup().ranking([twice])
    with pytest.raises(DataError, match="some twice"):
        lookup().ranking([twice] * 3)


def test_bm25_with_nothing_to_ask_or_to_find() -> None:
    nothing = Lookup(["q"], [""], ["a", "b"], ["word", "words"], None, 2)
    empty = Lookup(["q"], ["word"], ["a", "b"], ["", ""], None, 2)
    for wanted in (nothing, empty):
        hits = wanted.ranking(load_bm25(spec(None)).search(wanted, CONTEXT)).hits(0)
        assert hits == {"b": 0.0, "a": 0.0}
