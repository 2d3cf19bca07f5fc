"""What pending jobs would have to encode, known before anything is: distinct texts that the store lacks, in tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.models.base import CompositeEncoder, ImageEncoder, Outline, TokenEncoder, Variant
from embedmark.runner.common.errors import DataError, JobError, ModelError, UserError
from embedmark.runner.config.schema import Execution
from embedmark.runner.data.findings import Finding
from embedmark.runner.encode.engine import Request
from embedmark.runner.encode.keys import READ_AT_ONCE, Distinct, deduplicate
from embedmark.runner.encode.shard import Keys
from embedmark.runner.encode.store import Store
from embedmark.runner.execute.jobs import Prepared, prepare, requests
from embedmark.runner.execute.model import open_outline, open_store_read_only
from embedmark.runner.plan import Job
from embedmark.runner.resolve import ResolvedModel

CHARACTERS_PER_TOKEN = 4
"""An estimate where no tokenizer is at hand: right for English; most other scripts take more tokens."""

BLOCKS_AT_ONCE = 16
"""Blocks of rows, as columns are read, whose items are held at once."""


@dataclass(frozen=True)
class Cost:
    """texts: distinct ones of the jobs (or images), each with its prompt. missing: those that are not stored.

    tokens: of the missing ones; counted: by the model's own tokenizer, and otherwise estimated from characters.
    unread: jobs whose texts could not be had, and why; they are in no number. findings: what is odd about a job's data.
    """

    texts: int
    missing: int
    tokens: int
    counted: bool
    unread: tuple[tuple[Job, str], ...] = ()
    findings: tuple[tuple[Job, tuple[Finding, ...]], ...] = ()


def estimate(model: ResolvedModel, jobs: Sequence[Job], execution: Execution, outputs: Path) -> Cost:
    """What these jobs of one model would have to encode. Raises UserError and JobError."""
    outline = open_outline(model, execution)
    store = open_store_read_only(model.identity, execution, outputs)
    per_token = 1 if isinstance(outline, TokenEncoder) else CHARACTERS_PER_TOKEN
    keys: list[Keys] = [np.zeros((0, 2), dtype="<u8")]
    # NaN for what is stored.
    lengths: list[NDArray[np.float64]] = [np.zeros(0)]
    unread: list[tuple[Job, str]] = []
    findings: list[tuple[Job, tuple[Finding, ...]]] = []
    for job in jobs:
        try:
            prepared = prepare(job, outputs / "data", warn=False)
            if prepared.loaded.findings:
                findings.append((job, prepared.loaded.findings))
            found, own = _lengths(prepared, outline, store)
        except (UserError, JobError, DataError, ModelError) as error:
            unread.append((job, str(error)))
            continue
        keys.append(found)
        lengths.append(own)
    _, first = np.unique(np.concatenate(keys), axis=0, return_index=True)
    each = np.concatenate(lengths)[first]
    missing = int((~np.isnan(each)).sum())
    tokens = math.ceil(np.nansum(each) / per_token)
    return Cost(len(first), missing, tokens, per_token == 1, tuple(unread), tuple(findings))


def _lengths(prepared: Prepared, outline: Outline, store: Store) -> tuple[Keys, NDArray[np.float64]]:
    """The distinct texts of one job, and the lengths of those that are not stored."""
    wanted = [part for request in requests(prepared, outline) for part in request.encoded]
    texts = deduplicate([(request.name, request.items, request.variant) for request in wanted])
    lengths = np.full(len(texts.keys), np.nan)
    missing = np.flatnonzero(store.find(texts.keys)[:, 0] < 0)
    for variant, rows in _windows(texts, missing):
        lengths[rows] = _measured(outline, texts, wanted, rows, variant)
    return texts.keys, lengths


def _windows(texts: Distinct, missing: NDArray[np.int64]) -> Iterator[tuple[Variant, NDArray[np.int64]]]:
    numbers = texts.variant_of(missing)
    for number in np.unique(numbers):
        rows = missing[numbers == number]
        variant = texts.variants[number]
        at_once = BLOCKS_AT_ONCE * READ_AT_ONCE[variant.modality]
        for start in range(0, len(rows), at_once):
            yield variant, rows[start : start + at_once]


def _measured(
    outline: Outline, texts: Distinct, wanted: Sequence[Request], rows: NDArray[np.int64], variant: Variant
) -> NDArray[np.int64]:
    items: list[Any] = texts.pick([request.items for request in wanted], rows)
    if variant.modality == "image":
        assert isinstance(outline, ImageEncoder)
        # Patches are tokens already, and what is summed is characters.
        return outline.image_lengths(items) * CHARACTERS_PER_TOKEN
    if variant.modality == "text+image":
        assert isinstance(outline, CompositeEncoder)
        return outline.composite_lengths(items, variant) * CHARACTERS_PER_TOKEN
    return outline.lengths(items, variant)
