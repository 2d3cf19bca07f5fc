"""Cross-encoders in the format of sentence-transformers: a query and a document read together give one score.

`prompts` are put before queries and documents by side; `max_tokens` is the limit of both together. `parameters`:
- attention: the attention implementation ("sdpa", "eager", ...); by default the library's choice.
- tokenizer: as for the sentence_transformer loader.
- activation: "sigmoid" or "identity", what is done to the network's score; by default as the checkpoint says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import CrossEncoder

from models.base import EncodeContext, ModelError, ModelSpec
from models.checkpoints import checked_folder, library_arguments, loading, network_facts, refuse_parameters
from models.packed import pack_linear_layers
from models.prompts import PromptTable, refuse_settings
from tasks.base import TaskContext

PARAMETERS = {"attention", "tokenizer", "activation"}
ACTIVATIONS = {"sigmoid": torch.nn.Sigmoid, "identity": torch.nn.Identity}


def load(spec: ModelSpec) -> CrossEncoderScorer:
    """The cross-encoder in `spec.folder`. Raises ModelError."""
    folder = checked_folder(spec)
    refuse_settings(spec, "instructions", "similarity")
    refuse_parameters(spec, PARAMETERS)
    activation = _activation(spec)
    with loading(spec, folder):
        model = CrossEncoder(
            str(folder), max_length=spec.max_tokens, activation_fn=activation, **library_arguments(spec)
        )
    if model.num_labels != 1:
        raise ModelError(f"{folder} gives {model.num_labels} scores a pair; a cross-encoder that ranks gives one")
    pack_linear_layers(model)
    return CrossEncoderScorer(model.eval(), PromptTable(spec.prompts))


def _activation(spec: ModelSpec) -> torch.nn.Module | None:
    name = spec.parameters.get("activation")
    if name is not None and name not in ACTIVATIONS:
        raise ModelError(f"parameters: activation: found {name!r}; expected one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]() if name is not None else None


class CrossEncoderScorer:
    """A Scorer."""

    def __init__(self, model: CrossEncoder, prompts: PromptTable) -> None:
        self._model = model
        self._prompts = prompts
        self.facts: Mapping[str, Any] = network_facts(model)

    def score(self, pairs: Sequence[tuple[str, str]], context: TaskContext) -> NDArray[np.float32]:
        """One score a pair, through the checkpoint's own activation function."""
        query = self._prompts.choose(EncodeContext(context, "query"))
        document = self._prompts.choose(EncodeContext(context, "document"))
        prompted = [(query + first, document + second) for first, second in pairs]
        scores = self._model.predict(prompted, show_progress_bar=False)
        return np.asarray(scores, dtype=np.float32).reshape(-1)
