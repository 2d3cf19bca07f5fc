"""What an outputs folder takes on disk, and for what."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedmark.runner.common.files import read_regular
from embedmark.runner.encode.shard import DAMAGED, SUFFIX, UNFINISHED
from embedmark.runner.encode.store import IDENTITY
from embedmark.runner.results.inspection import as_job_folder

BLOCK = 512
"""Bytes of the blocks in which a file's place on disk is counted."""

PARTS = {"data": "data", "invocations": "invocations", "report": "reports", "leaderboard": "reports"}
"""Folder of outputs → what it is called."""


@dataclass
class ModelUsage:
    """What one model takes, in bytes. last_used: of its vectors, in seconds since 1970."""

    model: str
    vectors: int = 0
    shards: int = 0
    records: int = 0
    jobs: int = 0
    last_used: float | None = None


@dataclass
class Usage:
    """What all of it takes, in bytes on disk as `du` counts them.

    leftovers: what killed processes left unfinished, and what was damaged and set aside. other: locks, folders and
    files that are not ours.
    """

    models: list[ModelUsage] = field(default_factory=list)
    data: int = 0
    invocations: int = 0
    reports: int = 0
    leftovers: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        """The sum."""
        of_models = sum(model.vectors + model.records for model in self.models)
        return of_models + self.data + self.invocations + self.reports + self.leftovers + self.other


@dataclass(frozen=True)
class StoredShard:
    """A file of vectors. size: in bytes on disk. used: when last, in seconds since 1970."""

    path: Path
    model: str
    size: int
    used: float


def usage(outputs: Path) -> Usage:
    """Measure an outputs folder. What vanishes meanwhile is left out."""
    measured = _Measuring(outputs)
    measured.all()
    measured.usage.models.sort(key=lambda model: -(model.vectors + model.records))
    return measured.usage


def shards(outputs: Path) -> Iterator[StoredShard]:
    """List the files of vectors of all models."""
    for folder in _folders(outputs / "store"):
        model = store_model(folder)
        for path in sorted(folder.glob(f"[!.]*{SUFFIX}")):
            if path.is_file() and (found := _stat(path)) is not None:
                yield StoredShard(path, model, _size(found), found.st_mtime)


def store_model(folder: Path) -> str:
    """Whose vectors a folder of the store keeps; the folder's name where it does not say."""
    return _name(folder / IDENTITY, "name") or f"unknown ({folder.name})"


class _Measuring:
    def __init__(self, outputs: Path) -> None:
        self.outputs = outputs
        self.usage = Usage()
        self._models: dict[str, ModelUsage] = {}
        self._seen: set[tuple[int, int]] = set()

    def all(self) -> None:
        """Every entry once, so that the sum is what the whole takes."""
        self.usage.other += self._own(self.outputs)
        for path in _entries(self.outputs):
            if path.name == "store" and path.is_dir():
                self._store(path)
            elif path.name == "jobs" and path.is_dir():
                self._jobs(path)
            else:
                part = PARTS.get(path.name, "other")
                setattr(self.usage, part, getattr(self.usage, part) + self._tree(path))

    def _store(self, store: Path) -> None:
        self.usage.other += self._own(store)
        for folder in _entries(store):
            if not folder.is_dir() or folder.is_symlink():
                self.usage.other += self._own(folder)
                continue
            model = self._of(store_model(folder))
            model.vectors += self._own(folder)
            for path in _entries(folder):
                found, size = _stat(path), self._tree(path)
                if path.name.endswith((UNFINISHED, DAMAGED)):
                    self.usage.leftovers += size
                    continue
                model.vectors += size
                if path.name.endswith(SUFFIX) and found is not None:
                    model.shards += 1
                    model.last_used = max(model.last_used or 0.0, found.st_mtime)

    def _jobs(self, jobs: Path) -> None:
        self.usage.other += self._own(jobs)
        for path in _entries(jobs):
            if path.name == ".tmp" or ".corrupt-" in path.name:
                self.usage.leftovers += self._tree(path)
            elif as_job_folder(path) is None or not path.is_dir():
                self.usage.other += self._tree(path)
            else:
                model = self._of(_name(path / "identity.json", "model", "name") or "unknown")
                model.records += self._tree(path)
                model.jobs += 1

    def _of(self, name: str) -> ModelUsage:
        if name not in self._models:
            self._models[name] = ModelUsage(name)
            self.usage.models.append(self._models[name])
        return self._models[name]

    def _tree(self, path: Path) -> int:
        size = self._own(path)
        if path.is_dir() and not path.is_symlink():
            size += sum(self._tree(entry) for entry in _entries(path))
        return size

    def _own(self, path: Path) -> int:
        """The entry alone; nothing the second time, by whatever name."""
        found = _stat(path)
        if found is None or (found.st_dev, found.st_ino) in self._seen:
            return 0
        self._seen.add((found.st_dev, found.st_ino))
        return _size(found)


def _size(found: os.stat_result) -> int:
    blocks: int | None = getattr(found, "st_blocks", None)
    return found.st_size if blocks is None else blocks * BLOCK


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:
        return None


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _folders(store: Path) -> list[Path]:
    return [path for path in _entries(store) if path.is_dir() and not path.is_symlink()]


def _name(path: Path, *keys: str) -> str | None:
    """A text in a JSON file, if it can be read."""
    try:
        value: Any = json.loads(read_regular(path))
        for key in keys:
            value = value[key]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return value if isinstance(value, str) else None
