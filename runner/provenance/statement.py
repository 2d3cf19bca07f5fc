"""What is signed of a record: an in-toto statement that names each of its files by its SHA-256.

The layout is in-toto's Statement, version 1 (https://github.com/in-toto/attestation). The predicate repeats what a
reader wants to know first; a check compares it with `result.json`, so that it cannot say anything else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.files import read_regular
from embedmark.runner.results.inspection import SIGNATURE, STATEMENT
from embedmark.runner.results.record import Record


def files_of(folder: Path) -> dict[str, bytes]:
    """Read the files of a record's folder: all but the statement and its signature.

    Raises:
        UserError: there is a folder, a link or a device among them, or a file cannot be read.
    """
    found: dict[str, bytes] = {}
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        path = folder / name
        if name in (STATEMENT, SIGNATURE):
            continue
        if path.is_symlink() or not path.is_file():
            raise UserError(f"{path}: found a folder, a link or a device; a record holds plain files alone")
        try:
            found[name] = read_regular(path)
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    return found


def statement(record: Record, files: Mapping[str, bytes], signed_at: str | None = None) -> bytes:
    """Make the statement about a record.

    Args:
        record: What `result.json` says.
        files: Name → content, as `files_of` gives them.
        signed_at: When, as ISO 8601 has it; now by default.

    Returns:
        JSON in UTF-8 with sorted keys and no spaces: equal statements are equal bytes.
    """
    when = signed_at or datetime.now(UTC).isoformat(timespec="seconds")
    values = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": _subjects(files),
        "predicateType": "urn:embedmark:record:v1",
        "predicate": {**_predicate(record), "signed_at": when},
    }
    return _bytes(values)


def disagreement(content: bytes, record: Record, files: Mapping[str, bytes]) -> str | None:
    """Say where a statement does not describe a record.

    Args:
        content: The statement, as it was signed.
        record: What `result.json` says.
        files: Name → content, as `files_of` gives them.

    Returns:
        Which file or key differs; None where the statement is what `statement` makes of the record.
    """
    try:
        said = json.loads(content)
        signed_at = str(said["predicate"]["signed_at"])
        datetime.fromisoformat(signed_at)
    except (ValueError, RecursionError, KeyError, TypeError, IndexError):
        return f"{STATEMENT} is not a statement about a record of embedmark"
    expected = statement(record, files, signed_at)
    return None if content == expected else _difference(said, json.loads(expected))


def _subjects(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [{"name": name, "digest": {"sha256": hashlib.sha256(files[name]).hexdigest()}} for name in sorted(files)]


def _predicate(record: Record) -> dict[str, Any]:
    """What a record says of itself: job, score, versions, data and weights."""
    kept = {"fingerprint", "job", "main_metric", "main_score", "dataset", "model", "versions", "platform"}
    values: dict[str, Any] = record.model_dump(mode="json", by_alias=True, include=kept)
    return values | {"finished_at": record.finished_at.isoformat()}


def _bytes(values: object) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _difference(said: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    listed = said.get("subject")
    known = [_bytes(subject) for subject in listed] if isinstance(listed, list) else []
    for subject in expected["subject"]:
        if _bytes(subject) not in known:
            return f"{subject['name']} is not what was signed"
    if len(known) != len(expected["subject"]):
        return f"{STATEMENT}: subject: names files that the folder does not have"
    for key, value in expected["predicate"].items():
        if said["predicate"].get(key) != value:
            return f"{STATEMENT}: predicate: {key} is not what result.json says"
    return f"{STATEMENT}: says more than a statement about this record, or in other words"
