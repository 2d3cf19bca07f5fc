"""A model card's evaluation results: the `model-index` of its head, and the newer files of `.eval_results/`.

Both say the revision of the data that was scored. Scores are in percent, as the hub shows them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

from embedmark.runner.common.yaml_page import dump
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.export.chosen import Chosen, Run, file_name, record_of
from embedmark.runner.export.papers import cells
from embedmark.runner.results.collect import Kept
from embedmark.runner.results.record import Record

_PERCENT, _DIGITS = 100, 5
_HUB = "hub:"


def files(chosen: Chosen, catalogue: Catalogue) -> tuple[dict[str, str], list[str]]:
    """Make the files for each model.

    Args:
        chosen: What is exported.
        catalogue: Says which splits and subsets a task has.

    Returns:
        Path below the folder → text; and a line for each score that is left out.
    """
    made: dict[str, str] = {}
    notes: list[str] = []
    for run in chosen.runs:
        name = file_name(run)
        defined = [kept for kept in run.records if not math.isnan(record_of(kept).main_score)]
        notes += [
            f"{run.model}: {record_of(kept).job.name}: left out: its score is not defined"
            for kept in run.records
            if kept not in defined
        ]
        index = [{"name": run.model.rpartition("/")[2], "results": [_of_index(record_of(kept)) for kept in defined]}]
        made[f"{name}/README.md"] = f"---\n{dump({'model-index': index})}---\n"
        results = list(_entries(run, defined, catalogue))
        if results:
            made[f"{name}/.eval_results/embedmark.yaml"] = dump(results)
    return made, notes


def _of_index(record: Record) -> dict[str, Any]:
    job, source = record.job, record.dataset.source
    subset = "" if job.subset == "default" else f" ({job.subset})"
    told = {"main_score": record.main_score, record.main_metric: record.main_score, **record.scores}
    return {
        "task": {"type": job.type},
        "dataset": {
            "type": source.removeprefix(_HUB),
            "name": f"MTEB {job.task}{subset}",
            "config": job.subset,
            "split": job.split,
            "revision": record.dataset.revision or "none",
        },
        "metrics": [{"type": name, "value": _percent(value)} for name, value in told.items() if not math.isnan(value)],
    }


def _entries(run: Run, records: Sequence[Kept], catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    """An entry a score, and one a task of which every split and subset is there. Data off the hub has no place here."""
    for task, of_task in run.by_task.items():
        ours = [record_of(kept) for kept in of_task if kept in records]
        ours = [record for record in ours if record.dataset.source.startswith(_HUB)]
        for record in ours:
            yield _entry(record, f"{task}_{record.job.subset}_{record.job.split}", record.main_score)
        wanted = cells(task, catalogue)
        if ours and wanted and {(record.job.split, record.job.subset) for record in ours} >= wanted:
            scores = [record.main_score for record in ours if (record.job.split, record.job.subset) in wanted]
            yield _entry(max(ours, key=lambda record: record.finished_at), task, math.fsum(scores) / len(scores))


def _entry(record: Record, task: str, score: float) -> dict[str, Any]:
    version = record.versions.get("embedmark", "0")
    notes = f"embedmark {version}, {record.main_metric}"
    if record.unverifiable:
        notes += ", by a service: cannot be verified"
    dataset = {"id": record.dataset.source.removeprefix(_HUB), "task_id": task, "revision": record.dataset.revision}
    return {
        "dataset": {key: value for key, value in dataset.items() if value is not None},
        "value": _percent(score),
        "date": record.finished_at.astimezone(UTC).date().isoformat(),
        "notes": notes,
    }


def _percent(score: float) -> float:
    return round(score * _PERCENT, _DIGITS)
