"""A report as files: Markdown for people (percent, two digits), CSV and JSON for programs (as recorded, all digits)."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from runner.report.aggregate import Aggregate
from runner.report.tables import MEANS, cell_text, headline, notes, percent
from runner.results.durable import writing

Format = Literal["md", "csv", "json"]

CSV_COLUMNS = ("model", "revision", "variant", "type", "task", "score", "status")


def write_report(report: Aggregate, folder: Path, formats: Iterable[Format]) -> list[Path]:
    """Write report.md, report.csv and report.json, those asked for. Raises OutputError."""
    return [_write(folder / f"report.{kind}", WRITERS[kind](report)) for kind in dict.fromkeys(formats)]


def _write(path: Path, text: str) -> Path:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, encoding="utf-8", newline="")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    return path


def markdown(report: Aggregate) -> str:
    """Two tables, the models with their means and the tasks × models, and the notes."""
    models = [
        [column.label, percent(column.mean_task), percent(column.mean_type), f"{column.n_done}/{len(report.tasks)}"]
        for column in report.columns
    ]
    tasks: list[list[str]] = []
    for kind, wanted in report.types.items():
        tasks.append([f"**{kind}**", *(f"**{percent(column.type_means[kind])}**" for column in report.columns)])
        tasks += [[task.name, *(cell_text(column.cells[task.name]) for column in report.columns)] for task in wanted]
    lines = [f"# {report.title or 'Report'}", "", headline(report), ""]
    lines += _markdown_table(["model", *MEANS, "tasks"], models)
    lines += ["", *_markdown_table(["task", *(column.label for column in report.columns)], tasks)]
    if said := notes(report):
        lines += ["", *(f"- {_escaped(note)}" for note in said)]
    return "\n".join(lines) + "\n"


def _markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *("---:" for _ in head[1:])]
    return [f"| {' | '.join(map(_escaped, row))} |" for row in (head, rule, *rows)]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def comma_separated(report: Aggregate) -> str:
    """One row a model and task, then one a mean; the type of a mean is "mean". Scores as recorded, all digits."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(CSV_COLUMNS)
    for column in report.columns:
        who = (column.model, column.revision or "", column.variant)
        for task in report.tasks:
            cell = column.cells[task.name]
            rows.writerow((*who, task.type, task.name, _exact(cell.score), cell.status))
        for name, mean in zip(MEANS, (column.mean_task, column.mean_type), strict=True):
            rows.writerow((*who, "mean", name, _exact(mean), "missing" if mean is None else "done"))
    return out.getvalue()


def _exact(score: float | None) -> str:
    return "" if score is None else repr(score)


def json_text(report: Aggregate) -> str:
    """The whole report; a score that is not there is null, and its status says why."""
    values: dict[str, Any] = {
        "schema": 1,
        "title": report.title,
        "scale": "scores as recorded, 0 to 1 for most metrics; not multiplied by 100",
        "tasks": [
            {"name": task.name, "type": task.type, "slots": _slots(task.slots)}
            | ({"members": [member.name for member in task.members]} if task.members else {})
            for task in report.tasks
        ],
        "models": [
            {
                "label": column.label,
                "model": column.model,
                "revision": column.revision,
                "variant": column.variant,
                "mean_task": column.mean_task,
                "mean_task_type": column.mean_type,
                "type_means": dict(column.type_means),
                "lacking": column.lacking,
                "scores": {name: {"score": cell.score, "status": cell.status} for name, cell in column.cells.items()},
            }
            for column in report.columns
        ],
        "notes": list(report.notes),
    }
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _slots(slots: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"split": split, "subset": subset} for split, subset in slots]


WRITERS: Mapping[Format, Callable[[Aggregate], str]] = {"md": markdown, "csv": comma_separated, "json": json_text}
