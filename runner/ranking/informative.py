"""`execution.order=informative`: the tasks that tell most of a benchmark's mean for their time are done first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import Settings
from embedmark.runner.plan import Plan
from embedmark.runner.ranking.forecast import known, seconds_of
from embedmark.runner.ranking.matrix import published
from embedmark.runner.ranking.times import task_times
from embedmark.runner.results.collect import collect
from embedmark.runner.stats.choice import chosen_tasks


def informative(plan: Plan, settings: Settings, catalogue: Catalogue, outputs: Path) -> tuple[Plan, str | None]:
    """Order a plan by information per second, as published scores and times on record tell.

    Returns:
        The plan in that order, tasks that nothing is known of last; and why it stays as it is, where it does.
    """
    if settings.benchmark is None:
        return plan, "order=informative needs a benchmark; tasks are done in the usual order"
    try:
        matrix = published(settings.benchmark, catalogue, revisions="joined")
        learnt = known(matrix, settings.benchmark.name)
    except UserError as error:
        return plan, f"order=informative: {error}; tasks are done in the usual order"
    times = task_times(collect(outputs).records, plan.model.name)
    order = chosen_tasks(learnt.prior.scores, len(learnt.tasks), seconds_of(learnt.tasks, times))
    place = {learnt.tasks[int(task)]: number for number, task in enumerate(order)}
    jobs = sorted(plan.jobs, key=lambda job: place.get(job.task.name, len(place)))
    return replace(plan, jobs=tuple(jobs)), None
