"""Small models with random weights, made on the fly in the true formats: seconds to build, nothing to download."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from model2vec import StaticModel
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder, MultiVectorEncoder, SentenceTransformer, SparseEncoder
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding
from sentence_transformers.sparse_encoder.modules import MLMTransformer, SpladePooling
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    BertTokenizerFast,
    CLIPConfig,
    CLIPModel,
    CLIPProcessor,
    CLIPTokenizer,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789:.,?!-'"


def tiny_bert(
    folder: Path,
    *,
    pooling: str = "mean",
    include_prompt: bool = True,
    prompts: Mapping[str, str] | None = None,
    default_prompt_name: str | None = None,
    dense: bool = False,
    normalize: bool = False,
    padding_side: str = "right",
    max_positions: int = 64,
) -> Path:
    """A BERT of 2 layers and 32 dimensions that reads letters, saved as a sentence-transformers checkpoint."""
    base = _bert(folder / "base", BertModel, padding_side, max_positions)
    modules: list[Any] = [Transformer(str(base)), Pooling(32, pooling, include_prompt=include_prompt)]
    if dense:
        modules.append(Dense(32, 16, activation_function=torch.nn.Tanh()))
    if normalize:
        modules.append(Normalize())
    model = SentenceTransformer(
        modules=modules, device="cpu", prompts=dict(prompts or {}), default_prompt_name=default_prompt_name
    )
    saved = folder / "model"
    model.save(str(saved), create_model_card=False)
    return saved


def _bert(folder: Path, kind: Any, padding_side: str = "right", max_positions: int = 64, **config: Any) -> Path:
    """A transformers checkpoint of that kind of BERT, with its tokenizer."""
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    vocabulary_file = str(folder / "vocab.txt")
    BertTokenizerFast(vocabulary_file, padding_side=padding_side, model_max_length=max_positions).save_pretrained(
        folder
    )
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    made = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=max_positions, **shape, **config)
    kind(made).save_pretrained(folder)
    return folder


TWO_STAGES = """
import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer


class TwoStages(nn.Module):
    def __init__(self, model_name_or_path, model_args=None, tokenizer_args=None, config_args=None, **others):
        super().__init__()
        self.tokenizer = AutoTokenizer.from_pretrained(model_name_or_path)
        self.bert = AutoModel.from_pretrained(model_name_or_path)

    @classmethod
    def load(cls, input_path):
        return cls(input_path)

    def tokenize(self, texts):
        return self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")

    def forward(self, features, dataset_embeddings=None):
        mask = features["attention_mask"].unsqueeze(-1)
        tokens = self.bert(features["input_ids"], features["attention_mask"]).last_hidden_state
        vectors = (tokens * mask).sum(1) / mask.sum(1)
        if dataset_embeddings is not None:
            places = torch.arange(1, len(dataset_embeddings) + 1, dtype=vectors.dtype)
            vectors = vectors + torch.softmax(vectors @ dataset_embeddings.T * places, dim=1) @ dataset_embeddings
        return {**features, "sentence_embedding": vectors}
"""
"""A first module as CDE's checkpoints bring one. Its second stage attends to the sample, whose order it heeds."""


def tiny_two_stages(folder: Path, size: int = 6) -> Path:
    """A model in two stages whose code is in its folder, and whose first stage reads `size` texts."""
    made = _bert(folder / "model", BertModel)
    config = json.loads((made / "config.json").read_text(encoding="utf-8"))
    module = {"idx": 0, "name": "0", "path": "", "type": "two_stages.TwoStages", "kwargs": ["dataset_embeddings"]}
    (made / "config.json").write_text(json.dumps({**config, "transductive_corpus_size": size}), encoding="utf-8")
    (made / "modules.json").write_text(json.dumps([module]), encoding="utf-8")
    (made / "two_stages.py").write_text(TWO_STAGES, encoding="utf-8")
    return made


def tiny_clip(folder: Path, positions: int = 32, side: int = 32) -> Path:
    """A CLIP of 2 layers and 16 dimensions that reads letters and cuts images of `side` pixels into 16 patches."""
    torch.manual_seed(0)
    made = folder / "model"
    made.mkdir(parents=True)
    tokens = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    (made / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (made / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(
        str(made / "vocab.json"), str(made / "merges.txt"), model_max_length=positions, pad_token="<|endoftext|>"
    )
    size = {"height": side, "width": side}
    CLIPProcessor(CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size=size), tokenizer).save_pretrained(made)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    ends = {"bos_token_id": len(tokens) - 2, "eos_token_id": len(tokens) - 1, "pad_token_id": len(tokens) - 1}
    config = CLIPConfig(
        text_config={"vocab_size": len(tokens), "max_position_embeddings": positions, **shape, **ends},
        vision_config={"image_size": side, "patch_size": side // 4, **shape},
        projection_dim=16,
    )
    CLIPModel(config).save_pretrained(made)
    return made


def tiny_cross_encoder(folder: Path, num_labels: int = 1) -> Path:
    """A BERT that scores pairs, saved as a cross-encoder."""
    model = CrossEncoder(
        str(_bert(folder / "base", BertForSequenceClassification, num_labels=num_labels)), device="cpu"
    )
    model.save_pretrained(str(folder / "model"), create_model_card=False)
    return folder / "model"


def tiny_splade(folder: Path) -> Path:
    """A SPLADE model: a masked language model and its max pooling over tokens."""
    base = _bert(folder / "base", BertForMaskedLM)
    model = SparseEncoder(modules=[MLMTransformer(str(base)), SpladePooling("max")], device="cpu")
    model.save_pretrained(str(folder / "model"), create_model_card=False)
    return folder / "model"


def tiny_colbert(folder: Path) -> Path:
    """A late-interaction model with one vector of length 1 a token."""
    model = MultiVectorEncoder(str(_bert(folder / "base", BertModel)), device="cpu")
    model.save_pretrained(str(folder / "model"), create_model_card=False)
    return folder / "model"


def tiny_model2vec(folder: Path) -> Path:
    """A static model in model2vec's own format."""
    vocabulary = {token: number for number, token in enumerate(["[UNK]", *LETTERS, "the", "word", "query"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    vectors = np.random.default_rng(0).normal(size=(len(vocabulary), 8)).astype(np.float32)
    StaticModel(vectors, tokenizer, normalize=True).save_pretrained(folder)
    return folder


def tiny_static(folder: Path, dim: int = 8) -> Path:
    """A table of random vectors for some words and letters, in the format of sentence-transformers."""
    torch.manual_seed(0)
    vocabulary = {token: number for number, token in enumerate(["[UNK]", *LETTERS, "the", "word", "query"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=dim)], device="cpu")
    model.save(str(folder), create_model_card=False)
    return folder


def recast(folder: Path, weights: torch.dtype, said: str | None = "the same") -> Path:
    """A checkpoint with its weights in another number format.

    said: what its config.json says of them; None for nothing.
    """
    for path in sorted(folder.rglob("*.safetensors")):
        tensors = {name: t.to(weights) if t.is_floating_point() else t for name, t in load_file(path).items()}
        save_file(tensors, path, {"format": "pt"})
    path = folder / "config.json"
    if path.is_file():
        config = json.loads(path.read_text(encoding="utf-8"))
        for part in (config, config.get("text_config", {}), config.get("vision_config", {})):
            part.pop("torch_dtype", None)
            part.pop("dtype", None)
        if said is not None:
            config["dtype"] = str(weights).removeprefix("torch.") if said == "the same" else said
        path.write_text(json.dumps(config), encoding="utf-8")
    return folder
