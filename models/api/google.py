"""Google's Gemini API: POST /v1beta/models/MODEL:batchEmbedContents (ai.google.dev/api/embeddings).

The key is in GEMINI_API_KEY or GOOGLE_API_KEY. Texts have a task type; where a task has none of Google's, it is left
out, as in mteb 2.26.24. Texts that are too long are cut at their end by the service. Parameters: see
`ServiceParameters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedmark.models.api import protocol
from embedmark.models.api.encoder import Fields, Limits
from embedmark.models.api.services import SERVICES

# For STS mteb says SIMILARITY, which Google's list of task types does not have.
TASK_TYPES: Mapping[str, str] = {
    "Classification": "CLASSIFICATION",
    "MultilabelClassification": "CLASSIFICATION",
    "Clustering": "CLUSTERING",
    "STS": "SEMANTIC_SIMILARITY",
    "query": "RETRIEVAL_QUERY",
    "document": "RETRIEVAL_DOCUMENT",
}
"""Google's task types by context, keyed like prompts."""


def _request_body(asked: protocol.Asked, texts: list[str], fields: Fields) -> Any:
    shortened = {} if asked.dimensions is None else {"outputDimensionality": asked.dimensions}
    name = f"models/{asked.model}"
    return {
        "requests": [{"model": name, "content": {"parts": [{"text": text}]}, **shortened, **fields} for text in texts]
    }


PROTOCOL = protocol.Protocol(
    service=SERVICES["google"],
    header=lambda key: {"x-goog-api-key": key},
    path="/models/{model}:batchEmbedContents",
    limits=Limits(texts=100, characters=65_536),
    make_request_body=_request_body,
    parse_response=lambda answer: [embedding["values"] for embedding in answer["embeddings"]],
    fields={context: {"taskType": kind} for context, kind in TASK_TYPES.items()},
)
