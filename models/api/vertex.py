"""Google's Vertex AI, where text-embedding-005 and its multilingual sister are served: POST .../MODEL:predict.

GOOGLE_OAUTH_ACCESS_TOKEN holds an access token (`gcloud auth print-access-token`). It lasts an hour; what was encoded
until then is kept. GOOGLE_CLOUD_PROJECT names the project, GOOGLE_CLOUD_LOCATION the region, us-central1 by default:
who pays, and where, is no part of the model. Task types are those of models/api/google.py. Texts that are too long are
cut at their end by the service. Parameters: see `ServiceParameters`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from embedmark.models.api import protocol
from embedmark.models.api.encoder import ApiEncoder, Fields, Limits
from embedmark.models.api.google import TASK_TYPES
from embedmark.models.api.services import SERVICES
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError


def _request_body(asked: protocol.Asked, texts: list[str], fields: Fields) -> Any:
    shortened = {} if asked.dimensions is None else {"parameters": {"outputDimensionality": asked.dimensions}}
    return {"instances": [{"content": text, **fields} for text in texts], **shortened}


PROTOCOL = protocol.Protocol(
    service=SERVICES["vertex"],
    header=protocol.bearer,
    path="/publishers/google/models/{model}:predict",
    # 250 texts and 20,000 tokens are Google's limits.
    limits=Limits(texts=250, characters=20_000),
    make_request_body=_request_body,
    parse_response=lambda answer: [prediction["embeddings"]["values"] for prediction in answer["predictions"]],
    fields={context: {"task_type": kind} for context, kind in TASK_TYPES.items()},
)


outline = PROTOCOL.outline


def load(spec: ModelSpec) -> ApiEncoder:
    """The service, not yet asked. Raises ModelError."""
    project = os.environ.get("GOOGLE_CLOUD_PROJECT")
    if not project:
        raise ModelError(
            "the environment variable GOOGLE_CLOUD_PROJECT is not set; it has to name the project that pays"
        )
    region = os.environ.get("GOOGLE_CLOUD_LOCATION") or "us-central1"
    place = f"/v1/projects/{project}/locations/{region}"
    host = f"https://{region}-aiplatform.googleapis.com"
    service = replace(PROTOCOL.service, url=host)
    return replace(PROTOCOL, service=service, path=place + PROTOCOL.path).load(spec)
