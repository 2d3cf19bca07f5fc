"""What else a record may have been made with: the claim with one thing changed, tried on the few rows that it keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.models.postprocess import Postprocess
from embedmark.runner.common.errors import EmbedmarkError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import ModelConfig
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import Job
from embedmark.runner.resolve import resolve_task
from embedmark.runner.results.evidence import DIMENSIONS, Evidence, Side, Vectors
from embedmark.runner.verify.stages import distance
from embedmark.runner.verify.verdict import SKETCH

POOLINGS = ("cls", "mean", "max", "lasttoken", "weightedmean")
DTYPES = ("float32", "bfloat16", "float16")
_ROW_BY_ROW = (None, "float16", "bfloat16", "binary", "float8_e4m3fn", "float8_e5m2")


def other_models(config: ModelConfig) -> Iterator[tuple[str, ModelConfig]]:
    """Yield what a model may have been instead, in words, the cheapest first. Not all of them can be opened."""
    for dtype in DTYPES:
        if dtype != config.dtype:
            yield f"dtype: {dtype}", config.model_copy(update={"dtype": dtype})
    for pooling in POOLINGS:
        parameters = {**config.parameters, "pooling": pooling}
        yield f"pooling: {pooling}", config.model_copy(update={"parameters": parameters})


def of_vectors(kept: Mapping[str, Side], raw: Mapping[str, NDArray[np.float32]], claimed: Postprocess) -> str | None:
    """Find what was done to vectors after the model, where the claim says otherwise.

    Args:
        kept: The record's sides.
        raw: The vectors of the same rows, as the model makes them.
        claimed: What the claim does to them.

    Returns:
        The first that gives what is on record, in words; None where none does.
    """
    some = next(iter(kept), None)
    if some is None:
        return None
    dim, widest = kept[some].used.dim, raw[some].shape[1]
    widths = (None,) if dim == widest else (dim,)
    for width, unit, norm, bits in product(widths, (None, True), (None, True), _ROW_BY_ROW):
        tried = Postprocess(width, unit, norm, bits, None)  # type: ignore[arg-type]
        if tried == claimed:
            continue
        if all(distance(side.used, _used(tried, raw[name])) <= SKETCH for name, side in kept.items()):
            return _in_words(tried, claimed)
    numbers = np.concatenate([np.array(side.used.first).ravel() for side in kept.values()])
    if claimed.quantize is None and (numbers == np.round(numbers)).all():
        return "quantize: integers"
    return None


def _used(postprocess: Postprocess, raw: NDArray[np.float32]) -> Vectors:
    try:
        vectors = postprocess(raw)
    except EmbedmarkError:
        return Vectors(dim=0, first=())
    return Vectors(dim=vectors.shape[1], first=tuple(tuple(map(float, row[:DIMENSIONS])) for row in vectors))


def _in_words(found: Postprocess, claimed: Postprocess) -> str:
    names = ("truncate_dim", "normalize", "layer_norm", "quantize")
    values: list[tuple[str, Any, Any]] = [(name, getattr(found, name), getattr(claimed, name)) for name in names]
    return ", ".join(f"{name}: {was} on record, {now} claimed" for name, was, now in values if was != now)


_MOST_SUBSETS = 20


def other_data(job: Job, catalogue: Catalogue) -> Iterator[tuple[str, Job]]:
    """Yield jobs whose rows a record may have instead, in words: other revisions, subsets, splits and transforms.

    Args:
        job: The claimed one.
        catalogue: Says what else there is of its task.
    """
    task = job.task
    if not catalogue.has("task", task.name):
        return
    known = catalogue.task(task.name)
    if known.dataset != task.config.dataset:
        changed = task.config.model_copy(update={"dataset": known.dataset})
        revision = getattr(known.dataset, "revision", None)
        yield f"dataset revision: {revision}", replace(job, task=resolve_task(changed, task.type, default_pins()))
    for split in dict.fromkeys((*known.splits, "train", "validation", "dev", "test")):
        if split != job.split:
            yield f"split: {split}", replace(job, split=split)
    for subset in list(known.subsets)[:_MOST_SUBSETS]:
        if subset != job.subset:
            yield f"subset: {subset}", replace(job, subset=subset)
    for words, transforms in (("those of the catalogue", known.transforms), ("none", ())):
        if transforms != task.config.transforms:
            changed = task.config.model_copy(update={"transforms": transforms})
            yield f"transforms: {words}", replace(job, task=resolve_task(changed, task.type, default_pins()))


def of_prompts(cause: str, kept: Evidence, again: Evidence, config: ModelConfig) -> str:
    """Name a difference of prompts by its kind: another side's, another template, or another text."""
    if not cause.startswith("prompt: "):
        return cause
    ours = {name: side.prompt for name, side in again.sides.items()}
    swapped = any(
        side.prompt != ours[name] and side.prompt in {prompt for other, prompt in ours.items() if other != name}
        for name, side in kept.sides.items()
    )
    if swapped:
        return f"side of prompt: {cause.removeprefix('prompt: ')}"
    return f"instruction template or {cause}" if config.instructions is not None else cause
