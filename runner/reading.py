"""Reads whole files of which nobody knows what they are: never a pipe or a device, which might not end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""Not waiting: to open a pipe would, for one who writes to it."""
_PART = 1 << 20


class IrregularFileError(OSError):
    """A pipe, a socket or a device in the place of a file."""


def open_regular(path: Path | str) -> int:
    """A regular file's descriptor, to be read. Raises OSError; IrregularFileError for what might not end."""
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
    """What a regular file holds, with as few calls as can be: planning reads tens of thousands.

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
