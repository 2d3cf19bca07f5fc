"""The table that ends a run: a row a task, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from rich.table import Table

from embedmark.runner.common.terminal import open_console, plain_table
from embedmark.runner.plan import Plan
from embedmark.runner.results.record import Failure, Record


def closing(plan: Plan, kept: Mapping[str, Record | Failure], outputs: Path) -> None:
    """Print the scores of a plan's jobs and where the records are. What failed was told when it did.

    Args:
        plan: what was to be done.
        kept: what is on record of its jobs now, by fingerprint.
        outputs: the folder of the records.
    """
    console = open_console()
    if plan.jobs:
        console.print(_table(plan, kept))
    failed = sum(isinstance(kept.get(job.fingerprint), Failure) for job in plan.jobs)
    done = sum(isinstance(kept.get(job.fingerprint), Record) for job in plan.jobs)
    console.print(_last_words(plan, done, failed, outputs), highlight=False, markup=False, soft_wrap=True)


def _table(plan: Plan, kept: Mapping[str, Record | Failure]) -> Table:
    table = plain_table("task", "type", "metric")
    table.add_column("score", justify="right")
    table.add_column("jobs", justify="right")
    for name, jobs in plan.by_task.items():
        records = [found for job in jobs if isinstance(found := kept.get(job.fingerprint), Record)]
        whole = len(records) == len(jobs)
        score = f"{100 * fmean(record.main_score for record in records):.2f}" if whole else "–"
        count = f"{len(records)}" if whole else f"{len(records)} of {len(jobs)}"
        table.add_row(name, jobs[0].task.type.name, jobs[0].task.config.main_metric, score, count)
    return table


def _last_words(plan: Plan, done: int, failed: int, outputs: Path) -> str:
    jobs = outputs / "jobs"
    lines = [f"{done} of {len(plan.jobs)} jobs done; records in {jobs}, `python -m runner report` compares them"]
    if failed:
        lines.append(f"{failed} failed: {jobs}/*.failed/failure.json says why; the same command tries them again")
    if plan.awaiting:
        named = ", ".join(task.task for task in plan.awaiting[:5])
        lines.append(f"left out: {named}{', …' if len(plan.awaiting) > 5 else ''}; `plan` says why")
    return "\n".join(lines)
