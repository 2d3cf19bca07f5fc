"""Facts about a model → its config file, for models that sentence-transformers loads as they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from tools.catalogue.tasks import Facts, choice_of

LOADERS = {
    "SentenceTransformerEncoderWrapper",
    "sentence_transformers_loader",
    "Model2VecModel",
    "NomicWrapper",
    "JinaWrapper",
    "CDEWrapper",
}
OF_IMAGES = {"CLIPModel"}
"""Loaders of models of images and texts."""
SAMPLE_PROMPT = "search_document: "
"""What the reference's wrapper of CDE puts before the texts of the sample that the first stage reads."""
LAYER_NORMED = {"nomic-ai/nomic-embed-text-v1.5"}
"""Models whose vectors go through a layer norm and are then scaled to length 1, by the reference's own loader."""
ADAPTERS = {
    "retrieval.query": "Represent the query for retrieving evidence documents: ",
    "retrieval.passage": "Represent the document for retrieval: ",
}
"""What the reference puts before texts for some adapters of jina-embeddings-v3."""
ALIASES = {"e5": "e5_base_v2", "bge": "bge_base_en_v1_5", "all_minilm_l6_v2": "minilm", "bm25": "baseline_bm25s"}
SIMILARITIES = {"MaxSim": "max_sim"}
"""A similarity as the facts call it → as configs do, where the two differ."""
_KWARGS = {"trust_remote_code": "trust_remote_code", "max_seq_length": "max_tokens"}
_IGNORED = {"device"}
_SIDELESS = ("BitextMining", "Regression", "ZeroShotClassification")
DTYPE_KEYS = {"dtype", "torch_dtype"}
"""What a loader's arguments call the number format that weights are loaded in."""
_ABOUT_KEYS = (
    "reference",
    "license",
    "release_date",
    "languages",
    "n_parameters",
    "n_embedding_parameters",
    "memory_usage_mb",
    "embed_dim",
    "max_tokens",
    "framework",
    "model_type",
    "open_weights",
    "use_instructions",
    "public_training_code",
    "public_training_data",
    "training_datasets",
    "adapted_from",
    "superseded_by",
)


def expressible(facts: Facts) -> bool:
    """Whether our model schema can say all that decides this model's vectors."""
    kwargs = _kwargs(facts)
    model = kwargs.pop("model_kwargs", None) or {}
    return (
        ((facts["modalities"] == ["text"] and facts.get("loader") in LOADERS) or facts.get("loader") in OF_IMAGES)
        and facts["revision"] is not None
        and facts["model_type"] in (["dense"], ["router"])
        and facts.get("similarity_fn_name") in (None, "cosine", "dot")
        and model.keys() <= DTYPE_KEYS
        and kwargs.keys() <= {"model_prompts", *_KWARGS}
        and all(isinstance(prompt, str) for prompt in (kwargs.get("model_prompts") or {}).values())
    )


def choices(names: Iterable[str]) -> dict[str, str]:
    """Model name → its file's name, without `.yaml`: the model's own, its owner's before it where two share one."""
    short = {name: choice_of(name.rpartition("/")[2]) for name in names}
    shared = Counter(short.values())
    return {name: own if shared[own] == 1 and own not in ALIASES else choice_of(name) for name, own in short.items()}


def config(facts: Facts) -> dict[str, Any]:
    """The config of a model."""
    kwargs = _kwargs(facts)
    layer_normed = facts["name"] in LAYER_NORMED or None
    return whole(
        facts,
        {
            **{ours: kwargs[key] for key, ours in _KWARGS.items() if key in kwargs},
            **_prompts_and_parameters(facts, kwargs.get("model_prompts") or {}),
            "layer_norm": layer_normed,
            "normalize": layer_normed,
            "dtype": dtype(kwargs.get("model_kwargs") or {}),
        },
    )


def whole(facts: Facts, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A config out of what all models have and the settings of this one."""
    values = {
        "name": facts["name"],
        "loader": "sentence_transformer",
        "revision": facts["revision"],
        **settings,
        "similarity": SIMILARITIES.get(facts.get("similarity_fn_name", ""), facts.get("similarity_fn_name")),
    }
    values["dtype"] = values.pop("dtype", None)
    values["about"] = _about(facts)
    return {key: value for key, value in values.items() if value not in (None, [], {})}


def _prompts_and_parameters(facts: Facts, given: Mapping[str, str]) -> dict[str, Any]:
    if facts["loader"] == "CDEWrapper":
        return {"prompts": _prompts(facts, given), "parameters": {"context": {"prompt": SAMPLE_PROMPT}}}
    if facts["loader"] != "JinaWrapper":
        return {"prompts": _prompts(facts, given)}
    return {
        "prompts": {key: ADAPTERS[adapter] for key, adapter in given.items() if adapter in ADAPTERS},
        "parameters": {"encode": {key: {"task": adapter} for key, adapter in given.items()}},
    }


def _kwargs(facts: Facts) -> dict[str, Any]:
    """What the loader is told, without what changes no vector."""
    kwargs = {key: value for key, value in (facts.get("loader_kwargs") or {}).items() if key not in _IGNORED}
    processor = kwargs.get("processor_kwargs") or {}
    if processor.keys() == {"model_max_length"}:
        del kwargs["processor_kwargs"]
        kwargs["max_seq_length"] = processor["model_max_length"]
    return kwargs


def _prompts(facts: Facts, given: Mapping[str, str]) -> dict[str, str]:
    """The prompts of the two sides first, the others in their order.

    The reference ignores the key `passage`, which is no side; Nomic's loader treats texts of no side as documents.
    """
    prompts = {side: given[side] for side in ("query", "document") if side in given}
    prompts |= {key: text for key, text in given.items() if key != "passage"}
    if facts["loader"] == "NomicWrapper":
        prompts |= {kind: prompts["document"] for kind in _SIDELESS if kind not in prompts}
    return prompts


def dtype(model_kwargs: Mapping[str, Any]) -> str | None:
    """The number format that the arguments of a model's loader ask for, None where it is the checkpoint's own."""
    wanted: str | None = next((model_kwargs[key] for key in DTYPE_KEYS if key in model_kwargs), None)
    return None if wanted == "auto" else wanted


def _about(facts: Facts) -> dict[str, Any]:
    values = {key: _whole(facts.get(key)) for key in _ABOUT_KEYS}
    values["is_cross_encoder"] = facts.get("is_cross_encoder") or None
    values["experiment"] = experiment(facts["name"])
    kept = {key: value for key, value in values.items() if _says_something(key, value)}
    if (modalities := facts.get("modalities", ["text"])) != ["text"]:
        kept["modalities"] = modalities
    return kept


def _says_something(key: str, value: Any) -> bool:
    """Whether a value is a statement: no training data is one, no languages or no licence is not."""
    return value == [] if key == "training_datasets" and not value else value not in (None, "", [], {})


def experiment(name: str) -> dict[str, Any]:
    """What a name says in brackets, as the reference writes down what tells two entries of the same weights apart."""
    said = re.search(r" \((\w+=[^()]+)\)$", name)
    pairs = (part.split("=", 1) for part in (said[1].split(", ") if said else ()))
    return {key: yaml.safe_load(value) for key, value in pairs}


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
