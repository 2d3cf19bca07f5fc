"""What the heads of config files say, kept in the user's cache folder: a start looks at thousands of files.

An entry holds as long as path, size, times and inode of its file are those that it was read with. Whatever changes the
content of a file, its name or its times sets its `ctime` to the clock's, so that an equal key is an equal file. A file
that was changed less than two seconds before it was read is not kept: a change within one tick of a file system's clock
would not show. The index is only a shortcut: where it is absent, damaged, somebody else's or cannot be written, the
files are read.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from embedmark.runner.common.files import read_regular, write_atomically

log = logging.getLogger(__name__)

Head = tuple[str, str | None, str | None]
"""A file's name, type and label."""

FOLDER = "EMBEDMARK_CACHE"
"""The environment variable that names the folder of the index; empty for none."""

_LAYOUT = 1
"""Bump this when what an entry holds, or how it is read from a file, changes."""
_GRANULARITY = 2_000_000_000
"""Nanoseconds: the coarsest clock of a file system in use, FAT's."""
_MOST_ENTRIES = 50_000
_LARGEST = 32 * 2**20


def cache_folder() -> Path | None:
    """Name the folder of what may be made anew at any time; None where the user wants none.

    Returns:
        EMBEDMARK_CACHE, or `embedmark` in the system's folder of caches.
    """
    if (named := os.environ.get(FOLDER)) is not None:
        return Path(named) if named else None
    home = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else None)
    try:
        return Path(home or Path.home() / ".cache") / "embedmark"
    except RuntimeError:  # nobody's home
        return None


class HeadIndex:
    """The heads of files that have been read, by this process or an earlier one.

    Args:
        path: The file that it is kept in; None to forget everything at the end.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._entries: dict[str, tuple[Sequence[int], Head]] | None = None
        self._seen: set[str] = set()
        self._is_changed = False

    @classmethod
    def of_user(cls) -> HeadIndex:
        """Open the index of the user who runs this."""
        folder = cache_folder()
        return _opened(None if folder is None else folder / "heads.json")

    def get(self, path: Path, status: os.stat_result) -> Head | None:
        """Look up the head of a file.

        Args:
            path: The file.
            status: What `stat` says of it now.

        Returns:
            Name, type and label; None where the file has to be read.
        """
        found = self._loaded().get(str(path))
        if found is None or list(found[0]) != _key(status):
            return None
        self._seen.add(str(path))
        return found[1]

    def put(self, path: Path, status: os.stat_result, head: Head) -> None:
        """Keep the head of a file that was read after `status` was taken."""
        newest = max(status.st_mtime_ns, status.st_ctime_ns)
        if newest > time.time_ns() - _GRANULARITY:
            return
        self._loaded()[str(path)] = (_key(status), head)
        self._seen.add(str(path))
        self._is_changed = True

    def save(self) -> None:
        """Write what is new, if anything is. Of several processes the last one's stays; nothing fails."""
        if self._path is None or not self._is_changed:
            return
        self._is_changed = False
        entries = self._loaded()
        if len(entries) > _MOST_ENTRIES:
            entries = {path: entry for path, entry in entries.items() if path in self._seen}
        content = json.dumps({"layout": _LAYOUT, "entries": entries}, separators=(",", ":"))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self._path, content.encode("utf-8", "surrogatepass"), durable=False)
        except (OSError, ValueError) as error:
            log.debug("%s was not written: %s", self._path, error)

    def _loaded(self) -> dict[str, tuple[Sequence[int], Head]]:
        if self._entries is None:
            self._entries = _read(self._path) if self._path is not None else {}
        return self._entries


@cache
def _opened(path: Path | None) -> HeadIndex:
    """One index a process and file: what it has read need not be read again."""
    return HeadIndex(path)


def _key(status: os.stat_result) -> list[int]:
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev]


def _read(path: Path) -> dict[str, tuple[Sequence[int], Head]]:
    """The entries of an index's file; none where it is not one that this user wrote with this layout."""
    try:
        if hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
            return {}
        content = json.loads(read_regular(path, _LARGEST))
        if content["layout"] != _LAYOUT:
            return {}
        return {where: (key, _head(head)) for where, (key, head) in content["entries"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        log.debug("%s cannot be read: %s", path, error)
        return {}


def _head(values: object) -> Head:
    """Raises TypeError for anything but a name, and a type and a label that may be None."""
    if not isinstance(values, list) or [isinstance(value, str) for value in values[:1]] != [True]:
        raise TypeError("no name")
    if len(values) != 3 or not all(value is None or isinstance(value, str) for value in values):
        raise TypeError("not a name, a type and a label")
    name, kind, label = values
    return name, kind, label
