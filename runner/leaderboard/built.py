"""A built folder: written beside its place, put there whole, and over nothing that was not built before.

<out>/built.json              says that the folder is ours, and what it was built from
<parent>/.<name>.*.building   a build that goes on, or was killed
<parent>/.<name>.*.old        what stood there before, for the moment in which names are changed
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from embedmark.runner.common.errors import OutputError, UserError
from embedmark.runner.common.files import DISK_FULL, NOT_WRITABLE, read_bounded
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import snapshot, store
from embedmark.runner.results.inspection import scan

MARK = "built.json"

_LONGEST = 1 << 20
_BUILDING, _OLD = "building", "old"
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}
_TRIES = 5
_NOT_OURS = ("jobs", "store", "data", "imported", "invocations", "report")
"""Folders of an outputs folder that have other content."""
_MADE_BY = (Path(__file__).parent, Path(snapshot.__file__).with_name("field"))
"""What pages are made by, and the scores that ship: a checkout changes without a new version."""


@dataclass(frozen=True)
class Mark:
    """What a built folder says of itself.

    Args:
        embedmark: The version that built it.
        benchmarks: Those that were asked for; None for all.
    """

    embedmark: str
    benchmarks: tuple[str, ...] | None


def mark_of(out: Path) -> Mark | None:
    """Read what a folder says of itself; None where it was not built here."""
    try:
        told = json.loads(read_bounded(out / MARK, _LONGEST))
        names = told["benchmarks"]
        return Mark(str(told["embedmark"]), None if names is None else tuple(map(str, names)))
    except (UserError, ValueError, LookupError, TypeError, RecursionError):
        return None


def is_old(out: Path, outputs: Path, catalogue: Catalogue) -> bool:
    """Whether a built folder lacks something: another version built it, or outputs or configs changed since."""
    mark = mark_of(out)
    if mark is None or mark.embedmark != version("embedmark"):
        return True
    began = (out / MARK).stat().st_mtime_ns
    return any(_changed(path) >= began for path in _sources(outputs, catalogue))


@contextmanager
def rebuilt(out: Path, outputs: Path, benchmarks: Sequence[str] | None) -> Iterator[Path]:
    """Give an empty folder to write into, which takes the place of `out` when all went well.

    Args:
        out: Where the built folder is to stand; what was built there before stays until the new one is whole.
        outputs: The folder of results, whose own folders are refused.
        benchmarks: Those that were asked for; None for all. Remembered for the next time.

    Yields:
        The folder to write into, beside `out`.

    Raises:
        UserError: `out` is something that was not built here, or has another use.
        OutputError: The disk is full, or the folder may not be written.
    """
    place = _place(out, outputs)
    with _explained(out, place):
        _swept(place)
        began = _now(place)
        folder = _beside(place, _BUILDING)
        folder.mkdir()
    try:
        with _explained(out, place), _held(folder):
            yield folder
            _write_mark(folder, benchmarks, began)
            _put(folder, place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        restored(place)
    _swept(place)


def restored(out: Path) -> None:
    """Bring back what stood in a place, where a process was killed in the moment between two names."""
    if not out.exists():
        for old in _left(out, _OLD):
            if mark_of(old) is not None:
                with suppress(OSError):
                    old.rename(out)
                return


def _place(out: Path, outputs: Path) -> Path:
    """Where the folder really is. Raises UserError."""
    try:
        place, results = out.resolve(), outputs.resolve()
    except (OSError, RuntimeError) as error:
        raise UserError(f"--out {out}: cannot be read: {error}; give another folder") from error
    if place == results or place in results.parents:
        raise UserError(f"--out {out}: found the folder of results or one around it; expected one of its own")
    for name in _NOT_OURS:
        if (results / name) in (place, *place.parents):
            raise UserError(
                f"--out {out}: lies in {outputs / name}, which is for other things; give another folder, such as "
                f"{outputs / 'leaderboard'}"
            )
    if place == Path.cwd():
        raise UserError(f"--out {out}: found the current folder; expected one below it or elsewhere")
    restored(place)
    _refuse_others(place, out)
    return place


def _refuse_others(place: Path, out: Path) -> None:
    if place.exists() and not place.is_dir():
        raise UserError(f"--out {out}: found a file; expected a folder, or a name that is free")
    try:
        others = place.is_dir() and mark_of(place) is None and any(place.iterdir())
    except OSError as error:
        raise UserError(f"--out {out}: cannot be read: {error.strerror}; give another folder") from error
    if others:
        raise UserError(
            f"--out {out}: found a folder with other things in it; expected a new or empty one, or one that "
            f"`leaderboard build` wrote (it has a {MARK}). Nothing was changed; give another folder"
        )


@contextmanager
def _explained(out: Path, place: Path) -> Iterator[None]:
    """Say in words why a folder cannot be written. Raises OutputError; what is about other files goes on as it is."""
    try:
        yield
    except OSError as error:
        if isinstance(error.filename, str) and place.parent not in (
            Path(error.filename),
            *Path(error.filename).parents,
        ):
            raise
        raise OutputError(f"--out {out}: {_why(error)}. What was there before is unchanged") from error


def _why(error: OSError) -> str:
    if error.errno in DISK_FULL:
        return "the disk is full; free some space, or give --out FOLDER on another disk"
    if error.errno in NOT_WRITABLE:
        return f"{error.filename or 'it'} may not be written ({error.strerror}); make it writable, or give --out FOLDER"
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return f"a file is where a folder has to be ({error.filename}); move it, or give --out FOLDER"
    return f"cannot be written: {error.strerror or error}; give --out FOLDER to write elsewhere"


def _now(place: Path) -> int:
    """The time of the file system that is written to, which is the one that folders of jobs are compared by."""
    place.parent.mkdir(parents=True, exist_ok=True)
    asked = _beside(place, "time")
    asked.touch(exist_ok=False)
    try:
        return asked.stat().st_mtime_ns
    finally:
        asked.unlink()


def _write_mark(folder: Path, benchmarks: Sequence[str] | None, began: int) -> None:
    told = {"benchmarks": None if benchmarks is None else list(benchmarks), "embedmark": version("embedmark")}
    (folder / MARK).write_text(json.dumps(told) + "\n", encoding="utf-8")
    os.utime(folder / MARK, ns=(began, began))  # what was measured while it was built is newer


def _put(folder: Path, place: Path) -> None:
    """Change names, so that a reader finds the old folder or the new one. Others may do the same meanwhile."""
    for left in reversed(range(_TRIES)):
        try:
            folder.rename(place)
            return
        except OSError as error:
            if not left or (error.errno not in _TAKEN and not (sys.platform == "win32" and place.exists())):
                raise
        _refuse_others(place, place)
        with suppress(FileNotFoundError):
            place.rename(_beside(place, _OLD))


def _swept(place: Path) -> None:
    """Delete what killed builds left, and what a build that ended has replaced."""
    if place.exists():
        for old in _left(place, _OLD):
            shutil.rmtree(old, ignore_errors=True)
    if sys.platform == "win32":
        return  # a folder has no lock there that would say whether a build goes on
    for folder in _left(place, _BUILDING):
        with suppress(OSError), _held(folder):
            shutil.rmtree(folder)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a folder as one's own until the process ends. Raises OSError where another process holds it."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _beside(place: Path, kind: str) -> Path:
    return place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.{kind}")


def _left(place: Path, kind: str) -> list[Path]:
    try:
        names = sorted(os.listdir(place.parent))  # noqa: PTH208 - a name may be what `glob` takes for a pattern
    except OSError:
        return []
    wanted = [name for name in names if name.startswith(f".{place.name}.") and name.endswith(f".{kind}")]
    return [place.parent / name for name in wanted]


def _sources(outputs: Path, catalogue: Catalogue) -> Iterator[Path]:
    """Whatever a board of these outputs is made of, and by."""
    yield outputs / "jobs"
    yield store.path_of(outputs)
    yield store.path_of(outputs).parent
    yield from (found.path for found in scan(outputs))
    for folder in catalogue.folders:
        yield from (folder, *folder.glob("*"), *folder.glob("**/*.yaml"))
    for folder in _MADE_BY:
        yield from (path for path in folder.rglob("*.*") if path.suffix != ".pyc")


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
