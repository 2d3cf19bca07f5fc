"""Published scores beside one's own: which one is of the same thing, and why it may differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedmark.runner.common.names import folder_form, version_numbers
from embedmark.runner.exchange import snapshot, store
from embedmark.runner.exchange.names import is_commit, present_model
from embedmark.runner.results.record import Record

if TYPE_CHECKING:
    import polars as pl

EQUAL = 1e-5
"""Published scores have five digits or six."""

_SHORTEST = 7


@dataclass(frozen=True)
class Published:
    """A score that somebody else published of what a record measured.

    Args:
        score: From 0 to 1, or as the metric has it.
        origin: published, self-reported, embedmark or snapshot.
        source: The file that it is from.
        revision: Of the model, as it is told.
        confirmed: Whether that is the record's revision.
        dataset_revision: None where it is not told.
        version: Of mteb; None where it is not told.
        metric: What it is of, where that is not the task's main metric of today.
    """

    score: float
    origin: str
    source: str
    revision: str
    confirmed: bool
    dataset_revision: str | None
    version: str | None
    metric: str | None


@dataclass(frozen=True)
class Several:
    """Scores of several revisions of a model, of which none is the record's: none of them is compared with."""

    revisions: tuple[str, ...]


def of_models(outputs: Path, names: Sequence[str]) -> pl.DataFrame:
    """Collect what was published of some models, in the imported scores of an outputs folder and in the snapshot.

    Args:
        outputs: The folder; it need not have any.
        names: Of the models, as the catalogue has them.

    Returns:
        The columns of the import store that say where and what, with `main_score` defined.

    Raises:
        UserError: The store cannot be read.
    """
    import polars as pl

    columns = (
        "model", "revision", "task", "split", "subset", "metric", "main_score", "dataset_revision", "mteb_version",
        "origin", "source",
    )  # fmt: skip
    known = [pl.col(name).cast(pl.String) if name != "main_score" else pl.col(name) for name in columns]
    shipped = snapshot.scores().with_columns(
        metric=pl.lit(None, pl.String), origin=pl.lit("snapshot"), source=pl.lit("snapshot of the published scores")
    )
    parts = [shipped.select(known)]
    if store.path_of(outputs).is_file():
        parts.append(store.load(outputs).filter(pl.col("experiment").is_null()).select(known))
    wanted = {form for name in names for form in _forms(name)}
    with store.reading(outputs):
        found = pl.concat(parts).collect()
    old = {name: present_model(name) for name in found["model"].unique().to_list()}
    told = pl.col("model").replace_strict(old, default=pl.col("model"))
    return found.filter(told.is_in(wanted) & pl.col("main_score").is_not_null()).with_columns(told.alias("model"))


def _forms(name: str) -> tuple[str, ...]:
    return (name, folder_form(name).replace("__", "/", 1))


def match(record: Record, scores: pl.DataFrame) -> list[Published] | Several:
    """Find the published scores of what a record measured, one an origin.

    The revision decides in this order: that of the record; the only one there is, which is then not confirmed. A
    revision is never chosen by its date.

    Args:
        record: One's own.
        scores: What `of_models` collected.
    """
    import polars as pl

    job = record.job
    cell = scores.filter(
        pl.col("model").is_in(_forms(job.model)),
        pl.col("task") == job.task,
        pl.col("split") == job.split,
        pl.col("subset") == job.subset,
    )
    found: list[Published] = []
    for origin in sorted(cell["origin"].unique().to_list(), key=PREFERRED_ORIGINS.index):
        rows = cell.filter(pl.col("origin") == origin).to_dicts()
        confirmed = [row for row in rows if _same_revision(row["revision"], job.model_revision)]
        revisions = sorted({row["revision"] for row in rows})
        if not confirmed and len(revisions) > 1:
            if origin == "published" or len(cell["origin"].unique()) == 1:
                return Several(tuple(revisions))
            continue
        found.append(_published(_nearest(confirmed or rows, record.dataset.revision), bool(confirmed)))
    told = {(one.score, one.dataset_revision) for one in found if one.origin == "published"}
    return [one for one in found if one.origin != "snapshot" or not _is_told(one, told)]


PREFERRED_ORIGINS = ("published", "embedmark", "self-reported", "snapshot")
"""Where scores may be from, the most trusted first."""


def _is_told(one: Published, told: set[tuple[float, str | None]]) -> bool:
    return any(abs(one.score - score) <= EQUAL and one.dataset_revision == revision for score, revision in told)


def _same_revision(published: str, own: str | None) -> bool:
    if own is None or published == own:
        return published == own
    return is_commit(published) and len(published) >= _SHORTEST and own.startswith(published)


def _nearest(rows: Sequence[dict[str, Any]], revision: str | None) -> dict[str, Any]:
    """Of several scores of one cell that of the same data; else that of the newest version."""
    return max(rows, key=lambda row: (row["dataset_revision"] == revision, version_numbers(row["mteb_version"])))


def _published(row: dict[str, Any], confirmed: bool) -> Published:
    return Published(
        row["main_score"], row["origin"], row["source"], row["revision"], confirmed, row["dataset_revision"],
        row["mteb_version"], row["metric"],
    )  # fmt: skip


def likely_cause(record: Record, published: Published) -> str:
    """Say what a difference is most likely due to, as far as what is published tells; "-" where there is none."""
    if abs(record.main_score - published.score) <= EQUAL:
        return "-"
    ours, theirs = record.dataset.revision, published.dataset_revision
    if published.metric is not None:
        return f"another metric: {published.metric}"
    if theirs is not None and ours is not None and theirs != ours:
        return f"data revision: {theirs[:8]} published, {ours[:8]} here"
    if not published.confirmed:
        return f"revision of the model not confirmed: {published.revision[:12]} published"
    by = f"mteb {published.version}" if published.version else "an unknown version"
    data = "same data and model revision" if theirs is not None else "same model revision, data not told"
    return f"cannot tell: {data}; published by {by}, its libraries unknown"
