"""Everything that was recorded under an outputs folder; what cannot be read is reported and skipped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.config.identity import canonical
from runner.errors import UserError
from runner.results.folder import FAILURE, IDENTITY, RESULT, Found, damage, scan
from runner.results.record import Failure, Record, read_failure, read_object, read_record

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Kept:
    """A record or failure, its folder, and which variant of its model it is of.

    model: the model's part of the identity, and variant: its hash. Records of one name and several variants (another
    prompt, another revision) are of different models.
    """

    facts: Record | Failure
    folder: Path
    model: Mapping[str, Any]
    variant: str


@dataclass(frozen=True)
class Collected:
    """What lies in an outputs folder. problems: a line for each folder that could not be read."""

    records: tuple[Kept, ...]
    failures: tuple[Kept, ...]
    problems: tuple[str, ...]


def collect(outputs: Path) -> Collected:
    """Read all records and failures."""
    kept: list[Kept] = []
    problems: list[str] = []
    for found in scan(outputs):
        try:
            kept.append(_read(found))
        except UserError as error:
            problems.append(str(error))
    return Collected(
        tuple(one for one in kept if isinstance(one.facts, Record)),
        tuple(one for one in kept if isinstance(one.facts, Failure)),
        tuple(problems),
    )


def _read(found: Found) -> Kept:
    name = FAILURE if found.failed else RESULT
    if wrong := damage(found.path, [name, IDENTITY]):
        raise UserError(f"{found.path}: {wrong}; skipped. The next run of this job sets it aside and does it again")
    facts = (read_failure if found.failed else read_record)(found.path / name)
    model = read_object(found.path / IDENTITY).get("model", {})
    return Kept(facts, found.path, model, hashlib.sha256(canonical(model).encode()).hexdigest())


def frame(collected: Collected) -> pl.DataFrame:
    """All scores, a row a metric: what was scored (task, type, model, revision, variant, subset, split, languages),
    `metric`, `score` (NaN where undefined), whether it is the main one, fingerprint, folder and when.
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
    }
    a_row_a_job = pl.DataFrame(list(_rows(collected)), schema=schema, orient="row")
    return a_row_a_job.explode("metric", "score", "is_main")


def _rows(collected: Collected) -> Iterator[tuple[object, ...]]:
    for kept in collected.records:
        record = kept.facts
        assert isinstance(record, Record)
        job = record.job
        what = (job.task, job.type, job.model, job.model_revision, kept.variant, job.subset, job.split)
        whence = (record.fingerprint, str(kept.folder), record.finished_at)
        main = [metric == record.main_metric for metric in record.scores]
        yield (*what, list(job.languages), list(record.scores), list(record.scores.values()), main, *whence)
