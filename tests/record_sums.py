"""The sums of a record written anew, as whoever edits one would."""

from __future__ import annotations

import hashlib
from pathlib import Path

from embedmark.runner.results.durable import SUMS


def resum(path: Path) -> None:
    """Write SHA256SUMS of what lies in a record's folder now."""
    names = sorted(file.name for file in path.iterdir() if file.name != SUMS)
    sums = [f"{hashlib.sha256((path / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (path / SUMS).write_text("".join(sums))
