"""The folders of jobs: found by fingerprint, locked while they are worked on, written as a whole or not at all.

    outputs/jobs/<task>--<model>--<12 digits of the fingerprint>/          done
        result.json        the record
        identity.json      exactly the bytes whose SHA-256 is the fingerprint
        environment.json   packages, platform, hardware, threads
        items.npz          what the main score can be computed from again, an item a row (docs/items.md); may be absent
        predictions.parquet   rankings, where they were asked for
        evidence.json      what was given to the model and what it made, for `verify`; not in records of schema 1
        log.txt
        SHA256SUMS         of the files above
    outputs/jobs/<the same name>.failed/                                   failed: failure.json in place of the result
    outputs/jobs/<the same name>.corrupt-1/                                damaged, set aside, done again
    outputs/jobs/.locks, .tmp                                              a job's lock; folders being written

A folder gets its name by a rename after all of it is on disk, so that a name without suffix means a whole record.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from filelock import FileLock, Timeout

from embedmark.runner.common.files import read_regular
from embedmark.runner.common.names import slug
from embedmark.runner.common.text import for_files
from embedmark.runner.config.identity import canonical
from embedmark.runner.results.durable import move_folder, read_sums, remove_folder, write_folder, writing
from embedmark.runner.results.evidence import EVIDENCE, Evidence
from embedmark.runner.results.inspection import (
    ENVIRONMENT,
    FAILURE,
    IDENTITY,
    ITEMS,
    LOG,
    RESULT,
    Found,
    Inspected,
    State,
    inspect,
    scan,
)
from embedmark.runner.results.items import npz
from embedmark.runner.results.predictions import PREDICTIONS
from embedmark.runner.results.record import Failure, JobFacts, Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIGITS = 12
_LONGER = 8
_KEY = 32
"""Digits in the names of locks and unfinished folders: enough to be unique, few enough for paths on Windows."""
_log = logging.getLogger(__name__)


def folder_name(job: JobFacts, fingerprint: str, digits: int = _DIGITS) -> str:
    """Return the name of a job's folder."""
    return f"{folder_stem(job.task, job.model)}--{fingerprint[:digits]}"


def folder_stem(task: str, model: str) -> str:
    """Return what the names of a task's and model's folders begin with, up to the digits."""
    return f"{_file_name(task)}--{_file_name(model)}"


def _file_name(name: str) -> str:
    """A name that every file system takes, as in intfloat__e5-base-v2."""
    return slug(name.replace("/", "__"), kept="A-Za-z0-9._()-")[:60].strip(".") or "_"


@dataclass(frozen=True)
class Look:
    """What the folders of jobs held when they were looked at, which nobody has to do twice.

    jobs: those that were asked for, by fingerprint; None where a job has no folder. others: the folders of all others,
    unread.
    """

    jobs: Mapping[str, Inspected | None]
    others: tuple[Found, ...] = ()

    @property
    def states(self) -> dict[str, State]:
        """The state of each job, as `inspect` defines it."""
        return {fingerprint: _state(found)[0] for fingerprint, found in self.jobs.items()}

    @property
    def kept(self) -> dict[str, Record | Failure]:
        """The records and failures of the jobs that have one."""
        found = {fingerprint: one.facts for fingerprint, one in self.jobs.items() if one is not None}
        return {fingerprint: facts for fingerprint, facts in found.items() if facts is not None}

    @property
    def damaged(self) -> list[Inspected]:
        """The damaged folders among them."""
        return [one for one in self.jobs.values() if one is not None and one.state == "corrupt"]


class JobFolders:
    """The folders under one outputs folder. Queries only read; to write, take a Claim with try_claim()."""

    def __init__(self, outputs: Path) -> None:
        self.outputs = outputs
        self.folder = outputs / "jobs"

    def look(self, fingerprints: Iterable[str]) -> Look:
        """Look at all folders once, and read those of the given jobs. Raises OutputError where they may not be read."""
        by_digits: dict[str, list[Found]] = {}
        for found in scan(self.outputs):
            by_digits.setdefault(found.digits, []).append(found)
        lengths = sorted({len(digits) for digits in by_digits})
        jobs: dict[str, Inspected | None] = {}
        read: set[str] = set()
        for fingerprint in fingerprints:
            digits = {fingerprint[:length] for length in lengths}.intersection(by_digits)
            read |= digits
            there = [inspect(found) for own in sorted(digits) for found in by_digits[own]]
            chosen = _chosen(fingerprint, there)
            # The plan has the identity, and there may be very many jobs.
            jobs[fingerprint] = None if chosen is None else replace(chosen, identity={})
        return Look(jobs, tuple(found for own, there in by_digits.items() if own not in read for found in there))

    def try_claim(self, fingerprint: str, job: JobFacts) -> Claim | None:
        """Lock a job for this process: None when another one has it. Raises OutputError where nothing can be written.

        A claim holds one open file until it is released. Its `state` was looked up under the lock: another process may
        have done the job since it was planned. A damaged folder is set aside, and what a killed writer left is removed.
        """
        lock = self._lock(fingerprint)
        with writing(self.folder):
            Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                return None
        try:
            with writing(self.folder):
                self._recover(fingerprint[:_KEY])
                state, path = self._set_damaged_aside(fingerprint, job)
        except BaseException:
            lock.release()
            raise
        return Claim(self, fingerprint, job, lock, state, path)

    def forget(self, job: Inspected) -> bool:
        """Delete a job's folder, whole or damaged; False when another process works on the job. Raises OutputError."""
        path = job.found.path
        lock = self._lock(job.fingerprint or job.found.digits)
        with writing(path):
            Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            try:
                with lock.acquire(blocking=False):
                    temporary = self.new_temporary(job.fingerprint or job.found.digits)
                    temporary.parent.mkdir(parents=True, exist_ok=True)
                    if path.is_symlink() or not path.is_dir():
                        path.unlink()
                    else:
                        # Renamed first: a folder that is deleted by halves is a damaged one.
                        move_folder(path, temporary)
                        remove_folder(temporary)
            except Timeout:
                return False
        return True

    def clean(self) -> None:
        """Remove what killed writers left behind. What a living process is writing is locked and stays."""
        with writing(self.folder):
            for key in {_key_of(path) for path in self._temporaries()}:
                try:
                    with self._lock(key).acquire(blocking=False):
                        self._recover(key)
                except Timeout:
                    continue

    def new_temporary(self, fingerprint: str) -> Path:
        """A folder name that nobody uses, on the disk where the job's folder will be."""
        return self.folder / ".tmp" / f"{fingerprint[:_KEY]}.{uuid.uuid4().hex[:8]}"

    def replaced(self, fingerprint: str, name: str) -> Path:
        """Where a folder waits while its successor takes its name."""
        return self.folder / ".tmp" / f"{fingerprint[:_KEY]}.replaced.{name}"

    def _lock(self, fingerprint: str) -> FileLock:
        # Released by whichever thread finishes the job, hence not bound to the one that claimed it.
        return FileLock(self.folder / ".locks" / f"{fingerprint[:_KEY]}.lock", thread_local=False)

    def _temporaries(self) -> list[Path]:
        folder = self.folder / ".tmp"
        return list(folder.iterdir()) if folder.is_dir() else []

    def _recover(self, key: str) -> None:
        """Under the lock: a folder whose successor never came gets its name back, all else unfinished goes."""
        # Results before failures, which are not needed beside a result.
        own = [path for path in self._temporaries() if _key_of(path) == key]
        for path in sorted(own, key=lambda path: path.name.endswith(".failed")):
            _, _, name = path.name.partition(".replaced.")
            if name and not any((self.folder / place).exists() for place in (name, name.removesuffix(".failed"))):
                move_folder(path, self.folder / name)
            else:
                remove_folder(path)

    def _set_damaged_aside(self, fingerprint: str, job: JobFacts) -> tuple[State, Path | None]:
        # By name and not by a scan: thousands of jobs are claimed one after the other.
        named = [place for name in _names(job, fingerprint) for place in _places(self.folder, name)]
        there = [inspect(found) for found in named if os.path.lexists(found.path)]
        for damaged in (one for one in there if one.state == "corrupt"):
            path = damaged.found.path
            aside = next(place for number in count(1) if not os.path.lexists(place := f"{path}.corrupt-{number}"))
            move_folder(path, Path(aside))
            _log.warning("%s: %s; kept as %s, and the job is done again", path, damaged.problem, Path(aside).name)
        return _state(_chosen(fingerprint, there, ignore_corrupt=True))


def _key_of(temporary: Path) -> str:
    """Whose an unfinished folder is, as the names of locks have it."""
    return temporary.name.partition(".")[0]


def _names(job: JobFacts, fingerprint: str) -> list[str]:
    """The names that a job's folder may have: more digits where another job has the first twelve."""
    return [folder_name(job, fingerprint, digits) for digits in range(_DIGITS, len(fingerprint) + 1, _LONGER)]


def _places(folder: Path, name: str) -> tuple[Found, Found]:
    digits = name.rpartition("--")[2]
    return Found(folder / name, digits, failed=False), Found(folder / f"{name}.failed", digits, failed=True)


def _state(found: Inspected | None) -> tuple[State, Path | None]:
    return ("absent", None) if found is None else (found.state, found.found.path)


def _chosen(fingerprint: str, candidates: Iterable[Inspected], *, ignore_corrupt: bool = False) -> Inspected | None:
    """done before corrupt before failed. A damaged folder counts as this job's, by the digits of its name."""
    order: tuple[State, ...] = ("done", "failed") if ignore_corrupt else ("done", "corrupt", "failed")
    states = {one.state: one for one in candidates if one.fingerprint in {fingerprint, None}}
    return next((states[state] for state in order if state in states), None)


@dataclass
class Claim:
    """The right to write one job's folder, until it is released. A context manager.

    state: what the job was when it was claimed. path: its folder, if it has one.
    """

    folders: JobFolders
    fingerprint: str
    job: JobFacts
    lock: FileLock
    state: State
    path: Path | None

    def succeed(
        self,
        record: Record,
        identity: Mapping[str, Any],
        environment: Mapping[str, Any],
        items: Mapping[str, NDArray[Any]] | None = None,
        log: str = "",
        evidence: Evidence | None = None,
        predictions: bytes | None = None,
    ) -> Path:
        """Write the whole record and return its folder; a failure of the job, or its earlier record, goes.

        Raises OutputError when the disk is full or may not be written; then nothing of it remains.
        """
        files = {RESULT: record.to_json().encode(), **self._common(record, identity, environment, log)}
        if items:
            files[ITEMS] = npz(items)
        if evidence is not None:
            files[EVIDENCE] = evidence.to_json().encode()
        if predictions is not None:
            files[PREDICTIONS] = predictions
        target = self._publish(files)
        self.state, self.path = "done", target
        return target

    def add(self, name: str, content: bytes) -> None:
        """Put a file into the folder of a job that is done; its others stay byte for byte what they are.

        Raises OutputError as `succeed` does.
        """
        if self.state != "done" or self.path is None:
            raise ValueError(f"the job {self.fingerprint} is {self.state}; a file is added to one that is done")
        with writing(self.path):
            files = {present: read_regular(self.path / present) for present in read_sums(str(self.path))}
        self.path = self._publish({**files, name: content})

    def fail(
        self, failure: Failure, identity: Mapping[str, Any], environment: Mapping[str, Any], log: str = ""
    ) -> Path:
        """Write down why the job could not be done, and return that folder. Raises OutputError as `succeed` does."""
        files = {FAILURE: failure.to_json().encode(), **self._common(failure, identity, environment, log)}
        target = self._publish(files, suffix=".failed")
        if self.state != "done":
            self.state, self.path = "failed", target
        return target

    def release(self) -> None:
        """Let other processes have the job."""
        self.lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _common(
        self, kept: Record | Failure, identity: Mapping[str, Any], environment: Mapping[str, Any], log: str
    ) -> dict[str, bytes]:
        hashed = canonical(identity).encode()
        if not self.fingerprint == kept.fingerprint == hashlib.sha256(hashed).hexdigest():
            raise ValueError(f"claim, record and identity are not of one job: {self.fingerprint}, {kept.fingerprint}")
        return {
            IDENTITY: hashed,
            ENVIRONMENT: (for_files(json.dumps(environment, indent=2, ensure_ascii=False)) + "\n").encode(),
            LOG: log.encode(),
        }

    def _publish(self, files: Mapping[str, bytes], suffix: str = "") -> Path:
        if not self.lock.is_locked:
            raise ValueError(f"the claim on {self.fingerprint} was released")
        temporary = self.folders.new_temporary(self.fingerprint)
        target = self._target(suffix)
        with writing(target):
            try:
                write_folder(temporary, files)
                self._take_name(temporary, target)
            except BaseException:
                _remove_if_possible(temporary)
                raise
        return target

    def _take_name(self, temporary: Path, target: Path) -> None:
        """Move the earlier folders of the job out of the way, the new one in, and only then delete the earlier ones."""
        places = {target, Path(f"{target}.failed")} if target.suffix != ".failed" else {target}
        earlier = {place: self.folders.replaced(self.fingerprint, place.name) for place in places if place.exists()}
        try:
            for place, aside in earlier.items():
                move_folder(place, aside)
            move_folder(temporary, target)
        except BaseException:
            for place, aside in earlier.items():
                if aside.exists():
                    move_folder(aside, place)
            raise
        for aside in earlier.values():
            remove_folder(aside)

    def _target(self, suffix: str) -> Path:
        for name in _names(self.job, self.fingerprint):
            there = [found for found in _places(self.folders.folder, name) if os.path.lexists(found.path)]
            if all(found.fingerprint in {self.fingerprint, None} for found in there):
                return self.folders.folder / f"{name}{suffix}"
        raise ValueError(f"two jobs have the fingerprint {self.fingerprint}")


def _remove_if_possible(folder: Path) -> None:
    try:
        remove_folder(folder)
    except OSError as error:
        _log.warning("%s: unfinished, and could not be removed: %s", folder, error)
