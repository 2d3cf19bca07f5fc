"""The file that keeps embeddings: one safetensors file a shard, written once and never changed.

`keys` are 128-bit hashes as two uint64 a row, `vectors` float32 (rows, dim), and the metadata holds a checksum of both.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import platform
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from embedmark.runner.common.errors import DamagedShardError
from embedmark.runner.common.files import write_atomically

try:
    import fcntl
    import resource
except ImportError:  # Windows
    fcntl = resource = None  # type: ignore[assignment]

Keys = NDArray[np.uint64]
"""(n, 2): the hash of a text and its variant, in two halves."""

SUFFIX, UNFINISHED, DAMAGED = ".safetensors", ".tmp", ".corrupt"

ABANDONED_SECONDS = 3600.0
OPEN_FILES = 65_536
"""As many a process asks the system for: a mapped shard is one, and a large store has thousands."""

JUST_BEGUN_SECONDS = 1.0
"""Between the making of a file and its lock lies a moment."""


@dataclass
class Shard:
    """Keys and vectors, row by row; of a file they are memory-mapped, as long as it may stay open.

    unproven: what the content must hash to, or None once that is proven.
    """

    keys: Keys
    vectors: NDArray[np.float32]
    path: Path | None = None
    unproven: str | None = None
    mapping: mmap.mmap | None = None

    def is_sound(self) -> bool:
        """Whether the content is what was written. Reads the whole shard, the first time."""
        if self.unproven is not None and checksum(self.keys, self.vectors) != self.unproven:
            return False
        self.unproven = None
        self.release()
        return True

    def release(self) -> None:
        """Let go of the memory of a mapped file's pages; they come back when they are read."""
        if self.mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
            self.mapping.madvise(mmap.MADV_DONTNEED)


def write_shard(path: Path, keys: Keys, vectors: NDArray[np.float32]) -> Shard:
    """Write a shard, all or nothing, and map it. Raises OSError."""
    write_locked(path, save({"keys": keys, "vectors": vectors}, {"checksum": checksum(keys, vectors)}))
    shard = map_shard(path)
    shard.unproven = None
    return shard


def map_shard(path: Path) -> Shard:
    """A shard without reading its vectors; where too many files are open already, all of it in memory.

    Raises DamagedShardError when it is not whole, OSError when it is gone or cannot be read.
    """
    with path.open("rb") as handle:
        if os.fstat(handle.fileno()).st_size == 0:
            raise DamagedShardError("it is empty")
        mapped = _may_stay_open(handle.fileno())
        content = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) if mapped else handle.read()
    length = int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8 : 8 + length])
        keys, vectors = (_tensor(content, header[name], 8 + length) for name in ("keys", "vectors"))
        expected = header["__metadata__"]["checksum"]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedShardError(f"its header does not describe its {len(content)} bytes: {error}") from error
    if vectors.ndim != 2 or keys.shape != (len(vectors), 2):
        raise DamagedShardError(f"keys of shape {keys.shape} for vectors of shape {vectors.shape}")
    return Shard(keys, vectors, path, expected, content if isinstance(content, mmap.mmap) else None)


def _may_stay_open(handle: int) -> bool:
    """Whether the process may have one more file open for good: locks, downloads and records need files too."""
    if resource is None:
        return True
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:  # systems begin with 1,024, or 256
        with suppress(OSError, ValueError):  # macOS refuses some numbers that it says it allows
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    if soft == resource.RLIM_INFINITY:
        return True
    next_free = os.dup(handle)
    os.close(next_free)
    return next_free < soft * 3 // 4


def _tensor(content: mmap.mmap | bytes, entry: Mapping[str, Any], start: int) -> NDArray[Any]:
    begin, end = (start + int(offset) for offset in entry["data_offsets"])
    dtype = np.dtype({"U64": "<u8", "F32": "<f4"}[entry["dtype"]])
    return np.frombuffer(content, dtype, (end - begin) // dtype.itemsize, begin).reshape(entry["shape"])


def checksum(keys: Keys, vectors: NDArray[np.float32]) -> str:
    """BLAKE2b-128 of both arrays' bytes."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(np.ascontiguousarray(keys).data)
    digest.update(np.ascontiguousarray(vectors).data)
    return digest.hexdigest()


def write_locked(path: Path, content: bytes) -> None:
    """Write a whole file or nothing, and for good when this returns. Raises OSError.

    While it is written the file is locked, so that `is_abandoned` can tell it from what a killed process left.
    """
    temporary = path.with_name(f".{path.name}.{_machine()}.{uuid.uuid4().hex}{UNFINISHED}")
    write_atomically(path, content, durable=True, temporary=temporary, opened=_lock)


def is_abandoned(path: Path) -> bool:
    """Whether an unfinished file has no writer any more.

    One that this machine began is abandoned when nobody holds its lock: a killed process holds none. Locks may not
    reach over a network, so that of another machine's file the age alone says it: it is written within seconds, and
    abandoned when it has not changed for an hour.
    """
    try:
        age = time.time() - path.stat().st_mtime
        if age > ABANDONED_SECONDS:
            return True
        if fcntl is None or f".{_machine()}." not in path.name or age < JUST_BEGUN_SECONDS:
            return False
        with path.open("rb") as handle:
            return _lock(handle.fileno())
    except OSError:
        return False


def _lock(handle: int) -> bool:
    """Lock an open file, if nobody else has; whether that was possible."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@cache
def _machine() -> str:
    """What tells this machine, since it was started, from others that write to the same folder."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    known = boot.read_text(encoding="ascii") if boot.is_file() else str(uuid.getnode())
    return hashlib.blake2b(f"{platform.node()} {known}".encode(), digest_size=4).hexdigest()
