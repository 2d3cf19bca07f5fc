"""`report` and `why`: what was measured, and why two jobs are not one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embedmark.runner.common.errors import OK
from embedmark.runner.common.text import counted, say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.report.aggregate import Aggregate
from embedmark.runner.report.report import FORMATS, Options
from embedmark.runner.report.report import report as write
from embedmark.runner.report.why import why as explain
from embedmark.runner.report.writers import Format


def report(
    outputs: Path, options: Options, formats: Sequence[Format], folders: Sequence[Path], *, field: bool = False
) -> int:
    """Print and write the scores under `outputs`. field: also where the models stand among the published ones."""
    made = write(outputs, Catalogue.of(folders), options, formats or FORMATS)
    if field:
        _print_field(made)
    return OK


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
