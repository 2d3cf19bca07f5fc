"""text-embeddings-inference's own route: POST /embed on a server that `url` names.

It asks for no key unless `key` names the variable that holds one. Parameters: see
`TeiParameters`.

The server puts no prompt of its own before texts unless `encode` asks for it: {query: {prompt_name: query}}.
"""

from __future__ import annotations

from typing import Any

from embedmark.models.api import protocol
from embedmark.models.api.encoder import Fields, Limits
from embedmark.models.api.services import SERVICES
from embedmark.models.parameters import TeiParameters


def _request_body(asked: protocol.Asked, texts: list[str], fields: Fields) -> Any:
    assert isinstance(asked.parameters, TeiParameters)
    truncate, normalize = asked.parameters.truncate, asked.parameters.normalize
    shortened = {} if asked.dimensions is None else {"dimensions": asked.dimensions}
    normalized = {} if normalize is None else {"normalize": normalize}
    return {"inputs": texts, "truncate": truncate, **normalized, **shortened, **fields}


PROTOCOL = protocol.Protocol(
    service=SERVICES["tei"],
    header=protocol.bearer,
    path="/embed",
    # 32 texts are the server's limit unless it is started with another --max-client-batch-size.
    limits=Limits(texts=32, characters=65_536),
    make_request_body=_request_body,
    parse_response=lambda answer: answer,
    parameters=TeiParameters,
)
