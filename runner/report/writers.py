"""A report as files: Markdown for people (percent, two digits), CSV and JSON for programs (as recorded, all digits)."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic_core import to_json

from embedmark.runner.common.files import write_atomically
from embedmark.runner.common.text import csv_cell, markdown_cell
from embedmark.runner.report.aggregate import Aggregate, Cell
from embedmark.runner.report.rows import TaskRow
from embedmark.runner.report.tables import MEANS, cell_text, headline, notes, percent
from embedmark.runner.results.collect import Kept
from embedmark.runner.results.durable import writing
from embedmark.runner.results.record import Record

Format = Literal["md", "csv", "json"]

CSV_COLUMNS = (
    "level", "label", "model", "revision", "content", "variant", "type", "task", "version", "in_mean", "subset",
    "split", "metric", "score", "status", "detail", "n", "fingerprint", "dataset", "dataset_revision", "versions",
    "finished_at",
)  # fmt: skip
"""level: `job` (one record), `task` (the mean over a task's jobs) or `mean`; the other columns are empty where a level
has no such thing. content: the hash of a model's files, where no revision names them. version: what tells a task from
others of its name. n: the items that were evaluated."""

_WIDE = 6
"""Models that a Markdown table of tasks names in its head; more are numbered."""


def write_report(report: Aggregate, folder: Path, formats: Iterable[Format]) -> list[Path]:
    """Write report.md, report.csv and report.json, those asked for. Raises OutputError."""
    return [_write(folder / f"report.{kind}", WRITERS[kind](report)) for kind in dict.fromkeys(formats)]


def _write(path: Path, text: str) -> Path:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text, durable=False)
    return path


def markdown(report: Aggregate) -> str:
    """Write Markdown: the models with their means, the tasks × models, what was scored, and the notes."""
    numbered = len(report.columns) > _WIDE
    heads = [f"#{place}" if numbered else column.label for place, column in enumerate(report.columns, 1)]
    models = [
        [
            str(place),
            column.label,
            percent(column.mean_task),
            percent(column.mean_type),
            f"{column.n_done}/{report.n_tasks}",
            column.revision or column.content or "",
            column.variant[:12],
        ]
        for place, column in enumerate(report.columns, 1)
    ]
    tasks: list[list[str]] = []
    for kind, rows in report.types.items():
        tasks.append([f"**{kind}**", *(f"**{percent(column.type_means[kind])}**" for column in report.columns)])
        tasks += [[row.label, *(cell_text(column.cells[row.label]) for column in report.columns)] for row in rows]
    lines = [f"# {markdown_cell(report.title or 'Report')}", "", markdown_cell(headline(report)), ""]
    lines += _markdown_table(["#", "model", *MEANS, "tasks", "revision or content", "variant"], models)
    lines += ["", *_markdown_table(["task", *heads], tasks)]
    if data := _data(report):
        lines += ["", *_markdown_table(["task", "dataset", "revision"], data)]
    if said := notes(report):
        lines += ["", *(f"- {markdown_cell(note)}" for note in said)]
    return "\n".join(lines) + "\n"


def _data(report: Aggregate) -> list[list[str]]:
    """The data of each row, and its revision."""
    found: dict[tuple[str, str, str], None] = {}
    for task in report.tasks:
        for column in report.columns:
            for _, record in _with_records(column.cells[task.label].records):
                found[task.label, record.dataset.source, record.dataset.revision or ""] = None
    return [list(row) for row in found]


def _markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *("---:" for _ in head[1:])]
    return [f"| {' | '.join(map(markdown_cell, row))} |" for row in (head, rule, *rows)]


def comma_separated(report: Aggregate) -> str:
    """Write CSV: a row a job, then a row a task and a row a mean. Scores as recorded, all digits."""
    out = io.StringIO()
    rows = csv.DictWriter(out, CSV_COLUMNS, restval="", lineterminator="\n")
    rows.writeheader()
    for column in report.columns:
        who = {
            "label": column.label,
            "model": column.model,
            "revision": column.revision or "",
            "content": column.content or "",
            "variant": column.variant,
        }
        for task in report.tasks:
            of_task = {**who, "type": task.type, "version": task.distinction, "in_mean": _yes(task.in_mean)}
            cell = column.cells[task.label]
            for kept, record in _with_records(cell.records):
                _row(rows, {"level": "job", **of_task, **_of_job(kept, record)})
            row = {"task": task.name, "score": _exact(cell.score), "status": cell.status, "detail": cell.detail}
            _row(rows, {"level": "task", **of_task, **row})
        for name, mean in zip(MEANS, (column.mean_task, column.mean_type), strict=True):
            status = "missing" if mean is None else "done"
            _row(rows, {"level": "mean", **who, "task": name, "score": _exact(mean), "status": status})
    return out.getvalue()


def _row(rows: Any, values: Mapping[str, object]) -> None:
    """Write one row, whose texts no spreadsheet takes for formulas: names may come from a stranger's files."""
    rows.writerow({name: csv_cell(value) if isinstance(value, str) else value for name, value in values.items()})


def _of_job(kept: Kept, record: Record) -> dict[str, object]:
    values = _job(kept, record)
    versions = " ".join(f"{name}={version}" for name, version in record.versions.items())
    text = {"score": _exact(values["score"]), "status": "undefined" if values["score"] is None else "done"}
    return {name: "" if value is None else value for name, value in {**values, "versions": versions, **text}.items()}


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _exact(score: float | None) -> str:
    return "" if score is None else repr(score)


def json_text(report: Aggregate) -> str:
    """Write JSON: the whole report; a score that is missing is null, and its status says why."""
    values: dict[str, Any] = {
        "schema": 2,
        "title": report.title,
        "scale": "scores as recorded, 0 to 1 for most metrics; not multiplied by 100",
        "tasks": [_task(task) for task in report.tasks],
        "models": [
            {
                "label": column.label,
                "model": column.model,
                "revision": column.revision,
                "content": column.content,
                "variant": column.variant,
                "old": column.old,
                "mean_task": column.mean_task,
                "mean_task_type": column.mean_type,
                "type_means": dict(column.type_means),
                "lacking": list(column.lacking),
                "scores": {label: _cell(cell) for label, cell in column.cells.items()},
                "jobs": [
                    {"row": task.label, **_job(kept, record)}
                    for task in report.tasks
                    for kept, record in _with_records(column.cells[task.label].records)
                ],
            }
            for column in report.columns
        ],
        "notes": list(report.notes),
    }
    # Ten times as fast as json.dumps, which a report of many thousand jobs needs.
    return to_json(values, indent=2).decode() + "\n"


def _task(task: TaskRow) -> dict[str, Any]:
    slots = [{"split": split, "subset": subset} for split, subset in task.slots]
    values = {"label": task.label, "name": task.name, "type": task.type, "in_mean": task.in_mean, "slots": slots}
    return values | ({"members": [member.name for member in task.members]} if task.members else {})


def _cell(cell: Cell) -> dict[str, Any]:
    return {"score": cell.score, "status": cell.status} | ({"detail": cell.detail} if cell.detail else {})


def _with_records(kept: Iterable[Kept]) -> list[tuple[Kept, Record]]:
    return [(one, one.facts) for one in kept if isinstance(one.facts, Record)]


def _job(kept: Kept, record: Record) -> dict[str, Any]:
    return {
        "task": record.job.task,
        "subset": record.job.subset,
        "split": record.job.split,
        "metric": record.main_metric,
        "score": None if math.isnan(record.main_score) else record.main_score,
        "n": kept.n_items,
        "fingerprint": record.fingerprint,
        "dataset": record.dataset.source,
        "dataset_revision": record.dataset.revision,
        "versions": dict(record.versions),
        "finished_at": record.finished_at.isoformat(),
    }


WRITERS: Mapping[Format, Callable[[Aggregate], str]] = {"md": markdown, "csv": comma_separated, "json": json_text}
