"""Models that are Python objects already: a SentenceTransformer, anything with `encode`, or a function of texts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.models.base import EncodeContext, Encoder, Model, Variant
from embedmark.models.loaders import Kind, Loader
from embedmark.models.prompts import PromptTable
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import Modality, SimilarityName

LOADER = "object"
"""What the identity of an object says in place of a loader's name."""

BATCH_CHARACTERS = 262_144
"""Of one call of `encode`, which cuts smaller batches itself."""


@dataclass(frozen=True)
class ObjectLoader(Loader):
    """Gives one object as a model.

    Args:
        given: The object.
    """

    name: str = LOADER
    implementation: str = "embedmark.models.objects:encoder_of"
    version: int = 1
    kind: Kind = "encoder"
    needs_weights: bool = False
    modalities: frozenset[Modality] = frozenset({"text", "image"})
    given: Any = field(default=None, compare=False, repr=False)

    def load(self, spec: ModelSpec) -> Model:
        """Make the encoder. Raises ModelError."""
        return encoder_of(self.given, spec)


def encoder_of(given: Any, spec: ModelSpec) -> Encoder:
    """Make an encoder of an object, which is not changed.

    Args:
        given: A SentenceTransformer, an object whose `encode` takes a list of texts, or a function that does.
        spec: Name, prompts and similarity.

    Raises:
        ModelError: It is none of these.
    """
    library = sys.modules.get("sentence_transformers")
    if library is not None and isinstance(given, library.SentenceTransformer):
        from embedmark.models.torch.sentence_transformer import wrap

        return wrap(given, spec)
    return PlainEncoder(encode_of(given), spec)


def encode_of(given: Any) -> Callable[[list[str]], Any]:
    """Give what turns texts into vectors.

    Raises:
        ModelError: The object has no `encode` and is no function.
    """
    encode = getattr(given, "encode", None)
    found: Any = encode if callable(encode) else given
    if isinstance(given, type) or not callable(found):
        shown = f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__
        raise ModelError(
            f"model: found {shown}; expected the name of a model, a config, an object with `encode`, or a function of "
            "a list of texts"
        )
    function: Callable[[list[str]], Any] = found
    return function


def treatment_of(given: Any) -> dict[str, Any]:
    """Give what an object says of how it treats texts, beside its weights: part of its identity.

    Args:
        given: The object. Only a SentenceTransformer says anything; of others `identity=` alone can tell.
    """
    library = sys.modules.get("sentence_transformers")
    if library is None or not isinstance(given, library.SentenceTransformer):
        return {}
    weights = next(given.parameters(), None)
    return {
        "max_tokens": given.max_seq_length,
        "truncate_dim": given.truncate_dim,
        "prompts": dict(given.prompts),
        "default_prompt": given.default_prompt_name,
        "similarity": given.similarity_fn_name,
        "dtype": None if weights is None else str(weights.dtype).removeprefix("torch."),
    }


class PlainEncoder:
    """An Encoder out of a function of texts."""

    batch_tokens = BATCH_CHARACTERS

    def __init__(self, encode: Callable[[list[str]], Any], spec: ModelSpec) -> None:
        self._encode, self._prompts = encode, PromptTable(spec.prompts)
        self.similarity: SimilarityName = spec.similarity or "cosine"
        self.facts: Mapping[str, Any] = {"object": f"{type(encode).__module__}.{type(encode).__qualname__}"}

    def variant(self, context: EncodeContext) -> Variant:
        """Tell the prompt of a context."""
        return Variant(self._prompts.choose(context))

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """Count the characters of each text, prompt included."""
        return np.array([len(variant.prompt) + len(text) for text in texts], dtype=np.int64)

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        """Encode one batch: float32 (n, dim)."""
        torch = sys.modules.get("torch")
        with nullcontext() if torch is None else torch.no_grad():
            found = self._encode([variant.prompt + text for text in texts])
        if hasattr(found, "detach"):  # a tensor, on whatever device
            found = found.detach().float().cpu().numpy()
        return np.asarray(found, dtype=np.float32)


@contextmanager
def for_inference(given: Any) -> Iterator[None]:
    """Put a network into evaluation mode, and each of its modules back into the mode that it was in.

    Args:
        given: A network, a method of one (`network.encode`), or anything else, which is left alone.
    """
    given = getattr(given, "__self__", given)
    modules = list(given.modules()) if callable(getattr(given, "modules", None)) else []
    modules = [module for module in modules if isinstance(getattr(module, "training", None), bool)]
    before = [module.training for module in modules]
    if modules and callable(getattr(given, "eval", None)):
        given.eval()
    try:
        yield
    finally:
        for module, training in zip(modules, before, strict=True):
            module.training = training
