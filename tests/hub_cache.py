"""A cache of the Hugging Face hub, written by hand: what an offline run finds of models and datasets."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def cached(home: Path, kind: str, repo: str, revision: str, files: Mapping[str, bytes]) -> None:
    """Put a commit into the cache, in the place of what was there of it."""
    folder = home / "hub" / f"{kind}s--{repo.replace('/', '--')}"
    shutil.rmtree(folder / "snapshots" / revision, ignore_errors=True)
    for name, content in files.items():
        blob = folder / "blobs" / hashlib.sha256(content).hexdigest()
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
        path = folder / "snapshots" / revision / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(blob)


def of_folder(folder: Path) -> dict[str, bytes]:
    """The files of a folder, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()
