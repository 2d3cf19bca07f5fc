"""Small models with random weights, made on the fly in the true formats: seconds to build, nothing to download."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from model2vec import StaticModel
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
)

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
