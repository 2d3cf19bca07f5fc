"""Tables of scores: the field's `main_scores.parquet`, and what `export --to parquet` and `--to csv` write."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import is_model, is_safe
from embedmark.runner.common.text import shortened
from embedmark.runner.exchange.limits import LARGEST_SCORE
from embedmark.runner.exchange.result_file import NO_REVISION
from embedmark.runner.exchange.store import COLUMNS, schema
from embedmark.runner.export.mteb import REFERENCE

if TYPE_CHECKING:
    import polars as pl

_BYTES = 256 << 20
_ROWS = 20_000_000
_NAMES = ("model", "revision", "task", "split", "subset")
_FIELD = {*_NAMES, "main_score", "dataset_revision", "mteb_version"}
_OURS = {*_NAMES, "metric", "score", "is_main", "label", "fingerprint", "dataset_revision", "embedmark"}
_COMMIT, _NUMBER = r"^[0-9a-f]{7,40}$", "^[0-9]+$"
"""As in `names.is_commit`: what is a number is a date or a version, and no commit."""
_NOT_OF_EXPERIMENTS = "[^A-Za-z0-9._=-]+"
"""As in `names.experiment_form`, which names the same experiment in result files."""


def scores_of_table(path: Path, today: date) -> pl.DataFrame:
    """Read a table of scores.

    Args:
        path: A Parquet or CSV file.
        today: The day that is written beside the scores.

    Returns:
        The columns of the import store.

    Raises:
        UserError: The file cannot be read, is too large, or has other columns or values.
    """
    import polars as pl

    size = _size(path)
    if size > _BYTES:
        raise UserError(f"{path}: {size >> 20} MiB; expected at most {_BYTES >> 20}")
    try:
        scan = pl.scan_parquet(path, glob=False) if path.suffix == ".parquet" else _scan_csv(path)
        columns = set(scan.collect_schema().names())
        if columns >= _FIELD:
            found = _published(scan)
        elif columns >= _OURS:
            found = _exported(scan)
        else:
            lacking = sorted(_FIELD - columns)
            raise UserError(f"{path}: lacks the columns {', '.join(lacking)}; expected a table of scores")
        _check_types(scan, path)
        if scan.select(pl.len()).collect().item() > _ROWS:
            raise UserError(f"{path}: more than {_ROWS:,} rows")
        scores = found.with_columns(
            pl.lit(path.name).alias("source"),
            pl.lit(_digest(path)).alias("source_sha256"),
            pl.lit(today).alias("imported_at"),
        ).select(pl.col(name).cast(kind) for name, kind in schema().items())
        made = scores.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        said = str(error).partition("\n")[0]
        raise UserError(f"{path}: cannot be read as a table of scores: {shortened(said, 200)}") from None
    _check(made, path)
    return made


def _check_types(scan: pl.LazyFrame, path: Path) -> None:
    """Refuse columns of other kinds than texts for names and numbers for scores. Raises UserError with the first."""
    import polars as pl

    for name, kind in scan.collect_schema().items():
        if name in {"main_score", "score"}:
            is_right, expected = kind.is_numeric(), "numbers"
        elif name in {*_FIELD, *_OURS, "experiment"} - {"is_main"}:
            is_right, expected = kind in (pl.String, pl.Categorical, pl.Enum), "texts"
        else:
            continue
        if not is_right and kind != pl.Null:
            raise UserError(f"{path}: column {name}: holds {kind}; expected {expected}")


def _size(path: Path) -> int:
    if path.is_symlink() or not path.is_file():
        raise UserError(f"{path}: not a regular file")
    return path.stat().st_size


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _scan_csv(path: Path) -> pl.LazyFrame:
    import polars as pl

    scan = pl.scan_csv(path, glob=False, infer_schema=False)
    numbers = [name for name in ("score", "main_score") if name in scan.collect_schema().names()]
    flags = [name for name in ("is_main",) if name in scan.collect_schema().names()]
    # What export escaped for spreadsheets: a quotation mark in front of what looks like a formula.
    texts = [name for name in scan.collect_schema().names() if name not in {*numbers, *flags}]
    return scan.with_columns(
        *(pl.col(name).cast(pl.Float64) for name in numbers),
        *(pl.col(name) == "true" for name in flags),
        *(pl.col(name).str.replace("^'([=+@\\t\\r-])", "$1") for name in texts),
    )


def _published(scan: pl.LazyFrame) -> pl.LazyFrame:
    import polars as pl

    present = set(scan.collect_schema().names())
    optional = {name: pl.col(name) if name in present else pl.lit(None) for name in ("metric", "experiment")}
    revision = pl.col("dataset_revision").cast(pl.Categorical)
    is_commit = revision.cast(pl.String).str.contains(_COMMIT) & ~revision.cast(pl.String).str.contains(_NUMBER)
    external = pl.col("revision").cast(pl.String) == "external"
    return scan.select(
        *(pl.col(name) for name in _NAMES),
        pl.col("main_score").cast(pl.Float64).fill_nan(None).alias("main_score"),
        pl.col("mteb_version"),
        pl.when(is_commit).then(revision).alias("dataset_revision"),
        pl.when(~is_commit).then(revision).alias("revision_text"),
        pl.when(external | pl.col("mteb_version").is_null())
        .then(pl.lit("self-reported"))
        .otherwise(pl.lit("published"))
        .alias("origin"),
        **optional,
    )


def _exported(scan: pl.LazyFrame) -> pl.LazyFrame:
    import polars as pl

    label = pl.col("label")
    return scan.filter(pl.col("is_main")).select(
        "model",
        pl.col("revision").fill_null(NO_REVISION),
        "task",
        "split",
        "subset",
        pl.lit(None).alias("metric"),
        pl.col("score").fill_nan(None).alias("main_score"),
        "dataset_revision",
        pl.lit(None).alias("revision_text"),
        (f"{REFERENCE}+embedmark." + pl.col("embedmark").fill_null("0")).alias("mteb_version"),
        pl.when(label != "").then(label.str.replace_all(_NOT_OF_EXPERIMENTS, "_")).alias("experiment"),
        pl.lit("embedmark").alias("origin"),
    )


def _check(scores: pl.DataFrame, path: Path) -> None:
    """Refuse names that are none, and infinite scores. Raises UserError with the first of each kind."""
    import polars as pl

    for name in COLUMNS:
        if name in {"main_score", "source", "source_sha256", "imported_at", "origin"}:
            continue
        known = scores[name].unique().cast(pl.String)
        is_name = is_model if name == "model" else is_safe
        wrong = sorted(text for text in known.drop_nulls().to_list() if not is_name(text))
        missing = name in _NAMES and known.null_count() > 0
        if wrong or missing:
            what = "a row has none" if missing else f"{shortened(repr(wrong[0]), 80)} is not a name"
            raise UserError(f"{path}: column {name}: {what}")
    if scores["main_score"].is_infinite().any():
        raise UserError(f"{path}: column main_score: holds an infinite number")
    for score in scores["main_score"].filter(scores["main_score"].abs() > LARGEST_SCORE).head(1).to_list():
        expected = f"expected at most {LARGEST_SCORE:,.0f}, up or down"
        raise UserError(f"{path}: column main_score: found {score:g}; {expected}")
