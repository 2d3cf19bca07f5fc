"""Rules over one's own records: those over one row, the same for what a run just measured. It imports little."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from embedmark.runner.common.names import job_name
from embedmark.runner.lint.finding import About, Finding
from embedmark.runner.lint.over_rows import Metrics, faults
from embedmark.runner.results.record import Record


def lint_records(records: Iterable[Record]) -> Iterator[Finding]:
    """Apply the rules over one row to records of embedmark."""
    for record in records:
        job = record.job
        experiments = [_defined(one) for one in record.experiments]
        for rule, evidence in faults(_defined(record.scores), experiments):
            where = f"{job.model} {job_name(job.task, job.subset, job.split)}"
            about = About(job.model, job.model_revision, job.task, job.split, job.subset)
            yield Finding(rule.severity, rule.name, where, evidence, about=(about,))


def errors_of(records: Iterable[Record]) -> str:
    """Say in one line which records break a rule that no right score breaks; empty where none does."""
    errors = [finding for finding in lint_records(records) if finding.severity == "error"]
    if not errors:
        return ""
    more = f" (and {len(errors) - 1} more; `python -m runner lint` lists them)" if len(errors) > 1 else ""
    return f"lint: {errors[0].rule}: {errors[0].where}: {errors[0].evidence}{more}"


def _defined(scores: Mapping[str, float]) -> Metrics:
    return {name: None if math.isnan(value) else value for name, value in scores.items()}
