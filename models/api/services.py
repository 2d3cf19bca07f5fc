"""Which address and which key belong to a service, and what a model's file may say of both.

A model's file may come from a stranger. So it names no environment variable but a key's, and texts and keys go to no
address but the service's own, unless whoever runs it trusts that address. Light enough for planning to import.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from embedmark.runner.common.errors import ModelError


@dataclass(frozen=True)
class Service:
    """url: the provider's own address, None where everyone has their own. keys: the variables that may hold its key."""

    url: str | None
    keys: tuple[str, ...] = ()


SERVICES: Mapping[str, Service] = {
    "openai": Service("https://api.openai.com/v1", ("OPENAI_API_KEY",)),
    "cohere": Service("https://api.cohere.com", ("COHERE_API_KEY", "CO_API_KEY")),
    "voyage": Service("https://api.voyageai.com/v1", ("VOYAGE_API_KEY",)),
    "google": Service("https://generativelanguage.googleapis.com/v1beta", ("GEMINI_API_KEY", "GOOGLE_API_KEY")),
    "vertex": Service(None, ("GOOGLE_OAUTH_ACCESS_TOKEN",)),
    "tei": Service(None),
}
"""By the loader that speaks to it."""

_ADDRESS = re.compile(r"https?://[^\s/?#@\\]+(/[^\s?#@\\]*)?")
_KEY = re.compile(r"[A-Z][A-Z0-9_]*_API_KEY")
_REGION = re.compile(r"https://[a-z0-9-]+-aiplatform\.googleapis\.com(/|$)")
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")


def check_service(loader: str, parameters: Mapping[str, Any], *, trusted: bool) -> None:
    """Refuse what a model's file may not say of its service; nothing for other loaders. trusted: its address is.

    Raises ModelError.
    """
    service = SERVICES.get(loader)
    if service is None:
        return
    keys = key_variables(service, parameters)
    url = parameters.get("url")
    if url is None:
        return
    check_address(url)
    if trusted or _is_own(service, url) or (not keys and _is_loopback(url)):
        return
    sent = f"its texts, and the key in {' or '.join(keys)}," if keys else "its texts"
    raise ModelError(
        f"parameters: url: {url[:100]!r} is not the address of loader {loader}'s service, and {sent} would be sent "
        "there. If you trust it, say `trust_url: true` in the model's file, or give the address on the command line: "
        "model.parameters.url=..."
    )


def key_variables(service: Service, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """The environment variables that may hold the key; none for a service that asks for none. Raises ModelError."""
    if "key" not in parameters:
        return service.keys
    named = parameters["key"]
    if named is None:
        return ()
    if not isinstance(named, str) or not (named in service.keys or _KEY.fullmatch(named)):
        own = " or ".join(service.keys)
        raise ModelError(
            f"parameters: key: expected {f'{own}, or ' if own else ''}the name of another environment variable that "
            "ends in _API_KEY, or null for no key; what stands there is not shown, since it may be the key itself"
        )
    return (named,)


def check_address(url: Any) -> str:
    """The address without a slash at its end. Raises ModelError for an invalid one, or one that holds a secret."""
    if not isinstance(url, str) or not _ADDRESS.fullmatch(url) or not _has_port(url):
        # Not shown: what is too much in an address is most often a key.
        raise ModelError(
            "parameters: url: expected http:// or https://, a host and perhaps a port and a path, as in "
            "http://127.0.0.1:8080, and nothing more; a key belongs in an environment variable, which `key` names"
        )
    return url.rstrip("/")


def _has_port(url: str) -> bool:
    """Whether what follows the host, if anything does, is a port."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _is_own(service: Service, url: str) -> bool:
    if service is SERVICES["vertex"]:
        return _REGION.match(url) is not None
    return service.url is not None and _origin(url) == _origin(service.url)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.casefold().removesuffix(":443")


def _is_loopback(url: str) -> bool:
    return _LOOPBACK.fullmatch((urlsplit(url).hostname or "").casefold()) is not None
