"""What must be true of rows before a task type sees them, and the memory of what a dataset's rows were.

A pinned revision that gives other rows than it once did would change scores under an unchanged fingerprint: the content
hash of every split is kept beside the results and compared each time.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from runner.config.identity import reading
from runner.config.schema import FilesDataset, TaskConfig
from runner.data import images
from runner.data.roles import Roles, roles
from runner.data.table import RetrievalTables, Split, Table, TableError, is_text, kind_name, shown
from runner.errors import OutputError, UserError
from tasks.types import task_types

if TYPE_CHECKING:
    from runner.data.load import Loaded


def check_split(task: TaskConfig, subset: str, split: str, data: Split) -> None:
    """Raises UserError for an empty split, a missing column, missing values, values of a wrong type or no images."""
    where = f"subset {subset!r}, split {split!r}"
    if isinstance(data, RetrievalTables):
        _check_table(data.corpus, f"{where}, corpus", texts=["id", "text"], labels=[], numbers=[])
        _check_table(
            data.queries,
            f"{where}, queries",
            texts=["id"],
            labels=[],
            numbers=[],
            conversations=["text"],
            clusters=_clusters(task, split),
        )
        _check_table(data.qrels, f"{where}, qrels", texts=["query-id", "corpus-id"], labels=[], numbers=["score"])
        return
    columns = roles(task)
    try:
        _check_table(
            data,
            where,
            texts=columns.texts,
            labels=columns.labels,
            numbers=columns.numbers,
            pictures=columns.images,
            clusters=_clusters(task, split),
        )
    except UserError as error:
        hint = " The first row of a CSV or TSV has to name its columns." if _is_headless(task, columns, data) else ""
        raise UserError(f"{error}{hint}") from error
    for name in columns.images:
        images.check(data, name, where)


def _is_headless(task: TaskConfig, columns: Roles, data: Table) -> bool:
    """Whether none of the columns wanted is there, as where a file's first row is data already."""
    wanted = {*columns.texts, *columns.labels, *columns.numbers}
    return isinstance(task.dataset, FilesDataset) and bool(wanted) and not wanted & {*data.names, *data.unreadable}


def _clusters(task: TaskConfig, split: str) -> tuple[str, ...]:
    """The column of clusters that a task names, which the splits that it evaluates need."""
    return roles(task).clusters if split in task.splits else ()


def remember(loaded: Loaded, task: TaskConfig, subset: str, folder: Path) -> Path:
    """Compare the hashes of loaded splits with earlier ones, and keep them: <folder>/<dataset>--<revision>.json.

    Safe with several processes. Raises UserError when rows differ from an earlier run's, naming both hashes, and when
    the file cannot be read or written.
    """
    from filelock import FileLock

    path = folder / f"{_slug(loaded.source.name)}--{_slug(loaded.source.revision)}.json"
    recipe = _recipe(task)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            known = _read_memory(path)
            fresh = {f"{subset}/{split}/{recipe}": digest for split, digest in loaded.hashes.items()}
            _compare(known, fresh, task, loaded, path)
            if not fresh.items() <= known.items():
                _write_atomically(path, json.dumps({**known, **fresh}, indent=1, sort_keys=True) + "\n")
    except OSError as error:
        raise OutputError(
            f"{path}: the hashes of the data cannot be kept: {error}. Set `outputs` elsewhere."
        ) from error
    return path


def _compare(known: Mapping[str, str], fresh: Mapping[str, str], task: TaskConfig, loaded: Loaded, path: Path) -> None:
    for key, digest in fresh.items():
        if known.get(key, digest) != digest:
            subset, split, _ = key.rsplit("/", 2)
            raise UserError(
                f"task {task.name}: subset {subset!r}, split {split!r} of {loaded.source.name} at "
                f"{loaded.source.revision} has other rows than in an earlier run: hash {digest}, before {known[key]}. "
                "Either the data or the libraries that read it changed; scores on the two cannot be compared. "
                f"If the new rows are right, remove the entry {key!r} from {path}."
            )


def _recipe(task: TaskConfig) -> str:
    """What else the rows depend on besides dataset and revision: how they are read and transformed."""
    kind = task_types().get(task.type)
    given = {
        "dataset": task.dataset.model_dump(mode="json", exclude={"revision"}, exclude_none=True),
        "reading": reading(type(task.dataset).model_fields),
        "retrieval": kind is not None and kind.retrieval_layout,
        "transforms": [dict(step) for step in task.transforms],
    }
    return hashlib.sha256(json.dumps(given, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _check_table(
    table: Table,
    where: str,
    *,
    texts: Iterable[str],
    labels: Iterable[str],
    numbers: Iterable[str],
    pictures: Iterable[str] = (),
    conversations: Iterable[str] = (),
    clusters: Iterable[str] = (),
) -> None:
    if len(table) == 0:
        raise UserError(f"{where} is empty. Check the split's name and the transforms that filter rows.")
    roles = {
        "text": texts,
        "label": labels,
        "number": numbers,
        "image": pictures,
        "conversation": conversations,
        "cluster": clusters,
    }
    columns = [(name, role) for role, names in roles.items() for name in names]
    try:
        table.require([name for name, _ in columns])
    except TableError as error:
        raise UserError(f"{where}: {error} Name the columns in `settings`, or rename them in `transforms`.") from error
    for name, role in columns:
        column = table.column(name)
        if column.null_count:
            row = next(row for row, missing in enumerate(column.is_null().to_pylist()) if missing)
            raise UserError(
                f"{where}: {column.null_count} of {len(table)} rows have no value in {name!r}"
                f"{' (a path without bytes is none)' if role == 'image' else ''}, the first is row {row}. "
                f"Leave them out with `- filter: {{column: {name}, non_empty: true}}`."
            )
        if not _fits(column.type, role):
            raise UserError(f"{where}: column {name!r} holds {kind_name(column.type)}, expected {_EXPECTED[role]}.")


_EXPECTED = {
    "text": "text",
    "label": "text, numbers, or lists of these",
    "cluster": "text or whole numbers",
    "number": "numbers",
    "image": "images, as bytes or as the Image of `datasets` with its bytes",
    "conversation": "text, or lists of turns (texts, or mappings with `role` and `content`)",
}


def _fits(kind: pa.DataType, role: str) -> bool:
    text = is_text(kind)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return role not in {"number", "image"} and _fits(kind.value_type, role)
    if role == "cluster":
        return bool(text or pa.types.is_integer(kind))
    if role == "label":
        return bool(text or number or pa.types.is_boolean(kind))
    if role == "image":
        return bool(pa.types.is_large_binary(kind))
    if role == "conversation":
        return bool(text or pa.types.is_struct(kind))
    return bool(text if role == "text" else number)


def _read_memory(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(known, dict) or not all(isinstance(digest, str) for digest in known.values()):
            raise ValueError("expected one JSON object whose values are hashes")
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path}: the hashes of earlier runs cannot be read ({shown(error)}). By them a run notices that the "
            "rows of a dataset have changed. Restore the file, or delete it: then the next run writes it anew."
        ) from error
    return known


def _write_atomically(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "--", name).strip("-")[-120:]
