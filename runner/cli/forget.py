"""`forget`: delete the failures of earlier runs, and records by name, so that they are neither reported nor kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embedmark.runner.common.errors import FAILED, OK, UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.text import say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.report.names import by_its_end, model_on_record
from embedmark.runner.report.why import resolve
from embedmark.runner.results.folder import JobFolders
from embedmark.runner.results.inspection import Inspected, as_job_folder, inspect, scan


def forget(
    outputs: Path, jobs: Sequence[str], *, failed: bool, model: str | None, task: str | None, confirmed: bool
) -> int:
    """Delete the named jobs, or all failures of a model and task; FAILED where another process works on one of them.

    Raises UserError when a name is not known, and when a record is named without confirmation.
    """
    if bool(jobs) == failed:
        raise UserError("give the jobs to forget, or --failed for every failure; one of the two")
    if jobs and (model or task):
        raise UserError("--model and --task choose among failures: give them with --failed")
    chosen = _failures(outputs, model, task) if failed else [_named(outputs, job) for job in jobs]
    for one in chosen:
        if not one.found.failed and not confirmed:
            raise UserError(f"{one.found.path}: a record, not a failure; add --yes to delete it and its scores")
    folders = JobFolders(outputs)
    busy = [one for one in chosen if not folders.forget(one)]
    for one in chosen:
        word = "another process works on it" if one in busy else "forgotten"
        say(f"{one.found.path.name}: {word}")
    print(f"{len(chosen) - len(busy)} of {len(chosen)} forgotten" if chosen else "nothing to forget: no job has failed")
    return FAILED if busy else OK


def _named(outputs: Path, job: str) -> Inspected:
    given = Path(job) if as_job_folder(Path(job)) and Path(job).is_dir() else outputs / "jobs" / job
    found = as_job_folder(given) if given.is_dir() else as_job_folder(resolve(outputs, job))
    if found is None or found.path.resolve().parent != (outputs / "jobs").resolve():
        raise UserError(f"{job}: no job of {outputs / 'jobs'}; give its folder's name, or digits of its fingerprint")
    return inspect(found)


def _failures(outputs: Path, model: str | None, task: str | None) -> list[Inspected]:
    failures = [inspect(found) for found in scan(outputs) if found.failed]
    for what, wanted in (("model", model), ("task", task)):
        if wanted is None:
            continue
        known = {getattr(one.facts.job, what) for one in failures if one.facts}
        name = model_on_record(wanted, known, Catalogue.of(())) if what == "model" else by_its_end(wanted, known)
        if failures and name is None:
            raise UserError(
                f"no failure of {what} {wanted!r}.{nearest(wanted, known)} On record: {', '.join(sorted(known))}"
            )
        failures = [one for one in failures if one.facts and getattr(one.facts.job, what) == name]
    return failures
