"""Models compared on published main scores, which have no items: verdicts over tasks alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.compare.comparison import Comparison, Lacking, TaskComparison
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import snapshot
from embedmark.runner.ranking.matrix import ScoreMatrix
from embedmark.runner.report.names import by_its_end
from embedmark.runner.stats.intervals import NoInterval

NO_ITEMS = "published scores carry no items"


def row_of(wanted: str, matrix: ScoreMatrix, catalogue: Catalogue) -> int:
    """Find a model's row by its name, the end of it, or its config.

    Raises:
        UserError: No score of it is there.
    """
    name = by_its_end(wanted, matrix.models) or by_its_end(_configured(wanted, catalogue), matrix.models)
    if name is None:
        raise UserError(
            f"no score of {wanted!r} on record or published on this benchmark.{nearest(wanted, matrix.models)}"
        )
    return matrix.models.index(name)


def _configured(wanted: str, catalogue: Catalogue) -> str:
    try:
        return catalogue.model(wanted).name
    except UserError:
        return wanted


def compare_rows(matrix: ScoreMatrix, a: int, b: int) -> Comparison:
    """Compare two rows of a matrix of scores, task by task.

    Raises:
        UserError: They share no task.
    """
    both = np.flatnonzero(~np.isnan(matrix.values[[a, b]]).any(axis=0))
    one, other = matrix.models[a], matrix.models[b]
    if not both.size:
        raise UserError(f"{one} and {other} share no task of this benchmark")
    tasks = tuple(
        TaskComparison(
            matrix.tasks[task], matrix.tasks[task], matrix.types[task], "",
            float(matrix.values[a, task]), float(matrix.values[b, task]),
            NoInterval(NO_ITEMS),
        )
        for task in both
    )  # fmt: skip
    lacking = tuple(
        Lacking(matrix.tasks[task], matrix.models[row], "no score")
        for task in range(len(matrix.tasks))
        for row in (a, b)
        if np.isnan(matrix.values[row, task]) and not np.isnan(matrix.values[b if row == a else a, task])
    )
    return Comparison(one, other, tasks, None, lacking)


def other_data(matrix: ScoreMatrix, rows: Sequence[int]) -> list[str]:
    """List the tasks whose published scores of these models are of different revisions of the data."""
    import polars as pl

    names = [matrix.names[row] for row in rows if not matrix.own[row]]
    found = (
        snapshot.scores()
        .with_columns(pl.col(pl.Categorical).cast(pl.String))
        .filter(pl.col("model").is_in(names), pl.col("task").is_in(matrix.tasks))
        .group_by("task", "model")
        .agg(pl.col("dataset_revision").drop_nulls().unique().sort().str.join(" ").alias("data"))
        .filter(pl.col("data") != "")
        .group_by("task")
        .agg(pl.col("data").n_unique().alias("versions"))
        .filter(pl.col("versions") > 1)
        .sort("task")
        .collect()
    )
    return found["task"].to_list()
