"""text-embeddings-inference's own route: POST /embed on a server that `url` names.

It asks for no key unless `key` names the variable that holds one. Parameters besides those of models/api/protocol.py:
- truncate: whether the server cuts texts at the model's limit; true by default. Without it such texts fail their job.
- normalize: whether the server scales vectors to length 1; by default as the server does, which is yes.

The server puts no prompt of its own before texts unless `encode` asks for it: {query: {prompt_name: query}}.
"""

from __future__ import annotations

from typing import Any

from models.api import protocol
from models.api.encoder import ApiEncoder, ApiOutline, Fields, Limits
from models.api.services import SERVICES
from models.base import ModelSpec


def _worded(asked: protocol.Asked, texts: list[str], fields: Fields) -> Any:
    shortened = {} if asked.dimensions is None else {"dimensions": asked.dimensions}
    normalize = {name: asked.parameters[name] for name in ("normalize",) if name in asked.parameters}
    return {"inputs": texts, "truncate": asked.parameters.get("truncate", True), **normalize, **shortened, **fields}


PROTOCOL = protocol.Protocol(
    service=SERVICES["tei"],
    header=protocol.bearer,
    path="/embed",
    # 32 texts are the server's limit unless it is started with another --max-client-batch-size.
    limits=Limits(texts=32, characters=65_536),
    worded=_worded,
    read=lambda answer: answer,
    more=frozenset({"truncate", "normalize"}),
)


def outline(spec: ModelSpec) -> ApiOutline:
    """How the model treats texts, without asking the server. Raises ModelError."""
    return protocol.outline(spec, PROTOCOL)


def load(spec: ModelSpec) -> ApiEncoder:
    """The server, not yet asked. Raises ModelError."""
    return protocol.connect(spec, PROTOCOL)
