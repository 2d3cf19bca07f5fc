"""The published main scores that ship with embedmark, of its benchmarks' tasks; tools/snapshot.py makes them anew.

Facts, and no verdict: how they were measured is known by their version and data revision alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_FOLDER = Path(__file__).with_name("field")
SCORES, MODELS, TASKS, FINDINGS = (_FOLDER / f"{name}.parquet" for name in ("scores", "models", "tasks", "findings"))

SCALE = 100_000
"""Scores are kept as multiples of 1 / SCALE: published ones of retrieval have five digits."""

DIGITS = 5


def scores() -> pl.LazyFrame:
    """Scan the published scores.

    Returns:
        task, split, subset, model, revision (categories), main_score (of five digits), dataset_revision and
        mteb_version (null where none is told).
    """
    import polars as pl

    frame = pl.scan_parquet(SCORES, glob=False)
    return frame.with_columns((pl.col("score") / SCALE).round(DIGITS).alias("main_score")).drop("score")


def tasks() -> pl.DataFrame:
    """Read what the field says of every task; see `metadata.TASK_FIELDS`."""
    import polars as pl

    return pl.read_parquet(TASKS, glob=False)


def models() -> pl.DataFrame:
    """Read what the field says of every model; see `metadata.FIELDS`."""
    import polars as pl

    return pl.read_parquet(MODELS, glob=False)


def findings() -> pl.DataFrame:
    """Read what `lint` finds in the published scores; see `lint.frame.SCHEMA`."""
    import polars as pl

    return pl.read_parquet(FINDINGS, glob=False)


def revisions() -> dict[str, str]:
    """Read which revision the field's metadata names, by model; models without one are left out."""
    import polars as pl

    known = pl.scan_parquet(MODELS, glob=False).select("name", "revision").drop_nulls().collect()
    return dict(known.iter_rows())
