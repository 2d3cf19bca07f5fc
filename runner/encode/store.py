"""Where embeddings are kept: in memory, or as append-only shards in a folder.

Any number of processes may read one folder and add to it, also over NFS: a shard appears under its name only when it
is whole, is never changed, and its checksum is proven before its first use.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import DamagedShardError, OutputError, UserError
from embedmark.runner.common.files import DISK_FULL, NOT_WRITABLE, read_regular
from embedmark.runner.config.identity import fingerprint, plain
from embedmark.runner.encode.shard import (
    DAMAGED,
    SUFFIX,
    UNFINISHED,
    Keys,
    Shard,
    is_abandoned,
    map_shard,
    write_locked,
    write_shard,
)

log = logging.getLogger(__name__)

Places = NDArray[np.int64]
"""(n, 2): shard and row of each key; shard -1 where the store does not have it."""

IN_USE_SECONDS = 3600.0
"""Shards used more recently than this are never removed: another process may be about to read them."""

IDENTITY = "identity.json"
"""Whose vectors a folder keeps."""

OPENED = "opened.json"
"""What was found of the model when it was opened last, see runner/execute/opening.py."""


class Store(Protocol):
    """Vectors of one model by key."""

    def find(self, keys: Keys) -> Places:
        """Where the vectors of those keys are."""
        ...

    def add(self, keys: Keys, vectors: NDArray[np.float32]) -> Places:
        """Keep vectors, and say where. The arrays belong to the store from here on."""
        ...

    def read(self, places: Places) -> NDArray[np.float32]:
        """The vectors at those places, all of which must exist: float32 (n, dim)."""
        ...


class MemoryStore:
    """Vectors for as long as the process lives."""

    def __init__(self) -> None:
        self._shards: list[Shard | None] = []

    def find(self, keys: Keys) -> Places:
        """Where the vectors of those keys are."""
        places = np.full((len(keys), 2), -1, dtype=np.int64)
        order = np.argsort(keys[:, 0], kind="stable")
        wanted = keys[order]
        for number, shard in enumerate(self._shards):
            if shard is None:
                continue
            at, rows = _matches(wanted, shard.keys)
            if len(rows) and self._may_use(number):
                places[order[at], 0] = number
                places[order[at], 1] = rows
        return places

    def add(self, keys: Keys, vectors: NDArray[np.float32]) -> Places:
        """Keep vectors, and say where."""
        return self._append(Shard(keys, vectors))

    def read(self, places: Places) -> NDArray[np.float32]:
        """The vectors at those places: float32 (n, dim); (0, 0) for no places."""
        if not len(places):
            return np.zeros((0, 0), dtype=np.float32)
        order = np.lexsort((places[:, 1], places[:, 0]))
        numbers, starts = np.unique(places[order, 0], return_index=True)
        found = np.empty((len(places), self._shard(int(numbers[0])).vectors.shape[1]), dtype=np.float32)
        for number, rows in zip(numbers, np.split(order, starts[1:]), strict=True):
            shard = self._shard(int(number))
            if shard.vectors.shape[1] != found.shape[1]:
                dims = f"{found.shape[1]} and of {shard.vectors.shape[1]}"
                raise UserError(f"one store holds vectors of {dims} dimensions")
            found[rows] = shard.vectors[places[rows, 1]]
            shard.release()
        return found

    def _shard(self, number: int) -> Shard:
        shard = self._shards[number] if number >= 0 else None
        assert shard is not None, "a place must come from find or add"
        return shard

    def _append(self, shard: Shard) -> Places:
        self._shards.append(shard)
        rows = len(shard.keys)
        return np.stack((np.full(rows, len(self._shards) - 1), np.arange(rows)), axis=1)

    def _may_use(self, number: int) -> bool:
        return self._shards[number] is not None


class DiskStore(MemoryStore):
    """Vectors in a folder of one model, found again by later runs and by other processes.

    identity: what the vectors are of; written beside them. budget: bytes that the shards of this folder and of the
    folders beside it may take together; the least recently used go first. None is no limit.

    Raises UserError when the folder belongs to another model, or when the disk is full. A folder that cannot be written
    is read, and what is new is kept in memory.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], budget: int | None = None) -> None:
        super().__init__()
        self.folder = folder
        self.budget = budget
        self.writable = True
        self._known: set[str] = set()
        self._used: set[Path] = set()
        self._touched = time.monotonic()
        self._warned = self._unread = False
        self._identity = identity
        self._claim(identity)
        if self.writable:
            sweep(folder.parent)
        self._keep_budget()
        self.refresh()

    def refresh(self) -> None:
        """Take notice of shards that other processes have added."""
        for path in sorted(self.folder.glob(f"[!.]*{SUFFIX}")):
            if path.name not in self._known:
                self._known.add(path.name)
                self._open(path)

    def find(self, keys: Keys) -> Places:
        """Where the vectors of those keys are, other processes' shards included."""
        self.refresh()
        return super().find(keys)

    def add(self, keys: Keys, vectors: NDArray[np.float32]) -> Places:
        """Write a shard. Raises UserError when the disk is full; all shards before it stay."""
        if not self.writable:
            return super().add(keys, vectors)
        path = self.folder / f"{uuid.uuid4().hex}{SUFFIX}"
        try:
            try:
                shard = write_shard(path, keys, vectors)
            except FileNotFoundError:  # somebody removed the folder
                self._claim(self._identity)
                shard = write_shard(path, keys, vectors)
        except OSError as error:
            if error.errno in NOT_WRITABLE:
                self._give_up_writing(error)
                return super().add(keys, vectors)
            if error.errno in DISK_FULL:
                raise OutputError(
                    f"no room in {self.folder} for {vectors.nbytes / 2**20:.1f} MiB of embeddings ({error.strerror}). "
                    "What was encoded before is kept. Free some space, lower execution.store_gib, or run with "
                    "execution.store=false."
                ) from error
            raise
        self._known.add(path.name)
        self._used.add(path)
        self._keep_budget()
        return self._append(shard)

    def _claim(self, identity: Mapping[str, Any]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            if not self._is_of(identity):
                text = json.dumps(identity, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
                write_locked(self.folder / IDENTITY, text.encode())
        except OSError as error:
            if error.errno in DISK_FULL:
                raise OutputError(f"no room for an embedding store in {self.folder} ({error.strerror})") from error
            self._give_up_writing(error)
            self._is_of(identity)

    def _is_of(self, identity: Mapping[str, Any]) -> bool:
        """Whether the folder says whose it is. Raises UserError when it is another model's.

        A folder is named by its identity's hash, and the file in it is there for people and for `store`: one that
        cannot be read, or does not fit the folder's name, is written anew.
        """
        path = self.folder / IDENTITY
        try:
            found = json.loads(read_regular(path))
        except FileNotFoundError:
            return False
        except (OSError, ValueError, RecursionError) as error:
            log.info("%s cannot be read (%s); it is written anew", path, error)
            return False
        if plain(found) == plain(identity):
            return True
        named = self.folder.name
        if not isinstance(found, dict) or (folder_of(identity) == named and folder_of(found) != named):
            log.info("%s is not what was written; it is written anew", path)
            return False
        raise UserError(
            f"{path} says that this folder keeps the embeddings of another model; remove the folder, or give outputs="
            "FOLDER"
        )

    def _give_up_writing(self, error: OSError) -> None:
        self.writable = False
        log.warning(
            "embedding store %s cannot be written (%s): new vectors stay in memory", self.folder, error.strerror
        )

    def _open(self, path: Path) -> None:
        try:
            self._shards.append(map_shard(path))
        except FileNotFoundError:
            return  # removed by another process since the folder was listed
        except DamagedShardError as error:
            self._set_aside(path, str(error))
        except OSError as error:  # another user's file, a network that is away: it may well be sound
            level = logging.INFO if self._unread else logging.WARNING
            self._unread = True
            log.log(level, "embedding store: %s cannot be read (%s); its texts are encoded again", path, error.strerror)

    def _may_use(self, number: int) -> bool:
        shard = self._shard(number)
        if shard.path is None:
            return True
        if not shard.is_sound():
            self._shards[number] = None
            self._set_aside(shard.path, "its checksum does not fit its content")
            return False
        if shard.path not in self._used:
            self._used.add(shard.path)
            _touch(shard.path)
        return True

    def _set_aside(self, path: Path, why: str) -> None:
        log.warning("embedding store: %s is damaged (%s); it is set aside, its texts are encoded again", path, why)
        if not self.writable:
            return
        try:
            path.replace(path.with_name(path.name + DAMAGED))
        except FileNotFoundError:
            log.info("%s was set aside by another process", path)

    def _keep_budget(self) -> None:
        if self.budget is None or not self.writable:
            return
        self._touch_used()
        shards = sorted(_usage(self.folder.parent))
        total = sum(size for _, size, _ in shards)
        for used, size, path in shards:
            if total <= self.budget:
                return
            if path not in self._used and time.time() - used > IN_USE_SECONDS and _remove(path):
                total -= size
        if total > self.budget and not self._warned:
            self._warned = True
            log.warning("embedding stores take %.1f GiB, over the budget, and nothing in them is old", total / 2**30)

    def _touch_used(self) -> None:
        if time.monotonic() - self._touched > IN_USE_SECONDS / 4:
            self._touched = time.monotonic()
            for path in self._used:
                _touch(path)


class VerifiedStore:
    """A store that takes new vectors only while what they were made with is unchanged. verify: raises where it is not.

    Vectors of changed weights under the old identity would be served to every later run.
    """

    def __init__(self, store: Store, verify: Callable[[], None]) -> None:
        self._store = store
        self._verify = verify
        self.find = store.find
        self.read = store.read

    def add(self, keys: Keys, vectors: NDArray[np.float32]) -> Places:
        """Keep vectors, and say where."""
        self._verify()
        return self._store.add(keys, vectors)


def _matches(wanted: Keys, keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of rows of `wanted`, sorted by its first half, and of `keys` that are equal."""
    rows = np.arange(len(keys))
    at = np.searchsorted(wanted[:, 0], keys[:, 0])
    found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    while len(rows):  # once more for every repetition of a first half
        begun = at < len(wanted)
        at, rows = at[begun], rows[begun]
        half = wanted[at, 0] == keys[rows, 0]
        at, rows = at[half], rows[half]
        whole = wanted[at, 1] == keys[rows, 1]
        found.append((at[whole], rows[whole]))
        at = at + 1
    empty = np.zeros(0, dtype=np.int64)
    return np.concatenate([empty, *(at for at, _ in found)]), np.concatenate([empty, *(rows for _, rows in found)])


def folder_of(identity: Mapping[str, Any]) -> str:
    """What the folder of a model's vectors is called."""
    return fingerprint(identity)[:16]


def sweep(root: Path) -> None:
    """Remove what killed processes left unfinished under a folder of stores, and the damaged shards of earlier runs."""
    for path in leftovers(root):
        if path.name.endswith(DAMAGED) or is_abandoned(path):
            _remove(path)


def leftovers(root: Path) -> Iterator[Path]:
    """Unfinished files, be they still written or not, and damaged shards."""
    yield from root.glob(f"*/.*{UNFINISHED}")
    yield from root.glob(f"*/*{SUFFIX}{DAMAGED}")


def _usage(root: Path) -> Iterator[tuple[float, int, Path]]:
    for path in [*root.glob(f"*/[!.]*{SUFFIX}"), *leftovers(root)]:
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        yield stat.st_mtime, stat.st_size, path


def _remove(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.info("%s stays: %s", path, error)
        return False
    return True


def _touch(path: Path) -> None:
    try:
        os.utime(path)
    except OSError as error:
        log.debug("%s could not be marked as used: %s", path, error)
