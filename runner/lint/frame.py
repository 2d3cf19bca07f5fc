"""Findings as a table, a row for each score, model or task that one is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import polars as pl

from embedmark.runner.lint.finding import About, Finding

_SAID = ("severity", "rule", "where", "evidence")

SCHEMA = dict.fromkeys((*_SAID, *(field.name for field in fields(About))), pl.String)
"""Columns: those of `Finding` that say what was found, and those of `About`."""


def frame(findings: Iterable[Finding]) -> pl.DataFrame:
    """Lay out findings.

    Args:
        findings: Those over files, which are about no score, are left out.

    Returns:
        The columns of `SCHEMA`, in the order of the findings.
    """
    rows = [
        {**{name: getattr(finding, name) for name in _SAID}, **vars(about)}
        for finding in findings
        for about in finding.about
    ]
    return pl.DataFrame(rows, schema=SCHEMA)
