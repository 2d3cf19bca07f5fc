"""The table that ends a sweep: a row a point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from embedmark.runner.common.terminal import plain_table, table_console
from embedmark.runner.plan import Plan
from embedmark.runner.results.record import Failure, Record

TASKS_SHOWN = 8
"""Up to so many tasks have columns of their own; of more, the mean is shown."""


@dataclass(frozen=True)
class Point:
    """One combination of a sweep's values. plan: None where its config was refused. kept: what is on record of it."""

    overrides: tuple[str, ...]
    plan: Plan | None = None
    kept: Mapping[str, Record | Failure] = field(default_factory=dict)


def show_sweep(points: Sequence[Point]) -> None:
    """Print the scores of all points, each labelled by what sets it apart."""
    tasks = list(dict.fromkeys(name for point in points if point.plan for name in point.plan.by_task))
    if not tasks:
        return
    shown = tasks if len(tasks) <= TASKS_SHOWN else []
    table = plain_table("point")
    for name in shown:
        table.add_column(name, justify="right", overflow="fold")
    if len(tasks) > 1:
        table.add_column("mean", justify="right")
        table.add_column("tasks", justify="right")
    for label, point in zip(_labels(points), points, strict=True):
        scores = _scores(point, tasks)
        cells = [_cell(scores.get(name)) for name in shown]
        if len(tasks) > 1:
            done = [score for score in scores.values() if isinstance(score, float)]
            whole = len(done) == len(tasks)
            cells += [_cell(fmean(done)) if whole else "–", f"{len(done)}" if whole else f"{len(done)} of {len(tasks)}"]
        table.add_row(label, *cells)
    console = table_console()
    console.print()
    console.print(table)


def _labels(points: Sequence[Point]) -> list[str]:
    """The overrides of each point that not all points have."""
    common = set(points[0].overrides).intersection(*(point.overrides for point in points))
    found = [" ".join(override for override in point.overrides if override not in common) for point in points]
    return [label or "(the only point)" for label in found]


def _scores(point: Point, tasks: Sequence[str]) -> dict[str, float | str]:
    """The mean score of each task of a point; a word where it has none."""
    if point.plan is None:
        return dict.fromkeys(tasks, "refused")
    kept = point.kept
    scores: dict[str, float | str] = {}
    for name, jobs in point.plan.by_task.items():
        found = [kept.get(job.fingerprint) for job in jobs]
        records = [record for record in found if isinstance(record, Record)]
        if len(records) == len(jobs):
            scores[name] = fmean(record.main_score for record in records)
        else:
            scores[name] = "failed" if any(isinstance(one, Failure) for one in found) else "–"
    return scores


def _cell(score: float | str | None) -> str:
    if score is None:
        return "–"
    return score if isinstance(score, str) else f"{100 * score:.2f}"
