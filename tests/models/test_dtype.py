"""The number format of a checkpoint's weights: kept unless the config says otherwise, as in sentence-transformers.

Vectors are compared bit for bit with the library's own, whose arguments are those of mteb 2.26.24: none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import float_bounds
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder, MultiVectorEncoder, SentenceTransformer, SparseEncoder
from sentence_transformers.base.modules import Dense, Transformer
from sentence_transformers.cross_encoder.modules import LogitScore
from sentence_transformers.sentence_transformer.modules import Pooling
from tiny_architectures import ARCHITECTURES, pylate_colbert, qwen
from tiny_models import (
    recast,
    tiny_bert,
    tiny_clip,
    tiny_colbert,
    tiny_cross_encoder,
    tiny_model2vec,
    tiny_splade,
    tiny_static,
    tiny_two_stages,
)
from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

from embedmark.models.base import CHECKPOINT_DTYPE, Dtype, EncodeContext
from embedmark.models.loaders import find_loader
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.cross_encoder import CrossEncoderScorer
from embedmark.models.torch.multi_vector import MultiVectorSearcher
from embedmark.models.torch.sparse import SparseSearcher
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import TaskContext

TEXTS = ["a word", "query: a b c", "the quick one", "z"]
CONTEXT = TaskContext("Anything", "STS")
HALVES = {"float16": torch.float16, "bfloat16": torch.bfloat16}
VECTORS: dict[str, Callable[[Path], Path]] = {
    **ARCHITECTURES,
    "more modules": lambda folder: tiny_bert(folder, dense=True, normalize=True),
    "CLIP": tiny_clip,
    "static": tiny_static,
}


def load(folder: Path, loader: str = "sentence_transformer", dtype: Dtype = CHECKPOINT_DTYPE, **more: Any) -> Any:
    found = find_loader(loader)
    assert found is not None
    return found.load(ModelSpec("tiny", folder, loader=loader, dtype=dtype, device="cpu", **more))


def vectors(model: Any) -> Any:
    return model.encode(TEXTS, model.variant(EncodeContext(CONTEXT, None)))


@pytest.mark.parametrize(
    ("kind", "half"), [*((kind, "bfloat16") for kind in VECTORS), ("BERT", "float16"), ("more modules", "float16")]
)
def test_vectors_of_a_checkpoint_in_half_precision(kind: str, half: str, tmp_path: Path) -> None:
    folder = recast(VECTORS[kind](tmp_path), HALVES[half])
    model = load(folder)
    expected = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    found = vectors(model)
    assert (model.facts["dtype"], found.dtype) == (half, np.float32)
    np.testing.assert_array_equal(found, np.asarray(expected, dtype=np.float32))


@pytest.mark.parametrize(("make", "half"), [(tiny_colbert, "bfloat16"), (pylate_colbert, "float16")])
def test_late_interaction_in_half_precision(make: Callable[[Path], Path], half: str, tmp_path: Path) -> None:
    folder = recast(make(tmp_path), HALVES[half])
    model = load(folder, "multi_vector")
    assert isinstance(model, MultiVectorSearcher)
    assert model.facts["dtype"] == half
    expected = MultiVectorEncoder(str(folder), device="cpu").encode_document(TEXTS)
    for found, wanted in zip(model._vectors(TEXTS, "document", CONTEXT), expected, strict=True):
        np.testing.assert_array_equal(found, torch.as_tensor(wanted).float().numpy())


@pytest.mark.parametrize("half", ["bfloat16"])
def test_sparse_vectors_in_half_precision(half: str, tmp_path: Path) -> None:
    folder = recast(tiny_splade(tmp_path), HALVES[half])
    model = load(folder, "sparse_encoder")
    assert isinstance(model, SparseSearcher)
    assert model.facts["dtype"] == half
    expected = SparseEncoder(str(folder), device="cpu").encode_document(TEXTS, convert_to_sparse_tensor=False)
    assert isinstance(expected, torch.Tensor)
    np.testing.assert_array_equal(model._vectors(TEXTS, "document", CONTEXT).toarray(), expected.float().numpy())


def _says(weights: torch.dtype, said: str | None) -> Callable[[Path], Path]:
    return lambda folder: recast(tiny_bert(folder), weights, said)


def _mixed(folder: Path) -> Path:
    """Only the first of the weights is in float32, and nothing says so."""
    made = recast(tiny_bert(folder), torch.bfloat16, None)
    tensors = load_file(made / "model.safetensors")
    first = min(tensors)
    save_file({**tensors, first: tensors[first].float()}, made / "model.safetensors", {"format": "pt"})
    return made


def _shards(folder: Path) -> Path:
    """Two files of weights, the first in float16, the second in float32."""
    made = recast(tiny_bert(folder), torch.float32, None)
    tensors = load_file(made / "model.safetensors")
    (made / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for place, (file, part) in enumerate(parts.items()):
        cast = {name: tensors[name] if place else tensors[name].half() for name in part}
        save_file(cast, made / file, {"format": "pt"})
    index = {"metadata": {"total_size": 1}, "weight_map": {name: file for file in parts for name in parts[file]}}
    (made / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return made


def _pickled(said: str | None) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        made = recast(tiny_bert(folder), torch.float16, said)
        torch.save(load_file(made / "model.safetensors"), made / "pytorch_model.bin")
        (made / "model.safetensors").unlink()
        return made

    return make


def _older(folder: Path) -> Path:
    made = recast(tiny_bert(folder), torch.bfloat16, None)
    config = json.loads((made / "config.json").read_text(encoding="utf-8"))
    (made / "config.json").write_text(json.dumps({**config, "torch_dtype": "bfloat16"}), encoding="utf-8")
    return made


@pytest.mark.parametrize(
    ("make", "dtype"),
    [
        (_says(torch.float32, "bfloat16"), "bfloat16"),
        (_says(torch.bfloat16, "float32"), "float32"),
        (_says(torch.float16, "bfloat16"), "bfloat16"),
        (_says(torch.float32, None), "float32"),
        (_says(torch.bfloat16, None), "bfloat16"),
        (_says(torch.float16, None), "float16"),
        (_mixed, "float32"),
        (_shards, "float16"),
        (_pickled("float32"), "float32"),
        (_pickled(None), "float16"),
        (_older, "bfloat16"),
    ],
)
def test_the_checkpoints_config_decides_and_else_its_first_weight(
    make: Callable[[Path], Path], dtype: str, tmp_path: Path
) -> None:
    """The right column is what mteb 2.26.24 loads these checkpoints in."""
    folder = make(tmp_path)
    network = SentenceTransformer(str(folder), device="cpu")
    model = load(folder)
    assert (str(network.dtype), model.facts["dtype"]) == (f"torch.{dtype}", dtype)
    expected = np.asarray(network.encode(TEXTS), dtype=np.float32)
    # In float32 linear layers go through oneDNN here, and the last digits differ.
    np.testing.assert_allclose(vectors(model), expected, rtol=0, atol=float_bounds.VECTORS if dtype == "float32" else 0)


LOADERS: dict[str, tuple[Callable[[Path], Path], set[Dtype]]] = {
    "sentence_transformer": (tiny_bert, {"float32", "float16", "bfloat16"}),
    "cross_encoder": (tiny_cross_encoder, {"float32", "float16", "bfloat16"}),
    "sparse_encoder": (tiny_splade, {"float32", "float16", "bfloat16"}),
    "multi_vector": (tiny_colbert, {"float32", "float16", "bfloat16"}),
    "model2vec": (tiny_model2vec, {"float32", "float16"}),
}


@pytest.mark.parametrize("loader", LOADERS)
def test_a_format_that_the_config_asks_for(loader: str, tmp_path: Path) -> None:
    make, dtypes = LOADERS[loader]
    row = find_loader(loader)
    assert row is not None
    assert set(row.known_dtypes) == {CHECKPOINT_DTYPE, *dtypes}
    folder = recast(make(tmp_path), torch.float16)
    for dtype in sorted(dtypes):
        assert load(folder, loader, dtype).facts["dtype"] == dtype


def test_a_table_of_token_vectors_is_converted(tmp_path: Path) -> None:
    folder = recast(tiny_static(tmp_path), torch.bfloat16)
    single = load(folder, dtype="float32")
    assert single.facts["dtype"] == "float32"
    assert np.abs(vectors(single) - vectors(load(folder))).max() > 1e-4


def test_code_that_chooses_for_itself_is_refused(tmp_path: Path) -> None:
    folder = tiny_two_stages(tmp_path)
    more: dict[str, Any] = {"parameters": {"context": {}}, "trust_remote_code": True}
    with pytest.raises(ModelError, match=r"dtype is bfloat16, and .* loads its weights as float32 whatever is asked"):
        load(folder, dtype="bfloat16", **more)
    assert load(folder, **more).facts["dtype"] == "float32"


@pytest.mark.parametrize(("backend", "half"), [("onnx", "bfloat16"), ("openvino", "float16")])
def test_a_backend_computes_in_float32_with_the_checkpoints_weights(backend: str, half: str, tmp_path: Path) -> None:
    folder = recast(tiny_bert(tmp_path), HALVES[half])
    model = load(folder, parameters={"backend": backend})
    assert model.facts["dtype"] == "float32"
    assert np.abs(vectors(load(folder)) - vectors(model)).max() > 1e-5, "half precision is another model"
    np.testing.assert_allclose(vectors(model), vectors(load(folder, dtype="float32")), atol=1e-5)


# -- cross-encoders ---------------------------------------------------------------------------------------------------

PAIRS = [(first, second) for first in TEXTS for second in TEXTS]


def _with_a_head(folder: Path) -> Path:
    return tiny_cross_encoder(folder)


def _with_a_dense_module(folder: Path) -> Path:
    base = tiny_bert(folder)
    names = {"module_input_name": "sentence_embedding", "module_output_name": "scores"}
    dense = Dense(32, 1, activation_function=torch.nn.Identity(), **names)
    return _cross_encoder(folder, [Transformer(str(base)), Pooling(32, "cls"), dense])


def _with_logits(folder: Path) -> Path:
    """A causal language model that is asked for two of its tokens."""
    base = qwen(folder)
    torch.manual_seed(0)
    network = Qwen3ForCausalLM(Qwen3Config.from_pretrained(base))
    network.init_weights()
    network.save_pretrained(folder / "causal")
    AutoTokenizer.from_pretrained(base).save_pretrained(folder / "causal")
    transformer = Transformer(str(folder / "causal"), transformer_task="text-generation")
    return _cross_encoder(folder, [transformer, LogitScore(5, 7)])


def _cross_encoder(folder: Path, modules: list[Any]) -> Path:
    CrossEncoder(modules=modules, device="cpu").save_pretrained(str(folder / "scorer"), create_model_card=False)
    return folder / "scorer"


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize(
    ("make", "layer", "rows"),
    [
        (_with_a_head, lambda model: model[0].model.classifier, None),
        (_with_a_dense_module, lambda model: model[2].linear, None),
        (_with_logits, lambda model: model[0].model.lm_head, (5, 7)),
    ],
)
def test_the_last_layer_of_a_cross_encoder_works_in_float32(
    make: Callable[[Path], Path], layer: Callable[[Any], Any], rows: tuple[int, int] | None, half: str, tmp_path: Path
) -> None:
    """The library's own scores are those of the same vectors, rounded in the last layer."""
    folder = recast(make(tmp_path), HALVES[half])
    stock = CrossEncoder(str(folder), device="cpu", activation_fn=torch.nn.Identity())
    seen: list[Any] = []
    last = layer(stock)
    last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].float()))
    rounded = stock.predict(PAIRS[:1])
    weight = last.weight.detach().double()
    bias = 0 if last.bias is None else last.bias.detach().double()
    exact = (seen[0].double() @ weight.T + bias).reshape(-1, len(weight))[-1].numpy()
    wanted = exact[0] if rows is None else exact[rows[0]] - exact[rows[1]]

    model = load(folder, "cross_encoder", parameters={"activation": "identity"})
    assert isinstance(model, CrossEncoderScorer)
    assert model.facts["dtype"] == half
    (found,) = model.score(PAIRS[:1], CONTEXT)
    assert abs(found - wanted) < 1e-7 < abs(rounded[0] - wanted)
