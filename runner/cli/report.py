"""`report` and `why`: what was measured, and why two jobs are not one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from embedmark.runner.common.errors import OK
from embedmark.runner.common.files import write_atomically
from embedmark.runner.common.terminal import table_console
from embedmark.runner.common.text import counted, say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.report.aggregate import Aggregate
from embedmark.runner.report.report import FORMATS, Options
from embedmark.runner.report.report import report as write
from embedmark.runner.report.why import why as explain
from embedmark.runner.report.writers import Format
from embedmark.runner.results.durable import writing


def report(
    outputs: Path,
    options: Options,
    formats: Sequence[Format],
    folders: Sequence[Path],
    *,
    field: bool = False,
    intervals: bool = False,
) -> int:
    """Print and write the scores under `outputs`.

    Args:
        outputs: The folder of results.
        options: What the report is of.
        formats: What is written.
        folders: The user's own config folders.
        field: Also where the models stand among the published ones.
        intervals: Also the interval of every score, printed and in report/intervals.json.
    """
    catalogue = Catalogue.of(folders)
    made = write(outputs, catalogue, options, formats or FORMATS)
    if intervals:
        _print_intervals(made, catalogue, outputs)
    if field:
        _print_field(made)
    return OK


def _print_intervals(made: Aggregate, catalogue: Catalogue, outputs: Path) -> None:
    from embedmark.runner.compare.scores import scores_of
    from embedmark.runner.compare.show import print_scores, scores_json
    from embedmark.runner.stats.intervals import LEVEL

    found = scores_of(made, catalogue, LEVEL)
    print_scores(found, LEVEL, table_console())
    path = outputs / "report" / "intervals.json"
    with writing(path):
        text = json.dumps(scores_json(found, LEVEL), indent=2, allow_nan=False)
        write_atomically(path, f"{text}\n", durable=False)
    say(f"\nwritten: {path}")


def _print_field(made: Aggregate) -> None:
    from embedmark.runner.exchange.field import among_published

    found = among_published(made)
    tasks = counted(found.n_tasks, "task")
    if not found.places:
        say(f"\namong the published: no model here has a mean over {tasks}")
    for place in found.places:
        if place.n_models == 1:
            some = f"; {found.incomplete} have some of them" if found.incomplete else ""
            say(f"\namong the published: no model has the scores of {tasks}{some}")
            return
        near = [f"{name} {mean:.4f}" for name, mean in filter(None, (place.before, place.after))]
        say(
            f"\namong the published on {tasks}: {place.model} {place.mean:.4f} is {place.rank} of {place.n_models}, "
            f"beside {' and '.join(near)}; {counted(found.incomplete, 'model')} with some of the scores left out"
        )


def why(a: str, b: str, outputs: Path) -> int:
    """Print what makes two jobs different ones."""
    explain(outputs, a, b)
    return OK
