"""The scores of what was run: printed as tables, written as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from rich.console import Console

from runner.config.catalogue import Catalogue
from runner.errors import UserError, nearest
from runner.report.aggregate import Aggregate, aggregate, of_benchmark
from runner.report.tables import print_report
from runner.report.writers import Format, write_report
from runner.results.collect import Collected, collect
from runner.terminal import table_console

FORMATS: tuple[Format, ...] = get_args(Format)


def report(
    outputs: Path,
    catalogue: Catalogue,
    benchmark: str | None = None,
    models: Sequence[str] = (),
    formats: Sequence[Format] = FORMATS,
    console: Console | None = None,
) -> Aggregate:
    """Print the scores under `outputs` and write them to outputs/report/.

    benchmark: only its tasks, all of them, under its name; by default every task on record. models: only these, by
    name or config file. Raises UserError when nothing is on record or a name is not known.
    """
    console = console or table_console()
    collected = _of_models(collect(outputs), models, catalogue)
    if not collected.records and not collected.failures:
        raise UserError("\n".join([f"{outputs / 'jobs'}: no results; run a model first", *collected.problems]))
    if benchmark is None:
        made = aggregate(collected)
    else:
        config = catalogue.benchmark(benchmark)
        made = aggregate(collected, config.name, of_benchmark(config, catalogue))
        if not made.columns:
            raise UserError(f"{outputs / 'jobs'}: nothing of benchmark {config.name} is on record; run it first")
    print_report(made, console)
    for problem in collected.problems:
        console.print(problem, style="yellow", highlight=False, markup=False, soft_wrap=True)
    written = write_report(made, outputs / "report", formats)
    console.print(f"\nwritten: {', '.join(map(str, written))}", highlight=False, markup=False, soft_wrap=True)
    return made


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
    """The model on record that is meant: by its name, by the end of its name, or by its config file."""
    folded = wanted.casefold()
    close = [name for name in known if folded in {name.casefold(), name.casefold().rpartition("/")[2]}]
    if len(close) == 1:
        return close[0]
    try:
        configured = catalogue.model(wanted).name
    except UserError:
        configured = wanted
    if configured in known:
        return configured
    raise UserError(
        f"no results of model {wanted!r}.{nearest(wanted, known)} On record: {', '.join(sorted(known)) or 'nothing'}"
    )
