"""Google's Vertex AI, where text-embedding-005 and its multilingual sister are served: POST .../MODEL:predict.

GOOGLE_OAUTH_ACCESS_TOKEN holds an access token (`gcloud auth print-access-token`). It lasts an hour; what was encoded
until then is kept. GOOGLE_CLOUD_PROJECT names the project, GOOGLE_CLOUD_LOCATION the region, us-central1 by default:
who pays, and where, is no part of the model. Task types are those of models/api/google.py. Texts that are too long are
cut at their end by the service. Parameters: see models/api/protocol.py.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from models.api import protocol
from models.api.encoder import ApiEncoder, ApiOutline, Fields, Limits
from models.api.google import TASK_TYPES
from models.api.services import SERVICES
from models.base import ModelError, ModelSpec


def _worded(asked: protocol.Asked, texts: list[str], fields: Fields) -> Any:
    shortened = {} if asked.dimensions is None else {"parameters": {"outputDimensionality": asked.dimensions}}
    return {"instances": [{"content": text, **fields} for text in texts], **shortened}


PROTOCOL = protocol.Protocol(
    service=SERVICES["vertex"],
    header=protocol.bearer,
    path="/publishers/google/models/{model}:predict",
    # 250 texts and 20,000 tokens are Google's limits.
    limits=Limits(texts=250, characters=20_000),
    worded=_worded,
    read=lambda answer: [prediction["embeddings"]["values"] for prediction in answer["predictions"]],
    fields={context: {"task_type": kind} for context, kind in TASK_TYPES.items()},
)


def outline(spec: ModelSpec) -> ApiOutline:
    """How the model treats texts, without its key. Raises ModelError."""
    return protocol.outline(spec, PROTOCOL)


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
    return protocol.connect(
        spec, replace(PROTOCOL, service=replace(PROTOCOL.service, url=host), path=place + PROTOCOL.path)
    )
