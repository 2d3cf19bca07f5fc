"""Small checkpoints with random weights, of the architectures that published models are built on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tiny_models import LETTERS, tiny_bert, tiny_colbert
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    ModernBertConfig,
    ModernBertModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3Model,
    XLMRobertaConfig,
    XLMRobertaModel,
    XLMRobertaTokenizer,
)

SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
END = "<|endoftext|>"


def modernbert(folder: Path) -> Path:
    """ModernBERT: rotary positions, layers of local and of global attention, the first token pooled."""
    tokens = {token: number for number, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS])}
    ends = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer = _letters(tokens, "[UNK]", ends)
    names = {f"{name.lower()}_token": f"[{name}]" for name in ("PAD", "UNK", "CLS", "SEP", "MASK")}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **names)
    ids = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
    config = ModernBertConfig(
        vocab_size=len(tokens),
        max_position_embeddings=64,
        local_attention=8,
        global_attn_every_n_layers=2,
        **SHAPE,
        **ids,
    )
    return _saved(folder, ModernBertModel(config), fast, [Pooling(32, "cls")])


def xlm_roberta(folder: Path) -> Path:
    """XLM-RoBERTa: a unigram tokenizer of 250,000 pieces in the large, positions that count from the padding id."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *LETTERS, *(f"▁{letter}" for letter in LETTERS), "<mask>"]
    tokenizer = XLMRobertaTokenizer(vocab=[(piece, -float(n)) for n, piece in enumerate(pieces)], model_max_length=64)
    config = XLMRobertaConfig(
        vocab_size=len(pieces), max_position_embeddings=66, type_vocab_size=1, pad_token_id=1, **SHAPE
    )
    return _saved(folder, XLMRobertaModel(config), tokenizer, [Pooling(32, "mean"), Normalize()])


def qwen(folder: Path) -> Path:
    """A decoder as Qwen3-Embedding: causal attention, padded on the left, the last token pooled, one at every end."""
    tokens = {token: number for number, token in enumerate([END, "[UNK]", *LETTERS])}
    ends = processors.TemplateProcessing(f"$A {END}", special_tokens=[(END, 0)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=_letters(tokens, "[UNK]", ends),
        model_max_length=64,
        padding_side="left",
        pad_token=END,
        eos_token=END,
        unk_token="[UNK]",
        model_input_names=["input_ids", "attention_mask"],
    )
    config = Qwen3Config(
        vocab_size=len(tokens), max_position_embeddings=64, num_key_value_heads=2, head_dim=8, pad_token_id=0, **SHAPE
    )
    return _saved(folder, Qwen3Model(config), fast, [Pooling(32, "lasttoken"), Normalize()])


def gpt_like(folder: Path) -> Path:
    """The same decoder without the library's own files: a bare checkpoint of a causal language model."""
    made = qwen(folder)
    for name in ("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"):
        (made / name).unlink()
    config = json.loads((made / "config.json").read_text(encoding="utf-8"))
    (made / "config.json").write_text(json.dumps({**config, "architectures": ["Qwen3ForCausalLM"]}), encoding="utf-8")
    return made


ARCHITECTURES = {
    "BERT": tiny_bert,
    "ModernBERT": modernbert,
    "XLM-RoBERTa": xlm_roberta,
    "a decoder, the last token pooled, padded left": qwen,
    "a bare causal language model": gpt_like,
}


def pylate_colbert(folder: Path) -> Path:
    """A late-interaction model as PyLate saved them: what marks the sides stands apart from the prompts."""
    made = tiny_colbert(folder)
    modules = json.loads((made / "modules.json").read_text(encoding="utf-8"))[:2]
    modules[1]["type"] = "pylate.models.Dense.Dense"
    (made / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    marks = {"query_prefix": "q: ", "document_prefix": "d: ", "query_length": 12, "document_length": 40}
    settings = {"model_type": "ColBERT", "attend_to_expansion_tokens": False, **marks}
    (made / "config_sentence_transformers.json").write_text(json.dumps(settings), encoding="utf-8")
    return made


def stanford_colbert(folder: Path) -> Path:
    """The same as Stanford's ColBERT saved it: one file of weights, settings in artifact.metadata."""
    made = tiny_colbert(folder)
    weights = {f"bert.{name}": tensor for name, tensor in load_file(made / "model.safetensors").items()}
    dense = load_file(made / "1_Dense" / "model.safetensors")
    save_file({**weights, "linear.weight": dense["linear.weight"]}, made / "model.safetensors", {"format": "pt"})
    for name in ("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"):
        (made / name).unlink()
    config = json.loads((made / "config.json").read_text(encoding="utf-8"))
    (made / "config.json").write_text(json.dumps({**config, "architectures": ["HF_ColBERT"]}), encoding="utf-8")
    metadata = {"query_token_id": "x", "doc_token_id": "y", "query_maxlen": 12, "doc_maxlen": 20}
    (made / "artifact.metadata").write_text(json.dumps(metadata), encoding="utf-8")
    return made


def _letters(tokens: dict[str, int], unknown: str, ends: Any) -> Tokenizer:
    """A tokenizer of one token a letter."""
    tokenizer = Tokenizer(models.WordLevel(tokens, unk_token=unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split("", "isolated")]
    )
    tokenizer.post_processor = ends
    return tokenizer


def _saved(folder: Path, network: Any, tokenizer: Any, modules: list[Any]) -> Path:
    torch.manual_seed(0)
    network.init_weights()
    network.save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    model = SentenceTransformer(modules=[Transformer(str(folder / "base")), *modules], device="cpu")
    model.save(str(folder / "model"), create_model_card=False)
    return folder / "model"
