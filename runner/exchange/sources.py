"""What can be imported: result files, folders and checkouts of them, tables of scores, embedmark's own records and
exports, and model cards."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedmark.runner.common.checkout import commit_of
from embedmark.runner.common.errors import UserError
from embedmark.runner.common.files import read_bounded
from embedmark.runner.common.names import is_model, is_safe
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange.cards import scores_of_card
from embedmark.runner.exchange.limits import BYTES, parse_json
from embedmark.runner.exchange.names import of_folder, present_task
from embedmark.runner.exchange.own import scores_of_jobs
from embedmark.runner.exchange.result_file import ResultFile, parse_result
from embedmark.runner.exchange.store import COLUMNS, schema
from embedmark.runner.exchange.tables import scores_of_table

if TYPE_CHECKING:
    import polars as pl

META = "model_meta.json"
"""What the field says of a model, beside its results."""

_SKIPPED = {META, "run_settings.jsonl"}
_TABLES = {".parquet", ".csv"}
_SELF_REPORTED = {"external"}


@dataclass
class Read:
    """What was found under a path.

    Args:
        scores: With the columns of the store.
        files: How many files were read.
        broken: A line for each file that was not, and for each part of one.
        notes: What is odd → how often.
    """

    scores: pl.DataFrame
    files: int
    broken: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


MainMetric = Callable[[str], "str | None"]


def read(path: Path, main_metric: MainMetric, catalogue: Catalogue, today: date | None = None) -> Read:
    """Read all scores under a path.

    Args:
        path: A result file; a folder of them, or a checkout of the field's results repository; a table (`.parquet`,
            `.csv`); an outputs folder of embedmark or its export; a model card (`.md`).
        main_metric: The main metric of a task today; None where it is not known.
        catalogue: Says which variant of a model, in an outputs folder, is the model itself.
        today: The day that is written beside the scores; by default this one (UTC).

    Raises:
        UserError: There is nothing at the path, or nothing that can be read.
    """
    today = today or datetime.now(UTC).date()
    if path.is_symlink() and not path.exists():
        raise UserError(f"{path}: a link to what is not there")
    if path.is_dir():
        if (path / "jobs").is_dir():
            rows, broken = scores_of_jobs(path, catalogue)
            return Read(_frame(rows, today), len({row["source"] for row in rows}), broken)
        return _read_folder(path, main_metric, today)
    if not path.exists():
        raise UserError(f"{path}: no such file or folder; expected results of the field or of embedmark")
    if path.suffix in _TABLES:
        return Read(scores_of_table(path, today), 1)
    if path.suffix == ".md":
        rows = scores_of_card(read_bounded(path, BYTES), str(path), main_metric)
        return Read(_frame(rows, today), 1)
    return _read_files([path.absolute()], path.absolute().parent, None, main_metric, today)


def _read_folder(root: Path, main_metric: MainMetric, today: date) -> Read:
    checkout = (root / ".git").is_dir()
    files, broken = result_files(root)
    made = _read_files(files, root.absolute(), commit_of(root) if checkout else None, main_metric, today)
    made.broken[:0] = broken
    return made


def result_files(root: Path) -> tuple[list[Path], list[str]]:
    """List the result files at or below a path, by name; of a checkout of the field's results those in results/ alone.

    Returns:
        The files; and a line for each link, which is not followed.

    Raises:
        UserError: There are none.
    """
    if not root.is_dir():
        if not root.exists():
            raise UserError(f"{root}: no such file or folder; expected result files")
        return [root], []
    files, broken = [], []
    for found in _walk(root / "results" if (root / "results").is_dir() else root):
        if found.is_symlink():
            broken.append(f"{found}: a link, which is not followed; put the file itself there")
        elif found.suffix == ".json" and found.name not in _SKIPPED:
            files.append(found)
    if not files and not broken:
        raise UserError(f"{root}: has no result files (*.json) below it")
    return files, broken


def _walk(folder: Path) -> Iterator[Path]:
    """All files below a folder, by name; links are yielded and not followed."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"{folder}: cannot be read: {error.strerror}") from error
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name != ".git":
                yield from _walk(folder / entry.name)
        else:
            yield folder / entry.name


@dataclass(frozen=True)
class _Origin:
    """Which model the files of a folder are of."""

    model: str
    revision: str
    experiment: str | None


def _read_files(files: list[Path], root: Path, commit: str | None, main_metric: MainMetric, today: date) -> Read:
    origins: dict[Path, _Origin | str] = {}
    rows: list[dict[str, Any]] = []
    made = Read(_frame([], today), 0)
    for file in files:
        origin = origins.get(file.parent)
        if origin is None:
            origin = origins[file.parent] = _origin(file.parent)
        try:
            content = read_bounded(file, BYTES)
            found = parse_result(parse_json(content, str(file)), str(file), main_metric)
            if present_task(file.stem) != found.task:
                raise UserError(f"{file}: is of task {found.task!r}; a result file is called as its task")
            if isinstance(origin, str):
                raise UserError(f"{file}: {origin}")
        except UserError as error:
            made.broken.append(f"{error}; skipped")
            continue
        made.files += 1
        made.notes.update(found.notes)
        _count_layout(made.notes, found)
        source = os.path.relpath(file, root).replace(os.sep, "/") + (f"@{commit}" if commit else "")
        digest = hashlib.sha256(content).hexdigest()
        rows += _rows(found, origin, source, digest)
    made.scores = _frame(rows, today)
    return made


def _count_layout(notes: Counter[str], found: ResultFile) -> None:
    notes["files of the layout before 1.11"] += found.layout == "before 1.11"
    notes["files without a version"] += found.version is None


def _origin(folder: Path) -> _Origin | str:
    """Which model and revision a folder is of, or why that is not known. model_meta.json decides, else the names."""
    experiment: str | None = None
    revision_folder = folder
    if folder.parent.name == "experiments":
        experiment, revision_folder = folder.name, folder.parent.parent
    told = _told(folder / META)
    if isinstance(told, str):
        return told
    model = told.get("name") or (of_folder(revision_folder.parent.name) if experiment is None else None)
    if not is_model(model):
        return f"its model is not told: expected {META} beside it, or folders ORGANISATION__NAME/REVISION above it"
    revision = revision_folder.name
    if not is_safe(revision):
        return f"the folder {revision!r} is not a name that a revision can have"
    if experiment is not None and not is_safe(experiment):
        return f"the folder {experiment!r} is not a name that an experiment can have"
    return _Origin(str(model), revision, experiment)


def _told(path: Path) -> Mapping[str, Any] | str:
    """What model_meta.json says; empty where there is none; why it cannot be used."""
    if path.is_symlink():
        return f"{META} beside it is a link, which is not followed"
    if not path.exists():
        return {}
    try:
        told = parse_json(read_bounded(path, BYTES), str(path), infinite=True)
    except UserError as error:
        return str(error)
    if told.get("name") is not None and not is_model(told["name"]):
        return f"{META} beside it names no model: {told['name']!r}"
    return told


def _rows(found: ResultFile, origin: _Origin, source: str, digest: str) -> Iterator[dict[str, Any]]:
    for row in found.rows:
        yield {
            "model": origin.model,
            "revision": origin.revision,
            "task": found.task,
            "split": row.split,
            "subset": row.subset,
            "metric": row.metric,
            "main_score": row.main_score,
            "dataset_revision": found.dataset_revision,
            "revision_text": found.revision_text,
            "mteb_version": row.version,
            "experiment": origin.experiment,
            "origin": _origin_of(found, row.version, origin.revision),
            "source": source,
            "source_sha256": digest,
        }


def _origin_of(found: ResultFile, version: str | None, revision: str) -> str:
    if version is not None and "+embedmark." in version:
        return "embedmark"
    without_version = found.version is None and found.layout == "since 1.11"
    return "self-reported" if revision in _SELF_REPORTED or without_version else "published"


def _frame(rows: list[dict[str, Any]], today: date) -> pl.DataFrame:
    import polars as pl

    by_column = {name: [row.get(name) for row in rows] for name in COLUMNS if name != "imported_at"}
    made = pl.DataFrame(by_column, schema={name: kind for name, kind in schema().items() if name in by_column})
    return made.with_columns(pl.lit(today).alias("imported_at")).select(COLUMNS)
