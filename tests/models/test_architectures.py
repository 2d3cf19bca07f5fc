"""Vectors of every architecture equal the library's, whatever batch and company a text is encoded in."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import MultiVectorEncoder, SentenceTransformer
from tiny_architectures import ARCHITECTURES, pylate_colbert, stanford_colbert

from embedmark.models.base import TokenEncoder, Variant
from embedmark.models.loaders import loaders
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.multi_vector import MultiVectorSearcher, max_sim
from embedmark.models.torch.sentence_transformer import load
from embedmark.runner.encode.engine import Request, encode
from embedmark.runner.encode.store import MemoryStore
from embedmark.runner.hub.weights import needed
from embedmark.tasks.base import TaskContext
from embedmark.tasks.retrieval.ranking import Lookup

LETTERS = "abcdefghijklmnopqrstuvwxyz 0123456789"
RNG = random.Random(0)
TEXTS = ["", "a", "word " * 60, *("".join(RNG.choices(LETTERS, k=RNG.randint(1, 150))) for _ in range(40))]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_equal_to_the_library_in_any_batch_and_order(architecture: str, tmp_path: Path) -> None:
    folder = ARCHITECTURES[architecture](tmp_path)
    encoder = load(ModelSpec("tiny", folder, device="cpu"))
    assert isinstance(encoder, TokenEncoder), "tokenized apart from the forward pass, each text once"
    reference = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    expected = dict(zip(TEXTS, reference.encode(TEXTS), strict=True))
    assert np.abs(expected["a"] - expected[TEXTS[5]]).max() > 1e-3
    for batch_tokens in (1, 200, 100_000):
        order = random.Random(batch_tokens).sample(TEXTS, len(TEXTS))
        request = Request("texts", order, Variant())
        vectors = encode(encoder, [request], MemoryStore(), batch_tokens=batch_tokens).vectors(request)
        np.testing.assert_allclose(vectors, [expected[text] for text in order], atol=1e-5)


@pytest.mark.parametrize("make", [pylate_colbert, stanford_colbert])
def test_older_colberts_are_given_the_marks_that_they_were_trained_with(make: object, tmp_path: Path) -> None:
    folder = make(tmp_path)  # type: ignore[operator]
    reference = MultiVectorEncoder(str(folder), device="cpu", local_files_only=True)
    assert all(reference.prompts.get(side) for side in ("query", "document"))
    queries, documents = ["a word", "b"], ["the word b", "a long text " * 10, "c"]
    encoded = [
        [vectors.numpy() for vectors in found]
        for found in (reference.encode_query(queries), reference.encode_document(documents))
    ]
    searcher = loaders()["multi_vector"].load(ModelSpec("tiny", folder, loader="multi_vector", device="cpu"))
    assert isinstance(searcher, MultiVectorSearcher)
    lookup = Lookup(["q0", "q1"], queries, ["d0", "d1", "d2"], documents, None, 3)
    hits = lookup.ranking(searcher.search(lookup, TaskContext("Search", "Retrieval", ("eng-Latn",))))
    for number, query in enumerate(encoded[0]):
        ours = hits.hits(number)
        np.testing.assert_allclose([ours[f"d{i}"] for i in range(3)], max_sim(query, encoded[1]), rtol=1e-4)


def test_the_settings_of_stanfords_colbert_are_fetched_with_it() -> None:
    assert "artifact.metadata" in needed(["artifact.metadata", "config.json", "model.safetensors"])
