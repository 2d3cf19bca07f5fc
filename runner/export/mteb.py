"""The result files of the field: results/<organisation>__<model>/<revision>/<Task>.json and what lies beside them.

The layout is that of mteb 2.26.24 (`TaskResult.to_disk` and `ResultCache.save_to_cache`), which reads them. What its
layout has no place for is said within a row, under the key "embedmark", which it keeps.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from functools import cache
from statistics import fmean
from typing import Any

from embedmark.runner.common.files import read_regular
from embedmark.runner.common.groups import grouped
from embedmark.runner.common.names import experiment_form, folder_form, is_model, is_safe
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import HubDataset, TaskConfig, TaskGroup
from embedmark.runner.export.chosen import Chosen, Run, record_of
from embedmark.runner.results.collect import Kept
from embedmark.runner.results.inspection import RESULT
from embedmark.runner.results.record import Record

REFERENCE = "2.26.24"
"""The version of the reference implementation whose protocols the scores follow."""

_DIGITS = 6
"""Digits after the point that the reference writes."""

_EXPERIMENTS = {"classification", "multilabel_classification", "regression"}
"""The task types of which the reference keeps the scores of every experiment."""

_SHARED_DRAWS = {"clustering", "multilabel_classification"}
"""The task types whose subsets and splits share one generator in the reference."""


def files(
    chosen: Chosen, catalogue: Catalogue, is_known: Callable[[str], bool] | None = None
) -> tuple[dict[str, str], list[str]]:
    """Make the field's files.

    Args:
        chosen: What is exported.
        catalogue: Says what is known of a model.
        is_known: Tells the tasks that mteb knows from others; by default those that ship, with data on the hub.

    Returns:
        Path below the folder → text; and a line for each task that is left out, or needs a word.
    """
    made: dict[str, str] = {}
    notes: list[str] = []
    for run in chosen.runs:
        if "/" not in run.model or not is_model(run.model) or not is_safe(run.revision or "none"):
            notes.append(f"{run.model}: left out: the field's models are called ORGANISATION/NAME; set model.name")
            continue
        known = {
            task: of_task
            for task, of_task in run.by_task.items()
            if is_safe(task) and (is_known or _is_of_the_field)(task)
        }
        notes += [f"{task}: left out: mteb {REFERENCE} has no such task" for task in run.by_task if task not in known]
        notes += [
            f"{task}: its subsets were drawn each by itself (draws=job), and not as mteb draws them"
            for task, of_task in known.items()
            if len(of_task) > 1 and any(map(_drawn_otherwise, of_task))
        ]
        made |= _of_run(run, known, catalogue)
    return made, notes


def _of_run(run: Run, tasks: Mapping[str, Sequence[Kept]], catalogue: Catalogue) -> dict[str, str]:
    if not tasks:
        return {}
    folder = _folder(run)
    aggregates = dict(_aggregates(tasks))
    shares = Counter(record_of(kept).timing.encode_s for kept in run.records)
    settings = (_settings(task, of_task) for task, of_task in tasks.items())
    return {
        **{f"{folder}/{task}.json": _json(_task(of_task, shares), indent=2) for task, of_task in tasks.items()},
        **{f"{folder}/{task}.json": _json(values, indent=2) for task, values in aggregates.items()},
        f"{folder}/model_meta.json": _json(_model(run, catalogue), indent=4),
        f"{folder}/run_settings.jsonl": "".join(f"{_json(line)}\n" for line in settings),
    }


def _folder(run: Run) -> str:
    folder = f"results/{folder_form(run.model)}/{run.revision or 'no_revision_available'}"
    return f"{folder}/experiments/{experiment_form(run.label)}" if run.label else folder


def _is_of_the_field(task: str) -> bool:
    shipped = _shipped()
    return shipped.has("task", task) and isinstance(shipped.task(task).dataset, HubDataset)


@cache
def _shipped() -> Catalogue:
    return Catalogue(quiet=True)


def _task(of_task: Sequence[Kept], shares: Mapping[float, int]) -> dict[str, Any]:
    records = [record_of(kept) for kept in of_task]
    by_split = grouped((kept.facts.job.split, kept) for kept in of_task)
    emitted = [record.co2_kg for record in records if record.co2_kg is not None]
    return {
        "dataset_revision": records[0].dataset.revision or "no_revision_available",
        "task_name": records[0].job.task,
        "mteb_version": version_on_record(records[0]),
        "scores": {split: [_row(kept) for kept in of_split] for split, of_split in by_split.items()},
        "evaluation_time": sum(_seconds(record, shares) for record in records),
        "kg_co2_emissions": sum(emitted) if len(emitted) == len(records) else None,
        "date": max(record.finished_at for record in records).astimezone(UTC).timestamp(),
        "evaluation_phases": None,
    }


def _aggregates(tasks: Mapping[str, Sequence[Kept]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tasks that are the mean of others, all of which are there: the main metric alone, in one subset."""
    for aggregate in _groups():
        assert isinstance(aggregate.dataset, TaskGroup)
        if not set(aggregate.dataset.tasks) <= set(tasks):
            continue
        counted = aggregate.dataset.subsets
        parts = [
            [kept for kept in tasks[name] if not counted or kept.facts.job.subset in counted]
            for name in aggregate.dataset.tasks
        ]
        if counted and not all({kept.facts.job.subset for kept in part} >= {*counted} for part in parts):
            continue
        records = [record_of(kept) for part in parts for kept in part]
        languages = sorted({language for languages in aggregate.subsets.values() for language in languages})
        scores: dict[str, list[dict[str, Any]]] = {}
        for split in aggregate.splits:
            members = [[record_of(kept).main_score for kept in part if kept.facts.job.split == split] for part in parts]
            if not all(members):
                break
            mean = round(fmean(fmean(member) for member in members), _DIGITS)
            scores[split] = [
                {
                    aggregate.main_metric: mean, "main_score": mean, "hf_subset": "default", "languages": languages,
                    "mteb_version": version_on_record(records[0]),
                }
            ]  # fmt: skip
        else:
            yield (
                aggregate.name,
                {
                    "dataset_revision": "1",
                    "task_name": aggregate.name,
                    "mteb_version": version_on_record(records[0]),
                    "scores": scores,
                    "evaluation_time": None,
                    "kg_co2_emissions": None,
                    "date": max(record.finished_at for record in records).astimezone(UTC).timestamp(),
                    "evaluation_phases": None,
                },
            )


_GROUP = re.compile(rb"\n  tasks:|\ndataset: \{tasks:")
"""How YAML that a program wrote says of what tasks a task is the mean."""


@cache
def _groups() -> tuple[TaskConfig, ...]:
    """The tasks of the shipped catalogue that are the mean of others."""
    shipped = _shipped()
    marked = [entry for entry in shipped.tasks.values() if _GROUP.search(read_regular(entry.path))]
    found = [shipped.task(entry.name) for entry in marked if not entry.alias]
    return tuple(task for task in found if isinstance(task.dataset, TaskGroup))


def version_on_record(record: Record) -> str:
    """The reference's version whose protocol it is, and ours that ran: a local version, as PEP 440 has it."""
    return f"{REFERENCE}+embedmark.{record.versions.get('embedmark', '0')}"


def _seconds(record: Record, shares: Mapping[float, int]) -> float:
    """What a job took. Jobs that were encoded together all say how long that took, and share it."""
    timing = record.timing
    return timing.load_s + timing.encode_s / max(1, shares[timing.encode_s]) + timing.evaluate_s


def _row(kept: Kept) -> dict[str, Any]:
    record = record_of(kept)
    metrics = {name: _number(value) for name, value in record.scores.items()}
    # The reference reads a null among the metrics, but not in the place of the main score.
    main = metrics[record.main_metric]
    return {
        **metrics,
        **_experiments(kept),
        "main_score": math.nan if main is None else main,
        "hf_subset": record.job.subset,
        "languages": list(record.job.languages),
        "mteb_version": version_on_record(record),
        "embedmark": {
            "version": record.versions.get("embedmark"),
            "fingerprint": record.fingerprint,
            "record_sha256": hashlib.sha256(read_regular(kept.folder / RESULT)).hexdigest(),
            **({"draws": "job"} if _drawn_otherwise(kept) else {}),
            **({"unverifiable": record.unverifiable} if record.unverifiable else {}),
        },
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, _DIGITS)


def _experiments(kept: Kept) -> dict[str, Any]:
    """The scores of every experiment, in the form that the reference has for the type of task."""
    found = record_of(kept).experiments
    match kept.identity["task"]["type"]:
        case "clustering":
            levels = grouped((f"Level {int(one.get('level', 0))}", one) for one in found)
            return {
                theirs: {level: [_number(one[ours]) for one in of_level] for level, of_level in levels.items()}
                for ours, theirs in (("v_measure", "v_measures"), ("ami", "ami_scores"))
            }
        case "clustering_legacy":
            return {"v_measures": [_number(one["v_measure"]) for one in found]}
        case kind if kind in _EXPERIMENTS:
            return {"scores_per_experiment": [{name: _number(value) for name, value in one.items()} for one in found]}
    return {}


def _drawn_otherwise(kept: Kept) -> bool:
    """Whether the reference may have drawn other rows, since subsets share its generator."""
    task = kept.identity["task"]
    return task["type"] in _SHARED_DRAWS and task.get("settings", {}).get("draws") != "mteb"


def _settings(task: str, of_task: Sequence[Kept]) -> dict[str, Any]:
    record = record_of(of_task[0])
    named = ("torch", "sentence-transformers", "transformers")
    return {
        "task": task,
        "splits": sorted({kept.facts.job.split for kept in of_task}),
        "version": {"mteb": None, **{name: record.versions.get(name) for name in named}},
        "encode_kwargs": {},
        "subsets": sorted({kept.facts.job.subset for kept in of_task}),
    }


def _model(run: Run, catalogue: Catalogue) -> dict[str, Any]:
    """What is known of a model, under the names that the reference has; null where nothing is."""
    config = catalogue.model(run.model) if catalogue.has("model", run.model) else None
    about = config.about.model_dump(mode="json") if config else {}
    return {
        "name": run.model,
        "revision": run.revision or "no_revision_available",
        "release_date": about.get("release_date"),
        "languages": about.get("languages") or None,
        "n_parameters": about.get("n_parameters"),
        "n_embedding_parameters": about.get("n_embedding_parameters"),
        "memory_usage_mb": about.get("memory_usage_mb"),
        "max_tokens": about.get("max_tokens"),
        "embed_dim": about.get("embed_dim"),
        "license": about.get("license"),
        "open_weights": about.get("open_weights"),
        "public_training_code": about.get("public_training_code"),
        "public_training_data": about.get("public_training_data"),
        "framework": about.get("framework") or [],
        "reference": about.get("reference"),
        "similarity_fn_name": config.similarity if config else None,
        "use_instructions": about.get("use_instructions"),
        "training_datasets": about.get("training_datasets"),
        "adapted_from": about.get("adapted_from"),
        "superseded_by": about.get("superseded_by"),
        "modalities": about.get("modalities") or ["text"],
        "model_type": about.get("model_type") or ["dense"],
        "citation": about.get("citation"),
        "contacts": None,
        "experiment_kwargs": {"embedmark": run.label} if run.label else None,
        "loader": None,
    }


def _json(values: object, indent: int | None = None) -> str:
    """JSON as the reference writes it, to the last character: ASCII, and a bare NaN in the place of a main score."""
    return json.dumps(values, indent=indent)
