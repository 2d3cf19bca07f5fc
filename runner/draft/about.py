"""What is known of a model besides what decides its scores, out of its checkpoint's files and its card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from embedmark.runner.draft.checkpoint import Checkpoint, Tensor
from embedmark.runner.draft.kind import LIBRARY_FILE, OPEN_CLIP_FILE, TYPES, module_types, of_images_alone
from embedmark.runner.draft.languages import configured
from embedmark.runner.draft.page import Line
from embedmark.runner.draft.settings import (
    LIBRARY,
    PYLATE,
    base_settings,
    library_files,
    max_tokens,
    module_settings,
    saved_prompts,
)

MIB = 2**20
UNDATED = date(2022, 3, 2)
"""When the hub began to note when repositories were made; older ones have this day too."""

TOKEN_TABLES = (
    *("word_embeddings.weight", "embed_tokens.weight", "tok_embeddings.weight", "wte.weight", "shared.weight"),
    *("token_embedding.weight", "embedding.weight", "embeddings"),
)
"""How the table of token vectors is called at the end of its tensor's name, by the architectures that models use."""

NOT_COUNTED = ("position_ids", "attn.bias", "attn.masked_bias")
"""Buffers that stand among the weights and are no parameters."""


def about(checkpoint: Checkpoint, loader: str) -> list[Line]:
    """The lines of `about`; the last names what the files do not say."""
    card = checkpoint.card()
    tensors = checkpoint.tensors()
    lines = [
        Line("reference", f"https://huggingface.co/{checkpoint.hub}" if checkpoint.hub else None),
        Line("license", license_of(card)),
        Line("release_date", _released(checkpoint)),
        _languages(card),
        Line("modalities", modalities(checkpoint)),
        Line("n_parameters", _counted(tensors)),
        Line("n_embedding_parameters", token_table(tensors, base_settings(checkpoint))),
        Line("memory_usage_mb", _mebibytes(tensors)),
        Line("embed_dim", embed_dim(checkpoint, loader, tensors)),
        Line("max_tokens", max_tokens(checkpoint)),
        Line("framework", framework(checkpoint, loader)),
        Line("model_type", [TYPES[loader]]),
        Line("open_weights", True if checkpoint.hub else None),
        Line("use_instructions", any(saved_prompts(checkpoint).values()) or None),
        Line("is_cross_encoder", True if loader == "cross_encoder" else None),
        Line("adapted_from", _base_model(card)),
    ]
    known = [line for line in lines if line.value is not None]
    missing = [line.key for line in lines if line.value is None and line.key != "is_cross_encoder"]
    return [*known, _training(card), *_unknown(missing, tensors)]


def _unknown(missing: Sequence[str], tensors: Sequence[Tensor] | None) -> Iterator[Line]:
    if tensors is None:
        yield Line(note="Its weights do not say their shapes unless they are loaded: no safetensors, or no network.")
    never = ("public_training_code", "public_training_data", "superseded_by")
    yield Line(note=f"Not said by its files: {', '.join([*missing, *never])}.")


def _released(checkpoint: Checkpoint) -> str | None:
    made = checkpoint.created
    return made.isoformat() if made is not None and made > UNDATED else None


def modalities(checkpoint: Checkpoint) -> list[str]:
    """What the model takes: texts, images or more."""
    if of_images_alone(checkpoint):
        return ["image"]
    said = {
        name for file in library_files(checkpoint) for name in checkpoint.settings(file).get("modality_config") or ()
    }
    towers = "vision_config" in base_settings(checkpoint) or OPEN_CLIP_FILE in checkpoint.names
    if towers or any("CLIP" in name for name in module_types(checkpoint)):
        said |= {"image"}
    return ["text", *(name for name in ("image", "audio", "video") if name in said)]


def license_of(card: Mapping[str, Any]) -> str | None:
    """The licence of a card; one that the hub has no name for by its own name, or by its address."""
    found = card.get("license")
    if found == "other":
        found = card.get("license_name") or card.get("license_link")
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return found if isinstance(found, str) else None


def _languages(card: Mapping[str, Any]) -> Line:
    codes = card.get("language") or []
    # YAML reads the code of Norwegian as a boolean.
    given = ["no" if code is False else str(code) for code in (codes if isinstance(codes, list) else [codes])]
    known, unknown = configured(given)
    return Line("languages", known or None, f"the card also says {', '.join(unknown)}" if unknown and known else "")


def _counted(tensors: Sequence[Tensor] | None) -> int | None:
    return sum(tensor.size for tensor in tensors if not tensor.name.endswith(NOT_COUNTED)) if tensors else None


def _mebibytes(tensors: Sequence[Tensor] | None) -> float | None:
    if not tensors:
        return None
    size = sum(tensor.n_bytes for tensor in tensors) / MIB
    return round(size) if size >= 1 else round(size, 3)


def token_table(tensors: Sequence[Tensor] | None, config: Mapping[str, Any]) -> int | None:
    """The parameters of the table of token vectors: its tensor's, or the size that config.json gives it."""
    for ending in TOKEN_TABLES:
        for tensor in tensors or ():
            if tensor.name.endswith(ending) and len(tensor.shape) == 2:
                return tensor.size
    config = config.get("text_config") or config
    words, width = config.get("vocab_size"), config.get("hidden_size") or config.get("d_model")
    return words * width if isinstance(words, int) and isinstance(width, int) else None


def embed_dim(checkpoint: Checkpoint, loader: str, tensors: Sequence[Tensor] | None) -> int | None:
    """Dimensions of a vector, after the last module that changes them; None for models that give scores."""
    config = base_settings(checkpoint)
    shared = _shared_width(checkpoint, config)
    config = config.get("text_config") or config
    if loader in {"cross_encoder", "sparse_encoder"}:
        return config.get("vocab_size") if loader == "sparse_encoder" else None
    width: int | None = shared or config.get("hidden_size") or config.get("d_model") or config.get("dim")
    if width is None and tensors:
        width = max((tensor for tensor in tensors), key=lambda tensor: tensor.size).shape[-1]
    for kind, module in module_settings(checkpoint):
        if kind == "Pooling":
            width = module.get("embedding_dimension") or module.get("word_embedding_dimension") or width
        elif kind == "Dense":
            width = module.get("out_features") or width
    return width


def _shared_width(checkpoint: Checkpoint, config: Mapping[str, Any]) -> int | None:
    """Dimensions of the space that two towers share, None where the files do not say."""
    towers = checkpoint.settings(OPEN_CLIP_FILE).get("model_cfg") or {}
    texts = config.get("text_config") or {}
    said: list[int | None] = [towers.get("embed_dim"), texts.get("projection_size")]
    said += [config.get("projection_dim")] if "vision_config" in config else []
    return next(filter(None, said), None)


def framework(checkpoint: Checkpoint, loader: str) -> list[str]:
    """What the checkpoint can be loaded with, and the formats its weights are in."""
    types = module_types(checkpoint)
    folders = {name.partition("/")[0] for name in checkpoint.names if "/" in name}
    has = {
        "NumPy": loader == "model2vec",
        "Sentence Transformers": any(name.startswith(LIBRARY) for name in types) or LIBRARY_FILE in checkpoint.names,
        "PyLate": any(name.startswith(PYLATE) for name in types),
        "PyTorch": loader != "model2vec",
        "Transformers": "model_type" in base_settings(checkpoint),
        "ONNX": "onnx" in folders or any(name.endswith(".onnx") for name in checkpoint.names),
        "OpenVINO": "openvino" in folders,
        "GGUF": any(name.endswith(".gguf") for name in checkpoint.names),
        "safetensors": any(name.endswith(".safetensors") for name in checkpoint.names),
    }
    return [name for name, present in has.items() if present]


def _base_model(card: Mapping[str, Any]) -> str | None:
    found = card.get("base_model")
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return found if isinstance(found, str) else None


def _training(card: Mapping[str, Any]) -> Line:
    named = card.get("datasets") or []
    names = [str(name) for name in (named if isinstance(named, list) else [named])]
    said = f"; the card names {', '.join(names)}" if names else ""
    return Line("training_datasets", None, f"tasks whose data it was trained on: null is unknown, [] none{said}")
