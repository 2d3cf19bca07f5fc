"""What is asked of an encoder for the item sets of a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embedmark.models.base import EncodeContext, Sample, Treatment, Variant, fusion, takes
from embedmark.runner.common.errors import DataError
from embedmark.runner.encode.engine import Request
from embedmark.runner.encode.sample import samples
from embedmark.tasks.base import ItemModality, ItemSet, TaskContext, parts_of
from embedmark.tasks.columns import part_of, parts_taken


def requests(name: str, item_sets: Sequence[ItemSet], context: TaskContext, encoder: Treatment) -> tuple[Request, ...]:
    """One request an item set, after the sample that the encoder reads first, if any. name: of the job, for messages.

    Of composite items the parts are asked for that the encoder takes.

    Raises DataError when a sample is needed and its corpus is empty, when the encoder takes no part of an item, and
    when it takes several and cannot make one vector of them.
    """
    taken = [_taken(item_set, encoder) for item_set in item_sets]
    return tuple(
        _request(f"{name}: {item_set.name}", item_set, context, encoder, sample)
        for item_set, sample in zip(taken, samples(taken, encoder), strict=True)
    )


def _taken(item_set: ItemSet, encoder: Treatment) -> ItemSet:
    """An item set with the parts of its items that the encoder takes."""
    items, modality = parts_taken(item_set.name, item_set.items, item_set.modality, takes(encoder))
    return replace(item_set, items=items, modality=modality)


def _request(name: str, item_set: ItemSet, context: TaskContext, encoder: Treatment, sample: Sample | None) -> Request:
    def variant(modality: ItemModality) -> Variant:
        chosen = encoder.variant(EncodeContext(context, item_set.side, modality))
        return replace(chosen, sample=sample, modality=modality)

    whole = Request(name, item_set.items, variant(item_set.modality))
    parts = parts_of(item_set.modality)
    if len(parts) == 1 or fusion(encoder) == "joint":
        return whole
    if fusion(encoder) is None:
        raise DataError(
            f"{item_set.name} are of a text and an image each, and the model does not say how it makes one vector of "
            'both: give its class a method `encode_composites`, or an attribute `fusion` that is "sum"'
        )
    of_parts = tuple(Request(f"{name}, {part}s", part_of(item_set.items, part), variant(part)) for part in parts)
    return replace(whole, parts=of_parts)
