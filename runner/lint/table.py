"""All scores as a table of models by tasks, which the rules over scores share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from embedmark.runner.common.names import version_numbers
from embedmark.runner.exchange.names import present_model
from embedmark.runner.lint.finding import About

if TYPE_CHECKING:
    from collections.abc import Sequence

CELL = ("task", "split", "subset")
_HALF, _NEARLY_ALL = 0.5, 0.9


@dataclass(frozen=True)
class ScoreTable:
    """Main scores, and what the field says of models and tasks.

    Args:
        cells: One row a model, task, split and subset: those columns, main_score, dataset_revision, mteb_version.
        doubled: Rows of cells that were there several times.
        models: See `metadata.FIELDS`.
        tasks: See `metadata.TASK_FIELDS`.
    """

    cells: pl.DataFrame
    doubled: pl.DataFrame
    models: pl.DataFrame
    tasks: pl.DataFrame

    @classmethod
    def of(cls, scores: pl.DataFrame, models: pl.DataFrame, tasks: pl.DataFrame) -> ScoreTable:
        """Make a table of imported scores. Of several revisions of a model that with most scores counts.

        Args:
            scores: With the columns of the import store, or those of the snapshot.
            models: What the field says of models.
            tasks: What the field says of tasks.
        """
        if "experiment" in scores.columns:
            scores = scores.filter(pl.col("experiment").is_null())
        # NaN is greater than every number in polars, and makes a median NaN.
        scores = scores.with_columns(pl.col("main_score").fill_nan(None)).drop_nulls("main_score")
        kept = scores.select("model", "revision", *CELL, "main_score", "dataset_revision", "mteb_version")
        counts = kept.group_by("model", "revision").len().sort("len", "revision", descending=True)
        best = counts.unique("model", keep="first", maintain_order=True).select("model", "revision")
        kept = kept.join(best, on=["model", "revision"], how="semi")
        kept = kept.with_columns(_by_release(kept["mteb_version"])).sort("model", *CELL, "mteb_version")
        twice = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in ("model", *CELL))
        marked = kept.with_columns(twice.fill_null(False).alias("again"))
        doubled = marked.filter(pl.col("again") | pl.col("again").shift(-1).fill_null(False)).drop("again")
        cells = marked.filter(~pl.col("again").shift(-1).fill_null(False)).drop("again")
        return cls(cells, doubled, models, tasks)

    @cached_property
    def by_task(self) -> pl.DataFrame:
        """One row a model and task: y, the mean over the cells that half of the task's models have; the newest version
        and data revision. A model counts where it has 90 % of these cells."""
        common = (
            self.cells.group_by(CELL)
            .agg(pl.len().alias("n"))
            .join(self.cells.group_by("task").agg(pl.col("model").n_unique().alias("models")), on="task")
            .filter(pl.col("n") >= _HALF * pl.col("models"))
            .with_columns(pl.len().over("task").alias("n_cells"))
        )
        joined = self.cells.join(common.select(*CELL, "n_cells"), on=list(CELL))
        return (
            joined.group_by("model", "task")
            .agg(
                pl.col("main_score").mean().alias("y"),
                pl.len().alias("n"),
                pl.col("n_cells").first(),
                pl.col("mteb_version").max().cast(pl.String).alias("version"),
                pl.col("dataset_revision").cast(pl.String).max().alias("data"),
            )
            .filter(pl.col("n") >= _NEARLY_ALL * pl.col("n_cells"))
            .with_columns(pl.col("model", "task").cast(pl.String))
            .sort("task", "model")
        )

    @cached_property
    def model_names(self) -> list[str]:
        """The rows of `matrix`: models with at least `FEWEST_TASKS` of its tasks."""
        counted = self.by_task.filter(pl.col("task").is_in(self.task_names)).group_by("model").len()
        return counted.filter(pl.col("len") >= FEWEST_TASKS)["model"].sort().to_list()

    @cached_property
    def task_names(self) -> list[str]:
        """The columns of `matrix`: tasks of texts of at least `FEWEST` models."""
        others = [row["name"] for row in self.tasks.to_dicts() if row["modalities"] != ["text"]]
        counted = self.by_task.group_by("task").len().filter(pl.col("len") >= FEWEST, ~pl.col("task").is_in(others))
        return counted["task"].sort().to_list()

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """y of every model and task, NaN where there is none: (n_models, n_tasks)."""
        rows = {name: row for row, name in enumerate(self.model_names)}
        columns = {name: column for column, name in enumerate(self.task_names)}
        kept = self.by_task.filter(pl.col("task").is_in(self.task_names), pl.col("model").is_in(self.model_names))
        found = np.full((len(rows), len(columns)), np.nan)
        at = [rows[name] for name in kept["model"]], [columns[name] for name in kept["task"]]
        found[at] = kept["y"].to_numpy()
        return found

    @cached_property
    def facts(self) -> Mapping[str, Mapping[str, object]]:
        """What is known of each model, by the name that the scores have."""
        known = {row["name"]: row for row in self.models.to_dicts()}
        found: dict[str, Mapping[str, object]] = {}
        for name in self.model_names:
            found[name] = known.get(name) or known.get(present_model(name)) or {}
        return found

    @cached_property
    def revisions(self) -> Mapping[str, str]:
        """Model → the revision that its scores are of."""
        each = self.cells.select(pl.col("model", "revision").cast(pl.String)).unique()
        return dict(each.iter_rows())

    def about(
        self, model: str, task: str | None = None, split: str | None = None, subset: str | None = None
    ) -> tuple[About]:
        """Say what a finding is about: some scores of one model."""
        return (About(model, self.revisions.get(model), task, split, subset),)

    def is_baseline(self, models: Sequence[str]) -> NDArray[np.bool_]:
        """Which models are baselines by name: a random encoder, BM25, people."""
        return np.array(
            [name.rpartition("/")[2].startswith("baseline") or name.startswith("baseline/") for name in models]
        )


def _by_release(versions: pl.Series) -> pl.Series:
    """Versions in the order of their numbers: as texts, 1.9 would come after 1.18."""
    known = versions.cast(pl.String).drop_nulls().unique().to_list()
    order = sorted(known, key=lambda version: (version_numbers(version), version))
    return versions.cast(pl.String).cast(pl.Enum(order))


FEWEST = 16
"""Models that a task needs to be a column."""

FEWEST_TASKS = 5
"""Tasks that a model needs to be a row."""
