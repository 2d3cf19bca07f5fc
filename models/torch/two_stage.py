"""Models in two stages in the format of sentence-transformers (contextual document embeddings; Morris and Rush 2024).

Such a model's forward pass takes `dataset_embeddings`: without them it is the first stage, and given what that made of
a sample of the corpus it is the second. `parameters: context` says what the sample is:
- size: how many texts; by default the `transductive_corpus_size` of the checkpoint's config.json.
- prompt: what is put before each of them; nothing by default.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.models.base import EncodeContext, Encoder, Sampling, Variant
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import SimilarityName

ARGUMENT = "dataset_embeddings"
"""What the forward pass calls the vectors of the sample."""

SIZE = "transductive_corpus_size"
"""What a checkpoint's config.json calls the size of the sample."""


@dataclass(frozen=True)
class TwoStageEncoder:
    """A ContextualEncoder. first: its first stage. second: makes the second out of the first one's vectors."""

    first: Encoder
    second: Callable[[NDArray[np.float32]], Encoder]
    sampling: Sampling

    @property
    def similarity(self) -> SimilarityName:
        """The same in both stages."""
        return self.first.similarity

    @property
    def batch_tokens(self) -> int:
        """The same in both stages."""
        return self.first.batch_tokens

    @property
    def facts(self) -> Mapping[str, Any]:
        """Those of the first stage: both are one network."""
        return self.first.facts

    def variant(self, context: EncodeContext) -> Variant:
        """The same in both stages, without the sample."""
        return self.first.variant(context)

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """What each text costs in the first stage."""
        return self.first.lengths(texts, variant)

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        """One batch of the first stage: float32 (n, dim)."""
        return self.first.encode(texts, variant)

    def second_stage(self, vectors: NDArray[np.float32]) -> Encoder:
        """The second stage."""
        return self.second(vectors)


def sampling_of(spec: ModelSpec, folder: Path, arguments: Collection[str]) -> Sampling | None:
    """The sample that the config asks for; None for a model in one stage.

    arguments: what the model's forward pass takes. Raises ModelError where it and the config do not say the same.
    """
    context = spec.parameters.get("context")
    if ARGUMENT not in arguments:
        if context is None:
            return None
        raise ModelError(
            f"parameters: context: the model's forward pass takes {sorted(arguments)} and no {ARGUMENT}, so it is no "
            "model in two stages; leave it out"
        )
    if not isinstance(context, Mapping):
        raise ModelError(
            f"the model's forward pass takes {ARGUMENT}: it reads a sample of the corpus first, and the config has to "
            "say what goes before its texts, as in `parameters: {context: {prompt: 'search_document: '}}`"
        )
    size = context.get("size", _saved_size(folder))
    if not isinstance(size, int) or size < 1:
        raise ModelError(
            f"parameters: context: size is {size!r}; expected how many texts the first stage reads (left out, it is "
            f"the {SIZE} of {folder / 'config.json'})"
        )
    return Sampling(size, context.get("prompt", ""))


def _saved_size(folder: Path) -> Any:
    path = folder / "config.json"
    return json.loads(path.read_text(encoding="utf-8")).get(SIZE) if path.is_file() else None
