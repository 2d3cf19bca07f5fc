"""The scores of a benchmark as a matrix of models by tasks, which ranks and forecasts are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.names import version_numbers
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import BenchmarkConfig
from embedmark.runner.exchange import snapshot, store
from embedmark.runner.exchange.names import present_model
from embedmark.runner.exchange.published import PREFERRED_ORIGINS
from embedmark.runner.exchange.task_scores import SCALE, Revisions, Scored, leaf_scores, mean_of_whole
from embedmark.runner.ranking.own import own_models
from embedmark.runner.report.aggregate import Aggregate, Cell
from embedmark.runner.report.rows import TaskRow, leaves, rows_asked
from embedmark.runner.results.record import Record

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class ScoreMatrix:
    """Main scores of models on the tasks of a benchmark.

    Args:
        models: The rows (n_models): names as the catalogue has them, and labels of one's own where they are variants.
        names: Of each row the model's name, without what tells variants apart.
        tasks: The columns (n_tasks), in the benchmark's order.
        types: What the field calls the type of each task.
        values: (n_models, n_tasks), as the metrics have them; NaN where a model lacks some of what a task needs.
        revisions: Of each row those that its scores are of; several where they were joined, none where a record of
            one's own has none.
        own: Whether a row is of one's own records.
        asked: Of each column the splits and subsets, or member tasks, that its scores are the mean of.
        of: Model and task → the revision that a published score is of.
    """

    models: tuple[str, ...]
    names: tuple[str, ...]
    tasks: tuple[str, ...]
    types: tuple[str, ...]
    values: NDArray[np.float64]
    revisions: tuple[tuple[str, ...], ...]
    own: tuple[bool, ...]
    asked: tuple[TaskRow, ...]
    of: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Which models have every task: (n_models)."""
        return np.asarray(~np.isnan(self.values).any(axis=1), dtype=np.bool_)

    def narrowed(self, columns: Sequence[int] | NDArray[np.integer]) -> ScoreMatrix:
        """Keep some tasks, and all models."""
        kept = [int(column) for column in columns]
        return replace(
            self,
            tasks=tuple(self.tasks[column] for column in kept),
            types=tuple(self.types[column] for column in kept),
            asked=tuple(self.asked[column] for column in kept),
            values=self.values[:, kept],
        )


def published(
    benchmark: BenchmarkConfig, catalogue: Catalogue, outputs: Path | None = None, revisions: Revisions = "one"
) -> ScoreMatrix:
    """Collect the published scores of a benchmark.

    A score is the mean over the splits and subsets that the benchmark asks for, or over an aggregate's members. Of
    several revisions of a model the one that counts is the catalogue's, else the one that the field's metadata names,
    else the one with most tasks.

    Args:
        benchmark: Its tasks are the columns.
        catalogue: Where tasks and models are found.
        outputs: The folder whose imported scores are read; None for the snapshot that ships.
        revisions: "one" keeps to one revision of a model; "joined" fills in what it lacks from others, a whole task at
            a time, as the field's leaderboard does. `ScoreMatrix.revisions` names all that count.

    Returns:
        Models with any whole task, by name.

    Raises:
        UserError: A task is not in the catalogue, or there are no imported scores.
    """
    tasks = rows_asked(benchmark, catalogue)
    with reading(outputs):
        return matrix_of(
            tasks, leaf_scores(cells(outputs), leaves(tasks)).of_tasks(tasks, preferred(catalogue), revisions)
        )


def reading(outputs: Path | None) -> AbstractContextManager[None]:
    """Say in words what is wrong with the imported scores, where they cannot be read."""
    return nullcontext() if outputs is None else store.reading(outputs)


def cells(outputs: Path | None) -> pl.LazyFrame:
    """Scan published scores, of models as they are named today.

    Args:
        outputs: The folder whose imported scores are read; None for the snapshot that ships.

    Returns:
        model, revision, task, split, subset, main_score, dataset_revision and mteb_version, each cell once; of imported
        scores also origin and source.
    """
    return _of_present_names(snapshot.scores() if outputs is None else _imported(outputs))


def with_own(matrix: ScoreMatrix, made: Aggregate) -> ScoreMatrix:
    """Add a report's models as rows. What is published of the same model goes: its own scores stand in for it.

    Args:
        matrix: The published scores.
        made: A report of the same benchmark. A task that it has of other splits or subsets is none of the benchmark's.

    Returns:
        The published rows, and after them one's own that have a score of any of the tasks.
    """
    rows = {task.name: task for task in made.tasks if task.in_mean}
    labels = [row.label if (row := rows.get(one.name)) and _same(row, one) else None for one in matrix.asked]
    scores = [[_score(rows, column.cells, label) for label in labels] for column in made.columns]
    values = np.array(scores, dtype=np.float64).reshape(len(made.columns), len(matrix.tasks))
    told = [row for row in range(len(made.columns)) if not np.isnan(values[row]).all()]
    columns = [made.columns[row] for row in told]
    names = {column.model for column in columns}
    kept = [row for row, name in enumerate(matrix.names) if name not in names]
    return ScoreMatrix(
        models=(*(matrix.models[row] for row in kept), *(column.label for column in columns)),
        names=(*(matrix.names[row] for row in kept), *(column.model for column in columns)),
        tasks=matrix.tasks,
        types=matrix.types,
        values=np.concatenate([matrix.values[kept], values[told]]),
        revisions=(
            *(matrix.revisions[row] for row in kept),
            *((column.revision,) if column.revision else () for column in columns),
        ),
        own=(*(matrix.own[row] for row in kept), *(True for _ in columns)),
        asked=matrix.asked,
        of=matrix.of,
    )


def _score(rows: Mapping[str, TaskRow], cells: Mapping[str, Cell], label: str | None) -> float | None:
    """A score by the rule of published ones, of whole millionths."""
    cell = cells[label] if label else None
    if cell is None or cell.score is None:
        return None
    if len(cell.records) == 1 or any(row.members for row in rows.values() if row.label == label):
        return cell.score
    scores = [kept.facts.main_score for kept in cell.records if isinstance(kept.facts, Record)]
    return mean_of_whole(sum(round(score * SCALE) for score in scores), len(scores)) / SCALE


def _same(one: TaskRow, other: TaskRow) -> bool:
    """Whether the scores of two rows are means of the same."""
    if len(one.members) != len(other.members) or one.name != other.name or {*one.slots} != {*other.slots}:
        return False
    return all(map(_same, one.members, other.members))


def matrix_of(tasks: Sequence[TaskRow], found: Mapping[str, Scored]) -> ScoreMatrix:
    """Lay out scores by model and task."""
    names = [task.name for task in tasks]
    values = np.full((len(found), len(tasks)), np.nan)
    for row, one in enumerate(found.values()):
        values[row] = [one.scores.get(name, np.nan) for name in names]
    return ScoreMatrix(
        models=tuple(found),
        names=tuple(found),
        tasks=tuple(names),
        types=tuple(task.type for task in tasks),
        values=values,
        revisions=tuple(one.revisions for one in found.values()),
        own=(False,) * len(found),
        asked=tuple(tasks),
        of={(model, task): revision for model, one in found.items() for task, revision in one.of.items()},
    )


def preferred(catalogue: Catalogue) -> dict[str, str]:
    """Return, by model, the revision that the catalogue names, else the field's metadata."""
    known = snapshot.revisions()
    known |= {model.name: model.revision for model in own_models(catalogue, frozenset(known)) if model.revision}
    return known


def _of_present_names(cells: pl.LazyFrame) -> pl.LazyFrame:
    import polars as pl

    names = cells.select(pl.col("model").cast(pl.String).unique()).collect()["model"].to_list()
    renamed = {name: present_model(name) for name in names}
    return cells.with_columns(pl.col("model").cast(pl.String).replace(renamed))


def _imported(outputs: Path) -> pl.LazyFrame:
    """The scores of main metrics, each cell once: of several sources the most trusted, then the newest version."""
    import polars as pl

    cell = ("model", "revision", "task", "split", "subset")
    whole = store.load(outputs).filter(pl.col("experiment").is_null(), pl.col("metric").is_null())
    named = whole.with_columns(pl.col(pl.Categorical).cast(pl.String))
    versions = named.select(pl.col("mteb_version").unique()).collect()["mteb_version"].to_list()
    ages = {version: age for age, version in enumerate(sorted(versions, key=version_numbers))}
    trust = {origin: -place for place, origin in enumerate(PREFERRED_ORIGINS)}
    return (
        named.drop_nulls("main_score")
        .with_columns(
            pl.col("mteb_version").replace_strict(ages, default=-1, return_dtype=pl.Int32).alias("age"),
            pl.col("origin").replace_strict(trust, default=-9, return_dtype=pl.Int32).alias("trust"),
        )
        .sort(*cell, "trust", "age", "dataset_revision", "main_score", "source", nulls_last=False)
        .unique(cell, keep="last", maintain_order=True)
    )
