"""The run loop: gives jobs to a worker, shows what it tells, and waits for those that other processes hold."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from embedmark.runner.common.groups import grouped
from embedmark.runner.common.text import counted
from embedmark.runner.config.schema import Execution
from embedmark.runner.display.progress import Progress
from embedmark.runner.encode.store import sweep
from embedmark.runner.execute.events import Advanced, Done, Event, Failed, Measured, Phase, Said
from embedmark.runner.execute.model import LastModel
from embedmark.runner.execute.worker import Chunk, work
from embedmark.runner.plan import Job, Plan
from embedmark.runner.results.folder import JobFolders
from embedmark.runner.results.record import Failure, Record

WAIT_SECONDS = 0.5
"""How often jobs that another process holds are looked at again."""


@dataclass
class Outcome:
    """Result of a run.

    Args:
        done: Jobs that this run completed.
        failed: Jobs that it tried in vain.
        already: Jobs that were done before it, or by another process during it.
        stopped: Why it ended before its last job; None where it did not.
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
    """Run what of a plan is not done.

    Args:
        plan: The jobs of one model.
        states: Of each job, by fingerprint: "done" or another.
        execution: How to run.
        outputs: The folder of records and vectors.
        progress: The display.
        rerun: Whether to do again what is done.
        models: Keeps the model for a next call.

    Returns:
        What became of the plan's jobs.

    Raises:
        UserError: The model cannot be opened, by a mistake in its config.
        JobError: The model cannot be opened for a reason outside its config.
        OutputError: Outputs cannot be written.
    """
    pending = [job for job in plan.jobs if rerun or states[job.fingerprint] != "done"]
    outcome = Outcome(already=[job for job in plan.jobs if not rerun and states[job.fingerprint] == "done"])
    if not pending:
        return outcome
    JobFolders(outputs).clean()
    sweep(outputs / "store")
    models, shown = models or LastModel(), _Shown(plan, progress, outcome)
    waited_for = 0
    while pending and not outcome.stopped:
        in_all = len(pending)
        elsewhere: list[Job] = []
        for jobs in _portions(pending, execution):
            left = work(Chunk(jobs, rerun=rerun), outputs, execution, shown, models=models)
            elsewhere += left.elsewhere
            outcome.stopped = left.stopped
            if outcome.stopped:
                break
        pending = elsewhere
        if len(pending) not in (0, waited_for) and not outcome.stopped:
            waited_for = len(pending)
            progress.message(f"waiting for {counted(waited_for, 'job')} that another process is doing")
        if len(pending) == in_all and not outcome.stopped:
            time.sleep(WAIT_SECONDS)
    return outcome


def _portions(jobs: Sequence[Job], execution: Execution) -> list[tuple[Job, ...]]:
    """All at once, since a worker does small ones first; task by task where the order of the plan is to be kept."""
    if execution.order == "usual":
        return [tuple(jobs)]
    return [tuple(of_task) for of_task in grouped((job.task.name, job) for job in jobs).values()]


class _Shown:
    """Takes what a worker tells into the display and the outcome."""

    def __init__(self, plan: Plan, progress: Progress, outcome: Outcome) -> None:
        self._jobs = {job.fingerprint: job for job in plan.jobs}
        self._progress, self._outcome = progress, outcome

    def __call__(self, event: Event) -> None:
        progress, outcome = self._progress, self._outcome
        match event:
            case Phase(name, total, unit):
                progress.phase(name, total, unit)
            case Advanced(steps):
                progress.advance(steps)
            case Measured(done, total):
                progress.update(done, total)
            case Said(text):
                progress.message(text)
            case Done(fingerprint, record):
                job = self._jobs[fingerprint]
                if record is None:
                    outcome.already.append(job)
                else:
                    outcome.done.append((job, record))
                progress.job_done(job.name, record)
            case Failed(fingerprint, failure):
                job = self._jobs[fingerprint]
                outcome.failed.append((job, failure))
                progress.job_failed(job.name, failure)
