"""The run loop: claims jobs, loads their data, encodes all their texts in one pass, scores and records each.

Jobs are worked on in chunks, so that memory and open locks stay bounded however long the plan is; within a chunk each
text is encoded once, and across chunks and runs the store remembers. What goes wrong in one job is recorded as its
failure and stops no other; an OutputError (disk full, read-only) stops the run, since no job could end well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from models.base import ModelError
from runner.config.schema import Execution
from runner.encode.engine import Encoded, Request, encode
from runner.encode.engine import Progress as EncodeProgress
from runner.errors import OutputError
from runner.execute.jobs import Prepared, job_facts, prepare, record, refuse_unaccepted, requests, score, search
from runner.execute.log import JobLog
from runner.execute.model import OpenModel, open_model
from runner.plan import Job, Plan
from runner.progress import Progress
from runner.results.environment import environment
from runner.results.folder import Claim, JobFolders
from runner.results.record import Failure, Record, Timing
from tasks.base import DataError

JOBS_AT_ONCE = 128
"""Jobs of a chunk: each holds its data and one open lock."""

WAIT_SECONDS = 0.5
"""How often jobs that another process holds are looked at again."""

T = TypeVar("T")


@dataclass
class Outcome:
    """What became of a plan's jobs. already: done before this run, or by another process during it."""

    done: list[tuple[Job, Record]] = field(default_factory=list)
    failed: list[tuple[Job, Failure]] = field(default_factory=list)
    already: list[Job] = field(default_factory=list)


def execute(plan: Plan, execution: Execution, outputs: Path, progress: Progress, *, rerun: bool = False) -> Outcome:
    """Run what of a plan is not done. Raises UserError when no job could be done at all."""
    folders = JobFolders(outputs)
    states = folders.states([job.fingerprint for job in plan.jobs])
    pending = [job for job in plan.jobs if rerun or states[job.fingerprint] != "done"]
    outcome = Outcome(already=[job for job in plan.jobs if not rerun and states[job.fingerprint] == "done"])
    if pending:
        folders.clean()
        progress.message(f"loading {plan.model.name}")
        model = open_model(plan.model, pending[0].identity["model"], execution, outputs)
        _Run(folders, model, execution, progress, outcome, rerun=rerun).all(pending)
    return outcome


@dataclass
class _Work:
    """A claimed job on its way: prepared, then with its requests, until it is recorded or has failed."""

    job: Job
    claim: Claim
    log: JobLog = field(default_factory=JobLog)
    prepared: Prepared | None = None
    requests: Sequence[Request] = ()
    encode_s: float = 0.0


class _Run:
    """One pass over the pending jobs of one model."""

    def __init__(
        self,
        folders: JobFolders,
        model: OpenModel,
        execution: Execution,
        progress: Progress,
        outcome: Outcome,
        *,
        rerun: bool,
    ) -> None:
        self.folders, self.model, self.execution = folders, model, execution
        self.progress, self.outcome, self.rerun = progress, outcome, rerun
        self.environment: Mapping[str, Any] = {**environment(), "encoder": dict(model.running)}

    def all(self, pending: Sequence[Job]) -> None:
        """Every job; those that another process holds are waited for, and done here if it gives up."""
        left = list(pending)
        while left:
            elsewhere = [job for start in range(0, len(left), JOBS_AT_ONCE) for job in self._chunk(left, start)]
            if len(elsewhere) == len(left):
                time.sleep(WAIT_SECONDS)
            elif elsewhere:
                self.progress.message(f"waiting for {len(elsewhere)} jobs that another process is doing")
            left = elsewhere

    def _chunk(self, jobs: Sequence[Job], start: int) -> list[Job]:
        """Run what can be claimed of a chunk, and return what another process holds."""
        elsewhere: list[Job] = []
        with ExitStack() as held:
            works: list[_Work] = []
            for job in jobs[start : start + JOBS_AT_ONCE]:
                claim = self.folders.try_claim(job.fingerprint, job_facts(job))
                if claim is None:
                    elsewhere.append(job)
                    continue
                held.enter_context(claim)
                if claim.state == "done" and not self.rerun:
                    self.outcome.already.append(job)
                    self.progress.job_done(job.name, None)
                    claim.release()
                else:
                    works.append(_Work(job, claim))
            self._score(self._encode(self._load(works)))
        return elsewhere

    def _load(self, works: Sequence[_Work]) -> list[_Work]:
        self.progress.phase("data", len(works))
        loaded = []
        for work in works:
            if self._guarded(work, partial(self._prepare, work)):
                loaded.append(work)
            self.progress.advance(1)
        return loaded

    def _prepare(self, work: _Work) -> bool:
        work.prepared = prepare(work.job, self.folders.outputs / "data")
        refuse_unaccepted(work.prepared, self.model.kind)
        if self.model.encoder is not None:
            work.requests = requests(work.prepared, self.model.encoder)
        return True

    def _encode(self, works: Sequence[_Work]) -> list[tuple[_Work, Encoded | None]]:
        """All texts of all jobs in one pass; where that fails, each job by itself, so that only faulty ones fail.

        None for models that search themselves.
        """
        if self.model.encoder is None:
            return [(work, None) for work in works]
        wanted = [request for work in works for request in work.requests]
        try:
            encoded = self._pass(wanted)
        except (ModelError, DataError):
            return [
                (work, alone)
                for work in works
                if (alone := self._guarded(work, partial(self._pass, work.requests))) is not None
            ]
        share = encoded.facts.seconds / max(1, sum(work.prepared.n_texts for work in works if work.prepared))
        for work in works:
            assert work.prepared is not None
            work.encode_s = share * work.prepared.n_texts
        return [(work, encoded) for work in works]

    def _pass(self, wanted: Sequence[Request]) -> Encoded:
        assert self.model.encoder is not None
        self.progress.phase("encode", None)
        return encode(
            self.model.encoder,
            wanted,
            self.model.store,
            batch_tokens=self.execution.batch_tokens,
            on_progress=self._show,
            postprocess=self.model.postprocess,
        )

    def _show(self, progress: EncodeProgress) -> None:
        self.progress.update(progress.tokens_done, progress.tokens_total)

    def _score(self, works: Sequence[tuple[_Work, Encoded | None]]) -> None:
        self.progress.phase("score", len(works))
        for work, encoded in works:
            result = self._guarded(work, partial(self._record, work, encoded))
            if result is not None:
                self.outcome.done.append((work.job, result))
                self.progress.job_done(work.job.name, result)
            self.progress.advance(1)
            work.prepared = None

    def _record(self, work: _Work, encoded: Encoded | None) -> Record:
        assert work.prepared is not None
        if encoded is None:
            assert self.model.searcher is not None
            scores, work.encode_s, seconds = search(work.prepared, self.model.searcher)
            fresh, reused = work.prepared.n_texts, 0
        else:
            scores, seconds = score(work.prepared, work.requests, encoded, self.model.similarity)
            fresh, reused = encoded.counts(work.requests)
        timing = Timing(
            load_s=work.prepared.seconds,
            encode_s=work.encode_s,
            evaluate_s=seconds,
            texts_encoded=fresh,
            texts_reused=reused,
        )
        self.model.verify()
        kept = record(work.prepared, scores, self.model.facts, timing)
        items = scores.items if self.execution.items else None
        work.claim.succeed(kept, work.job.identity, self.environment, items, work.log.text)
        return kept

    def _guarded(self, work: _Work, step: Callable[[], T]) -> T | None:
        """The step's result; None when it failed, which is then on record."""
        try:
            with work.log.listening():
                return step()
        except OutputError:
            raise
        except Exception as error:
            failure = Failure.of(error, work.job.fingerprint, job_facts(work.job))
            work.claim.fail(failure, work.job.identity, self.environment, work.log.text)
            self.outcome.failed.append((work.job, failure))
            self.progress.job_failed(work.job.name, failure)
            return None
