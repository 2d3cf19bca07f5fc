"""What the field says of every model and task: training data, size, licence, date, and which model it was adapted from.

It goes with published scores: of many models that have some, the catalogue has no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

FIELDS: dict[str, PolarsDataType] = {
    "name": pl.String,
    "revision": pl.String,
    "release_date": pl.String,
    "languages": pl.List(pl.String),
    "n_parameters": pl.Int64,
    "n_embedding_parameters": pl.Int64,
    "n_active_parameters": pl.Int64,
    "memory_usage_mb": pl.Float64,
    "max_tokens": pl.Float64,
    "embed_dim": pl.List(pl.Int64),
    "license": pl.String,
    "open_weights": pl.Boolean,
    "framework": pl.List(pl.String),
    "reference": pl.String,
    "similarity_fn_name": pl.String,
    "use_instructions": pl.Boolean,
    "adapted_from": pl.String,
    "superseded_by": pl.String,
    "modalities": pl.List(pl.String),
    "model_type": pl.List(pl.String),
    "is_cross_encoder": pl.Boolean,
    "training_datasets": pl.List(pl.String),
}
"""Column → type. training_datasets: null is unknown, an empty list says none of the field's tasks. embed_dim: several
where a model gives vectors of several lengths. n_active_parameters: null, but for models that state theirs."""

TASK_FIELDS: dict[str, PolarsDataType] = {
    "name": pl.String,
    "type": pl.String,
    "modalities": pl.List(pl.String),
    "languages": pl.List(pl.String),
    "adapted_from": pl.List(pl.String),
    "superseded_by": pl.String,
}
"""The same of tasks. type: what the field calls it, as in Retrieval; languages: without their script."""
