"""What the services' own protocols have in common. Their parameters are those of `ServiceParameters`.

`key` and the last five, from `batch` on, say how a run executes and are not part of the model's identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from embedmark.models.api.answers import excerpt, named_in
from embedmark.models.api.client import RETRIES, TIMEOUT, Client
from embedmark.models.api.encoder import ApiEncoder, ApiOutline, Fields, Limits
from embedmark.models.api.key import Key, read_key
from embedmark.models.api.pace import CHARACTERS_PER_TOKEN, Pace
from embedmark.models.api.services import Service, check_address, key_variables
from embedmark.models.parameters import ServiceParameters, check
from embedmark.models.spec import ModelSpec, refuse_settings
from embedmark.runner.common.errors import ModelError


@dataclass(frozen=True)
class Asked:
    """What every request of a model says."""

    model: str
    dimensions: int | None
    parameters: ServiceParameters


@dataclass(frozen=True)
class Protocol:
    """How one kind of service is spoken to.

    Args:
        service: Its address and keys.
        header: Makes the header that carries the key.
        path: Where requests go, with {model} for the model.
        limits: How much a request may hold.
        make_request_body: Makes the body of a request.
        parse_response: Gives the rows of numbers in an answer.
        fields: What a request says of what its texts are for, by context; see ApiOutline.
        default_fields: The same where no context fits.
        parameters: The class of its parameters.
    """

    service: Service
    header: Callable[[str], Mapping[str, str]]
    path: str
    limits: Limits
    make_request_body: Callable[[Asked, list[str], Fields], Any]
    parse_response: Callable[[Any], Any]
    fields: Mapping[str, Fields] = field(default_factory=dict)
    default_fields: Fields = field(default_factory=dict)
    parameters: type[ServiceParameters] = ServiceParameters

    def outline(self, spec: ModelSpec) -> ApiOutline:
        """Tell how the model treats texts, without its key. Raises ModelError when a parameter is invalid."""
        refuse_settings(spec, "max_tokens")
        check(self.parameters, spec.parameters)
        return ApiOutline(spec, self.fields, self.default_fields)

    def load(self, spec: ModelSpec) -> ApiEncoder:
        """Make the encoder; the service is not yet asked.

        Raises:
            ModelError: A parameter is invalid, or the key is not set.
        """
        texts, parameters = self.outline(spec), check(self.parameters, spec.parameters)
        url = address(spec, self.service.url)
        key = key_of(spec, self.service)
        client = Client(
            url,
            self.header(key.secret) if key.secret else {},
            key,
            pace_of(parameters),
            retries=RETRIES if parameters.retries is None else parameters.retries,
            timeout=parameters.timeout or TIMEOUT,
        )
        asked = Asked(model_of(spec), parameters.dimensions, parameters)
        path = self.path.format(model=asked.model)

        answered: set[str] = set()

        def ask(portion: list[str], fields: Fields) -> Any:
            answer = client.post(path, self.make_request_body(asked, portion, fields), sum(map(len, portion)))
            answered.update(named_in(answer))
            try:
                return self.parse_response(answer)
            except (KeyError, TypeError, IndexError):
                raise ModelError(f"answered JSON without embeddings: {excerpt(repr(answer))}") from None

        limits = limits_of(parameters, self.limits)
        return ApiEncoder(
            texts, ask, limits, url, similarity=spec.similarity, width=asked.dimensions, answered=answered
        )


def bearer(key: str) -> dict[str, str]:
    """The header that most services want."""
    return {"Authorization": f"Bearer {key}"}


def model_of(spec: ModelSpec) -> str:
    """What the service calls the model."""
    name: str = spec.parameters.get("model") or spec.name.rpartition("/")[2]
    return name


def address(spec: ModelSpec, default: str | None) -> str:
    """Where the service is. Raises ModelError for an invalid address, or one that holds a secret."""
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


def pace_of(parameters: ServiceParameters) -> Pace:
    """How fast the service may be asked."""
    return Pace(parameters.requests_per_minute, parameters.tokens_per_minute)


def limits_of(parameters: ServiceParameters, usual: Limits) -> Limits:
    """How much a request may hold: never more tokens than the service takes in a minute."""
    tokens = parameters.tokens_per_minute
    characters = usual.characters if tokens is None else min(usual.characters, int(tokens * CHARACTERS_PER_TOKEN))
    return Limits(parameters.batch or usual.texts, max(1, characters))
