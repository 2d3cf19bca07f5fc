"""A model made ready for a run: weights on disk, encoder loaded, store opened."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast, get_args

from embedmark.models.base import Encoder, Model, Outline, PromptedEncoder, Searcher, Treatment, takes
from embedmark.models.instructions import Instructions
from embedmark.models.lexical.reranker import Reranker
from embedmark.models.postprocess import Postprocess
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError, UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.config.identity import canonical, encoder_identity
from embedmark.runner.config.schema import Execution, FolderModel, InstructionsConfig, ModelConfig
from embedmark.runner.encode.searcher import EncoderSearcher
from embedmark.runner.encode.store import DiskStore, MemoryStore, Store, VerifiedStore, folder_of
from embedmark.runner.execute.evidence import probes_of
from embedmark.runner.execute.opening import Opening, opening_of, plain_facts, remember, remembered
from embedmark.runner.hub.weights import Weights, fetch, refuse_others, verify
from embedmark.runner.resolve import ResolvedModel
from embedmark.runner.results.environment import environment
from embedmark.runner.results.evidence import Probes
from embedmark.runner.results.record import ModelFacts, ServiceFacts
from embedmark.tasks.base import SimilarityName

GIB = 2**30


@dataclass(frozen=True)
class _AtHand:
    """What jobs need of a model beside its vectors, and where these are kept. files: those loaded, name → SHA-256."""

    config: ModelConfig
    store: Store
    facts: ModelFacts
    checks: tuple[Callable[[], None], ...]
    files: Mapping[str, str]
    store_folder: Path | None

    def verify(self) -> None:
        """Raises ModelError when weights, its own or its members', are no longer those that were planned with."""
        for check in self.checks:
            check()

    @property
    def postprocess(self) -> Postprocess:
        """What is done to stored vectors before they are scored."""
        config = self.config
        return Postprocess(
            config.truncate_dim, config.normalize, config.layer_norm, config.quantize, config.quantize_clip
        )


@dataclass(frozen=True)
class OpenModel(_AtHand):
    """A model that is ready. It has either an encoder or a searcher."""

    encoder: Encoder | None
    searcher: Searcher | None

    @property
    def kind(self) -> str:
        """What a task has to accept."""
        if self.encoder is not None:
            return "encoder"
        return "scorer" if isinstance(self.searcher, Reranker) else "searcher"

    @property
    def treatment(self) -> Treatment | None:
        """How it treats items; None for a model without vectors."""
        return self.encoder

    @property
    def environment(self) -> Mapping[str, Any]:
        """What jobs are done on, and what decides the last digits of what the model gives."""
        model = self.encoder or self.searcher
        assert model is not None
        return {**environment(), "encoder": plain_facts(model.facts)}

    @cached_property
    def probes(self) -> Probes | None:
        """What it makes of texts that are the same for every job."""
        return None if self.encoder is None else probes_of(self.encoder)

    @property
    def service(self) -> ServiceFacts | None:
        """Of a model that a service runs."""
        return service_facts(self.encoder or self.searcher)

    @property
    def similarity(self) -> SimilarityName:
        """How two of its vectors are compared."""
        assert self.encoder is not None
        return self.config.vector_similarity or self.encoder.similarity


@dataclass(frozen=True)
class ClosedModel(_AtHand):
    """An encoder that was opened before and need not be again as long as the store has every vector."""

    treatment: Treatment
    opening: Opening
    similarity: SimilarityName
    kind = "encoder"
    encoder: None = None

    @property
    def probes(self) -> Probes | None:
        """What it made of texts that are the same for every job."""
        return None if self.opening.probes is None else Probes.model_validate(self.opening.probes)

    @property
    def service(self) -> ServiceFacts | None:
        """Of a model that a service runs."""
        return ServiceFacts(asked_on=datetime.now(UTC).date()) if "service" in self.opening.running else None

    @property
    def environment(self) -> Mapping[str, Any]:
        """What jobs are done on, and what was found there when the model was opened."""
        return {**environment(self.opening.environment), "encoder": self.opening.running}


class LastModel:
    """Keeps the model that was opened last, for a run after it that needs the same weights, as points of a sweep do.

    Configs share a model where their encoders are the same and run the same way: what is done to vectors may differ,
    and prompts, instructions and similarity where the encoder can be given others.
    """

    def __init__(self) -> None:
        self._key = ""
        self._model: OpenModel | None = None

    def open(self, wanted: ResolvedModel, execution: Execution, outputs: Path) -> OpenModel:
        """What open_model gives, from memory where that can be."""
        model = self.opened(wanted, execution, outputs)
        if model is None:
            self._key, self._model = "", None
            _free_memory()
            model = open_model(wanted, execution, outputs)
        self._key, self._model = _key(wanted, execution, outputs), model
        return model

    def opened(self, wanted: ResolvedModel, execution: Execution, outputs: Path) -> OpenModel | None:
        """The model, where it is in memory. Raises as open_model does."""
        return self._fitting(wanted, execution) if self._key == _key(wanted, execution, outputs) else None

    def _fitting(self, wanted: ResolvedModel, execution: Execution) -> OpenModel | None:
        config, model = wanted.config, self._model
        if model is None:
            return None
        if model.searcher is not None:
            _refuse_vector_settings(config)
        if all(getattr(config, field) == getattr(model.config, field) for field in _HELD_BY_ENCODERS):
            return replace(model, config=config)
        if not isinstance(model.encoder, PromptedEncoder):
            return None
        try:
            weights = fetch(config, wanted.loader)
            return replace(model, config=config, encoder=model.encoder.prompted(_spec(config, weights, execution)))
        except ModelError as error:
            raise UserError(f"model {config.name}: {error}") from error


def _key(wanted: ResolvedModel, execution: Execution, outputs: Path) -> str:
    return canonical([encoder_identity(wanted.identity), execution.model_dump(), str(outputs.resolve())])


_HELD_BY_ENCODERS = ("prompts", "instructions", "similarity")
"""What an encoder is given although its vectors' store does not depend on it."""


def _free_memory() -> None:
    """Give back what the model before took."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def open_model(model: ResolvedModel, execution: Execution, outputs: Path) -> OpenModel:
    """Fetch, load and open.

    Raises UserError and JobError, and ModelError when the weights are no longer those that were planned with.
    """
    config = model.config
    members = [open_model(member, execution, outputs) for member in model.members]
    weights, unchanged = _weights(model)
    encoder, searcher = _parts(_load(model, weights, execution, [_searcher(member, execution) for member in members]))
    unchanged()
    _refuse_similarity(config, getattr(encoder, "similarity", None))
    if searcher is not None:
        _refuse_vector_settings(config)
    sources = [f"{member.config.name}: {member.facts.source}" for member in members] or [weights.source]
    dtype = _members_dtype(members) if members else _dtype((encoder or cast("Searcher", searcher)).facts)
    facts = _facts(weights, "; ".join(sources), dtype)
    store = VerifiedStore(_open_store(encoder_identity(model.identity), execution, outputs), unchanged)
    if encoder is not None and execution.store and (opening := opening_of(encoder, dtype, config.vector_similarity)):
        probes = probes_of(encoder)
        found = replace(opening, probes=None if probes is None else probes.model_dump(mode="json"))
        remember(_store_folder(encoder_identity(model.identity), outputs), execution, found)
    checks = (unchanged, *(member.verify for member in members))
    folder = _store_folder(encoder_identity(model.identity), outputs) if execution.store else None
    files = {**weights.files, **{f"{m.config.name}: {name}": sha for m in members for name, sha in m.files.items()}}
    return OpenModel(config, store, facts, checks, files, folder, encoder, searcher)


def closed_model(model: ResolvedModel, execution: Execution, outputs: Path) -> ClosedModel | None:
    """The model with what an earlier opening told of it; None where that is not known, or does not hold here.

    Raises UserError, JobError and ModelError as open_model does, of the weights.
    """
    config, identity = model.config, encoder_identity(model.identity)
    folder = _store_folder(identity, outputs)
    if not execution.store or model.members or (opening := remembered(folder, execution)) is None:
        return None
    weights, unchanged = _weights(model)
    try:
        treatment = model.loader.treatment(_spec(config, weights, execution), opening.sketch)
    except (ModelError, LookupError, TypeError, ValueError):  # opening it says in full what is wrong, if anything is
        return None
    similarity = config.vector_similarity or opening.similarity
    if treatment is None or similarity is None or takes(treatment) != frozenset(opening.modalities):
        return None
    store = VerifiedStore(_open_store(identity, execution, outputs), unchanged)
    facts = _facts(weights, weights.source, opening.dtype)
    return ClosedModel(config, store, facts, (unchanged,), weights.files, folder, treatment, opening, similarity)


def _weights(model: ResolvedModel) -> tuple[Weights, Callable[[], None]]:
    """The files of a model, as planned, and what proves that they still are. Raises UserError, JobError, ModelError."""
    config, content = model.config, model.identity.get("content")
    weights = fetch(config, model.loader)
    if isinstance(config.weights, FolderModel):
        refuse_others(config.weights, weights.content, content)
    return weights, partial(verify, config, model.loader, content)


def service_facts(model: object) -> ServiceFacts | None:
    """What a service said of itself until now, and on which day; None for a model that is no service."""
    if "service" not in getattr(model, "facts", {}):
        return None
    answered = sorted(getattr(model, "answered", ()))
    return ServiceFacts(asked_on=datetime.now(UTC).date(), models=tuple(answered))


def _facts(weights: Weights, source: str, dtype: str | None) -> ModelFacts:
    return ModelFacts(source=source, revision=weights.revision, content_hash=weights.content, dtype=dtype)


def _refuse_similarity(config: ModelConfig, found: object) -> None:
    """Refuse a class of the user's own that compares vectors in a way that does not exist."""
    known = get_args(SimilarityName)
    if config.similarity is None and isinstance(found, str) and found not in known:
        raise UserError(
            f"model {config.name}: loader {config.loader}: its `similarity` is {found[:60]!r}; expected "
            f"{', '.join(known)}.{nearest(found, known)}"
        )


def _dtype(facts: Mapping[str, Any]) -> str | None:
    """The number format of a model's weights, as far as it has any."""
    found = facts.get("dtype")
    return found if isinstance(found, str) else None


def _members_dtype(members: Sequence[OpenModel]) -> str | None:
    return "; ".join(f"{m.config.name}: {m.facts.dtype}" for m in members if m.facts.dtype) or None


def _searcher(model: OpenModel, execution: Execution) -> Searcher:
    """The model as one that searches."""
    if model.searcher is not None:
        return model.searcher
    assert model.encoder is not None
    return EncoderSearcher(model.encoder, model.store, model.postprocess, model.similarity, execution.batch_tokens)


def open_outline(model: ResolvedModel, execution: Execution) -> Outline:
    """How an encoder treats texts: without loading it where its loader can say so. Raises UserError and JobError."""
    config, loader = model.config, model.loader
    if loader.kind in ("encoder", "any"):
        weights = fetch(config, loader)
        try:
            outline = loader.outline(_spec(config, weights, execution))
        except ModelError as error:
            raise UserError(f"model {config.name}: {error}") from error
        found = outline or _parts(_load(model, weights, execution))[0]
        if found is not None:
            return found
    raise UserError(
        f"model {config.name}: --cost counts the texts of models that give one vector a text, and this one searches or "
        "scores; leave out --cost"
    )


def open_store_read_only(identity: Mapping[str, Any], execution: Execution, outputs: Path) -> Store:
    """The vectors that earlier runs have kept, to be looked at alone. identity: a model's."""
    identity = encoder_identity(identity)
    folder = _store_folder(identity, outputs)
    return DiskStore(folder, identity) if execution.store and folder.is_dir() else MemoryStore()


def _load(model: ResolvedModel, weights: Weights, execution: Execution, members: Sequence[Searcher] = ()) -> Model:
    try:
        return model.loader.load(_spec(model.config, weights, execution, members))
    except ModelError as error:
        raise UserError(f"model {model.name}: {error}") from error


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
    try:
        config.refuse_vector_fields()
    except ValueError as error:
        raise UserError(f"model {config.name}: {error}") from None


def instructions(config: InstructionsConfig | None) -> Instructions | None:
    """How a model takes instructions, as its loader is told."""
    return Instructions(config.template, config.bare, config.documents, config.without) if config else None


def _open_store(identity: Mapping[str, Any], execution: Execution, outputs: Path) -> Store:
    if not execution.store:
        return MemoryStore()
    return DiskStore(_store_folder(identity, outputs), identity, budget=int(execution.store_gib * GIB))


def _store_folder(identity: Mapping[str, Any], outputs: Path) -> Path:
    return outputs / "store" / folder_of(identity)
