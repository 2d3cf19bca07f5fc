"""Static embeddings of model2vec: a table of token vectors that are averaged, in its own format.

Checkpoints that also have modules.json load as sentence_transformer too; model2vec itself cuts texts at its own limit
(512 tokens), which `max_tokens` replaces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from model2vec import StaticModel
from model2vec.quantization import DType
from numpy.typing import NDArray

from embedmark.models.base import CHECKPOINT_DTYPE, Variant
from embedmark.models.parameters import NoParameters, check
from embedmark.models.spec import ModelSpec
from embedmark.models.treatment import CheckpointTreatment, of_static
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import SimilarityName

BATCH_CHARACTERS = 262_144


def load(spec: ModelSpec) -> Model2Vec:
    """The model in `spec.folder`. Raises ModelError."""
    treatment = of_static(spec, {})
    check(NoParameters, spec.parameters)
    if spec.folder is None or not (spec.folder / "model.safetensors").is_file():
        raise ModelError(f"{spec.folder} has no model.safetensors; expected a checkpoint of model2vec")
    try:
        to = None if spec.dtype == CHECKPOINT_DTYPE else DType(spec.dtype)
        model = StaticModel.from_pretrained(spec.folder, force_download=False, quantize_to=to)
    # Errors of safetensors and tokenizers are their own Rust types.
    except Exception as error:
        raise ModelError(f"{spec.folder} could not be loaded by model2vec: {type(error).__name__}: {error}") from error
    return Model2Vec(model, spec, treatment)


class Model2Vec:
    """An Encoder."""

    batch_tokens = BATCH_CHARACTERS

    def __init__(self, model: StaticModel, spec: ModelSpec, treatment: CheckpointTreatment) -> None:
        self._model = model
        self.variant, self.sketch = treatment.variant, treatment.sketch
        if spec.max_tokens is not None:
            model.max_length = spec.max_tokens
        self.similarity: SimilarityName = spec.similarity or "cosine"
        self.facts: Mapping[str, Any] = {
            "device": "cpu",
            "dtype": str(model.embedding.dtype),
            "batch_independent": True,
        }

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """Characters of each text, prompt included."""
        return np.array([len(variant.prompt) + len(text) for text in texts], dtype=np.int64)

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim)."""
        prompted = [variant.prompt + text for text in texts]
        vectors = self._model.encode(prompted, use_multiprocessing=False)
        return np.asarray(vectors, dtype=np.float32)
