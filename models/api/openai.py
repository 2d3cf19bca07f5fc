"""Embeddings in the protocol of OpenAI, through its SDK: OpenAI itself, vLLM, text-embeddings-inference, Ollama, ...

The key is read from an environment variable and nowhere else; it is never logged, stored or shown. Its parameters are
those of `ServiceParameters`; `url` is OPENAI_BASE_URL by default, or OpenAI's own.
"""

from __future__ import annotations

from typing import Any

import openai

from embedmark.models.api.answers import excerpt, in_order, named_in
from embedmark.models.api.client import RETRIES, TIMEOUT
from embedmark.models.api.encoder import ApiEncoder, ApiOutline, Fields, Limits
from embedmark.models.api.key import Key
from embedmark.models.api.protocol import address, key_of, limits_of, model_of, pace_of
from embedmark.models.api.services import SERVICES
from embedmark.models.parameters import ServiceParameters, check
from embedmark.models.spec import ModelSpec, refuse_settings
from embedmark.runner.common.errors import ModelError

LIMITS = Limits(texts=128, characters=65_536)
"""Well below the 300,000 tokens that OpenAI takes."""


def outline(spec: ModelSpec) -> ApiOutline:
    """How the model treats texts, without its key. Raises ModelError when a parameter is invalid."""
    refuse_settings(spec, "max_tokens")
    check(ServiceParameters, spec.parameters)
    return ApiOutline(spec, {}, {})


def load(spec: ModelSpec) -> ApiEncoder:
    """The service, not yet called. Raises ModelError when a parameter is invalid or the key is not set."""
    texts, parameters = outline(spec), check(ServiceParameters, spec.parameters)
    key = key_of(spec, SERVICES["openai"])
    client = openai.OpenAI(
        api_key=key.secret or "none",
        base_url=address(spec, None) if spec.parameters.get("url") else None,
        max_retries=RETRIES if parameters.retries is None else parameters.retries,
        timeout=parameters.timeout or TIMEOUT,
        # Whoever is trusted with texts and key is not trusted to send them elsewhere.
        http_client=openai.DefaultHttpxClient(follow_redirects=False),
    )
    model, dimensions, pace = model_of(spec), parameters.dimensions, pace_of(parameters)

    answered: set[str] = set()

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
            answered.update(named_in(answer))
            return in_order((item.index, item.embedding) for item in answer.data)
        except openai.OpenAIError as error:
            raise ModelError(_explained(error, key)) from None
        except (AttributeError, TypeError, ValueError):
            raise ModelError("answered something other than embeddings in the protocol of OpenAI") from None

    limits = limits_of(parameters, LIMITS)
    service = str(client.base_url)
    return ApiEncoder(texts, ask, limits, service, similarity=spec.similarity, width=dimensions, answered=answered)


def _explained(error: openai.OpenAIError, key: Key) -> str:
    """What went wrong, without headers or anything of the request, where the key is."""
    if isinstance(error, openai.APIStatusError):
        return f"answered {error.status_code} after all retries: {excerpt(key.hidden(str(error.body)))}"
    return f"{type(error).__name__}: {excerpt(key.hidden(str(error)))}"
