"""`plan`: what a run would do, what is already done, and what cannot be done yet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedmark.runner.common.errors import FAILED, OK, USER_ERROR, JobError, OutputError, UserError
from embedmark.runner.common.terminal import plain_table, table_console
from embedmark.runner.common.text import complain, counted, say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.command_line import split_search_path, trusting
from embedmark.runner.config.compose import points_from, settings_from
from embedmark.runner.config.schema import Settings
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import Plan, make_plan, states_of
from embedmark.runner.report.older import older_of_plan
from embedmark.runner.results.folder import JobFolders, Look
from embedmark.runner.results.inspection import Inspected


def plan(
    overrides: Sequence[str],
    folders: Sequence[Path],
    *,
    as_json: bool = False,
    cost: bool = False,
    sweep: bool = False,
) -> int:
    """Print the plan of one command line, or of each point of a sweep; the worst of their statuses.

    cost: and what is left to encode, for which the data is loaded.
    """
    overrides, more = split_search_path(trusting(overrides))
    folders = [*folders, *more]
    if not sweep:
        settings, catalogue = settings_from(overrides, folders)
        return _plan(settings, catalogue, {}, as_json=as_json, cost=cost)
    statuses = []
    for number, (typed, point) in enumerate(points_from(overrides, folders), 1):
        if not as_json:
            say(f"{'' if number == 1 else chr(10)}[{number}] {typed}")
        try:
            settings, catalogue = point()
            statuses.append(_plan(settings, catalogue, {"point": number, "asked": typed}, as_json=as_json, cost=cost))
        except (UserError, OutputError, JobError) as error:
            # As in a run, a mistake ends its own point alone.
            complain(f"error: {error}")
            statuses.append(FAILED if isinstance(error, JobError) else USER_ERROR)
    return max(statuses, default=OK)


def _plan(settings: Settings, catalogue: Catalogue, point: Mapping[str, object], *, as_json: bool, cost: bool) -> int:
    made = make_plan(settings, catalogue, default_pins())
    look = JobFolders(Path(settings.outputs)).look(job.fingerprint for job in made.jobs)
    states = states_of(made, look, predictions=settings.execution.predictions)
    if as_json:
        _print_json(made, states, point)
    else:
        _print_table(made, summary(made, look, states), states)
        _print_damage(look.damaged)
    if not cost:
        return OK
    from embedmark.runner.cli.cost import show_cost

    return show_cost(made, states, settings, as_json=as_json)


def summary(made: Plan, look: Look, states: Mapping[str, str]) -> str:
    """The plan in one line, and in a second one what a change of version or config made old of it."""
    return "\n".join(filter(None, [headline(made, states), older_of_plan(made, look)]))


def headline(made: Plan, states: Mapping[str, str]) -> str:
    """The plan in one line."""
    counts = Counter(states[job.fingerprint] for job in made.jobs)
    todo = len(made.jobs) - counts["done"]
    all_of_them = "all done" if made.jobs else "nothing to run"
    parts = [f"{counts['done']} done", f"{todo} to do"] if todo else [all_of_them]
    if counts["failed"]:
        parts.append(f"{counts['failed']} of them failed before")
    if made.awaiting:
        parts.append(f"{counted(len(made.awaiting), 'task')} left out")
    tasks = len({job.task.name for job in made.jobs}) + len(made.awaiting)
    return f"{made.model.name}: {counted(tasks, 'task')}, {counted(len(made.jobs), 'job')}: {', '.join(parts)}"


def _print_table(made: Plan, summary: str, states: Mapping[str, str]) -> None:
    console = table_console()
    table = plain_table("task", "type")
    table.add_column("subsets × splits", justify="right")
    table.add_column("state", overflow="fold")
    for name, jobs in made.by_task.items():
        subsets, splits = {job.subset for job in jobs}, {job.split for job in jobs}
        counts = Counter(states[job.fingerprint] for job in jobs)
        state = ", ".join(f"{'' if len(counts) == 1 else f'{n} '}{_STATES.get(s, s)}" for s, n in counts.items())
        table.add_row(name, jobs[0].task.type.name, f"{len(subsets)} × {len(splits)}", state)
    for task in made.awaiting:
        table.add_row(task.task, task.type, "–", task.reason, style="dim")
    console.print(table)
    console.print(summary, highlight=False, markup=False, soft_wrap=True)


def _print_damage(folders: Sequence[Inspected]) -> None:
    """Which file of a job is damaged, and how."""
    for folder in folders[:_SHOWN]:
        say(f"{folder.found.path}: {folder.problem}")
    if len(folders) > _SHOWN:
        say(f"and {len(folders) - _SHOWN} more damaged folders")


_SHOWN = 5
_STATES = {"absent": "to do", "failed": "failed before, to do", "corrupt": "damaged, to do again"}


def _print_json(made: Plan, states: Mapping[str, str], point: Mapping[str, object]) -> None:
    for job in made.jobs:
        print(
            json.dumps(
                {
                    **point,
                    "model": job.model.name,
                    "task": job.task.name,
                    "type": job.task.type.name,
                    "subset": job.subset,
                    "split": job.split,
                    "fingerprint": job.fingerprint,
                    "state": states[job.fingerprint],
                    **({"unread": list(job.unread)} if job.unread else {}),
                }
            )
        )
    for task in made.awaiting:
        print(
            json.dumps({**point, "model": made.model.name, "task": task.task, "type": task.type, "state": task.reason})
        )
