"""Cohere's embeddings: POST /v2/embed (docs.cohere.com/reference/embed).

The key is in COHERE_API_KEY or CO_API_KEY. Texts have an input type; where a task is neither search, classification nor
clustering it is search_document, as in mteb 2.26.24. Texts that are too long are cut at their end by the service.
Parameters: see `ServiceParameters`.
"""

from __future__ import annotations

from typing import Any

from embedmark.models.api import protocol
from embedmark.models.api.encoder import Fields, Limits
from embedmark.models.api.services import SERVICES


def _request_body(asked: protocol.Asked, texts: list[str], fields: Fields) -> Any:
    shortened = {} if asked.dimensions is None else {"output_dimension": asked.dimensions}
    return {"model": asked.model, "texts": texts, "embedding_types": ["float"], **shortened, **fields}


PROTOCOL = protocol.Protocol(
    service=SERVICES["cohere"],
    header=protocol.bearer,
    path="/v2/embed",
    # 96 texts are Cohere's limit; of tokens it takes 128,000.
    limits=Limits(texts=96, characters=65_536),
    make_request_body=_request_body,
    parse_response=lambda answer: answer["embeddings"]["float"],
    fields={
        "Classification": {"input_type": "classification"},
        "MultilabelClassification": {"input_type": "classification"},
        "Clustering": {"input_type": "clustering"},
        "query": {"input_type": "search_query"},
        "document": {"input_type": "search_document"},
    },
    default_fields={"input_type": "search_document"},
)
