"""`reproduce`: one's own scores beside those that were published of the same model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embedmark.runner.cli.run import run
from embedmark.runner.common.errors import FAILED, OK, UserError
from embedmark.runner.common.terminal import plain_table, table_console
from embedmark.runner.common.text import counted, say
from embedmark.runner.config.compose import settings_from
from embedmark.runner.exchange.published import EQUAL, Several, likely_cause, match, of_models
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import make_plan
from embedmark.runner.results.folder import JobFolders
from embedmark.runner.results.record import Record


@dataclass(frozen=True)
class Row:
    """A score of one's own beside a published one; the last four are None where nothing comparable is published."""

    task: str
    split: str
    subset: str
    ours: float
    origin: str | None = None
    published: float | None = None
    difference: float | None = None
    cause: str | None = None


def reproduce(overrides: Sequence[str], folders: Sequence[Path], *, as_json: bool = False) -> int:
    """Run what is not done yet, and print every score beside those that were published of it.

    Args:
        overrides: Of a plain run.
        folders: The user's own config folders.
        as_json: Print one JSON object a score, instead of a table.

    Returns:
        1 where a score differs from what was published, or a job failed; else 0.

    Raises:
        UserError: As a run, and where nothing is published of the model.
    """
    ran = run(overrides, folders, sweep=False)
    settings, catalogue = settings_from(list(overrides), folders)
    plan = make_plan(settings, catalogue, default_pins())
    outputs = Path(settings.outputs)
    kept = JobFolders(outputs).look([job.fingerprint for job in plan.jobs]).kept
    records = [kept[job.fingerprint] for job in plan.jobs if isinstance(kept.get(job.fingerprint), Record)]
    published = of_models(outputs, [plan.model.name])
    if published.is_empty():
        raise UserError(
            f"model {plan.model.name}: nothing is published of it, in the shipped snapshot or in "
            f"{outputs / 'imported'}; `python -m runner import` reads results"
        )
    rows = [row for record in records if isinstance(record, Record) for row in _rows(record, published)]
    if as_json:
        for row in rows:
            say(json.dumps(asdict(row)))
    else:
        _print(rows)
    return max(ran, FAILED if any(_differs(row) for row in rows) else OK)


def _rows(record: Record, published: Any) -> Iterator[Row]:
    own = (record.job.task, record.job.split, record.job.subset, record.main_score)
    found = match(record, published)
    if isinstance(found, Several):
        yield Row(*own, cause=f"not compared: published of {len(found.revisions)} revisions, none of them this one")
    elif not found:
        yield Row(*own, cause="nothing is published of it")
    else:
        for one in found:
            difference = record.main_score - one.score
            yield Row(*own, one.origin, one.score, difference, likely_cause(record, one))


def _differs(row: Row) -> bool:
    return row.difference is not None and not abs(row.difference) <= EQUAL


def _print(rows: Sequence[Row]) -> None:
    table = plain_table("task", "split", "subset")
    for name in ("ours", "published", "difference"):
        table.add_column(name, justify="right")
    table.add_column("origin")
    table.add_column("likely cause", overflow="fold")
    for row in rows:
        shown = "0" if row.difference is not None and not _differs(row) else _signed(row.difference)
        table.add_row(
            row.task, row.split, row.subset, f"{row.ours:.6g}", _number(row.published), shown, row.origin or "",
            row.cause or "",
        )  # fmt: skip
    table_console().print(table)
    compared = [row for row in rows if row.difference is not None]
    equal = sum(not _differs(row) for row in compared)
    say(f"{equal} of {counted(len(compared), 'score')} equal to within {EQUAL:g}")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.6f}"
