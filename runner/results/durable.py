"""Folders that are there as a whole or not at all, whatever kills the process or the machine."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from embedmark.runner.common.errors import OutputError
from embedmark.runner.common.files import DISK_FULL, NOT_WRITABLE, read_regular, sync_folder

SUMS = "SHA256SUMS"
"""The sums of a folder's files, as `sha256sum --check` reads them."""

_SUM = re.compile(r"^([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._-]*)\n", re.MULTILINE)
"""Of plain names alone: what such a file says is opened."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say which path could not be written, and the way out, instead of an OSError."""
    try:
        yield
    except OSError as error:
        raise OutputError(_explained(path, error)) from error


def _explained(path: Path, error: OSError) -> str:
    if error.errno in DISK_FULL:
        return f"{path}: the disk is full; free some space, or give outputs=FOLDER on another disk, and run again"
    if error.errno in NOT_WRITABLE:
        return f"{path}: may not be written ({error.strerror}); make it writable, or give outputs=FOLDER"
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return f"{path}: a file is where a folder has to be ({error.filename or path}); move it, or give outputs=FOLDER"
    return f"{path}: cannot be written: {error.strerror or error}; give outputs=FOLDER to write elsewhere"


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder with these files and their sums, all of it on disk when this returns. Raises OSError."""
    folder.mkdir(parents=True)
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    with ExitStack() as opened:
        # All are written before the first is forced to disk: one journal commit then does for most of them.
        handles = [opened.enter_context((folder / name).open("xb")) for name in (*files, SUMS)]
        for handle, content in zip(handles, (*files.values(), sums.encode()), strict=True):
            handle.write(content)
            handle.flush()
        for handle in handles:
            os.fsync(handle.fileno())
    sync_folder(folder)


def read_sums(folder: str) -> dict[str, str]:
    """Read file name → SHA-256, as the folder says of itself. Raises OSError; ValueError for other lines."""
    text = read_regular(f"{folder}/{SUMS}").decode("ascii", "replace")
    sums = {name: digest for digest, name in _SUM.findall(text)}
    if not text or _SUM.sub("", text):
        raise ValueError(f"{SUMS} is not lines of SHA-256 and file name")
    return sums


def move_folder(source: Path, target: Path) -> None:
    """Give a folder another name, for good when this returns. Raises OSError."""
    _patiently(lambda: source.rename(target))
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)


def remove_folder(folder: Path) -> None:
    """Delete a folder, if it is there. Raises OSError."""
    if folder.exists():
        _patiently(lambda: shutil.rmtree(folder))


def _patiently(action: Callable[[], object]) -> None:
    """On Windows a virus scanner or indexer may hold a file for a moment."""
    if sys.platform != "win32":
        action()
        return
    from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

    patience = Retrying(  # type: ignore[unreachable, unused-ignore]
        stop=stop_after_delay(3), wait=wait_fixed(0.05), retry=retry_if_exception_type(PermissionError), reraise=True
    )
    patience(action)
