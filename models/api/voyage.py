"""Voyage's embeddings: POST /v1/embeddings (docs.voyageai.com/reference/embeddings-api).

The key is in VOYAGE_API_KEY. A text is a query or a document; texts of symmetric tasks are documents, as in mteb
2.26.24. Texts that are too long are cut at their end by the service. Parameters: see `ServiceParameters`.
"""

from __future__ import annotations

from typing import Any

from embedmark.models.api import protocol
from embedmark.models.api.answers import in_order
from embedmark.models.api.encoder import Fields, Limits
from embedmark.models.api.services import SERVICES


def _request_body(asked: protocol.Asked, texts: list[str], fields: Fields) -> Any:
    shortened = {} if asked.dimensions is None else {"output_dimension": asked.dimensions}
    return {"model": asked.model, "input": texts, **shortened, **fields}


PROTOCOL = protocol.Protocol(
    service=SERVICES["voyage"],
    header=protocol.bearer,
    path="/embeddings",
    # 1,000 texts are Voyage's limit; of tokens its larger models take 120,000.
    limits=Limits(texts=1000, characters=65_536),
    make_request_body=_request_body,
    parse_response=lambda answer: in_order((item["index"], item["embedding"]) for item in answer["data"]),
    fields={"query": {"input_type": "query"}, "document": {"input_type": "document"}},
    default_fields={"input_type": "document"},
)
