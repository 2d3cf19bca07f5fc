"""What the services' own protocols have in common, and the parameters that their loaders share:

- url: the address of the service; by default the provider's own. Another needs `trust_url: true` in the model's file.
- key: the name of the environment variable with the key, which ends in _API_KEY, or null for a service without one.
- model: what the service calls the model; by default the model's name without its owner.
- dimensions: asked of the service, for models that can shorten their vectors.
- encode: fields of the request by context, keyed like prompts, in place of the input types that the loader chooses:
  {Retrieval-query: {input_type: search_query}}.
- batch: the most texts a request holds. retries, timeout (seconds): of one request.
- requests_per_minute, tokens_per_minute: what the service allows; by default it is asked as fast as it answers.

Those of the last two lines say how a run executes and are not part of the model's identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.api.answers import excerpt
from models.api.client import RETRIES, TIMEOUT, Client
from models.api.encoder import ApiEncoder, ApiOutline, Fields, Limits
from models.api.key import Key, read_key
from models.api.pace import CHARACTERS_PER_TOKEN, Pace
from models.api.services import Service, check_address, key_variables
from models.base import ModelError, ModelSpec
from models.prompts import refuse_settings, refuse_unknown

PARAMETERS = {
    *("url", "key", "model", "dimensions", "encode"),
    *("batch", "retries", "timeout", "requests_per_minute", "tokens_per_minute"),
}


@dataclass(frozen=True)
class Asked:
    """What every request of a model says."""

    model: str
    dimensions: int | None
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Protocol:
    """How one kind of service is spoken to.

    service: its address and keys. header: the one that carries the key. path: where requests go, with {model} for the
    model. worded: the body of a request. read: the rows of numbers in an answer. fields, otherwise: what a request says
    of what its texts are for (see ApiOutline). more: the parameters that only this protocol has.
    """

    service: Service
    header: Callable[[str], Mapping[str, str]]
    path: str
    limits: Limits
    worded: Callable[[Asked, list[str], Fields], Any]
    read: Callable[[Any], Any]
    fields: Mapping[str, Fields] = field(default_factory=dict)
    otherwise: Fields = field(default_factory=dict)
    more: frozenset[str] = frozenset()


def bearer(key: str) -> dict[str, str]:
    """The header that most services want."""
    return {"Authorization": f"Bearer {key}"}


def outline(spec: ModelSpec, protocol: Protocol) -> ApiOutline:
    """How the model treats texts. Raises ModelError when a parameter is none."""
    refuse_settings(spec, "max_tokens")
    refuse_unknown("parameters", spec.parameters, PARAMETERS | protocol.more)
    return ApiOutline(spec, protocol.fields, protocol.otherwise)


def connect(spec: ModelSpec, protocol: Protocol) -> ApiEncoder:
    """The service, not yet asked. Raises ModelError when a parameter is none or the key is not set."""
    texts = outline(spec, protocol)
    url = address(spec, protocol.service.url)
    key = key_of(spec, protocol.service)
    client = Client(
        url,
        protocol.header(key.secret) if key.secret else {},
        key,
        pace_of(spec),
        retries=int(number(spec, "retries", RETRIES, least=0)),
        timeout=number(spec, "timeout", TIMEOUT),
    )
    dimensions = dimensions_of(spec)
    asked = Asked(model_of(spec), dimensions, spec.parameters)
    path = protocol.path.format(model=asked.model)

    def ask(portion: list[str], fields: Fields) -> Any:
        answer = client.post(path, protocol.worded(asked, portion, fields), sum(map(len, portion)))
        try:
            return protocol.read(answer)
        except (KeyError, TypeError, IndexError):
            raise ModelError(f"answered JSON without embeddings: {excerpt(repr(answer))}") from None

    limits = limits_of(spec, protocol.limits)
    return ApiEncoder(texts, ask, limits, url, similarity=spec.similarity, width=dimensions)


def model_of(spec: ModelSpec) -> str:
    """What the service calls the model."""
    name: str = spec.parameters.get("model") or spec.name.rpartition("/")[2]
    return name


def dimensions_of(spec: ModelSpec) -> int | None:
    """The dimensions that are asked for, None for as many as the model has."""
    return None if spec.parameters.get("dimensions") is None else int(number(spec, "dimensions", 0))


def address(spec: ModelSpec, default: str | None) -> str:
    """Where the service is. Raises ModelError for what is no address, or one that holds a secret."""
    url = spec.parameters.get("url", default)
    if url is None:
        raise ModelError(
            f"parameters: url: not given; the {spec.loader} loader needs its server's address, as in "
            "http://127.0.0.1:8080"
        )
    return check_address(url)


def key_of(spec: ModelSpec, service: Service) -> Key:
    """The key: in the variable that `key` names, or in one of the usual ones. Raises ModelError."""
    return read_key(key_variables(service, spec.parameters))


def pace_of(spec: ModelSpec) -> Pace:
    """How fast the service may be asked."""
    return Pace(_limit(spec, "requests_per_minute"), _limit(spec, "tokens_per_minute"))


def limits_of(spec: ModelSpec, usual: Limits) -> Limits:
    """How much a request may hold: never more tokens than the service takes in a minute."""
    tokens = _limit(spec, "tokens_per_minute")
    characters = usual.characters if tokens is None else min(usual.characters, int(tokens * CHARACTERS_PER_TOKEN))
    return Limits(int(number(spec, "batch", usual.texts, least=1)), max(1, characters))


def number(spec: ModelSpec, name: str, default: float, *, least: float | None = None) -> float:
    """A parameter that is a number: `least` or more, above 0 where no least is given. Raises ModelError."""
    value = spec.parameters.get(name, default)
    right = isinstance(value, int | float) and not isinstance(value, bool)
    if right and (value > 0 if least is None else value >= least):
        return float(value)
    expected = "a number above 0" if least is None else f"a number, {least} or more"
    raise ModelError(f"parameters: {name}: expected {expected}, got {value!r}")


def _limit(spec: ModelSpec, name: str) -> float | None:
    return None if spec.parameters.get(name) is None else number(spec, name, 0)
