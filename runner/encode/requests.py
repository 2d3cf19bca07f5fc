"""What is asked of an encoder for the item sets of a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embedmark.models.base import EncodeContext, Treatment
from embedmark.runner.encode.engine import Request
from embedmark.runner.encode.sample import samples
from embedmark.tasks.base import ItemSet, TaskContext


def requests(name: str, item_sets: Sequence[ItemSet], context: TaskContext, encoder: Treatment) -> tuple[Request, ...]:
    """One request an item set, after the sample that the encoder reads first, if any. name: of the job, for messages.

    Raises DataError when a sample is needed and its corpus is empty.
    """
    return tuple(
        Request(
            f"{name}: {item_set.name}",
            item_set.items,
            replace(
                encoder.variant(EncodeContext(context, item_set.side, item_set.modality)),
                sample=sample,
                modality=item_set.modality,
            ),
        )
        for item_set, sample in zip(item_sets, samples(item_sets, encoder), strict=True)
    )
