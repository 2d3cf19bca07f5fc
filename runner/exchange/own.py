"""Records of embedmark that were made elsewhere: another machine's outputs folder, or a colleague's."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

from embedmark.runner.common.files import read_regular
from embedmark.runner.common.names import experiment_form, is_model, is_safe
from embedmark.runner.common.text import shortened
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange.result_file import NO_REVISION
from embedmark.runner.export.chosen import labelled, record_of
from embedmark.runner.export.mteb import version_on_record
from embedmark.runner.results.collect import collect
from embedmark.runner.results.inspection import RESULT
from embedmark.runner.results.record import Record


def scores_of_jobs(outputs: Path, catalogue: Catalogue) -> tuple[list[dict[str, Any]], list[str]]:
    """Read the records of an outputs folder, each checked as a whole.

    Args:
        outputs: The folder.
        catalogue: Says which variant of a model is the model itself, and no experiment.

    Returns:
        Rows by the columns of the import store, without the day, their origin `embedmark`; and a line for each record
        that is damaged.

    Raises:
        OutputError: The folder cannot be read.
    """
    collected = collect(outputs)
    broken = list(collected.problems)
    rows = []
    for kept, label in labelled(collected.records, catalogue):
        experiment = experiment_form(label)
        if odd := _odd_name(record_of(kept), experiment):
            broken.append(f"{kept.folder}: {shortened(repr(odd), 80)} is not a name that can be imported; skipped")
        else:
            rows.append(_row(record_of(kept), experiment, outputs, kept.folder))
    return rows, broken


def _odd_name(record: Record, experiment: str) -> str | None:
    """The name that no table of scores takes; None where there is none."""
    if not is_model(record.job.model):
        return record.job.model
    names = (record.job.task, record.job.split, record.job.subset, record.job.model_revision, experiment)
    return next((name for name in names if name and not is_safe(name)), None)


def _row(record: Record, experiment: str, outputs: Path, folder: Path) -> dict[str, Any]:
    return {
        "model": record.job.model,
        "revision": record.job.model_revision or NO_REVISION,
        "task": record.job.task,
        "split": record.job.split,
        "subset": record.job.subset,
        "metric": None,
        "main_score": None if math.isnan(record.main_score) else record.main_score,
        "dataset_revision": record.dataset.revision,
        "revision_text": None,
        "mteb_version": version_on_record(record),
        "experiment": experiment or None,
        "origin": "embedmark",
        "source": f"{outputs.name}/jobs/{folder.name}",
        "source_sha256": hashlib.sha256(read_regular(folder / RESULT)).hexdigest(),
    }
