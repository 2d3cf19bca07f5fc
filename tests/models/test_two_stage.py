"""Models in two stages against SentenceTransformer itself, on a checkpoint that brings its own code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from float_bounds import VECTORS
from sentence_transformers import SentenceTransformer
from tiny_models import recast, tiny_bert, tiny_two_stages

from embedmark.models.base import ContextualEncoder, EncodeContext, Encoder, Sampling, TokenEncoder, Variant
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.sentence_transformer import load
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import TaskContext

TEXTS = ["the cat sat on the mat", "", "a", "word " * 60]
SAMPLE = ["dogs bark", "cats", "1 2 3", "dogs bark", "so it goes", "b"]
QUERY = EncodeContext(TaskContext("ArguAna", "Retrieval"), "query")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_two_stages(tmp_path_factory.mktemp("stages"))


def two_stages(folder: Path, context: Any, **more: Any) -> Encoder:
    return load(
        ModelSpec("tiny", folder, parameters={"context": context}, trust_remote_code=True, device="cpu", **more)
    )


def test_both_stages_equal_sentence_transformers(folder: Path) -> None:
    encoder = two_stages(folder, {"prompt": "sample: "}, prompts={"query": "find: "})
    assert isinstance(encoder, ContextualEncoder)
    assert not isinstance(encoder, TokenEncoder)
    reference = SentenceTransformer(str(folder), device="cpu", local_files_only=True, trust_remote_code=True)
    sample = reference.encode(SAMPLE, prompt="sample: ", convert_to_tensor=True)
    expected = reference.encode(TEXTS, prompt="find: ", dataset_embeddings=sample)

    first = encoder.encode(SAMPLE, Variant("sample: "))
    np.testing.assert_allclose(first, sample.numpy(), atol=VECTORS)
    second = encoder.second_stage(first)
    variant = encoder.variant(QUERY)
    np.testing.assert_allclose(second.encode(TEXTS, variant), expected, atol=1e-5)
    alone = np.concatenate([second.encode([text], variant) for text in TEXTS])
    np.testing.assert_allclose(alone, expected, atol=1e-5)
    assert np.abs(expected - reference.encode(TEXTS, prompt="find: ")).max() > 0.1
    assert np.abs(encoder.second_stage(first[::-1].copy()).encode(TEXTS, variant) - expected).max() > 0.01


def test_half_precision_reaches_the_second_stage(tmp_path: Path) -> None:
    folder = recast(tiny_two_stages(tmp_path), torch.bfloat16)
    encoder = two_stages(folder, {})
    assert isinstance(encoder, ContextualEncoder)
    variant = encoder.variant(QUERY)
    vectors = encoder.second_stage(encoder.encode(SAMPLE, variant)).encode(TEXTS, variant)
    reference = SentenceTransformer(str(folder), device="cpu", trust_remote_code=True)
    sample = reference.encode(SAMPLE, convert_to_tensor=True)
    assert sample.dtype == torch.bfloat16
    np.testing.assert_array_equal(vectors, reference.encode(TEXTS, dataset_embeddings=sample))


def test_the_checkpoint_says_how_large_the_sample_is_unless_the_config_does(folder: Path) -> None:
    saved, own = two_stages(folder, {"prompt": "p: "}), two_stages(folder, {"size": 3})
    assert isinstance(saved, ContextualEncoder)
    assert isinstance(own, ContextualEncoder)
    assert (saved.sampling, own.sampling) == (Sampling(6, "p: "), Sampling(3))


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (None, "takes dataset_embeddings: it reads a sample of the corpus first"),
        ("p: ", "context: found .p: .; expected a mapping"),
        ({"promt": "p: "}, "parameters: context: no parameter 'promt'.*Did you mean 'prompt'"),
        ({"size": 0}, "context: size: found 0; expected how many texts"),
        ({"prompt": 3}, "context: prompt: found 3; expected a text"),
    ],
)
def test_samples_that_make_no_sense_are_refused(context: Any, message: str, folder: Path) -> None:
    with pytest.raises(ModelError, match=message):
        two_stages(folder, context)


def test_a_size_that_nobody_gives_is_asked_for(folder: Path, tmp_path: Path) -> None:
    made = tiny_two_stages(tmp_path)
    config = json.loads((made / "config.json").read_text(encoding="utf-8"))
    del config["transductive_corpus_size"]
    (made / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match=r"context: size is None; .* transductive_corpus_size of .*config\.json"):
        two_stages(made, {})


def test_a_model_in_one_stage_reads_no_sample(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"takes \[\] and no dataset_embeddings.*leave it out"):
        two_stages(tiny_bert(tmp_path), {"size": 3})


def test_code_in_the_checkpoint_runs_only_where_the_config_trusts_it(folder: Path) -> None:
    with pytest.raises(ModelError, match="trust_remote_code: true"):
        load(ModelSpec("tiny", folder, parameters={"context": {}}, device="cpu"))
