"""Pairs with the largest residual, translations that were not found, summaries and arrangements judged otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from embedmark.runner.inspect.items import Items, Parts, Source, numbered, text_of
from embedmark.tasks.base import Image, Item

_SHOWN = 10


def pairs(source: Source) -> Items:
    """A pair went well as far as its place among all pairs by similarity is that by judgment."""
    similarity = source.arrays["similarity"].astype(np.float64)
    gold = source.arrays["gold" if "gold" in source.arrays else "label"].astype(np.float64)
    residual = np.abs(rankdata(similarity) - rankdata(gold)) / max(1, len(gold))
    sides = source.sides

    def parts(row: int) -> Parts:
        texts = tuple((f"text {number}", text_of(side[row])) for number, side in enumerate(sides, start=1))
        return (*texts, ("similarity", f"{similarity[row]:.4f}"), ("right", f"{gold[row]:g}"))

    return Items(source.arrays["_unit"], 1 - residual, numbered("pair"), parts)


def translations(source: Source) -> Items:
    """A source went well where its translation was found."""
    gold, found = source.arrays["gold"], source.arrays["found"]
    from_side, to_side = source.sides

    def parts(row: int) -> Parts:
        return (
            ("source", text_of(from_side[row])),
            ("right", text_of(to_side[int(gold[row])])),
            ("found", text_of(to_side[int(found[row])])),
        )

    return Items(source.arrays["_unit"], source.arrays["correct"].astype(np.float64), numbered("pair"), parts)


def captions(source: Source) -> Items:
    """A row of images and texts went well where the main metric counts it."""
    settings, arrays = source.settings, source.arrays

    def parts(row: int) -> Parts:
        images = _cells(source, settings.image_columns, row)
        texts = _cells(source, settings.text_columns, row)
        nearest = [
            *(f"image {i} has text {arrays['text_of_image'][row, i - 1] + 1}" for i in range(1, len(images) + 1)),
            *(f"text {i} has image {arrays['image_of_text'][row, i - 1] + 1}" for i in range(1, len(texts) + 1)),
        ]
        return (
            *((f"image {number}", text_of(image)) for number, image in enumerate(images, start=1)),
            *((f"text {number}", text_of(text)) for number, text in enumerate(texts, start=1)),
            ("nearest", ", ".join(nearest)),
        )

    scores = arrays[source.prepared.job.task.config.main_metric].astype(np.float64)
    return Items(arrays["_unit"], scores, numbered("row"), parts)


def _cells(source: Source, columns: Sequence[str], row: int) -> list[Item]:
    """What columns hold in a row: an image or a text each, or lists of them."""
    found: list[Item] = []
    for column in columns:
        value = source.rows[column][row]
        for item in [value] if isinstance(value, str | bytes) else value:
            found.append(Image(item, f"column {column!r}, row {row}") if isinstance(item, bytes) else item)
    return found


def summaries(source: Source) -> Items:
    """A text went well as far as its summaries are near a human's as they are judged; NaN where it does not count."""
    rows, settings = source.rows, source.settings
    machine, judged = rows[settings.columns[1]], rows[settings.relevance_column]

    def parts(row: int) -> Parts:
        told = sorted(zip(map(float, judged[row]), machine[row], strict=True), key=lambda pair: -pair[0])
        text = (("text", str(rows["text"][row])),) if "text" in rows else ()
        return (*text, *((f"judged {score:g}", str(summary)) for score, summary in told[:_SHOWN]))

    scores = source.arrays[source.prepared.job.task.config.main_metric].astype(np.float64)
    return Items(source.arrays["_unit"], scores, numbered("text"), parts)


def arrangements(source: Source) -> Items:
    """An arrangement went well as far as the model agrees with its triplets; NaN where it has none."""
    texts = source.rows[source.settings.text_column]

    def parts(row: int) -> Parts:
        return tuple((f"text {number}", str(text)) for number, text in enumerate(texts[row][:_SHOWN], start=1))

    return Items(source.arrays["_unit"], source.arrays["agreement"].astype(np.float64), numbered("arrangement"), parts)
