"""The run loop: claims jobs, loads their data, opens the model, encodes, scores and records.

Jobs are worked on in chunks, so that memory and open locks stay bounded however long the plan is. A chunk's data is
loaded before anything is encoded, and before the model is opened where it is the first, so that a mistake in a task is
found early. Its texts are then encoded group by group (runner/execute/grouping.py), each distinct text once, and a job
is scored as soon as its vectors are in the store.

Whatever goes wrong in one job is recorded as its failure and stops no other. Only three things stop a run: an
OutputError (disk full, read-only), since no job could end well; a device that is lost to the process; and the user.
"""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from runner.config.schema import Execution
from runner.encode.engine import Encoding, Request
from runner.encode.engine import Progress as EncodeProgress
from runner.encode.keys import Digests
from runner.encode.store import sweep
from runner.errors import JobError, OutputError, UserError, message_of
from runner.execute.device import is_lost, tells_of_loss
from runner.execute.grouping import BATCHES, grouped
from runner.execute.jobs import Prepared, job_facts, prepare, record, refuse_unaccepted, requests, score, search
from runner.execute.log import JobLog
from runner.execute.model import LastModel, OpenModel
from runner.plan import Job, Plan
from runner.progress import Progress
from runner.results.environment import environment
from runner.results.folder import Claim, JobFolders
from runner.results.inspection import FAILURE
from runner.results.record import Failure, Record, Timing, read_failure
from runner.text import counted
from tasks.base import Scores

log = logging.getLogger(__name__)

JOBS_AT_ONCE = 128
"""Jobs of a chunk: each holds its data and one open lock."""

ITEMS_AT_ONCE = 2_000_000
BYTES_AT_ONCE = 2**30
LOADING_SECONDS = 60.0
"""A chunk ends as well when it has so many texts or images, so much data, or when loading it has taken so long."""

WAIT_SECONDS = 0.5
"""How often jobs that another process holds are looked at again."""

STOPS = (OutputError, KeyboardInterrupt)
"""What ends a run. All else that is raised is one job's failure, were it SystemExit or the panic of a Rust library."""

T = TypeVar("T")


@dataclass
class Outcome:
    """What became of a plan's jobs.

    already: done before this run, or by another process during it. stopped: why the run ended before its last job.
    """

    done: list[tuple[Job, Record]] = field(default_factory=list)
    failed: list[tuple[Job, Failure]] = field(default_factory=list)
    already: list[Job] = field(default_factory=list)
    stopped: str | None = None


def execute(
    plan: Plan,
    states: Mapping[str, str],
    execution: Execution,
    outputs: Path,
    progress: Progress,
    *,
    rerun: bool = False,
    models: LastModel | None = None,
) -> Outcome:
    """Run what of a plan is not done. states: of its jobs, by fingerprint. models: keeps the model for a next call.

    Raises UserError and JobError when the model cannot be opened, OutputError when outputs cannot be written.
    """
    folders = JobFolders(outputs)
    pending = [job for job in plan.jobs if rerun or states[job.fingerprint] != "done"]
    outcome = Outcome(already=[job for job in plan.jobs if not rerun and states[job.fingerprint] == "done"])
    if pending:
        folders.clean()
        sweep(outputs / "store")
        open_it = partial((models or LastModel()).open, plan.model, pending[0].identity["model"], execution, outputs)
        _Run(folders, open_it, execution, progress, outcome, rerun=rerun).all(pending)
    return outcome


@dataclass
class _Work:
    """A claimed job on its way: prepared, then with its requests, until it is recorded or has failed (settled)."""

    job: Job
    claim: Claim
    failed_before: Failure | None = None
    log: JobLog = field(default_factory=JobLog)
    prepared: Prepared | None = None
    requests: Sequence[Request] = ()
    digests: Sequence[Digests] = ()
    settled: bool = False

    @property
    def lost_the_device(self) -> bool:
        """Whether an earlier run of it, or of jobs that were encoded with it, ended so."""
        before = self.failed_before
        return before is not None and tells_of_loss(before.error_class, before.message)


class _Run:
    """One pass over the pending jobs of one model."""

    def __init__(
        self,
        folders: JobFolders,
        open_it: Callable[[], OpenModel],
        execution: Execution,
        progress: Progress,
        outcome: Outcome,
        *,
        rerun: bool,
    ) -> None:
        self.folders, self.open_it, self.execution = folders, open_it, execution
        self.progress, self.outcome, self.rerun = progress, outcome, rerun
        self.model: OpenModel | None = None
        self.unopened: BaseException | None = None
        self._environment: Mapping[str, Any] | None = None

    def all(self, pending: Sequence[Job]) -> None:
        """Every job; those that another process holds are waited for, and done here if it gives up."""
        left = deque(pending)
        waited_for = 0
        while left and not self.outcome.stopped:
            in_all = len(left)
            elsewhere: list[Job] = []
            while left and not self.outcome.stopped:
                elsewhere += self._chunk(left)
            if len(elsewhere) not in (0, waited_for) and not self.outcome.stopped:
                waited_for = len(elsewhere)
                self.progress.message(f"waiting for {counted(waited_for, 'job')} that another process is doing")
            if len(elsewhere) == in_all:
                time.sleep(WAIT_SECONDS)
            left += elsewhere

    def _chunk(self, left: deque[Job]) -> list[Job]:
        """Run what can be claimed of the next jobs, and return what another process holds of them."""
        elsewhere: list[Job] = []
        with ExitStack() as held:
            works: list[_Work] = []
            try:
                self._load(left, held, works, elsewhere)
                ready = [work for work in works if not work.settled]
                if ready and (model := self._opened(ready)) is not None:
                    self._measure(model, ready)
            except STOPS:
                raise
            except BaseException as error:
                if self.model is None and isinstance(error, (UserError, JobError)):
                    raise  # it cannot be opened, and says why
                self._fail([work for work in works if not work.settled], error)
        return elsewhere

    def _load(self, left: deque[Job], held: ExitStack, works: list[_Work], elsewhere: list[Job]) -> None:
        """Claim and prepare jobs until the chunk is full."""
        self.progress.phase("data", min(len(left), JOBS_AT_ONCE), "jobs")
        started, n_items, nbytes = time.monotonic(), 0, 0
        while left and len(works) < JOBS_AT_ONCE and n_items < ITEMS_AT_ONCE and nbytes < BYTES_AT_ONCE:
            if works and time.monotonic() - started > LOADING_SECONDS:
                break
            job = left.popleft()
            claim = self.folders.try_claim(job.fingerprint, job_facts(job))
            if claim is None:
                elsewhere.append(job)
                continue
            held.enter_context(claim)
            if claim.state == "done" and not self.rerun:
                self.outcome.already.append(job)
                self.progress.job_done(job.name, None)
                claim.release()
                continue
            work = _Work(job, claim, _failure(claim))
            works.append(work)
            if self.unopened is not None:
                self._fail([work], self.unopened)
            elif self._guarded(work, partial(self._prepare, work)):
                assert work.prepared is not None
                n_items, nbytes = n_items + work.prepared.n_texts, nbytes + work.prepared.nbytes
            self.progress.advance(1)

    def _prepare(self, work: _Work) -> bool:
        work.prepared = prepared = prepare(work.job, self.folders.outputs / "data")
        source = prepared.loaded.source
        work.log.say(
            f"data loaded from {source.kind}:{source.name} at {source.revision} in {prepared.seconds:.2f} s: "
            f"{prepared.n_texts} items to encode; rows "
            + ", ".join(f"{split} {digest[:12]}" for split, digest in prepared.loaded.hashes.items())
        )
        return True

    def _opened(self, works: Sequence[_Work]) -> OpenModel | None:
        """The model; None when it cannot be loaded for a reason nobody foresaw, which is then these jobs' failure."""
        if self.model is None:
            name = works[0].job.model.name
            self.progress.message(f"opening {name}")
            try:
                model = self.open_it()
                facts = json.loads(json.dumps(dict(model.running), default=str))
                self.model, self._environment = model, {**environment(), "encoder": facts}
            except (UserError, JobError, *STOPS):
                raise
            except BaseException as error:
                self.unopened = error
                self._fail(works, error)
        return self.model

    def _measure(self, model: OpenModel, works: Sequence[_Work]) -> None:
        ready = [work for work in works if self._guarded(work, partial(self._ask, work, model))]
        if model.encoder is None:
            for work in ready:
                if not self.outcome.stopped:
                    self._done(work, self._guarded(work, partial(self._search, work, model)))
        elif ready:
            self._encode(model, ready)

    def _ask(self, work: _Work, model: OpenModel) -> bool:
        """What the job wants encoded."""
        assert work.prepared is not None
        refuse_unaccepted(work.prepared, model.kind)
        if model.encoder is not None:
            work.requests = requests(work.prepared, model.encoder)
            work.digests = [request.digests() for request in work.requests]
        return True

    def _encode(self, model: OpenModel, works: Sequence[_Work]) -> None:
        """Encode all texts of all jobs, group by group, and score each job when its own are there."""
        encoding = self._encoding(model, works)
        self.progress.phase("encode", None, "tokens")
        suspected = sorted((work for work in works if work.lost_the_device), key=_when)
        groups = grouped(
            [*(work for work in works if not work.lost_the_device), *suspected],
            size=lambda work: encoding.size(work.requests),
            kind=lambda work: frozenset(request.variant for request in work.requests),
            alone=lambda work: work.lost_the_device,
            least=BATCHES * encoding.budget,
        )
        waiting: list[_Work] = []
        with encoding:
            for group in groups:
                self._encode_group(encoding, group)
                waiting += (work for work in group if not work.settled)
                waiting = self._score_ready(model, encoding, waiting)
                if self.outcome.stopped:
                    break
            self._flush(encoding)
            waiting = self._score_ready(model, encoding, waiting)
            for work in () if self.outcome.stopped else waiting:  # what could not be written
                self._guarded(work, partial(_encode_and_write, encoding, work))
            self._score_ready(model, encoding, [work for work in waiting if not work.settled])

    def _flush(self, encoding: Encoding) -> None:
        """Write what is encoded; what cannot be written is to be encoded again."""
        try:
            encoding.flush()
        except STOPS:
            raise
        except BaseException as error:  # each of the jobs meets it again, and records it
            log.info("vectors could not be written: %s", message_of(error))

    def _encoding(self, model: OpenModel, works: Sequence[_Work]) -> Encoding:
        assert model.encoder is not None
        encoding = Encoding(
            model.encoder,
            [request for work in works for request in work.requests],
            model.store,
            batch_tokens=self.execution.batch_tokens,
            on_progress=self._show,
            postprocess=model.postprocess,
            digests=[digests for work in works for digests in work.digests],
        )
        for work in works:
            work.digests = ()
        return encoding

    def _encode_group(self, encoding: Encoding, group: Sequence[_Work]) -> None:
        """All texts of a group; where that fails, each job by itself, so that only faulty ones fail."""
        if not self._encode_together(encoding, group):
            for work in group:
                if not self.outcome.stopped:
                    self._guarded(work, partial(encoding.run, work.requests))

    def _encode_together(self, encoding: Encoding, group: Sequence[_Work]) -> bool:
        """Whether that went well. No error outlives it: one holds on to what the failed batch has in memory."""
        try:
            with _listening(group):
                encoding.run([request for work in group for request in work.requests])
        except STOPS:
            raise
        except BaseException as error:
            if is_lost(error):
                # No job can be tried alone any more. Those with a text in the failing batch may be the cause.
                self._fail([work for work in group if encoding.suspects(work.requests)], error)
            return False
        return True

    def _show(self, progress: EncodeProgress) -> None:
        self.progress.update(progress.tokens_done, progress.tokens_total)

    def _score_ready(self, model: OpenModel, encoding: Encoding, waiting: Sequence[_Work]) -> list[_Work]:
        """Score the jobs whose vectors can be read, and return the others."""
        for work in waiting:
            if encoding.is_ready(work.requests):
                self._done(work, self._guarded(work, partial(self._score, work, model, encoding)))
        return [work for work in waiting if not work.settled]

    def _score(self, work: _Work, model: OpenModel, encoding: Encoding) -> Record:
        assert work.prepared is not None
        encoded, reused = encoding.counts(work.requests)
        encode_s = encoding.seconds(work.requests)
        work.log.say(f"{encoded} distinct items encoded in {encode_s:.2f} s, {reused} found in the store")
        scores, seconds = score(work.prepared, work.requests, encoding, model.similarity)
        return self._record(work, model, scores, Timing(
            load_s=work.prepared.seconds, encode_s=encode_s, evaluate_s=seconds,
            texts_encoded=encoded, texts_reused=reused,
        ))  # fmt: skip

    def _search(self, work: _Work, model: OpenModel) -> Record:
        assert work.prepared is not None
        assert model.searcher is not None
        scores, encode_s, seconds = search(work.prepared, model.searcher)
        work.log.say(f"searched in {encode_s:.2f} s")
        return self._record(work, model, scores, Timing(
            load_s=work.prepared.seconds, encode_s=encode_s, evaluate_s=seconds, texts_encoded=work.prepared.n_texts
        ))  # fmt: skip

    def _record(self, work: _Work, model: OpenModel, scores: Scores, timing: Timing) -> Record:
        assert work.prepared is not None
        model.verify()
        kept = record(work.prepared, scores, model.facts, timing)
        work.log.say(f"scored in {timing.evaluate_s:.2f} s: {kept.main_metric} {kept.main_score}")
        items = scores.items if self.execution.items else None
        work.claim.succeed(kept, work.job.identity, self.environment, items, work.log.text)
        return kept

    def _done(self, work: _Work, kept: Record | None) -> None:
        if kept is not None:
            self.outcome.done.append((work.job, kept))
            self._settle(work)
            self.progress.job_done(work.job.name, kept)

    def _guarded(self, work: _Work, step: Callable[[], T]) -> T | None:
        """The step's result; None when it failed, which is then on record."""
        try:
            with work.log.listening():
                return step()
        except STOPS:
            raise
        except BaseException as error:
            self._fail([work], error)
            return None

    def _fail(self, works: Sequence[_Work], error: BaseException) -> None:
        """Record why jobs could not be done. The run ends with them when the device is lost."""
        for work in works:
            failure = Failure.of(error, work.job.fingerprint, job_facts(work.job))
            work.log.say(f"failed: {failure.error_class}: {failure.message}", logging.ERROR)
            work.claim.fail(failure, work.job.identity, self.environment, work.log.text)
            self.outcome.failed.append((work.job, failure))
            self._settle(work)
            self.progress.job_failed(work.job.name, failure)
        if is_lost(error):
            self.outcome.stopped = "the device is lost to this process"

    def _settle(self, work: _Work) -> None:
        """Let go of a job, of its data and of its lock."""
        work.settled, work.prepared = True, None
        work.claim.release()

    @property
    def environment(self) -> Mapping[str, Any]:
        """What jobs are done on."""
        if self._environment is None:
            self._environment = environment()
        return self._environment


def _encode_and_write(encoding: Encoding, work: _Work) -> None:
    encoding.run(work.requests)
    encoding.flush()


@contextmanager
def _listening(works: Sequence[_Work]) -> Iterator[None]:
    with ExitStack() as listening:
        for work in works:
            listening.enter_context(work.log.listening())
        yield


def _failure(claim: Claim) -> Failure | None:
    """How the job failed before, as far as that can be read."""
    if claim.state != "failed" or claim.path is None:
        return None
    try:
        return read_failure(claim.path / FAILURE)
    except UserError:
        return None


def _when(work: _Work) -> Any:
    assert work.failed_before is not None
    return work.failed_before.when
