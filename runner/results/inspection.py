"""What a job's folder is: done, failed or corrupt. The one definition, for runs, plans, reports and claims alike.

A folder is whole when every file that its SHA256SUMS names is what was written, when its identity hashes to the
fingerprint that its name begins, and when its result or failure can be read, is of that fingerprint, and names the same
task, model, subset and split.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from embedmark.runner.common.errors import OutputError, UserError
from embedmark.runner.common.files import read_regular
from embedmark.runner.results.durable import SUMS, read_sums
from embedmark.runner.results.record import Failure, JobFacts, Record, parse_failure, parse_record

State = Literal["done", "failed", "absent", "corrupt"]

RESULT, FAILURE, IDENTITY, ENVIRONMENT = "result.json", "failure.json", "identity.json", "environment.json"
ITEMS, LOG = "items.npz", "log.txt"
STATEMENT, SIGNATURE = "statement.json", "statement.json.sig"

_FOLDER = re.compile(r".+--(?P<digits>[0-9a-f]{12,64})(?P<failed>\.failed)?$")


class Found(NamedTuple):
    """A job's folder as its name tells: the digits of its fingerprint, and whether it holds a failure."""

    path: Path
    digits: str
    failed: bool

    @property
    def fingerprint(self) -> str | None:
        """The full fingerprint, which is the sum of identity.json; None when the folder cannot say, or lies."""
        try:
            fingerprint = read_sums(str(self.path)).get(IDENTITY, "")
        except (OSError, ValueError):
            return None
        return fingerprint if fingerprint.startswith(self.digits) else None


@dataclass(frozen=True)
class Inspected:
    """What was found in a job's folder.

    problem: which file is damaged and how, where the state is corrupt; fingerprint and facts are None then.
    """

    found: Found
    state: State
    problem: str = ""
    fingerprint: str | None = None
    facts: Record | Failure | None = None
    identity: Mapping[str, Any] = field(default_factory=dict)


class _DamageError(Exception):
    """A file of the folder is not what was written; the message names it."""


def scan(outputs: Path) -> Iterator[Found]:
    """List all folders of jobs, by one look at outputs/jobs. Nothing in them is read.

    Raises OutputError where outputs/jobs is no folder or may not be read.
    """
    folder = outputs / "jobs"
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise OutputError(
            f"{folder}: a file is where the folder of jobs has to be; give the folder of an earlier run"
        ) from None
    except OSError as error:
        raise OutputError(f"{folder}: cannot be read: {error.strerror}; make it readable") from error
    for name in names:
        if found := as_job_folder(folder / name):
            yield found


def as_job_folder(path: Path) -> Found | None:
    """Take a path as the folder of a job; None when its name is not that of a job's folder."""
    match = _FOLDER.match(path.name)
    return Found(path, match["digits"], match["failed"] is not None) if match else None


def inspect(found: Found) -> Inspected:
    """Read and check a whole folder. Never raises: what cannot be read is corrupt."""
    try:
        contents, fingerprint = _checked(found)
        name = FAILURE if found.failed else RESULT
        parse = parse_failure if found.failed else parse_record
        facts = parse(contents[name], str(found.path / name))
        if facts.fingerprint != fingerprint:
            raise _DamageError(f"{name} is of another job, {facts.fingerprint[:12]}")
        identity = _object(contents)
        if (what := _other_name(facts.job, identity)) is not None:
            raise _DamageError(f"{name} is edited: its {what} is not that of {IDENTITY}")
        return Inspected(found, "failed" if found.failed else "done", "", fingerprint, facts, identity)
    except _DamageError as damaged:
        return Inspected(found, "corrupt", str(damaged))
    except UserError as error:
        return Inspected(found, "corrupt", " ".join(str(error).replace(f"{found.path}{os.sep}", "").split()))


def _other_name(job: JobFacts, identity: Mapping[str, Any]) -> str | None:
    """Which name a record gives otherwise than its identity: what is hashed decides what was measured."""
    place = identity.get("job")
    for what, told, part in (
        ("task", job.task, identity["task"].get("name")),
        ("model", job.model, identity["model"].get("name")),
        ("subset", job.subset, place.get("subset") if isinstance(place, dict) else None),
        ("split", job.split, place.get("split") if isinstance(place, dict) else None),
    ):
        if part is not None and part != told:
            return what
    return None


def _checked(found: Found) -> tuple[dict[str, bytes], str]:
    """The files that have to be read, and the fingerprint. Every file is compared with its sum."""
    folder = str(found.path)
    sums = _sums(folder)
    needed = (FAILURE if found.failed else RESULT, IDENTITY)
    contents: dict[str, bytes] = {}
    for name in needed:
        if name not in sums:
            raise _DamageError(f"{name} is not in {SUMS}")
    for name, expected in sums.items():
        try:
            content = read_regular(f"{folder}/{name}")
        except FileNotFoundError:
            raise _DamageError(f"{name} is missing") from None
        except OSError as error:
            raise _DamageError(f"{name} cannot be read: {error.strerror}") from None
        if hashlib.sha256(content).hexdigest() != expected:
            raise _DamageError(f"{name} is not what was written")
        if name in needed:
            contents[name] = content
    fingerprint = sums[IDENTITY]
    if not fingerprint.startswith(found.digits):
        raise _DamageError(f"{IDENTITY} is of another job, {fingerprint[:12]}")
    return contents, fingerprint


def _sums(folder: str) -> dict[str, str]:
    try:
        return read_sums(folder)
    except FileNotFoundError:
        gone = not Path(folder).exists()
        raise _DamageError("a link to what is not there" if gone else f"{SUMS} is missing") from None
    except NotADirectoryError:
        raise _DamageError("not a folder") from None
    except OSError as error:
        raise _DamageError(f"{SUMS} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise _DamageError(str(error)) from None


def _object(contents: Mapping[str, bytes]) -> Mapping[str, Any]:
    try:
        identity = json.loads(contents[IDENTITY])
    except (ValueError, RecursionError):
        raise _DamageError(f"{IDENTITY} is not valid JSON") from None
    if not isinstance(identity, dict) or not all(isinstance(identity.get(part), dict) for part in ("model", "task")):
        raise _DamageError(f"{IDENTITY} is not the identity of a job")
    return identity
