"""Small two-tower models with random weights, in the formats and with the preprocessing of their families."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from tiny_models import tiny_clip
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AlignConfig,
    AlignModel,
    AlignProcessor,
    BertTokenizer,
    BitImageProcessorPil,
    CLIPImageProcessorPil,
    CLIPProcessor,
    Dinov2Config,
    Dinov2Model,
    EfficientNetImageProcessorPil,
    MetaClip2Config,
    MetaClip2Model,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
    SiglipProcessor,
    SiglipTokenizer,
)

WORDS = ["a", "the", "cat", "sat", "on", "mat", "it", "is", "photo", "of", "dog", "red", "green", "blue", "one", "two"]
SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
HALF = [0.5, 0.5, 0.5]


def tiny_siglip(folder: Path) -> Path:
    """google/siglip-*: a sentencepiece tokenizer in small letters of 64 tokens, images scaled without cropping."""
    made = _made(folder)
    tokenizer = SiglipTokenizer(str(_sentencepiece(made)), model_max_length=64, do_lower_case=True)
    return _siglip(made, tokenizer, resample=3)


def tiny_siglip2(folder: Path) -> Path:
    """google/siglip2-*-patch16-256: SigLIP's network with a tokenizer of Gemma's kind, which adds no space in front."""
    made = _made(folder)
    return _siglip(made, _words(["<pad>", "<eos>", "<bos>", "<unk>"], "$A <eos>", model_max_length=64), resample=2)


def _siglip(made: Path, tokenizer: Any, resample: int) -> Path:
    size = {"height": 32, "width": 32}
    images = SiglipImageProcessorPil(size=size, resample=resample, image_mean=HALF, image_std=HALF)
    SiglipProcessor(images, tokenizer).save_pretrained(made)
    text = {"vocab_size": len(tokenizer), "max_position_embeddings": 64, "projection_size": 32, **SHAPE}
    vision = {"image_size": 32, "patch_size": 8, **SHAPE}
    SiglipModel(SiglipConfig(text_config=text, vision_config=vision)).save_pretrained(made)
    return made


def tiny_metaclip2(folder: Path) -> Path:
    """facebook/metaclip-2-*: CLIP's towers with a tokenizer of many languages."""
    made = _made(folder)
    tokenizer = _words(["<pad>", "<eos>", "<unk>", "<bos>"], "$A <eos>", model_max_length=77)
    images = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    CLIPProcessor(images, tokenizer).save_pretrained(made)
    ends = {"eos_token_id": 1, "bos_token_id": 3, "pad_token_id": 0}
    text = {"vocab_size": len(tokenizer), "max_position_embeddings": 77, **SHAPE, **ends}
    config = MetaClip2Config(
        text_config=text, vision_config={"image_size": 32, "patch_size": 8, **SHAPE}, projection_dim=16
    )
    MetaClip2Model(config).save_pretrained(made)
    return made


def tiny_align(folder: Path) -> Path:
    """kakaobrain/align-base: BERT, whose processor keeps 64 tokens, and an EfficientNet."""
    made = _made(folder)
    (made / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]) + "\n")
    tokenizer = BertTokenizer(str(made / "vocab.txt"), model_max_length=512)
    images = EfficientNetImageProcessorPil(size={"height": 40, "width": 40}, crop_size={"height": 32, "width": 32})
    AlignProcessor(images, tokenizer).save_pretrained(made)
    vision = {"image_size": 32, "width_coefficient": 0.2, "depth_coefficient": 0.2, "hidden_dim": 32}
    text = {"vocab_size": len(tokenizer), "max_position_embeddings": 512, **SHAPE}
    AlignModel(AlignConfig(text_config=text, vision_config=vision, projection_dim=64)).save_pretrained(made)
    return made


def tiny_dinov2(folder: Path) -> Path:
    """facebook/dinov2-* and webssl-dino*: images alone, cropped to the middle."""
    made = _made(folder)
    size = {"shortest_edge": 36}
    BitImageProcessorPil(size=size, crop_size={"height": 32, "width": 32}, do_convert_rgb=True).save_pretrained(made)
    Dinov2Model(
        Dinov2Config(image_size=32, patch_size=8, hidden_size=32, num_hidden_layers=2, num_attention_heads=4)
    ).save_pretrained(made)
    return made


FAMILIES: Mapping[str, tuple[Callable[[Path], Path], Mapping[str, str | bool]]] = {
    "CLIP": (tiny_clip, {}),
    "SigLIP": (tiny_siglip, {"padding": "max_length", "drop_alpha": True}),
    "SigLIP 2": (tiny_siglip2, {"padding": "max_length", "drop_alpha": True}),
    "MetaCLIP 2": (tiny_metaclip2, {}),
    "ALIGN": (tiny_align, {}),
}
"""Family → what makes a folder of it, and the loader's parameters."""


def _made(folder: Path) -> Path:
    torch.manual_seed(0)
    made = folder / "model"
    made.mkdir(parents=True)
    return made


def _sentencepiece(folder: Path) -> Path:
    chosen = random.Random(0)
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(" ".join(chosen.choices(WORDS, k=8)) for _ in range(300)))
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(folder / "spiece"), vocab_size=60, hard_vocab_limit=False, pad_id=0,
        eos_id=1, unk_id=2, bos_id=-1, minloglevel=2, num_threads=1,
    )  # fmt: skip
    corpus.unlink()
    return folder / "spiece.model"


def _words(special: list[str], template: str, **settings: int) -> PreTrainedTokenizerFast:
    vocabulary = {token: number for number, token in enumerate([*special, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [(token, vocabulary[token]) for token in special]
    tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=ends)
    names = {"pad_token": "<pad>", "eos_token": "<eos>", "unk_token": "<unk>", "bos_token": "<bos>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names, **settings)
