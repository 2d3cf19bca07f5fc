"""Images, and texts beside images: every metric and repetition of every type equals the reference's."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pixels import of_pixels, of_text, picture
from test_labels import experiments_of

from embedmark.tasks.base import Composite, Embeddings, Item, Rows, Scores, TaskContext, TaskData
from embedmark.tasks.types import task_types

FACTS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "reference" / "pictures.json").read_text(encoding="utf-8")
)


def vector(item: Item) -> np.ndarray:
    """As in reference/images.py."""
    if isinstance(item, Composite):
        return np.sum([vector(part) for part in item.parts], axis=0)
    return of_text(item) if isinstance(item, str) else of_pixels(np.frombuffer(item.data, dtype=np.uint8))


def score(case: dict[str, Any], main: str = "") -> Scores:
    """Score a case; its images are their 64 pixels."""
    kind = task_types()[case["type"]]
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in case["settings"].items()}
    task = kind.bind(kind.settings(**settings), TaskContext("Pictures", kind.label), main or case["main"])
    tables = {
        split: {
            name: [picture(number).tobytes() for number in values] if name in case["images"] else values
            for name, values in columns.items()
        }
        for split, columns in case["data"].items()
    }
    data = TaskData({split: Rows(columns) for split, columns in tables.items()})
    vectors = {found.name: np.stack([vector(item) / 16 for item in found.items]) for found in task.items(data)}
    return task.evaluate(Embeddings(vectors, case["similarity"]), data)


def name_of(case: dict[str, Any]) -> str:
    return f"{case['type']}: {case['name']}, {case['similarity']}"


@pytest.mark.parametrize("case", FACTS, ids=name_of)
def test_every_metric_equals_the_reference(case: dict[str, Any]) -> None:
    scores = score(case)
    # Least squares in float32 differ in their last digits from one BLAS kernel to the next.
    close = {"rel": 5e-3, "abs": 5e-3} if case["type"] == "regression" else {"rel": 0, "abs": 1e-12}
    told = {
        metric: math.nan if value is None else value
        for metric, value in case["expected"].items()
        if not isinstance(value, list | dict)
    }
    assert {**scores.values, "main_score": scores.main_score} == pytest.approx(told, **close, nan_ok=True)
    repeated = dict(experiments_of(case["expected"]))
    assert bool(repeated) == bool(scores.experiments)
    for metric, values in repeated.items():
        wanted = [math.nan if value is None else value for value in values]
        found = [experiment.get(metric, math.nan) for experiment in scores.experiments]
        assert found == pytest.approx(wanted, **close, nan_ok=True), metric


def test_of_more_texts_than_images_no_image_is_right() -> None:
    by_name = {case["name"]: score(case).values for case in FACTS if case["type"] == "compositionality"}
    for name in ("one image, two texts", "one image, five texts"):
        assert (by_name[name]["image_acc"], by_name[name]["accuracy"]) == (0, 0), name
        assert 0 < by_name[name]["text_acc"] < 1, name
    assert (by_name["ten images, one text"]["text_acc"], by_name["ten images, one text"]["accuracy"]) == (0, 0)
    assert by_name["one of each"] == by_name["of each one"]
