"""A record held against itself: what it says twice has to be the same."""

from __future__ import annotations

import math

from embedmark.runner.common.errors import EmbedmarkError
from embedmark.runner.results.collect import Kept
from embedmark.runner.results.inspection import ITEMS
from embedmark.runner.results.items import read_items
from embedmark.runner.results.record import Record
from embedmark.runner.verify.verdict import far
from embedmark.tasks.item_arrays import main_score_of

_TOLERANCE = 1e-6
"""Items are float32, and scores are computed from them anew."""


def contradiction(kept: Kept, record: Record) -> str | None:
    """Find what a record says twice and not the same; None where there is nothing.

    Its sums hold: whoever edited it wrote them anew.
    """
    dataset = kept.identity["task"].get("dataset", {})
    if "revision" in dataset and record.dataset.revision != dataset["revision"]:
        return "edited: result.json names another revision of the data than identity.json"
    return _of_experiments(record) or _of_items(kept, record)


def _of_experiments(record: Record) -> str | None:
    if any("level" in experiment for experiment in record.experiments):
        return None  # means are of levels first
    for metric, value in record.scores.items():
        told = [experiment[metric] for experiment in record.experiments if metric in experiment]
        if not told or len(told) < len(record.experiments) or any(map(math.isnan, told)):
            continue
        mean = math.fsum(told) / len(told)
        if far(mean, value, _TOLERANCE):
            return f"edited score: {metric} is {value}, and the mean of its experiments is {mean}"
    return None


def _of_items(kept: Kept, record: Record) -> str | None:
    if not (kept.folder / ITEMS).is_file():
        return None
    try:
        again = main_score_of(kept.identity["task"]["type"], record.main_metric, read_items(kept.folder / ITEMS))
    except (EmbedmarkError, ValueError, LookupError):
        return None  # arrays that were left out for their size, or that an earlier version did not keep
    if far(again, record.main_score, _TOLERANCE):
        return f"edited score: main_score is {record.main_score}, and its items give {again}"
    return None
