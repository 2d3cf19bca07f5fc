"""Embeddings over HTTP in the protocol of OpenAI: OpenAI itself, vLLM, text-embeddings-inference, Ollama and others.

The key is read from an environment variable and nowhere else; it is never logged, stored or shown. `parameters`:
- url: the address of the service; by default OPENAI_BASE_URL, or OpenAI's own.
- key: the name of the variable with the key, OPENAI_API_KEY by default; null for services without one.
- model: what the service calls the model; by default the model's name without its owner.
- dimensions: asked of the service, for models that can shorten their vectors.
- batch: texts a request, 128 by default. retries: 6 by default, with growing pauses and as long as the service says.
- timeout: seconds a request, 120 by default.
- encode: more fields of the request by context, keyed like prompts: {query: {input_type: query}}.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import openai
from numpy.typing import NDArray

from models.base import EncodeContext, ModelError, ModelSpec, Variant
from models.instructions import InstructionTable
from models.prompts import PromptTable, most_specific, refuse_settings, refuse_unknown
from tasks.base import SimilarityName

PARAMETERS = {"url", "key", "model", "dimensions", "batch", "retries", "timeout", "encode"}
BATCH_CHARACTERS = 65_536
"""Characters a request: well below the 300,000 tokens that OpenAI takes."""


def load(spec: ModelSpec) -> ApiEncoder:
    """The service, not yet called. Raises ModelError when a parameter is none or the key is not set."""
    refuse_settings(spec, "max_tokens")
    refuse_unknown("parameters", spec.parameters, PARAMETERS)
    variable = spec.parameters.get("key", "OPENAI_API_KEY")
    key = os.environ.get(variable) if variable else "none"
    if not key:
        raise ModelError(f"the environment variable {variable} is not set; it has to hold the key of the service")
    client = openai.OpenAI(
        api_key=key,
        base_url=spec.parameters.get("url"),
        max_retries=spec.parameters.get("retries", 6),
        timeout=spec.parameters.get("timeout", 120),
    )
    return ApiEncoder(client, spec)


class ApiEncoder:
    """An Encoder."""

    batch_tokens = BATCH_CHARACTERS

    def __init__(self, client: openai.OpenAI, spec: ModelSpec) -> None:
        self._client = client
        self._model: str = spec.parameters.get("model") or spec.name.rpartition("/")[2]
        self._dimensions: int | None = spec.parameters.get("dimensions")
        self._batch: int = spec.parameters.get("batch", 128)
        self._fields: Mapping[str, Mapping[str, Any]] = spec.parameters.get("encode", {})
        self._prompts = (
            InstructionTable(spec.instructions, spec.prompts) if spec.instructions else PromptTable(spec.prompts)
        )
        self.similarity: SimilarityName = spec.similarity or "cosine"
        self.facts: Mapping[str, Any] = {"service": str(client.base_url), "batch_independent": False}

    def variant(self, context: EncodeContext) -> Variant:
        """Prompt and request fields of a context."""
        fields = most_specific(self._fields, context) or {}
        return Variant(self._prompts.choose(context), tuple(sorted(fields.items())))

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """Characters of each text, prompt included."""
        return np.array([len(variant.prompt) + len(text) for text in texts], dtype=np.int64)

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim). Services refuse empty texts, which become a space."""
        prompted = [(variant.prompt + text) or " " for text in texts]
        parts = [self._request(prompted[i : i + self._batch], variant) for i in range(0, len(prompted), self._batch)]
        return np.concatenate(parts)

    def _request(self, texts: list[str], variant: Variant) -> NDArray[np.float32]:
        try:
            answer = self._client.embeddings.create(
                model=self._model,
                input=texts,
                encoding_format="float",
                dimensions=self._dimensions if self._dimensions is not None else openai.omit,
                extra_body=dict(variant.parameters) or None,
            )
        except openai.OpenAIError as error:
            raise ModelError(f"{self._client.base_url}: {_explained(error)}") from None
        data = sorted(answer.data, key=lambda item: item.index)
        if [item.index for item in data] != list(range(len(texts))):
            raise ModelError(f"{self._client.base_url}: {len(data)} vectors for {len(texts)} texts")
        return np.array([item.embedding for item in data], dtype=np.float32)


def _explained(error: openai.OpenAIError) -> str:
    """What went wrong, without headers or anything of the request, where the key is."""
    if isinstance(error, openai.APIStatusError):
        return f"answered {error.status_code} after all retries: {str(error.body)[:300]}"
    return f"{type(error).__name__}: {str(error)[:300]}"
