"""Facts about a model that the reference loads with a loader of its own → the part of its config that says the same.

Models that search or score pairs are here, and those of single vectors whose loader does more than pass arguments on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from tools.catalogue.models import DTYPE_KEYS, dtype
from tools.catalogue.tasks import Facts

Settings = dict[str, Any]

SYMMETRIC = (
    *("BitextMining", "Classification", "Clustering", "MultilabelClassification", "PairClassification"),
    *("Regression", "STS", "Summarization", "ZeroShotClassification"),
)
"""Types of tasks whose texts have no side, but for the pairs of some tasks."""

PLACE = "{text}"


def settings(facts: Facts) -> Settings | None:
    """Everything between a model's name and what is told about it, None where our schema cannot say it."""
    if facts["revision"] is None:
        return None
    if (of_images := _OF_IMAGES.get(facts.get("loader") or "")) is not None:
        return {**of_images}
    make = _MAKERS.get(facts.get("loader") or "")
    if make is None or facts["modalities"] != ["text"]:
        return None
    return make(facts, dict(facts.get("loader_kwargs") or {}))


_OF_IMAGES: Mapping[str, Settings] = {
    "ALIGNModel": {"loader": "two_towers"},
    "DINOModel": {"parameters": {"pooling": "cls"}},
    "MetaClip2Model": {"loader": "two_towers"},
    "openclip_loader": {"loader": "open_clip"},
    "SiglipModelWrapper": {"loader": "two_towers", "parameters": {"padding": "max_length", "drop_alpha": True}},
}
"""Loaders of models of images, with texts or without, that are given nothing besides the weights."""


def _cross_encoder(_: Facts, kwargs: Mapping[str, Any]) -> Settings | None:
    # The only activation that the facts hold a function for is the identity (mixedbread's).
    activation = "identity" if "activation_fn" in kwargs else None
    return _loaded("cross_encoder", kwargs, {"activation_fn"}, activation=activation)


def _sparse(_: Facts, kwargs: Mapping[str, Any]) -> Settings | None:
    return _loaded("sparse_encoder", kwargs)


def _late_interaction(_: Facts, kwargs: Mapping[str, Any]) -> Settings | None:
    """How the reference indexes documents is left out: here they are all compared."""
    return _loaded("multi_vector", kwargs, {"index_kwargs"})


def _bge_reranker(*_: object) -> Settings:
    """FlagEmbedding's reranker: half precision, pairs of 512 tokens at most."""
    return {"loader": "cross_encoder", "max_tokens": 512, "dtype": "float16"}


def _jina_reranker(*_: object) -> Settings:
    return {"loader": "cross_encoder", "trust_remote_code": True}


def _uae(_: Facts, kwargs: Mapping[str, Any]) -> Settings:
    """Prompts that end before the text. The one for summaries goes on behind it, and is left out."""
    given: Mapping[str, str] = kwargs["model_prompts"]
    return {"prompts": {key: text.removesuffix(PLACE) for key, text in given.items() if text.endswith(PLACE)}}


def _bekko(_: Facts, kwargs: Mapping[str, Any]) -> Settings | None:
    return _loaded(None, kwargs, normalize=True)


def _voyage_nano(_: Facts, kwargs: Mapping[str, Any]) -> Settings | None:
    """On the hub under its maker's older name."""
    return _loaded(None, kwargs, source={"hub": "voyageai/voyage-4-nano"})


def _jina_v5(_: Facts, kwargs: Mapping[str, Any]) -> Settings:
    """An adapter a type of task, that of retrieval for all others; all but queries are documents."""
    adapters: Mapping[str, str] = kwargs["model_prompts"]
    default = {key: "retrieval" for key in (*SYMMETRIC, "query", "document") if key not in adapters}
    return {
        "trust_remote_code": kwargs["trust_remote_code"],
        "prompts": {
            "query": "Query: ",
            "document": "Document: ",
            **dict.fromkeys(SYMMETRIC, "Document: "),
            "PairClassification-query": "Query: ",
        },
        "parameters": {"encode": {key: {"task": adapter} for key, adapter in {**adapters, **default}.items()}},
    }


_MAKERS: dict[str, Callable[[Facts, dict[str, Any]], Settings | None]] = {
    "CrossEncoderWrapper": _cross_encoder,
    "SparseEncoderWrapper": _sparse,
    "MultiVectorModel": _late_interaction,
    "MultiVectorWrapper": _late_interaction,
    "BGEReranker": _bge_reranker,
    "JinaReranker": _jina_reranker,
    "UAEWrapper": _uae,
    "BekkoEncoderWrapper": _bekko,
    "voyage_4_nano_loader": _voyage_nano,
    "JinaV5TextWrapper": _jina_v5,
}


def _loaded(
    loader: str | None,
    kwargs: Mapping[str, Any],
    ignored: Collection[str] = (),
    *,
    activation: str | None = None,
    **more: Any,
) -> Settings | None:
    """Settings out of the arguments that all loaders over sentence-transformers take, None when there are others."""
    model = kwargs.get("model_kwargs") or {}
    known = {"trust_remote_code", "max_length", "model_kwargs", *ignored}
    if not (kwargs.keys() <= known and model.keys() <= DTYPE_KEYS | {"attn_implementation"}):
        return None
    parameters = {"attention": model.get("attn_implementation"), "activation": activation}
    return {
        **({"loader": loader} if loader else {}),
        **more,
        "trust_remote_code": kwargs.get("trust_remote_code"),
        "max_tokens": kwargs.get("max_length"),
        "dtype": dtype(model),
        "parameters": {key: value for key, value in parameters.items() if value is not None},
    }
