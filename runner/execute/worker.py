"""What does jobs: claims them, loads their data, encodes, scores and records. It shows nothing, and tells all.

Jobs are worked on in portions, so that memory and open locks stay bounded however long a chunk is. A portion's data is
loaded before anything is encoded, and before the model is opened where it is the first, so that a mistake in a task is
found early. Its texts are then encoded group by group (runner/execute/grouping.py), each distinct text once, and a job
is scored as soon as its vectors are in the store.

The model is opened when the first item is met that the store lacks. Where nothing tells how the model treats items
without it (runner/execute/opening.py), and for models that search or score themselves, it is opened before.

Whatever goes wrong in one job is recorded as its failure and stops no other. Only three things stop a worker: an
OutputError (disk full, read-only), since no job could end well; a device that is lost to the process; and the user.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from embedmark.runner.common.errors import JobError, OutputError, UserError, message_of
from embedmark.runner.config.schema import Execution
from embedmark.runner.encode.engine import Encoding
from embedmark.runner.encode.engine import Progress as EncodeProgress
from embedmark.runner.execute.claimed import Claimed, add_predictions
from embedmark.runner.execute.device import is_lost
from embedmark.runner.execute.energy import Interval, Meter
from embedmark.runner.execute.events import Advanced, Done, Failed, Measured, Phase, Said, Tell
from embedmark.runner.execute.evidence import evidence, sides_of
from embedmark.runner.execute.grouping import BATCHES, grouped
from embedmark.runner.execute.jobs import (
    job_facts,
    predictions_of,
    prepare,
    record,
    refuse_unaccepted,
    requests,
    score,
    search,
)
from embedmark.runner.execute.log import LOGGERS, listen_to, listening
from embedmark.runner.execute.model import ClosedModel, LastModel, OpenModel, closed_model
from embedmark.runner.plan import Job, lacks_predictions
from embedmark.runner.results.environment import environment
from embedmark.runner.results.evidence import Side
from embedmark.runner.results.folder import JobFolders
from embedmark.runner.results.record import Record, Timing
from embedmark.tasks.base import Scores

log = logging.getLogger(__name__)

JOBS_AT_ONCE = 128
"""Jobs of a portion: each holds its data and one open lock."""

ITEMS_AT_ONCE = 2_000_000
BYTES_AT_ONCE = 2**30
LOADING_SECONDS = 60.0
"""A portion ends as well when it has so many texts or images, so much data, or when loading it has taken so long."""

STOPS = (OutputError, KeyboardInterrupt)
"""What ends a worker. All else that is raised is one job's failure, were it SystemExit or the panic of a Rust library.
"""

T = TypeVar("T")
AnyModel = TypeVar("AnyModel", bound=OpenModel | ClosedModel)


@dataclass(frozen=True)
class Chunk:
    """Jobs of one model that one worker is given. Picklable: it holds neither data nor weights.

    Args:
        jobs: In the order in which they are done.
        rerun: Whether to do again what is done.
    """

    jobs: tuple[Job, ...]
    rerun: bool = False


@dataclass(frozen=True)
class Left:
    """What a worker did not do.

    Args:
        elsewhere: Jobs that another process holds.
        stopped: Why it ended before the last of its jobs; None where it did not.
    """

    elsewhere: tuple[Job, ...] = ()
    stopped: str | None = None


def work(
    chunk: Chunk, outputs: Path, execution: Execution, tell: Tell = lambda _: None, *, models: LastModel | None = None
) -> Left:
    """Do the jobs of a chunk, all that no other process holds. Records are written as they come.

    Args:
        chunk: The jobs.
        outputs: The folder of records and vectors.
        execution: How to run.
        tell: Called with each event, in this thread.
        models: Keeps the model for a next call in this process.

    Raises:
        UserError: The model cannot be opened, by a mistake in its config.
        JobError: The model cannot be opened for a reason outside its config.
        OutputError: Outputs cannot be written.
    """
    return _Worker(chunk, outputs, execution, tell, models or LastModel()).all()


class _Worker:
    """One pass over the jobs of a chunk."""

    def __init__(self, chunk: Chunk, outputs: Path, execution: Execution, tell: Tell, models: LastModel) -> None:
        self.folders, self.execution, self.tell, self.models = JobFolders(outputs), execution, tell, models
        self.left, self.rerun = deque(chunk.jobs), chunk.rerun
        self.elsewhere: list[Job] = []
        self.stopped: str | None = None
        self.model: OpenModel | ClosedModel | None = None
        self.unopened: BaseException | None = None
        self._refused: BaseException | None = None
        self._environment: Mapping[str, Any] | None = None
        self.meter = Meter.of(execution)
        listen_to(*LOGGERS, *{package for job in chunk.jobs for package in _from_outside(job)})

    def all(self) -> Left:
        """Do every job that can be claimed."""
        while self.left and not self.stopped:
            self._portion()
        return Left(tuple(self.elsewhere), self.stopped)

    def _portion(self) -> None:
        """Do what can be claimed of the next jobs."""
        with ExitStack() as held:
            jobs: list[Claimed] = []
            try:
                self._load(held, jobs)
                if ready := _unsettled(jobs):
                    self._measure(ready)
            except STOPS:
                raise
            except BaseException as error:
                if error is self._refused:
                    raise
                self._fail(_unsettled(jobs), error)

    # -- data ---------------------------------------------------------------------------------------------------------

    def _load(self, held: ExitStack, jobs: list[Claimed]) -> None:
        """Claim and prepare jobs until the portion is full."""
        self.tell(Phase("data", min(len(self.left), JOBS_AT_ONCE), "jobs"))
        started, n_items, nbytes = time.monotonic(), 0, 0
        while self.left and len(jobs) < JOBS_AT_ONCE and n_items < ITEMS_AT_ONCE and nbytes < BYTES_AT_ONCE:
            if jobs and time.monotonic() - started > LOADING_SECONDS:
                break
            job = self.left.popleft()
            claim = self.folders.try_claim(job.fingerprint, job_facts(job))
            if claim is None:
                self.elsewhere.append(job)
                continue
            held.enter_context(claim)
            if claim.state == "done" and not self.rerun and not self._lacks_predictions(job, claim.path):
                self.tell(Done(job.fingerprint, None))
                claim.release()
                continue
            claimed = Claimed.of(job, claim)
            jobs.append(claimed)
            if self.unopened is not None:
                self._fail([claimed], self.unopened)
            elif self._guarded(claimed, partial(self._prepare, claimed)):
                n_items, nbytes = n_items + claimed.prepared.n_items, nbytes + claimed.prepared.nbytes
            self.tell(Advanced())

    def _lacks_predictions(self, job: Job, folder: Path | None) -> bool:
        return self.execution.predictions and lacks_predictions(job, folder)

    def _prepare(self, job: Claimed) -> bool:
        job.loaded = prepared = prepare(job.job, self.folders.outputs / "data")
        source = prepared.loaded.source
        job.log.say(
            f"data loaded from {source.kind}:{source.name} at {source.revision} in {prepared.seconds:.2f} s: "
            f"{prepared.n_items} items to encode; rows "
            + ", ".join(f"{split} {digest[:12]}" for split, digest in prepared.loaded.hashes.items())
        )
        return True

    # -- the model ----------------------------------------------------------------------------------------------------

    def _known(self, jobs: Sequence[Claimed]) -> OpenModel | ClosedModel | None:
        """The model, opened only where that is needed to know what it wants; None when it cannot be opened."""
        if self.model is None:
            wanted, outputs = jobs[0].job.model, self.folders.outputs
            self.model = self._tried(jobs, lambda: (
                self.models.opened(wanted, self.execution, outputs)
                or closed_model(wanted, self.execution, outputs)
            ))  # fmt: skip
        return self.model or (None if self.unopened is not None else self._opened(jobs))

    def _opened(self, jobs: Sequence[Claimed]) -> OpenModel | None:
        """The opened model; None when it cannot be, for a reason nobody foresaw, which is then these jobs' failure."""
        if isinstance(self.model, OpenModel):
            return self.model
        wanted = jobs[0].job.model
        self.tell(Said(f"opening {wanted.name}"))
        self.tell(Phase("model", None, ""))
        opened = self._tried(jobs, lambda: self.models.open(wanted, self.execution, self.folders.outputs))
        if opened is not None:
            self.model = opened
        return opened

    def _tried(self, jobs: Sequence[Claimed], step: Callable[[], AnyModel | None]) -> AnyModel | None:
        """What opening gives. Raises what ends the run: the model is refused, and says why."""
        try:
            model = step()
            if model is not None:
                self._environment = model.environment
        except STOPS:
            raise
        except (UserError, JobError) as error:
            self._refused = error
            raise
        except BaseException as error:
            self.unopened = error
            self._fail(jobs, error)
            return None
        return model

    # -- vectors and scores -------------------------------------------------------------------------------------------

    def _measure(self, jobs: Sequence[Claimed]) -> None:
        model = self._known(jobs)
        if model is None:
            return
        ready = [job for job in jobs if self._guarded(job, partial(self._ask, job, model))]
        if model.treatment is None:
            assert isinstance(model, OpenModel)
            self.tell(Phase("search", len(ready), "jobs"))
            for job in ready:
                if not self.stopped:
                    self._done(job, self._guarded(job, partial(self._search, job, model)))
                    self.tell(Advanced())
        elif ready:
            self._encode(model, ready)

    def _ask(self, job: Claimed, model: OpenModel | ClosedModel) -> bool:
        """What the job wants encoded."""
        refuse_unaccepted(job.prepared, model.kind)
        if model.treatment is not None:
            job.requests = requests(job.prepared, model.treatment)
            job.digests = [found for request in job.requests for found in request.digests()]
        return True

    def _encode(self, model: OpenModel | ClosedModel, jobs: Sequence[Claimed]) -> None:
        """Encode all texts of all jobs, group by group, and score each job when its own are there."""
        encoding = self._encoding(model, jobs)
        if isinstance(model, OpenModel) or not encoding.complete:
            opened = self._opened(jobs)
            if opened is None:
                return
            assert opened.encoder is not None
            encoding.use(opened.encoder)
            model = opened
        self.tell(Phase("encode", None, "tokens"))
        waiting: list[Claimed] = []
        with encoding:
            for group in self._groups(encoding, jobs):
                self._encode_group(encoding, group)
                waiting += _unsettled(group)
                waiting = self._score_ready(model, encoding, waiting)
                if self.stopped:
                    break
            self._flush(encoding)
            waiting = self._score_ready(model, encoding, waiting)
            for job in () if self.stopped else waiting:  # what could not be written
                self._guarded(job, partial(self._encode_and_write, encoding, job))
            self._score_ready(model, encoding, _unsettled(waiting))

    def _encoding(self, model: OpenModel | ClosedModel, jobs: Sequence[Claimed]) -> Encoding:
        encoding = Encoding(
            None,
            [request for job in jobs for request in job.requests],
            model.store,
            batch_tokens=self.execution.batch_tokens,
            on_progress=self._show,
            postprocess=model.postprocess,
            digests=[digests for job in jobs for digests in job.digests],
        )
        for job in jobs:
            job.digests = ()
        return encoding

    def _groups(self, encoding: Encoding, jobs: Sequence[Claimed]) -> list[list[Claimed]]:
        """The jobs in groups to be encoded together; last and alone those that may have cost a device before."""
        suspected = sorted((job for job in jobs if job.lost_the_device), key=lambda job: job.failed_when)
        return grouped(
            [*(job for job in jobs if not job.lost_the_device), *suspected],
            size=lambda job: encoding.size(job.requests),
            kind=lambda job: frozenset(part.variant for request in job.requests for part in request.encoded),
            alone=lambda job: job.lost_the_device,
            least=BATCHES * encoding.budget,
        )

    def _flush(self, encoding: Encoding) -> None:
        """Write what is encoded; what cannot be written is to be encoded again."""
        try:
            encoding.flush()
        except STOPS:
            raise
        except BaseException as error:  # each of the jobs meets it again, and records it
            log.info("vectors could not be written: %s", message_of(error))

    def _encode_and_write(self, encoding: Encoding, job: Claimed) -> None:
        self._run(encoding, [job])
        encoding.flush()

    def _encode_group(self, encoding: Encoding, group: Sequence[Claimed]) -> None:
        """All texts of a group; where that fails, each job by itself, so that only faulty ones fail."""
        if not self._encode_together(encoding, group):
            for job in group:
                if not self.stopped:
                    self._guarded(job, partial(self._run, encoding, [job]))

    def _encode_together(self, encoding: Encoding, group: Sequence[Claimed]) -> bool:
        """Whether that went well. No error outlives it: one holds on to what the failed batch has in memory."""
        try:
            with listening(*(job.log for job in group)):
                self._run(encoding, group)
        except STOPS:
            raise
        except BaseException as error:
            if is_lost(error):
                # No job can be tried alone any more. Those with a text in the failing batch may be the cause.
                self._fail([job for job in group if encoding.suspects(job.requests)], error)
            return False
        return True

    def _run(self, encoding: Encoding, jobs: Sequence[Claimed]) -> None:
        """Encode all texts of some jobs. What that takes of electricity is shared among them, also where it fails."""
        interval = Interval()
        try:
            with self._metered() as interval:
                encoding.run([request for job in jobs for request in job.requests])
        finally:
            if self.meter is not None:
                shares = interval.shares([encoding.seconds(job.requests) for job in jobs])
                for job, used in zip(jobs, shares, strict=True):
                    job.used += used

    def _show(self, progress: EncodeProgress) -> None:
        self.tell(Measured(progress.tokens_done, progress.tokens_total))

    def _score_ready(
        self, model: OpenModel | ClosedModel, encoding: Encoding, waiting: Sequence[Claimed]
    ) -> list[Claimed]:
        """Score the jobs whose vectors can be read, and return the others."""
        for job in waiting:
            if encoding.is_ready(job.requests):
                self._done(job, self._guarded(job, partial(self._score, job, model, encoding)))
        return _unsettled(waiting)

    def _score(self, job: Claimed, model: OpenModel | ClosedModel, encoding: Encoding) -> Record:
        encoded, reused = encoding.counts(job.requests)
        encode_s = encoding.seconds(job.requests)
        job.log.say(f"{encoded} distinct items encoded in {encode_s:.2f} s, {reused} found in the store")
        with self._metered() as interval:
            scores, seconds = score(job.prepared, job.requests, encoding, model.similarity)
        job.used += interval.used
        timing = Timing(
            load_s=job.prepared.seconds,
            encode_s=encode_s,
            evaluate_s=seconds,
            texts_encoded=encoded,
            texts_reused=reused,
        )
        sides, facts = sides_of(
            job.prepared, job.requests, encoding, model.postprocess, model.encoder, model.store_folder
        )
        kept = record(job.prepared, scores, model.facts, timing, facts, model.service)
        return self._keep(job, model, kept, scores, sides)

    def _search(self, job: Claimed, model: OpenModel) -> Record:
        assert model.searcher is not None
        with self._metered() as interval:
            scores, encode_s, seconds = search(job.prepared, model.searcher)
        job.used += interval.used
        job.log.say(f"searched in {encode_s:.2f} s")
        timing = Timing(
            load_s=job.prepared.seconds, encode_s=encode_s, evaluate_s=seconds, texts_encoded=job.prepared.n_items
        )
        kept = record(job.prepared, scores, model.facts, timing, service=model.service)
        return self._keep(job, model, kept, scores, {})

    def _metered(self) -> AbstractContextManager[Interval]:
        return nullcontext(Interval()) if self.meter is None else self.meter.interval()

    def _keep(
        self, job: Claimed, model: OpenModel | ClosedModel, kept: Record, scores: Scores, sides: Mapping[str, Side]
    ) -> Record:
        model.verify()
        if job.claim.state == "done" and not self.rerun:
            return add_predictions(job, scores)
        if self.meter is not None:
            used = {"energy_kwh": job.used.kwh, "co2_kg": job.used.kg, "energy_source": self.meter.source}
            kept = kept.model_copy(update=used)
        job.log.say(f"scored in {kept.timing.evaluate_s:.2f} s: {kept.main_metric} {kept.main_score}")
        items = scores.items if self.execution.items else None
        proof = evidence(job.prepared, model.files, sides, model.probes)
        rankings = predictions_of(job.prepared, scores) if self.execution.predictions else None
        job.claim.succeed(kept, job.job.identity, self.environment, items, job.log.text, proof, rankings)
        return kept

    # -- how a step ends ----------------------------------------------------------------------------------------------

    def _done(self, job: Claimed, kept: Record | None) -> None:
        if kept is not None:
            job.settle()
            self.tell(Done(job.job.fingerprint, kept))

    def _guarded(self, job: Claimed, step: Callable[[], T]) -> T | None:
        """The step's result; None when it failed, which is then on record."""
        try:
            with listening(job.log):
                return step()
        except STOPS:
            raise
        except BaseException as error:
            self._fail([job], error)
            return None

    def _fail(self, jobs: Sequence[Claimed], error: BaseException) -> None:
        """Record why jobs could not be done. The worker ends with them when the device is lost."""
        for job in jobs:
            self.tell(Failed(job.job.fingerprint, job.fail(error, self.environment)))
        if is_lost(error):
            self.stopped = "the device is lost to this process"

    @property
    def environment(self) -> Mapping[str, Any]:
        """What jobs are done on."""
        if self._environment is None:
            self._environment = environment()
        return self._environment


def _from_outside(job: Job) -> set[str]:
    """The packages of others that a job's model and task type come from: they log what a job's log.txt should say."""
    loader = job.model.loader
    places = (loader.name if ":" in loader.name else loader.implementation, job.task.type.implementation)
    return {place.partition(":")[0].partition(".")[0] for place in places} - {"embedmark"}


def _unsettled(jobs: Sequence[Claimed]) -> list[Claimed]:
    return [job for job in jobs if not job.settled]
