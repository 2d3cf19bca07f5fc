"""The record of what a dataset's rows were in earlier runs.

A pinned revision that gives other rows than it once did would change scores under an unchanged fingerprint: the content
hash of every split is kept beside the results and compared each time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from embedmark.runner.common.errors import OutputError, UserError
from embedmark.runner.common.files import write_atomically
from embedmark.runner.common.names import slug
from embedmark.runner.config.schema.sources import source_of
from embedmark.runner.data.load import Loaded
from embedmark.runner.data.table import shown
from embedmark.runner.resolve import ResolvedTask


def check_against_recorded_hashes(loaded: Loaded, task: ResolvedTask, subset: str, folder: Path) -> Path:
    """Compare the hashes of loaded splits with those of earlier runs, and record those that are new.

    Several processes may do so at once.

    Args:
        folder: where the records are, usually outputs/data.

    Returns:
        The record of this dataset's revision, <folder>/<dataset>--<revision>.json.

    Raises:
        UserError: when rows differ from an earlier run's, naming both hashes, or when the record cannot be read.
        OutputError: when it cannot be written.
    """
    from filelock import FileLock

    path = folder / f"{_file_name(loaded.source.name)}--{_file_name(loaded.source.revision)}.json"
    recipe = _recipe(task)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            known = _recorded(path)
            fresh = {f"{subset}/{split}/{recipe}": digest for split, digest in loaded.hashes.items()}
            _compare(known, fresh, task, loaded, path)
            if not fresh.items() <= known.items():
                write_atomically(path, json.dumps({**known, **fresh}, indent=1, sort_keys=True) + "\n", durable=True)
    except OSError as error:
        raise OutputError(
            f"{path}: the hashes of the data cannot be kept: {error}. Set `outputs` elsewhere."
        ) from error
    return path


def _compare(
    known: Mapping[str, str], fresh: Mapping[str, str], task: ResolvedTask, loaded: Loaded, path: Path
) -> None:
    for key, digest in fresh.items():
        if known.get(key, digest) != digest:
            subset, split, _ = key.rsplit("/", 2)
            raise UserError(
                f"task {task.name}: subset {subset!r}, split {split!r} of {loaded.source.name} at "
                f"{loaded.source.revision} has other rows than in an earlier run: hash {digest}, before {known[key]}. "
                "Either the data or the libraries that read it changed; scores on the two cannot be compared. "
                f"If the new rows are right, remove the entry {key!r} from {path}."
            )


def _recipe(task: ResolvedTask) -> str:
    """What else the rows depend on besides dataset and revision: how they are read and transformed."""
    config = task.config
    given = {
        "dataset": config.dataset.model_dump(mode="json", exclude={"revision"}, exclude_none=True),
        "reading": source_of(config.dataset).version,
        "retrieval": task.type.retrieval_layout,
        "transforms": [dict(step) for step in config.transforms],
    }
    return hashlib.sha256(json.dumps(given, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _recorded(path: Path) -> dict[str, str]:
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


def _file_name(name: str) -> str:
    return slug(name, kept="A-Za-z0-9._-", gap="--").strip("-")[-120:]
