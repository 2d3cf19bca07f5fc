"""Boards of a small benchmark: scores that were imported, and records of one's own, for tests of what pages say."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from planned_records import config, measure, reported_project

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import store
from embedmark.runner.leaderboard.bench import bench
from embedmark.runner.leaderboard.columns import Shown, slugs_of
from embedmark.runner.leaderboard.own_records import OwnRecords
from embedmark.runner.leaderboard.records import Sources
from embedmark.runner.leaderboard.scores import all_scores
from embedmark.runner.provenance.ssh import Signers

DATA, OTHER_DATA = "d" * 40, "e" * 40


def small_outputs(folder: Path) -> Path:
    """A project and its outputs folder, with records of org/a and scores of others; returns the outputs folder."""
    reported_project(folder)
    config(folder, "benchmark/tiny.yaml", name="Tiny", tasks=[{"name": "Topics", "subsets": ["en"]}])
    config(folder, "benchmark/unscored.yaml", name="Unscored", tasks=["Search"])
    outputs = folder / "outputs"
    for task, score in (("topics", 0.75), ("likeness", 0.5)):
        measure(folder, "model=a", f"task={task}", score=score, outputs=outputs)
    rows = [
        published("org/x", "Topics", 0.5, subset="en"),
        published("org/x", "Topics", 0.7, subset="de", dataset_revision=OTHER_DATA, mteb_version="1.2.0"),
        published("org/x", "Likeness", 0.25, dataset_revision=None, mteb_version=None),
        published("org/y", "Topics", 0.9, subset="en", dataset_revision=OTHER_DATA),
        published("org/z", "Elsewhere", 0.9),
        published("org/undefined", "Topics", None, subset="en"),
        published("org/b", "Likeness", 0.125, experiment="dim=8"),
        published("org/a", "Likeness", 0.125),
    ]
    schema = store.schema()
    store.add(outputs, pl.DataFrame(rows, schema=schema))
    return outputs


def published(model: str, task: str, score: float | None, subset: str = "default", **more: Any) -> dict[str, Any]:
    """A row of the import store."""
    return {
        "model": model,
        "revision": "r" * 40,
        "task": task,
        "split": "test",
        "subset": subset,
        "metric": None,
        "main_score": score,
        "dataset_revision": DATA,
        "revision_text": None,
        "mteb_version": "2.1.0",
        "experiment": None,
        "origin": "published",
        "source": f"results/{model.replace('/', '__')}/r/{task}.json",
        "source_sha256": "0" * 64,
        "imported_at": date(2026, 1, 1),
        **more,
    }


def small_shown(folder: Path, signers: Signers | None = None) -> Shown:
    """Everything that the pages of `small_outputs` show."""
    outputs = folder / "outputs" if (folder / "outputs").is_dir() else small_outputs(folder)
    catalogue = Catalogue.of([folder])
    scores = all_scores(outputs, catalogue, ["Small", "Tiny", "Unscored"])
    boards = [made for name in scores.benchmarks if (made := bench(scores, name)) is not None]
    own = OwnRecords.of(scores.collected.records, signers)
    findings = {("org/x", "Topics"): ["looks odd"]}
    return Shown(scores, boards, Sources.of(scores.cells), own, slugs_of(scores, boards), findings)
