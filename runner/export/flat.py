"""All scores in one table: a row a metric, for whoever computes with them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from embedmark.runner.common.text import csv_cell
from embedmark.runner.export.chosen import Chosen
from embedmark.runner.results.collect import Collected, frame

if TYPE_CHECKING:
    import polars as pl


def table(chosen: Chosen) -> pl.DataFrame:
    """Put the scores of what was chosen into a frame, sorted, so that equal records make equal files.

    Returns:
        The columns of `frame` (runner/results/collect.py), and `label`: how a model differs from others of its name.
    """
    import polars as pl

    records = tuple(kept for run in chosen.runs for kept in run.records)
    labels = {kept.facts.fingerprint: run.label for run in chosen.runs for kept in run.records}
    found = frame(Collected(records, (), ())).drop("folder")
    said = pl.DataFrame({"fingerprint": list(labels), "label": list(labels.values())})
    joined = found.join(said, on="fingerprint", how="left")
    return joined.sort("model", "label", "task", "split", "subset", "metric", "fingerprint")


def parquet(chosen: Chosen) -> bytes:
    """Write Parquet."""
    out = io.BytesIO()
    table(chosen).write_parquet(out, compression="zstd")
    return out.getvalue()


def comma_separated(chosen: Chosen) -> bytes:
    """Write CSV, all digits; languages are joined by spaces, and no cell is taken for a formula."""
    import polars as pl

    found = table(chosen).with_columns(pl.col("languages").list.join(" "))
    texts = [name for name, kind in found.schema.items() if kind == pl.String]
    safe = found.with_columns(pl.col(texts).map_elements(csv_cell, return_dtype=pl.String))
    return safe.write_csv().encode()
