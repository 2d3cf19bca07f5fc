"""A job that this process holds, on its way from claim to record or failure."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from embedmark.runner.common.errors import JobError, UserError
from embedmark.runner.encode.engine import Request
from embedmark.runner.encode.keys import Digests
from embedmark.runner.execute.device import tells_of_loss
from embedmark.runner.execute.energy import Used
from embedmark.runner.execute.jobs import Prepared, job_facts, predictions_of
from embedmark.runner.execute.log import JobLog
from embedmark.runner.plan import Job
from embedmark.runner.results.folder import Claim
from embedmark.runner.results.inspection import FAILURE, RESULT
from embedmark.runner.results.predictions import PREDICTIONS
from embedmark.runner.results.record import Failure, Record, read_failure, read_record
from embedmark.tasks.base import Scores

_EQUAL = 1e-6
"""How far scores may be apart that are said to be equal, as for `verify`."""


@dataclass
class Claimed:
    """A claimed job: prepared, then with its requests, until it is recorded or has failed (settled)."""

    job: Job
    claim: Claim
    failed_before: Failure | None = None
    log: JobLog = field(default_factory=JobLog)
    loaded: Prepared | None = None
    requests: Sequence[Request] = ()
    digests: Sequence[Digests] = ()
    settled: bool = False
    used: Used = field(default_factory=Used)

    @classmethod
    def of(cls, job: Job, claim: Claim) -> Claimed:
        """Begin with a job, with how it failed before as far as that can be read."""
        failed_before = None
        if claim.state == "failed" and claim.path is not None:
            try:
                failed_before = read_failure(claim.path / FAILURE)
            except UserError:
                failed_before = None
        return cls(job, claim, failed_before)

    @property
    def prepared(self) -> Prepared:
        """The job with its data, which is loaded by now."""
        assert self.loaded is not None
        return self.loaded

    @property
    def lost_the_device(self) -> bool:
        """Whether an earlier run of it, or of jobs that were encoded with it, ended so."""
        before = self.failed_before
        return before is not None and tells_of_loss(before.error_class, before.message)

    @property
    def failed_when(self) -> datetime:
        """When an earlier run of it failed."""
        assert self.failed_before is not None
        return self.failed_before.when

    def fail(self, error: BaseException, environment: Mapping[str, Any]) -> Failure:
        """Record why it could not be done."""
        failure = Failure.of(error, self.job.fingerprint, job_facts(self.job))
        self.log.say(f"failed: {failure.error_class}: {failure.message}", logging.ERROR)
        self.claim.fail(failure, self.job.identity, environment, self.log.text)
        self.settle()
        return failure

    def settle(self) -> None:
        """Let go of the job, of its data and of its lock."""
        self.settled, self.loaded = True, None
        self.claim.release()


def add_predictions(job: Claimed, scores: Scores) -> Record:
    """Keep the rankings of a job that was done without them; its record stays what it is, to the byte.

    Args:
        job: The job, which is done.
        scores: What it is scored now.

    Returns:
        Its record.

    Raises:
        JobError: The scores are not those of the record, so that its rankings were others.
        OutputError: The folder cannot be written.
    """
    assert job.claim.path is not None
    path = job.claim.path / RESULT
    kept = read_record(path)
    for name, before in kept.scores.items():
        value = scores.values.get(name, math.nan)
        if not (math.isclose(value, before, rel_tol=0, abs_tol=_EQUAL) or (math.isnan(value) and math.isnan(before))):
            raise JobError(
                f"{path}: {name} is {before}, and scored again it is {value}, so that the rankings behind the record "
                "cannot be kept any more; it stays as it is, and rerun=true makes another one, with its rankings"
            )
    if (content := predictions_of(job.prepared, scores)) is not None:
        job.claim.add(PREDICTIONS, content)
    return kept
