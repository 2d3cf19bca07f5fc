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
from sentence_transformers.base.modules import Dense
from sentence_transformers.cross_encoder.modules import LogitScore

from embedmark.models.base import EncodeContext
from embedmark.models.parameters import CrossEncoderParameters, check
from embedmark.models.prompts import PromptTable
from embedmark.models.spec import ModelSpec, refuse_settings
from embedmark.models.torch.checkpoints import (
    checked_folder,
    library_arguments,
    loading,
    network_facts,
    settle_dtype,
)
from embedmark.models.torch.packed import pack_linear_layers
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import TaskContext

HALVES = (torch.float16, torch.bfloat16)
ACTIVATIONS = {"sigmoid": torch.nn.Sigmoid, "identity": torch.nn.Identity}


def load(spec: ModelSpec) -> CrossEncoderScorer:
    """The cross-encoder in `spec.folder`. Raises ModelError."""
    folder = checked_folder(spec)
    refuse_settings(spec, "instructions", "similarity")
    check(CrossEncoderParameters, spec.parameters)
    activation = _activation(spec)
    with loading(spec, folder):
        model = CrossEncoder(
            str(folder), max_length=spec.max_tokens, activation_fn=activation, **library_arguments(spec)
        )
    if model.num_labels != 1:
        raise ModelError(f"{folder} gives {model.num_labels} scores a pair; a cross-encoder that ranks gives one")
    settle_dtype(model, spec)
    pack_linear_layers(model)
    facts = network_facts(model)
    score_in_float32(model)
    return CrossEncoderScorer(model.eval(), PromptTable(spec.prompts), facts)


def _activation(spec: ModelSpec) -> torch.nn.Module | None:
    name = spec.parameters.get("activation")
    return ACTIVATIONS[name]() if name is not None else None


def score_in_float32(model: CrossEncoder) -> None:
    """Let a network in half precision multiply its last layer in float32, as mteb 2.26.24 does.

    Half-precision scores tie where the documents behind them differ. The last layer is the Dense module that gives the
    scores, the two rows of the vocabulary that LogitScore reads, or else the last linear layer of as many outputs as
    the model has labels.
    """
    modules = list(model.modules())
    dense = [module for module in modules if isinstance(module, Dense) and module.module_output_name == "scores"]
    logits = [module for module in modules if isinstance(module, LogitScore)]
    if dense:
        layers: list[torch.nn.Module | None] = [dense[-1].linear, getattr(dense[-1], "residual", None)]
    elif logits:
        tokens = {token for module in logits for token in (module.true_token_id, module.false_token_id)}
        _logits_in_float32(model, sorted(token for token in tokens if token is not None))
        return
    else:
        linear = [module for module in modules if isinstance(module, torch.nn.Linear)]
        layers = [*[module for module in linear if module.out_features == model.num_labels][-1:]]
    for layer in layers:
        if isinstance(layer, torch.nn.Linear) and layer.weight.dtype in HALVES:
            layer.float().register_forward_pre_hook(_as_float32)


def _as_float32(_: torch.nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(values.float() for values in inputs)


def _logits_in_float32(model: CrossEncoder, tokens: list[int]) -> None:
    """The logits of these tokens alone: the layer is as large as the vocabulary."""
    network: Any = model.transformers_model
    layer = network.get_output_embeddings() if network is not None else None
    if not isinstance(layer, torch.nn.Linear) or layer.weight.dtype not in HALVES:
        return

    def again(module: torch.nn.Linear, inputs: tuple[Any, ...], output: torch.Tensor) -> torch.Tensor:
        bias = None if module.bias is None else module.bias[tokens].float()
        output = output.float()
        output[..., tokens] = torch.nn.functional.linear(inputs[0].float(), module.weight[tokens].float(), bias)
        return output

    layer.register_forward_hook(again)


class CrossEncoderScorer:
    """A Scorer."""

    def __init__(self, model: CrossEncoder, prompts: PromptTable, facts: Mapping[str, Any]) -> None:
        self._model = model
        self._prompts = prompts
        self.facts = facts

    def score(self, pairs: Sequence[tuple[str, str]], context: TaskContext) -> NDArray[np.float32]:
        """One score a pair, through the checkpoint's own activation function."""
        query = self._prompts.choose(EncodeContext(context, "query"))
        document = self._prompts.choose(EncodeContext(context, "document"))
        prompted = [(query + first, document + second) for first, second in pairs]
        scores = self._model.predict(prompted, show_progress_bar=False)
        return np.asarray(scores, dtype=np.float32).reshape(-1)
