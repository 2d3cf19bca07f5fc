"""What killed processes left behind."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from embedmark.runner.common.errors import OutputError
from embedmark.runner.results.folder import JobFolders


def clean(outputs: Path) -> None:
    """Remove it where outputs can be written; what a living process is writing stays."""
    if (outputs / "store").is_dir():
        from embedmark.runner.encode.store import sweep  # with numpy, which is slow to import

        sweep(outputs / "store")
    with suppress(OutputError):
        JobFolders(outputs).clean()
