"""The scores of what was run: printed as tables, written as files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import get_args

from rich.console import Console

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.terminal import table_console
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.pins import default_pins
from embedmark.runner.report.aggregate import Aggregate, aggregate
from embedmark.runner.report.energy import energy_line
from embedmark.runner.report.names import model_on_record
from embedmark.runner.report.older import is_old, older_line, present_model
from embedmark.runner.report.rows import WantedTask, rows_of_benchmark, rows_on_record, wanted_tasks
from embedmark.runner.report.tables import print_report
from embedmark.runner.report.writers import Format, write_report
from embedmark.runner.results.collect import Collected, Kept, collect
from embedmark.runner.results.record import Record
from embedmark.tasks.settings import Draws

FORMATS: tuple[Format, ...] = get_args(Format)


@dataclass(frozen=True)
class Options:
    """What a report is of.

    benchmark: only its tasks, all of them, as the present configs give them; by default every task on record.
    models: only these, by name or config file. draws: the benchmark with these draws. older: with what a change of
    version made old. ignore_failed: without failures.
    """

    benchmark: str | None = None
    models: Sequence[str] = ()
    draws: Draws | None = None
    older: bool = False
    ignore_failed: bool = False


def report(
    outputs: Path,
    catalogue: Catalogue,
    options: Options = Options(),
    formats: Sequence[Format] = FORMATS,
    console: Console | None = None,
) -> Aggregate:
    """Print the scores under `outputs` and write them to outputs/report/.

    Args:
        formats: of the files that are written.
        console: where it is printed, by default standard output.

    Returns:
        What was printed: models with their scores and means, tasks, notes.

    Raises:
        UserError: when nothing is on record or a name is not known.
        OutputError: when the files cannot be written.
    """
    console = console or table_console()
    made, damaged = on_record(outputs, catalogue, options)
    print_report(made, console)
    for problem in damaged:
        console.print(problem, style="yellow", highlight=False, markup=False, soft_wrap=True)
    written = write_report(made, outputs / "report", formats)
    console.print(f"\nwritten: {', '.join(map(str, written))}", highlight=False, markup=False, soft_wrap=True)
    return made


def on_record(
    outputs: Path, catalogue: Catalogue, options: Options = Options(), collected: Collected | None = None
) -> tuple[Aggregate, tuple[str, ...]]:
    """Aggregate the scores under `outputs`.

    Args:
        collected: All that is there, where it was collected before.

    Returns:
        The report, and a line for each damaged folder.

    Raises:
        UserError: Nothing is on record, or a name is not known.
    """
    if options.draws is not None and options.benchmark is None:
        raise UserError("--draws says how a benchmark was run: give --benchmark NAME with it")
    collected = _of_models(collected or collect(outputs), options.models, catalogue)
    if options.ignore_failed:
        collected = replace(collected, failures=())
    if not collected.records and not collected.failures:
        raise UserError("\n".join([f"{outputs / 'jobs'}: no results; run a model first", *collected.problems]))
    old: list[Kept] = []
    if not options.older:
        old, records = _parted(collected.records)
        _, failures = _parted(collected.failures)
        collected = replace(collected, records=tuple(records), failures=tuple(failures))
    problems: list[str] = []
    if options.benchmark is None:
        made = aggregate(collected, rows_on_record(collected.records), "", partial(present_model, catalogue=catalogue))
    else:
        made, problems = _of_benchmark(options.benchmark, options, collected, catalogue)
        if not made.columns and not old:
            raise UserError(f"{outputs / 'jobs'}: nothing of benchmark {made.title} is on record; run it first")
    line = older_line(old, catalogue)
    energy = energy_line(kept.facts for kept in collected.records if isinstance(kept.facts, Record))
    problems = [*problems, *([energy] if energy else [])]
    return replace(made, notes=(*made.notes, *problems, *([line] if line else []))), tuple(collected.problems)


def _of_benchmark(
    name: str, options: Options, collected: Collected, catalogue: Catalogue
) -> tuple[Aggregate, list[str]]:
    """The report of a benchmark, and a line for each task whose data cannot be identified, or that it cannot have."""
    benchmark = catalogue.benchmark(name)
    wanted = wanted_tasks(benchmark, catalogue, default_pins(), options.draws)
    title = f"{benchmark.name}, draws={options.draws}" if options.draws else benchmark.name
    rows = rows_of_benchmark(wanted, collected.records, older=options.older)
    problems = [f"{task.name}: whether its scores are stale is not known: {task.problem}" for task in _problems(wanted)]
    problems += [f"{task}: not in the catalogue, and in no mean: {reason}" for task, reason in benchmark.awaits.items()]
    return (
        aggregate(collected, rows, title, partial(present_model, catalogue=catalogue), benchmark.ranked_by),
        problems,
    )


def _problems(wanted: Sequence[WantedTask]) -> Iterator[WantedTask]:
    for task in wanted:
        yield from _problems(task.members)
        if task.problem:
            yield task


def _parted(kept_ones: Iterable[Kept]) -> tuple[list[Kept], list[Kept]]:
    """Those that a change of version made old, and the others."""
    parted: dict[bool, list[Kept]] = {True: [], False: []}
    for kept in kept_ones:
        parted[is_old(kept)].append(kept)
    return parted[True], parted[False]


def _of_models(collected: Collected, models: Sequence[str], catalogue: Catalogue) -> Collected:
    if not models:
        return collected
    known = {kept.facts.job.model for kept in (*collected.records, *collected.failures)}
    wanted = {_name(model, known, catalogue) for model in models}
    return replace(
        collected,
        records=tuple(kept for kept in collected.records if kept.facts.job.model in wanted),
        failures=tuple(kept for kept in collected.failures if kept.facts.job.model in wanted),
    )


def _name(wanted: str, known: set[str], catalogue: Catalogue) -> str:
    name = model_on_record(wanted, known, catalogue)
    if name is not None:
        return name
    raise UserError(
        f"no results of model {wanted!r}.{nearest(wanted, known)} On record: {', '.join(sorted(known)) or 'nothing'}"
    )
