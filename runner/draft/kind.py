"""Which loader a checkpoint is for, by what its files say."""

from __future__ import annotations

from typing import Any

from embedmark.runner.common.errors import UserError
from embedmark.runner.draft.checkpoint import Checkpoint

LIBRARY_FILE = "config_sentence_transformers.json"

OPEN_CLIP_FILE = "open_clip_config.json"
SETTINGS = {"modules.json", "config.json", OPEN_CLIP_FILE}
"""What a model has one of at least."""

LOADERS = {
    "SentenceTransformer": "sentence_transformer",
    "SparseEncoder": "sparse_encoder",
    "MultiVectorEncoder": "multi_vector",
    "ColBERT": "multi_vector",
    "CrossEncoder": "cross_encoder",
}
"""`model_type` in LIBRARY_FILE → the loader. PyLate writes ColBERT."""

TOWERS = {"align", "metaclip_2", "siglip"}
"""`model_type` in config.json of two towers that sentence-transformers does not load as transformers has them."""

OF_IMAGES_ALONE = {"dinov2", "dinov2_with_registers", "dinov3_vit", "vit"}
"""`model_type` in config.json of networks that take images and no texts."""

TYPES = {
    "sentence_transformer": "dense",
    "two_towers": "dense",
    "open_clip": "dense",
    "model2vec": "dense",
    "sparse_encoder": "sparse",
    "multi_vector": "late-interaction",
    "cross_encoder": "cross-encoder",
}
"""A loader → the model type that the field knows its models as."""


def loader_of(checkpoint: Checkpoint) -> str:
    """Find the loader. Raises UserError for a classifier of texts, which is no model that embeds or ranks."""
    config = checkpoint.settings("config.json")
    if SETTINGS & set(checkpoint.names) == {OPEN_CLIP_FILE}:
        return "open_clip"
    if _is_model2vec(config, checkpoint):
        return "model2vec"
    named = LOADERS.get(checkpoint.settings(LIBRARY_FILE).get("model_type", ""))
    loader = named or _by_modules(module_types(checkpoint)) or _by_architecture(config)
    if loader == "cross_encoder":
        _refuse_classifiers(config, checkpoint)
    return loader


def of_images_alone(checkpoint: Checkpoint) -> bool:
    """Whether it is a bare checkpoint of a network that takes no texts."""
    return "modules.json" not in checkpoint.names and (
        checkpoint.settings("config.json").get("model_type") in OF_IMAGES_ALONE
    )


def module_types(checkpoint: Checkpoint) -> list[str]:
    """The Python types of a sentence-transformers checkpoint's modules, in order; none where it has no modules.json."""
    return [str(module.get("type", "")) for module in modules(checkpoint)]


def modules(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """The entries of modules.json. Raises UserError when it is no list of them."""
    found = checkpoint.json("modules.json") or []
    if not isinstance(found, list) or not all(isinstance(module, dict) for module in found):
        raise UserError(f"{checkpoint.where}: modules.json: expected a list of modules")
    return found


def _is_model2vec(config: dict[str, Any], checkpoint: Checkpoint) -> bool:
    return (
        config.get("model_type") == "model2vec"
        or "StaticModel" in (config.get("architectures") or ())
        or ("embedding_dtype" in config and "model_type" not in config)
        or ("model_type" not in config and checkpoint.card().get("library_name") == "model2vec")
    )


def _by_modules(types: list[str]) -> str | None:
    if any("sparse_encoder" in name for name in types):
        return "sparse_encoder"
    if any("multi_vector" in name or name.startswith("pylate.") for name in types):
        return "multi_vector"
    return "sentence_transformer" if types else None


def _by_architecture(config: dict[str, Any]) -> str:
    architectures = config.get("architectures") or []
    if config.get("model_type") in TOWERS:
        return "two_towers"
    if any("ColBERT" in name for name in architectures):
        return "multi_vector"
    if any(name.endswith("ForSequenceClassification") for name in architectures):
        return "cross_encoder"
    return "sentence_transformer"


def _refuse_classifiers(config: dict[str, Any], checkpoint: Checkpoint) -> None:
    labels = config.get("num_labels") or len(config.get("id2label") or ()) or None
    if labels is not None and labels > 1:
        raise UserError(
            f"{checkpoint.where}: config.json has {labels} labels, so it sorts texts into classes; a cross-encoder "
            "that ranks has one"
        )
