"""Embeddings in the protocol of OpenAI, through its SDK: OpenAI itself, vLLM, text-embeddings-inference, Ollama, ...

The key is read from an environment variable and nowhere else; it is never logged, stored or shown. `parameters`:
- url: the address of the service; by default OPENAI_BASE_URL, or OpenAI's own. Another needs `trust_url: true`.
- key: the name of the variable with the key, which ends in _API_KEY; OPENAI_API_KEY by default, null for services
  without one.
- model: what the service calls the model; by default the model's name without its owner.
- dimensions: asked of the service, for models that can shorten their vectors.
- batch: texts a request, 128 by default. retries: 6 by default, with growing pauses and as long as the service says.
- timeout: seconds a request, 120 by default.
- requests_per_minute, tokens_per_minute: what the service allows; no part of the model's identity.
- encode: more fields of the request by context, keyed like prompts: {query: {input_type: query}}.
"""

from __future__ import annotations

from typing import Any

import openai

from models.api.answers import excerpt, in_order
from models.api.client import RETRIES, TIMEOUT
from models.api.encoder import ApiEncoder, ApiOutline, Fields, Limits
from models.api.key import Key
from models.api.protocol import PARAMETERS, address, dimensions_of, key_of, limits_of, model_of, number, pace_of
from models.api.services import SERVICES
from models.base import ModelError, ModelSpec
from models.prompts import refuse_settings, refuse_unknown

LIMITS = Limits(texts=128, characters=65_536)
"""Well below the 300,000 tokens that OpenAI takes."""


def outline(spec: ModelSpec) -> ApiOutline:
    """How the model treats texts, without its key. Raises ModelError when a parameter is none."""
    refuse_settings(spec, "max_tokens")
    refuse_unknown("parameters", spec.parameters, PARAMETERS)
    return ApiOutline(spec, {}, {})


def load(spec: ModelSpec) -> ApiEncoder:
    """The service, not yet called. Raises ModelError when a parameter is none or the key is not set."""
    texts = outline(spec)
    key = key_of(spec, SERVICES["openai"])
    client = openai.OpenAI(
        api_key=key.secret or "none",
        base_url=address(spec, None) if spec.parameters.get("url") else None,
        max_retries=int(number(spec, "retries", RETRIES, least=0)),
        timeout=number(spec, "timeout", TIMEOUT),
        # Whoever is trusted with texts and key is not trusted to send them elsewhere.
        http_client=openai.DefaultHttpxClient(follow_redirects=False),
    )
    model, dimensions, pace = model_of(spec), dimensions_of(spec), pace_of(spec)

    def ask(portion: list[str], fields: Fields) -> Any:
        pace.wait(sum(map(len, portion)))
        try:
            answer = client.embeddings.create(
                model=model,
                input=portion,
                encoding_format="float",
                dimensions=dimensions if dimensions is not None else openai.omit,
                extra_body=dict(fields) or None,
            )
            return in_order((item.index, item.embedding) for item in answer.data)
        except openai.OpenAIError as error:
            raise ModelError(_explained(error, key)) from None
        except (AttributeError, TypeError, ValueError):
            raise ModelError("answered something other than embeddings in the protocol of OpenAI") from None

    limits = limits_of(spec, LIMITS)
    return ApiEncoder(texts, ask, limits, str(client.base_url), similarity=spec.similarity, width=dimensions)


def _explained(error: openai.OpenAIError, key: Key) -> str:
    """What went wrong, without headers or anything of the request, where the key is."""
    if isinstance(error, openai.APIStatusError):
        return f"answered {error.status_code} after all retries: {excerpt(key.hidden(str(error.body)))}"
    return f"{type(error).__name__}: {excerpt(key.hidden(str(error)))}"
