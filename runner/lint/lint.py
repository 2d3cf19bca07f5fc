"""All rules over all scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import polars as pl

from embedmark.runner.exchange import snapshot
from embedmark.runner.lint import over_scores
from embedmark.runner.lint.finding import SEVERITIES, Finding
from embedmark.runner.lint.groups import shifted_groups
from embedmark.runner.lint.table import ScoreTable

SCORE_RULES: Sequence[Callable[[ScoreTable], Iterator[Finding]]] = (
    over_scores.out_of_range,
    over_scores.doubled,
    over_scores.zero,
    over_scores.constant,
    over_scores.beside_expectation,
    over_scores.twins,
    shifted_groups,
)
"""In the order in which they are tried."""


def lint_scores(scores: pl.DataFrame) -> list[Finding]:
    """Apply all rules over scores.

    Args:
        scores: With the columns of the import store, or those of the snapshot.

    Returns:
        The findings, errors first, otherwise in the order of the rules.
    """
    table = ScoreTable.of(scores, snapshot.models(), snapshot.tasks())
    return ranked(finding for rule in SCORE_RULES for finding in rule(table))


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings by severity, otherwise as they come."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
