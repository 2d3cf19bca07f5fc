"""The store of imported scores: outputs/imported/scores.parquet, a row a cell, equal bytes whatever came first.

A cell is a model at a revision, a task, a split, a subset, and what data and version measured it. Two scores of one
cell that are the same are one row; two that differ are both kept, with where each came from.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.files import write_atomically
from embedmark.runner.results.durable import writing

if TYPE_CHECKING:
    import polars as pl

CELL = (
    "task", "split", "subset", "model", "revision", "experiment", "dataset_revision", "revision_text", "mteb_version",
    "origin",
)  # fmt: skip
"""The columns that say what was scored, in the order in which the store is sorted."""

COLUMNS = (
    "model", "revision", "task", "split", "subset", "metric", "main_score", "dataset_revision", "revision_text",
    "mteb_version", "experiment", "origin", "source", "source_sha256", "imported_at",
)  # fmt: skip
"""All columns. metric: null for the task's main one; main_score: null where undefined; revision_text: what stands in
the place of a commit; experiment: the variant of the model; origin: published, self-reported or embedmark; source: the
file, below what was imported, with the commit of a checkout; imported_at: the day."""

TOLERANCE = 1e-6
"""Scores that are closer are the same: results are written with six digits."""

_SOURCE = ("source", "source_sha256")

_GROUP = 200_000


@dataclass(frozen=True)
class Added:
    """What an import changed.

    Args:
        new: Scores that the store had not.
        known: Scores that it had, and which are the same.
        contradicting: Cells whose scores differ by more than `TOLERANCE`: model, task, split, subset, the scores and
            where each is from.
        total: Scores in the store now.
    """

    new: int
    known: int
    contradicting: pl.DataFrame
    total: int


def path_of(outputs: Path) -> Path:
    """Return where an outputs folder keeps imported scores."""
    return outputs / "imported" / "scores.parquet"


def schema() -> dict[str, pl.DataType]:
    """Return the type of every column: names are categories."""
    import polars as pl

    numbers: dict[str, pl.DataType] = {"main_score": pl.Float64(), "imported_at": pl.Date()}
    return {name: numbers.get(name, pl.Categorical()) for name in COLUMNS}


def load(outputs: Path) -> pl.LazyFrame:
    """Scan the imported scores of an outputs folder; nothing is read before it is collected.

    Raises:
        UserError: There are none, or the file is not one that `add` wrote.
    """
    import polars as pl

    path = path_of(outputs)
    if not path.is_file():
        raise UserError(f"{path}: nothing was imported; `python -m runner import PATH --outputs {outputs}` does")
    with reading(outputs):
        found = pl.scan_parquet(path, glob=False)
        if found.collect_schema() != pl.Schema(schema()):
            raise UserError(f"{path}: has other columns than an import writes; delete it and import again")
    return found


@contextmanager
def reading(outputs: Path) -> Iterator[None]:
    """Say what to do about a store that is damaged: what `load` scans is read where it is collected.

    Raises:
        UserError: In place of what polars raises.
    """
    import polars as pl

    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        said = str(error).partition("\n")[0]
        path = path_of(outputs)
        raise UserError(f"{path}: cannot be read as Parquet: {said}; delete it and import again") from None


def add(outputs: Path, scores: pl.DataFrame) -> Added:
    """Add scores to the store, whose file is there as a whole or not at all.

    Args:
        outputs: The folder of results; the store is below it.
        scores: The columns of `schema()`.

    Raises:
        UserError: What is there is not a store.
        OutputError: It cannot be written.
    """
    import polars as pl
    from filelock import FileLock

    path = path_of(outputs)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name("scores.lock")):
            before = _kept(outputs)
            both = pl.concat([before.with_columns(pl.lit(False).alias("added")), _marked(scores, added=True)])
            kept = _once(both)
            contradicting = _contradicting(kept)
            found = kept.drop("added")
            if not found.equals(before):
                out = io.BytesIO()
                found.write_parquet(out, compression="zstd", compression_level=3, row_group_size=_GROUP)
                write_atomically(path, out.getvalue(), durable=True)
    new = found.height - before.height
    return Added(new, scores.height - new, contradicting, found.height)


def _kept(outputs: Path) -> pl.DataFrame:
    import polars as pl

    if not path_of(outputs).is_file():
        return pl.DataFrame(schema=schema())
    with reading(outputs):
        return load(outputs).collect()


def _marked(scores: pl.DataFrame, *, added: bool) -> pl.DataFrame:
    import polars as pl

    return scores.select(*(pl.col(name).cast(kind) for name, kind in schema().items()), pl.lit(added).alias("added"))


def _once(scores: pl.DataFrame) -> pl.DataFrame:
    """Each score of a cell once, of the same ones that whose source is first by name; sorted."""
    import polars as pl

    cell = (*CELL, "rounded")
    rounded = scores.select(*CELL, pl.col("main_score").round(6).alias("rounded"))
    places = pl.DataFrame([_places(rounded[name]) for name in cell])
    rest = scores.select("imported_at", "main_score").with_columns(_places(scores[name]) for name in _SOURCE)
    keys = (*cell, *_SOURCE, "imported_at", "main_score")
    order = places.hstack(rest).select(pl.arg_sort_by(*keys, nulls_last=True)).to_series()
    changed = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in cell)
    first = places[order].select(changed.fill_null(True)).to_series()
    return scores[order.filter(first)]


def _places(column: pl.Series) -> pl.Series:
    """The place of each value among the column's sorted ones, null last; numbers take far less to sort than names."""
    import polars as pl

    values = column.unique().drop_nulls()
    order = (values.cast(pl.String) if values.dtype == pl.Categorical else values).arg_sort()
    values = values[order]
    places = pl.int_range(values.len(), dtype=pl.UInt32, eager=True)
    return column.replace_strict(values, places, default=values.len(), return_dtype=pl.UInt32)


def _contradicting(scores: pl.DataFrame) -> pl.DataFrame:
    """Cells that an import touched, and whose scores differ."""
    import polars as pl

    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in CELL)
    apart = (pl.col("main_score") - pl.col("main_score").shift(1)).abs() > TOLERANCE
    one_defined = pl.col("main_score").is_null() != pl.col("main_score").shift(1).is_null()
    touched = pl.col("added") | pl.col("added").shift(1)
    return scores.select(
        "model", "task", "split", "subset",
        pl.col("main_score").shift(1).alias("score"), pl.col("source").shift(1),
        pl.col("main_score").alias("other_score"), pl.col("source").alias("other_source"),
        (same & (apart | one_defined) & touched).alias("differs"),
    ).filter("differs").drop("differs")  # fmt: skip
