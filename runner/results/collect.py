"""Everything that was recorded under an outputs folder; what cannot be read is reported and skipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedmark.runner.config.identity import fingerprint_of_plain
from embedmark.runner.results.inspection import Inspected, inspect, scan
from embedmark.runner.results.items import n_items
from embedmark.runner.results.record import Failure, Record

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Kept:
    """A record or failure, its folder, and the identity whose hash is its fingerprint."""

    facts: Record | Failure
    folder: Path
    identity: Mapping[str, Any]

    @property
    def model(self) -> Mapping[str, Any]:
        """The model's part of the identity."""
        model: Mapping[str, Any] = self.identity.get("model", {})
        return model

    @cached_property
    def variant(self) -> str:
        """The hash of the model's part: records of one name and several variants are of different models."""
        return fingerprint_of_plain(self.model)

    @cached_property
    def measured(self) -> Mapping[str, Any]:
        """The identity without the model: what was measured."""
        return {key: value for key, value in self.identity.items() if key != "model"}

    @cached_property
    def measured_hash(self) -> str:
        """The hash of what was measured: scores that share it, and their content, may be compared."""
        return fingerprint_of_plain(self.measured)

    @cached_property
    def task_hash(self) -> str:
        """The hash of the task's part, the same for all of its subsets and splits."""
        return fingerprint_of_plain({key: value for key, value in self.measured.items() if key != "job"})

    @property
    def content(self) -> Mapping[str, str]:
        """Split → hash of the rows that were read; empty for failures."""
        return self.facts.dataset.content if isinstance(self.facts, Record) else {}

    @cached_property
    def content_hash(self) -> str:
        """One hash of all that was read."""
        return fingerprint_of_plain(self.content)

    @cached_property
    def n_items(self) -> int | None:
        """How many rows, pairs or queries were evaluated; None where the folder does not tell."""
        return n_items(self.folder, self.facts.main_metric) if isinstance(self.facts, Record) else None

    @property
    def when(self) -> datetime:
        """When it was finished, or failed."""
        return self.facts.finished_at if isinstance(self.facts, Record) else self.facts.when


@dataclass(frozen=True)
class Collected:
    """What lies in an outputs folder. problems: a line for each folder that is damaged."""

    records: tuple[Kept, ...]
    failures: tuple[Kept, ...]
    problems: tuple[str, ...]


def collect(outputs: Path) -> Collected:
    """Read all records and failures; of several folders of one job the record, and the newest. Raises OutputError."""
    records: dict[str, Kept] = {}
    failures: dict[str, Kept] = {}
    damaged: list[Inspected] = []
    whole: set[str] = set()
    for found in scan(outputs):
        inspected = inspect(found)
        if inspected.facts is None:
            damaged.append(inspected)
            continue
        kept = Kept(inspected.facts, found.path, inspected.identity)
        of_its_kind = failures if found.failed else records
        earlier = of_its_kind.get(kept.facts.fingerprint)
        if earlier is None or kept.when > earlier.when:
            of_its_kind[kept.facts.fingerprint] = kept
        if not found.failed:
            whole.add(found.path.name)
    return Collected(
        tuple(records.values()),
        tuple(kept for fingerprint, kept in failures.items() if fingerprint not in records),
        tuple(_problem(one) for one in damaged if one.found.path.name.removesuffix(".failed") not in whole),
    )


def _problem(damaged: Inspected) -> str:
    return f"{damaged.found.path}: {damaged.problem}; skipped. The next run of this job sets it aside and does it again"


def frame(collected: Collected) -> pl.DataFrame:
    """All scores, a row a metric: what was scored (task, type, model, revision, variant, subset, split, languages),
    `metric`, `score` (NaN where undefined), whether it is the main one, fingerprint, folder, when, commit of the data,
    version of embedmark.

    Scores may be compared where `measured` (the hash of the identity without the model) and `content` (that of what was
    read) are the same; the name of a task alone does not say that.
    """
    import polars as pl

    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "task": pl.String,
        "type": pl.String,
        "model": pl.String,
        "revision": pl.String,
        "variant": pl.String,
        "subset": pl.String,
        "split": pl.String,
        "languages": pl.List(pl.String),
        "metric": pl.List(pl.String),
        "score": pl.List(pl.Float64),
        "is_main": pl.List(pl.Boolean),
        "fingerprint": pl.String,
        "folder": pl.String,
        "finished_at": pl.Datetime("us", "UTC"),
        "measured": pl.String,
        "content": pl.String,
        "dataset_revision": pl.String,
        "embedmark": pl.String,
    }
    a_row_a_job = pl.DataFrame(list(_rows(collected)), schema=schema, orient="row")
    return a_row_a_job.explode("metric", "score", "is_main")


def _rows(collected: Collected) -> Iterator[tuple[object, ...]]:
    for kept in collected.records:
        record = kept.facts
        assert isinstance(record, Record)
        job = record.job
        what = (job.task, job.type, job.model, job.model_revision, kept.variant, job.subset, job.split)
        whence = (record.fingerprint, str(kept.folder), record.finished_at, kept.measured_hash, kept.content_hash)
        made_by = (record.dataset.revision, record.versions.get("embedmark"))
        main = [metric == record.main_metric for metric in record.scores]
        yield (*what, list(job.languages), list(record.scores), list(record.scores.values()), main, *whence, *made_by)
