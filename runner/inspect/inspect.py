"""A job, or two, looked into."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from embedmark.runner.common.errors import EmbedmarkError, UserError, message_of
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.execute.jobs import prepare
from embedmark.runner.inspect.items import Items, Source
from embedmark.runner.inspect.rankings import rankings_of
from embedmark.runner.inspect.view import Shown, View
from embedmark.runner.inspect.worst import items_of
from embedmark.runner.pins import default_pins
from embedmark.runner.results.inspection import ITEMS, Inspected
from embedmark.runner.results.items import read_items
from embedmark.runner.results.record import Record
from embedmark.runner.verify.claim import UnclearClaimError, claimed_job


def worst_of(found: Inspected, catalogue: Catalogue, outputs: Path, most: int) -> View:
    """Find the items on which a job did worst.

    Args:
        found: Its record.
        catalogue: Gives what no identity says.
        outputs: The folder of results.
        most: How many to show.

    Raises:
        UserError: The record is damaged, its data cannot be had, or its items are not known.
    """
    record, items = _items(found, catalogue, outputs)
    order = np.argsort(np.nan_to_num(items.scores, nan=np.inf), kind="stable")[:most]
    title = f"{record.job.model}, {record.job.name}: {record.main_metric} {record.main_score:.4f}"
    return View(title, [_shown(items, int(row)) for row in order], items.notes)


def parted(one: Inspected, other: Inspected, catalogue: Catalogue, outputs: Path, most: int) -> View:
    """Find the items on which two jobs of one task differ most. Returns and raises as `worst_of`.

    The parts are those of the first job. Items are matched by what they are, never by their place.
    """
    first, ours = _items(one, catalogue, outputs)
    second, theirs = _items(other, catalogue, outputs)
    if (first.job.task, first.job.split, first.job.subset) != (second.job.task, second.job.split, second.job.subset):
        raise UserError(f"{first.job.name} and {second.job.name} are not of one task, split and subset")
    _, left, right = np.intersect1d(ours.units, theirs.units, return_indices=True)
    apart = np.nan_to_num(np.abs(ours.scores[left] - theirs.scores[right]))
    order = np.argsort(-apart, kind="stable")[:most]
    shown = [_shown(ours, int(left[place]), float(theirs.scores[right[place]])) for place in order if apart[place] > 0]
    title = f"{first.job.name}: {first.job.model} {first.main_score:.4f}, {second.job.model} {second.main_score:.4f}"
    return View(title, shown)


def _shown(items: Items, row: int, other: float | None = None) -> Shown:
    try:
        return Shown(items.name(row), float(items.scores[row]), items.parts(row), other)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"items.npz does not fit the data: {message_of(error)}; verify the record") from error


def _items(found: Inspected, catalogue: Catalogue, outputs: Path) -> tuple[Record, Items]:
    if not isinstance(found.facts, Record):
        raise UserError(f"{found.found.path}: {found.problem or 'it failed; failure.json says why'}")
    record, folder = found.facts, found.found.path
    if not (folder / ITEMS).is_file():
        raise UserError(f"{folder}: kept no items; run the job again with execution.items=true and rerun=true")
    arrays = read_items(folder / ITEMS)
    try:
        job = claimed_job(found.identity, catalogue, default_pins())
    except UnclearClaimError as error:
        raise UserError(f"{folder}: {error}") from error
    with TemporaryDirectory(prefix="embedmark-inspect-") as temporary:
        try:
            prepared = prepare(job, Path(temporary), warn=False)
        except (EmbedmarkError, ValueError) as error:
            said = " ".join(message_of(error).split())
            raise UserError(f"{folder}: its data cannot be had at its revision: {said}") from error
    if dict(prepared.loaded.hashes) != dict(record.dataset.content):
        raise UserError(f"{folder}: its data has changed since; `python -m runner verify {folder}` says how")
    source = Source(prepared, arrays, partial(rankings_of, folder, prepared, outputs))
    return record, items_of(job.task.type.name, source)
