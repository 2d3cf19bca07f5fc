"""Files: whole ones are read without waiting for what might not end, and written so that no reader sees half of one."""

from __future__ import annotations

import errno
import os
import stat
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

from embedmark.runner.common.errors import IrregularFileError, UserError

DISK_FULL = {errno.ENOSPC, errno.EFBIG, *([errno.EDQUOT] if hasattr(errno, "EDQUOT") else [])}
"""Why the system has no room for a file: the disk, the user's quota, or the largest file that it allows is full."""

NOT_WRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM}
"""Why the system refuses to write where there is room."""

_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""Not waiting: to open a pipe would, for one who writes to it."""
_PART = 1 << 20
_POSIX = os.name == "posix"


def open_regular(path: Path | str) -> int:
    """Open a regular file to be read. Raises OSError; IrregularFileError for what might not end."""
    try:
        handle = os.open(path, _READ)
    except ValueError as error:
        # With a zero byte, or characters that the system's encoding of names lacks.
        raise OSError(errno.EINVAL, f"not a name a file can have: {error}", str(path)) from None
    try:
        kind = os.fstat(handle).st_mode
        if stat.S_ISDIR(kind):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(kind):
            raise IrregularFileError(errno.EINVAL, "a pipe, a socket or a device, and no file", str(path))
    except BaseException:
        os.close(handle)
        raise
    return handle


def read_regular(path: Path | str, most: int | None = None) -> bytes:
    """Read a regular file, with as few calls as can be: planning reads tens of thousands.

    most: bytes that are read of a larger one. Raises OSError, also for what is no regular file.
    """
    handle = open_regular(path)
    try:
        parts: list[bytes] = []
        left = most
        while left is None or left > 0:
            wanted = _PART if left is None else min(_PART, left)
            part = os.read(handle, wanted)
            parts.append(part)
            left = None if left is None else left - len(part)
            if len(part) < wanted:
                break
        return b"".join(parts)
    finally:
        os.close(handle)


def read_bounded(path: Path, most: int, *, hint: str = "", where: str | None = None) -> bytes:
    """Read a regular file that a stranger may have written, and no larger one.

    Args:
        path: The file.
        most: Bytes that it may have.
        hint: What a message about the size ends with, as "; no result file is".
        where: What messages call the file; by default its path.

    Raises:
        UserError: It cannot be read, is no regular file, or is larger.
    """
    where = where or str(path)
    try:
        content = read_regular(path, most + 1)
    except OSError as error:
        raise UserError(f"{where}: cannot be read: {error.strerror}") from error
    refuse_larger(len(content), most, where, hint)
    return content


def refuse_larger(size: int, most: int, where: str, hint: str = "") -> None:
    """Refuse what has more bytes than it may have. Raises UserError, as `read_bounded` does."""
    if size > most:
        shown = f"{most >> 20} MiB" if most >= 1 << 20 else f"{most >> 10} KiB"
        raise UserError(f"{where}: larger than {shown}{hint}")


def write_atomically(
    path: Path,
    content: bytes | str,
    *,
    durable: bool,
    temporary: Path | None = None,
    opened: Callable[[int], object] | None = None,
) -> None:
    """Write a whole file or nothing: readers see what was there before, or all of the new content.

    A device, as /dev/stdout, is written into: a file in its place would take it from everybody.

    Args:
        path: the file; its folder has to be there.
        content: a text is written in UTF-8, its line ends as they are.
        durable: whether content and name are on the disk when this returns, so that the machine may be switched off.
            A killed process alone leaves nothing half written either way.
        temporary: where to write before the file gets its name, in the same folder; by default a hidden name of its
            own. What a killed process leaves there has to be swept up by whoever cares.
        opened: called with the descriptor of the temporary file before anything is written, as to lock it.

    Raises:
        OSError: when it cannot be written; then nothing of it remains.
    """
    if not path.name:  # ".", or the root
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    data = content.encode() if isinstance(content, str) else content
    if _is_device(path):
        with path.open("wb") as device:
            device.write(data)
        return
    temporary = temporary or path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with temporary.open("xb") as handle:
            if opened is not None:
                opened(handle.fileno())
            handle.write(data)
            handle.flush()
            if durable:
                os.fsync(handle.fileno())
            if _POSIX:
                temporary.replace(path)  # while it is open, and so locked
        if not _POSIX:
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def _is_device(path: Path) -> bool:
    """Whether it is a device, or a stream by its name there, as /dev/stdout and /dev/fd/3 are."""
    return path.exists() and (path.is_char_device() or path.parent in {Path("/dev"), Path("/dev/fd")})


def sync_folder(folder: Path) -> None:
    """Put a folder's list of names on disk. Windows has no such call and needs none. Raises OSError."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
