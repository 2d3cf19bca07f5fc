"""The two sides of pairs, as settings say: texts, images, or items of both; each side may be of another kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from embedmark.tasks.base import Item, ItemModality, ItemSet, Rows
from embedmark.tasks.columns import inputs_of
from embedmark.tasks.pairs.settings import PairInputs, pair_modalities


@dataclass(frozen=True)
class _Side:
    """What the settings say of one side."""

    modality: ItemModality
    input_column: str
    image_column: str


def pair_sets(rows: Rows, settings: PairInputs) -> list[ItemSet]:
    """Both sides, to be encoded under the names of their columns. Raises DataError as `pair_items`."""
    modalities = pair_modalities(settings)
    return [
        ItemSet(column, items, side, modality)
        for column, items, side, modality in zip(
            settings.columns, pair_items(rows, settings), settings.sides, modalities, strict=True
        )
    ]


def pair_items(rows: Rows, settings: PairInputs) -> tuple[Sequence[Item], Sequence[Item]]:
    """Both sides. Raises DataError where a column is missing, or a text is no string."""
    first, second = (
        inputs_of(rows, _Side(*said))
        for said in zip(pair_modalities(settings), settings.columns, settings.image_columns, strict=True)
    )
    return first, second
