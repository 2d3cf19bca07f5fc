"""`sign`: records that somebody vouches for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from embedmark.runner.common.errors import OK, UserError
from embedmark.runner.common.text import say
from embedmark.runner.provenance import signing
from embedmark.runner.report.why import resolve
from embedmark.runner.results.inspection import Inspected, as_job_folder, inspect


def sign(names: Sequence[str], outputs: Path, key: Path) -> int:
    """Sign records, one after the other. Raises UserError at the first that cannot be."""
    for found in named(names, outputs):
        say(f"signed: {signing.sign(found, key)}")
    return OK


def named(names: Sequence[str], outputs: Path) -> Iterator[Inspected]:
    """Read the records of some jobs, each by its folder or digits of its fingerprint. Raises UserError."""
    for name in names:
        path = resolve(outputs, name)
        found = as_job_folder(path.resolve())
        if found is None:
            raise UserError(f"{path}: not the folder of a job")
        yield inspect(found)
