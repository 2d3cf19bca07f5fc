"""The file of a bundle: a tar archive in one spelling, so that equal plans give equal bytes.

It holds `manifest.json`, `manifest.sha256`, and each content once, named by its SHA-256 and in that order. Since the
manifest says all that follows, a reader knows every header before it reads it: there is nothing for a link, a path or a
size of somebody else's making to stand in.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from embedmark.runner.bundle.manifest import LARGEST, Manifest, parse_manifest
from embedmark.runner.common.errors import JobError, UserError
from embedmark.runner.common.files import open_regular, sync_folder

MANIFEST = "manifest.json"
_SUM = "manifest.sha256"
_BLOCK = 512
_END = bytes(2 * _BLOCK)
_PART = 2**20

Progress = Callable[[int], object]
"""Called with the bytes that were written since it was called last."""


@dataclass(frozen=True)
class Source:
    """Where the content of a file is taken from: a file on disk, or bytes."""

    content: Path | bytes

    @contextmanager
    def opened(self) -> Iterator[Iterator[bytes]]:
        """Read it in parts."""
        if isinstance(self.content, bytes):
            yield iter([self.content])
            return
        with os.fdopen(open_regular(self.content), "rb") as file:
            yield iter(lambda: file.read(_PART), b"")


def size_of(manifest: Manifest) -> int:
    """Return the bytes that the file of a bundle takes."""
    first = len(manifest.to_bytes()), len(_sum_of(b""))
    sizes = [*first, *manifest.contents.values()]
    return sum(_BLOCK + _padded(size) for size in sizes) + len(_END)


def write(path: Path, manifest: Manifest, sources: Mapping[str, Source], progress: Progress = lambda _: None) -> None:
    """Write a bundle whole or not at all; what a killed process has left of it is begun anew.

    Args:
        path: The file.
        manifest: What it holds.
        sources: SHA-256 → where to take the content from.
        progress: Told of what is written.

    Raises:
        JobError: A file is not what it was when the manifest was made.
        UserError: Another process writes it.
        OSError: It cannot be written.
    """
    with _alone(path, "written"):
        part = path.with_name(f".{path.name}.part")
        try:
            with part.open("wb") as out:
                head = manifest.to_bytes()
                for name, content in ((MANIFEST, head), (_SUM, _sum_of(head))):
                    out.write(_header(name, len(content)) + content + _padding(len(content)))
                for sha256, size in manifest.contents.items():
                    out.write(_header(_name(sha256), size))
                    _copy(sources[sha256], sha256, size, out, progress)
                    out.write(_padding(size))
                out.write(_END)
                out.flush()
                os.fsync(out.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def _copy(source: Source, sha256: str, size: int, out: BinaryIO, progress: Progress) -> None:
    digest, written = hashlib.sha256(), 0
    with source.opened() as parts:
        for part in parts:
            digest.update(part)
            written += len(part)
            out.write(part)
            progress(len(part))
    if written != size or digest.hexdigest() != sha256:
        what = source.content if isinstance(source.content, Path) else "a config"
        raise JobError(f"{what} has changed while the bundle was written; nothing was kept. Run it again.")


def unpack(path: Path, folder: Path, progress: Progress = lambda _: None) -> Manifest:
    """Unpack a bundle into a new folder, whole or not at all. Every byte is checked.

    Args:
        path: The file.
        folder: The new folder. One that is there has to be of the same bundle, and is left as it is.
        progress: Told of what is written.

    Raises:
        UserError: The file is no bundle or damaged, or the folder is there and holds something else.
        OSError: It cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder, "unpacked"), _opened(path) as file:
        reader = _Reader(file, path)
        manifest, head = reader.manifest()
        if folder.exists():
            _refuse_other(folder, head)
            return manifest
        _refuse_no_room(folder.parent, manifest.size)
        part = folder.with_name(f".{folder.name}.part")
        if part.exists():
            shutil.rmtree(part)
        part.mkdir()
        try:
            (part / MANIFEST).write_bytes(head)
            reader.contents(manifest, part, progress)
            part.replace(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        sync_folder(folder.parent)
    return manifest


def _refuse_other(folder: Path, head: bytes) -> None:
    inside = folder / MANIFEST
    if not inside.is_file() or inside.read_bytes() != head:
        raise UserError(f"{folder} is there, and not of this bundle; give another folder as --folder, or remove it")


def _refuse_no_room(folder: Path, size: int) -> None:
    """Raises UserError where the disk has less room than so many bytes."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise UserError(f"{folder}: {size:,} bytes are needed, and {free:,} are free")


def refuse_no_room_for(path: Path, manifest: Manifest) -> None:
    """Raises UserError where the file of a bundle has no room."""
    _refuse_no_room(path.parent, size_of(manifest))


class _Reader:
    """Reads the file of a bundle from its beginning to its end, and accepts one spelling alone."""

    def __init__(self, file: BufferedReader, path: Path) -> None:
        self._file, self._path = file, path

    def manifest(self) -> tuple[Manifest, bytes]:
        """The manifest, and its content."""
        try:
            said = tarfile.TarInfo.frombuf(self._read(_BLOCK, "its first header"), "ascii", "strict")
        except (tarfile.HeaderError, ValueError):
            raise UserError(f"{self._path}: no bundle: it does not begin as a tar archive does") from None
        if said.name != MANIFEST:
            raise UserError(f"{self._path}: no bundle: it begins with {said.name[:100]!r}; expected {MANIFEST}")
        if not 0 <= said.size <= LARGEST:
            raise UserError(f"{self._path}: {MANIFEST} has {said.size} bytes; at most {LARGEST} are read")
        self._file.seek(0)
        head = self._whole(MANIFEST, said.size)
        total = self._whole(_SUM, len(_sum_of(b"")))
        if total != _sum_of(head):
            raise self._damaged(MANIFEST)
        manifest = parse_manifest(head, f"{self._path}: {MANIFEST}")
        if manifest.to_bytes() != head:
            raise UserError(f"{self._path}: {MANIFEST} is written in another way than bundles are")
        found, expected = os.fstat(self._file.fileno()).st_size, size_of(manifest)
        if found != expected:
            why = "was cut off" if found < expected else "has something behind its end"
            raise UserError(f"{self._path}: damaged: it {why}: found {found:,} bytes, expected {expected:,}")
        return manifest, head

    def contents(self, manifest: Manifest, folder: Path, progress: Progress) -> None:
        """Write every file below a folder."""
        names: dict[str, list[str]] = {}
        for name, content in manifest.files.items():
            names.setdefault(content.sha256, []).append(name)
        for sha256, size in manifest.contents.items():
            first, *others = (folder / name for name in names[sha256])
            self._header(_name(sha256), size, names[sha256][0])
            self._content(sha256, size, names[sha256][0], first, progress)
            self._padding(size, names[sha256][0])
            for other in others:
                other.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(first, other)
        if self._file.read() != _END:
            raise self._damaged("its end")

    def _content(self, sha256: str, size: int, name: str, target: Path, progress: Progress) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, left = hashlib.sha256(), size
        with target.open("xb") as out:
            while left:
                part = self._read(min(left, _PART), name)
                digest.update(part)
                out.write(part)
                left -= len(part)
                progress(len(part))
        if digest.hexdigest() != sha256:
            raise self._damaged(name)

    def _whole(self, name: str, size: int) -> bytes:
        self._header(name, size, name)
        content = self._read(size, name)
        self._padding(size, name)
        return content

    def _header(self, name: str, size: int, what: str) -> None:
        if self._read(_BLOCK, what) != _header(name, size):
            raise self._damaged(f"the header of {what}")

    def _padding(self, size: int, what: str) -> None:
        if any(self._read(len(_padding(size)), what)):
            raise self._damaged(f"what lies behind {what}")

    def _read(self, size: int, what: str) -> bytes:
        found = self._file.read(size)
        if len(found) != size:
            raise UserError(f"{self._path}: damaged: it was cut off within {what}")
        return found

    def _damaged(self, what: str) -> UserError:
        return UserError(f"{self._path}: damaged: {what} is not what was written; copy the file again")


def _header(name: str, size: int) -> bytes:
    """The one block that stands before a content. Time, owner and rights are the same everywhere."""
    said = tarfile.TarInfo(name)
    said.size = size
    return said.tobuf(tarfile.GNU_FORMAT, "ascii", "strict")


def _name(sha256: str) -> str:
    return f"content/{sha256}"


def _sum_of(head: bytes) -> bytes:
    """As `sha256sum` writes it."""
    return f"{hashlib.sha256(head).hexdigest()}  {MANIFEST}\n".encode()


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _padding(size: int) -> bytes:
    return bytes(_padded(size) - size)


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    try:
        handle = open_regular(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    with os.fdopen(handle, "rb") as file:
        yield file


@contextmanager
def _alone(path: Path, how: str) -> Iterator[None]:
    """Keep other processes from the same. Raises UserError where one is at it."""
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{path} is being {how} by another process; wait for it") from None
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no file that is open
            Path(lock.lock_file).unlink()
        lock.release()
