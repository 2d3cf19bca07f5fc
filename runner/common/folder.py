"""A user's own folder, of tables or of weights: which files it has, and the hash of each.

Whatever comes from such a folder is found and hashed here, so that what is read is what is hashed: links are followed
by both, and a name that would lead out of the folder is refused.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from embedmark.runner.common.errors import IrregularFileError, UserError
from embedmark.runner.common.files import open_regular

MOST_ENTRIES = 200_000
"""Files and folders of one folder. More than that is a folder that was not meant, such as a link to a whole disk."""

_DEEPEST = 64
"""Folders within one another."""

_LONGEST_NAME = 255
"""Bytes of one part of a file's name, as file systems have it."""

_SETTLED_NS = 2_000_000_000
"""Files changed more recently than this are hashed anew each time: file systems may give two changes one time."""

_State = tuple[int, int, int, int, int]
_known: dict[str, tuple[_State, str]] = {}
"""Path → what the file system said of it, and the hash that it had then."""


def expand(path: str, key: str) -> Path:
    """Find the folder that a config names, `~` filled in. key: where the config says it, for messages.

    Raises UserError when there is no such folder.
    """
    if not path.strip():
        raise UserError(f"{key}: expected a folder, found nothing")
    try:
        folder = Path(path).expanduser()
        if folder.is_dir():
            return folder
        why = "is not a folder" if folder.exists() else "does not exist"
    except (RuntimeError, OSError, ValueError) as error:
        raise UserError(f"{key}: the folder {path[:200]!r} cannot be read: {str(error)[:100]}") from error
    raise UserError(
        f"{key}: {str(folder)[:300]!r} {why}; expected an existing folder. A relative path counts from the folder in "
        "which the command runs."
    )


def refuse_leaving(name: str, where: str) -> None:
    """Raises UserError for a name that would lead out of the folder in which it is looked up, or that no file has."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in name or "://" in name:
        why = "leads out of the folder or is written in an unusual way"
    elif any(ord(letter) < ord(" ") or letter == "\x7f" for letter in name):
        why = "has a control character"
    elif any(len(os.fsencode(part)) > _LONGEST_NAME for part in parts):
        why = f"is longer than {_LONGEST_NAME} bytes"
    else:
        return
    raise UserError(f"{where}: the name {name[:100]!r} {why}; expected a name inside the folder, such as 'en' or 'a/b'")


def files(root: Path, ignored: frozenset[str] = frozenset(), *, hidden: bool) -> dict[str, Path]:
    """Name → path of every file below a folder, in the order of names. Links are followed, and named as they stand.

    ignored: names of files and folders to leave out. hidden: whether those that begin with a dot are in it.

    Raises UserError for links that lead in a circle or nowhere, for folders that cannot be read, and for far too many.
    """
    found: dict[str, Path] = {}
    try:
        for name, path in _walk(root, root, "", (_identity(root),), ignored, hidden):
            found[name] = path
            if len(found) > MOST_ENTRIES:
                raise UserError(
                    f"folder {root} holds more than {MOST_ENTRIES:,} files, those behind links included; give a folder "
                    "that holds the data alone"
                )
    except OSError as error:
        raise UserError(f"folder {root} cannot be read: {error.strerror}: {error.filename}") from error
    return dict(sorted(found.items(), key=lambda item: item[0].split("/")))


def _walk(
    root: Path, folder: Path, prefix: str, above: tuple[tuple[int, int], ...], ignored: frozenset[str], hidden: bool
) -> Iterator[tuple[str, Path]]:
    """above: the folders that this one is in, as the file system knows them."""
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        is_hidden = entry.name.startswith(".")
        if entry.name in ignored or (is_hidden and not hidden):
            continue
        path = folder / entry.name
        if entry.is_symlink() and not path.exists():
            if is_hidden:  # editors leave such links behind
                continue
            raise UserError(f"folder {root}: {prefix}{entry.name} is a link to {path.readlink()}, {_broken(path)}")
        if not entry.is_dir():
            yield prefix + entry.name, path
            continue
        identity = _identity(path)
        if len(above) > _DEEPEST:
            raise UserError(f"folder {root}: more than {_DEEPEST} folders lie within one another; give one further in")
        if identity in above:
            raise UserError(
                f"folder {root}: {prefix}{entry.name} leads in a circle, back to {path.resolve()}; remove the link"
            )
        yield from _walk(root, path, f"{prefix}{entry.name}/", (*above, identity), ignored, hidden)


def _broken(link: Path) -> str:
    try:
        link.stat()
    except FileNotFoundError:
        return "which does not exist; remove the link, or bring back what it leads to"
    except OSError as error:
        return f"which cannot be read ({error.strerror}); remove the link"
    return "which is back again; try again"


def _identity(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino


def read(path: Path) -> tuple[bytes, str]:
    """Read a file's content and its SHA-256 in hex. Raises UserError when it cannot be read or is no regular file."""
    with opened(path) as file:
        content = file.read()
    return content, hashlib.sha256(content).hexdigest()


def size(path: Path) -> int:
    """Return the bytes of a file. Raises UserError when it cannot be read or is no regular file."""
    with opened(path) as file:
        return os.fstat(file.fileno()).st_size


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex, remembered as long as the file system says that it is the same file.

    Raises UserError when it cannot be read or is no regular file.
    """
    with opened(path) as file:
        state, now = _state(file), time.time_ns()
        before = _known.get(str(path))
        if before is not None and before[0] == state:
            return before[1]
        found = hashlib.file_digest(file, "sha256").hexdigest()
        changed_ns = max(state[1], state[2])
        if _state(file) == state and now - changed_ns > _SETTLED_NS:
            _known[str(path)] = state, found
    return found


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading: never a pipe or a device, which might not end.

    Raises UserError when it cannot be opened or read, or is no regular file.
    """
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            yield file
    except IrregularFileError as error:
        raise UserError(f"{path}: is no regular file but a pipe, a socket or a device; remove it") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error


def _state(file: BufferedReader) -> _State:
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev


def digests(found: Mapping[str, Path], known: Mapping[str, str]) -> dict[str, str]:
    """Return the SHA-256 of each file by name. known: those of files that were read already, as they were read."""
    return {name: known[name] if name in known else digest(path) for name, path in found.items()}
