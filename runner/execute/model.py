"""A model made ready for a run: weights on disk, encoder loaded, store opened."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast, get_args

from models.base import Encoder, Model, ModelError, ModelSpec, Outline, PromptedEncoder, Searcher
from models.instructions import Instructions
from models.postprocess import Postprocess
from models.reranker import Reranker
from runner.config.identity import canonical, encoder_identity, known_loader
from runner.config.schema import Execution, FolderModel, InstructionsConfig, ModelConfig
from runner.encode.searcher import EncoderSearcher
from runner.encode.store import DiskStore, MemoryStore, Store, VerifiedStore, folder_of
from runner.encode.weights import Weights, fetch, refuse_others, verify
from runner.errors import UserError, nearest
from runner.results.record import ModelFacts
from tasks.base import SimilarityName

GIB = 2**30


@dataclass(frozen=True)
class OpenModel:
    """A model that is ready, and where its vectors are kept. It has either an encoder or a searcher."""

    config: ModelConfig
    encoder: Encoder | None
    searcher: Searcher | None
    store: Store
    facts: ModelFacts
    checks: tuple[Callable[[], None], ...] = ()

    def verify(self) -> None:
        """Raises ModelError when weights, its own or its members', are no longer those that were planned with."""
        for check in self.checks:
            check()

    @property
    def kind(self) -> str:
        """What a task has to accept."""
        if self.encoder is not None:
            return "encoder"
        return "scorer" if isinstance(self.searcher, Reranker) else "searcher"

    @property
    def running(self) -> Mapping[str, Any]:
        """What decides the last digits of what the model gives."""
        model = self.encoder or self.searcher
        assert model is not None
        return model.facts

    @property
    def postprocess(self) -> Postprocess:
        """What is done to stored vectors before they are scored."""
        config = self.config
        return Postprocess(
            config.truncate_dim, config.normalize, config.layer_norm, config.quantize, config.quantize_clip
        )

    @property
    def similarity(self) -> SimilarityName:
        """How two of its vectors are compared."""
        assert self.encoder is not None
        return self.config.vector_similarity or self.encoder.similarity


class LastModel:
    """Keeps the model that was opened last, for a run after it that needs the same weights, as points of a sweep do.

    Configs share a model where their encoders are the same and run the same way: what is done to vectors may differ,
    and prompts, instructions and similarity where the encoder can be given others.
    """

    def __init__(self) -> None:
        self._key = ""
        self._model: OpenModel | None = None

    def open(self, config: ModelConfig, identity: Mapping[str, Any], execution: Execution, outputs: Path) -> OpenModel:
        """What open_model gives, from memory where that can be."""
        key = canonical([encoder_identity(identity), execution.model_dump(), str(outputs.resolve())])
        model = self._fitting(config, execution) if key == self._key else None
        if model is None:
            self._key, self._model = "", None
            _free_memory()
            model = open_model(config, identity, execution, outputs)
        self._key, self._model = key, model
        return model

    def _fitting(self, config: ModelConfig, execution: Execution) -> OpenModel | None:
        model = self._model
        if model is None:
            return None
        if model.searcher is not None:
            _refuse_vector_settings(config)
        if all(getattr(config, field) == getattr(model.config, field) for field in _HELD_BY_ENCODERS):
            return replace(model, config=config)
        if not isinstance(model.encoder, PromptedEncoder):
            return None
        try:
            return replace(
                model, config=config, encoder=model.encoder.prompted(_spec(config, fetch(config), execution))
            )
        except ModelError as error:
            raise UserError(f"model {config.name}: {error}") from error


_HELD_BY_ENCODERS = ("prompts", "instructions", "similarity")
"""What an encoder is given although its vectors' store does not depend on it."""


def _free_memory() -> None:
    """Give back what the model before took."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def open_model(config: ModelConfig, identity: Mapping[str, Any], execution: Execution, outputs: Path) -> OpenModel:
    """Fetch, load and open. identity: the model's part of its jobs' identity.

    Raises UserError and JobError, and ModelError when the weights are no longer those of the identity.
    """
    parts = zip(config.parts, identity.get("members", ()), strict=True)
    members = [open_model(part, part_identity, execution, outputs) for part, part_identity in parts]
    weights = fetch(config)
    if isinstance(config.weights, FolderModel):
        refuse_others(config.weights, weights.content, identity.get("content"))
    unchanged = partial(verify, config, identity.get("content"))
    encoder, searcher = _parts(_load(config, weights, execution, [_searcher(member, execution) for member in members]))
    unchanged()
    _refuse_similarity(config, getattr(encoder, "similarity", None))
    if searcher is not None:
        _refuse_vector_settings(config)
    sources = [f"{member.config.name}: {member.facts.source}" for member in members] or [weights.source]
    facts = ModelFacts(
        source="; ".join(sources),
        revision=weights.revision,
        content_hash=weights.content,
        dtype=_dtype(encoder or searcher, members),
    )
    store = VerifiedStore(_open_store(encoder_identity(identity), execution, outputs), unchanged)
    return OpenModel(config, encoder, searcher, store, facts, (unchanged, *(member.verify for member in members)))


def _refuse_similarity(config: ModelConfig, found: object) -> None:
    """Refuse a class of the user's own that compares vectors in a way that does not exist."""
    known = get_args(SimilarityName)
    if config.similarity is None and isinstance(found, str) and found not in known:
        raise UserError(
            f"model {config.name}: loader {config.loader}: its `similarity` is {found[:60]!r}; expected "
            f"{', '.join(known)}.{nearest(found, known)}"
        )


def _dtype(model: Encoder | Searcher | None, members: Sequence[OpenModel]) -> str | None:
    """The number format of a model's weights, or those of its members', as far as they have any."""
    if members:
        return "; ".join(f"{m.config.name}: {m.facts.dtype}" for m in members if m.facts.dtype) or None
    found = model.facts.get("dtype") if model is not None else None
    return found if isinstance(found, str) else None


def _searcher(model: OpenModel, execution: Execution) -> Searcher:
    """The model as one that searches."""
    if model.searcher is not None:
        return model.searcher
    assert model.encoder is not None
    return EncoderSearcher(model.encoder, model.store, model.postprocess, model.similarity, execution.batch_tokens)


def open_outline(config: ModelConfig, execution: Execution) -> Outline:
    """How an encoder treats texts: without loading it where its loader can say so. Raises UserError and JobError."""
    loader = known_loader(config)
    if loader.kind in ("encoder", "any"):
        weights = fetch(config)
        try:
            outline = loader.outline(_spec(config, weights, execution))
        except ModelError as error:
            raise UserError(f"model {config.name}: {error}") from error
        found = outline or _parts(_load(config, weights, execution))[0]
        if found is not None:
            return found
    raise UserError(
        f"model {config.name}: --cost counts the texts of models that give one vector a text, and this one searches or "
        "scores; leave out --cost"
    )


def stored(identity: Mapping[str, Any], execution: Execution, outputs: Path) -> Store:
    """The vectors that earlier runs have kept, to be looked at alone. identity: see open_model."""
    identity = encoder_identity(identity)
    folder = _store_folder(identity, outputs)
    return DiskStore(folder, identity) if execution.store and folder.is_dir() else MemoryStore()


def _load(config: ModelConfig, weights: Weights, execution: Execution, members: Sequence[Searcher] = ()) -> Model:
    try:
        return known_loader(config).load(_spec(config, weights, execution, members))
    except ModelError as error:
        raise UserError(f"model {config.name}: {error}") from error


def _spec(config: ModelConfig, weights: Weights, execution: Execution, members: Sequence[Searcher] = ()) -> ModelSpec:
    return ModelSpec(
        name=config.name,
        loader=config.loader,
        folder=weights.folder,
        revision=weights.revision,
        prompts=config.prompts,
        instructions=instructions(config.instructions),
        max_tokens=config.max_tokens,
        similarity=config.vector_similarity,
        dtype=config.dtype,
        trust_remote_code=config.trust_remote_code,
        parameters=config.parameters,
        members=members,
        device=execution.device,
        threads=execution.threads,
    )


def _parts(model: Model) -> tuple[Encoder | None, Searcher | None]:
    if hasattr(model, "encode"):
        return cast("Encoder", model), None
    return None, cast("Searcher", model) if hasattr(model, "search") else Reranker(model)


def _refuse_vector_settings(config: ModelConfig) -> None:
    for field in ("layer_norm", "truncate_dim", "normalize", "quantize", "quantize_clip"):
        if getattr(config, field) is not None:
            raise UserError(f"model {config.name}: {field}: the model gives scores and no vectors; leave it out")


def instructions(config: InstructionsConfig | None) -> Instructions | None:
    """How a model takes instructions, as its loader is told."""
    return Instructions(config.template, config.bare, config.documents, config.without) if config else None


def _open_store(identity: Mapping[str, Any], execution: Execution, outputs: Path) -> Store:
    if not execution.store:
        return MemoryStore()
    return DiskStore(_store_folder(identity, outputs), identity, budget=int(execution.store_gib * GIB))


def _store_folder(identity: Mapping[str, Any], outputs: Path) -> Path:
    return outputs / "store" / folder_of(identity)
