"""Make the snapshot of published main scores that ships: `python -m tools.snapshot FACTS`.

FACTS is a folder with `results/main_scores.parquet`, `models.jsonl` and `tasks.jsonl`, as mteb 2.26.24 and its results
repository hold them. Only tasks of benchmarks in the catalogue are kept; scores are kept as multiples of 0.00001.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import TaskGroup
from embedmark.runner.exchange import snapshot
from embedmark.runner.exchange.metadata import FIELDS, TASK_FIELDS
from embedmark.runner.lint.frame import frame
from embedmark.runner.lint.lint import lint_scores

ACTIVE = {
    "GritLM/GritLM-8x7B": 13_000_000_000,
    "Querit/Querit": 433_833_858,
    "ai-sage/Giga-Embeddings-instruct-10B-A1.8B-0826": 1_800_000_000,
    "geevec-ai/geevec-embeddings-1.0-lite": 349_000_000,
    "nomic-ai/nomic-embed-text-v2-moe": 141_628_032,
    "stephantulkens/NIFE-gte-modernbert-base_as_router": 0,
    "stephantulkens/NIFE-mxbai-embed-large-v1_as_router": 0,
}
"""Model → parameters at work on a token, where mteb 2.26.24 states them. `models.jsonl` does not tell."""


def tasks_of_benchmarks(catalogue: Catalogue) -> list[str]:
    """List the tasks of all benchmarks, and the members of aggregates."""
    found: set[str] = set()
    for name in catalogue.benchmarks:
        for asked in catalogue.benchmark(name).tasks:
            found.add(asked.name)
            dataset = catalogue.task(asked.name).dataset
            if isinstance(dataset, TaskGroup):
                found.update(dataset.tasks)
    return sorted(found)


def scores(path: Path, tasks: list[str]) -> pl.DataFrame:
    """Keep the scores of some tasks, each cell once: of several data revisions or versions the newest version's."""
    sorting = ("task", "split", "subset", "model", "revision")
    return (
        pl.read_parquet(path)
        .with_columns(pl.col(pl.Categorical).cast(pl.String))
        .filter(pl.col("task").is_in(tasks), pl.col("main_score").is_not_nan(), pl.col("main_score").is_not_null())
        .with_columns((pl.col("main_score") * snapshot.SCALE).round().cast(pl.Int32).alias("score"))
        .sort(*sorting, "mteb_version", "dataset_revision", "score", nulls_last=False)
        .unique(sorting, keep="last", maintain_order=True)
        .select(*sorting, "score", "dataset_revision", "mteb_version")
        .with_columns(pl.col(pl.String).cast(pl.Categorical))
    )


def models(path: Path) -> pl.DataFrame:
    """Read what is known of every model."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["n_active_parameters"] = ACTIVE.get(row["name"])
        if isinstance(width := row.get("embed_dim"), int):
            row["embed_dim"] = [width]
    return pl.DataFrame([{name: row.get(name) for name in FIELDS} for row in rows], schema=FIELDS).sort("name")


def tasks(path: Path) -> pl.DataFrame:
    """Read what is kept of every task."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    made = [
        {
            "name": row["name"],
            "type": row["type"],
            "modalities": row.get("modalities") or ["text"],
            "languages": _languages(row.get("eval_langs")),
            "adapted_from": row.get("adapted_from") or [],
            "superseded_by": row.get("superseded_by"),
        }
        for row in rows
    ]
    return pl.DataFrame(made, schema=TASK_FIELDS).sort("name")


def _languages(told: dict[str, list[str]] | list[str] | None) -> list[str]:
    parts = told.values() if isinstance(told, dict) else [told or []]
    return sorted({language.partition("-")[0] for part in parts for language in part})


def main(facts: Path) -> None:
    """Write the files beside runner/exchange/snapshot.py."""
    found = scores(facts / "results" / "main_scores.parquet", tasks_of_benchmarks(Catalogue(quiet=True)))
    found.write_parquet(snapshot.SCORES, compression="zstd", compression_level=22)
    models(facts / "models.jsonl").write_parquet(snapshot.MODELS, compression="zstd", compression_level=22)
    tasks(facts / "tasks.jsonl").write_parquet(snapshot.TASKS, compression="zstd", compression_level=22)
    # What is wrong is looked for in what was just written.
    seen = frame(lint_scores(snapshot.scores().collect()))
    seen.write_parquet(snapshot.FINDINGS, compression="zstd", compression_level=22)
    for path in (snapshot.SCORES, snapshot.MODELS, snapshot.TASKS, snapshot.FINDINGS):
        sys.stdout.write(f"{path}: {path.stat().st_size / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
