"""`report` and `why`: what was measured, and why two jobs are not one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runner.config.catalogue import Catalogue
from runner.errors import OK
from runner.report.report import FORMATS, Options
from runner.report.report import report as write
from runner.report.why import why as explain
from runner.report.writers import Format


def report(outputs: Path, options: Options, formats: Sequence[Format], folders: Sequence[Path]) -> int:
    """Print and write the scores under `outputs`."""
    write(outputs, Catalogue.of(folders), options, formats or FORMATS)
    return OK


def why(a: str, b: str, outputs: Path) -> int:
    """Print what makes two jobs different ones."""
    explain(outputs, a, b)
    return OK
