"""Zero-shot classification of images: every metric equals the reference's, and data that cannot be scored is named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pixels import DIGITS, of_pixels, of_text

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Embeddings, Image, Item, Rows, TaskContext, TaskData
from embedmark.tasks.labels.settings import ZeroShotImageClassificationSettings
from embedmark.tasks.labels.zeroshot_classification import ZeroShotClassification

FACTS = json.loads((Path(__file__).parent / "reference" / "images.json").read_text(encoding="utf-8"))
NUMBER = "a photo of the number {label}"


def bound(**settings: Any) -> ZeroShotClassification:
    context = TaskContext("Digits", "ZeroShotClassification")
    return ZeroShotClassification(ZeroShotImageClassificationSettings(**settings), context, "accuracy")


def digits(wanted: Sequence[int]) -> Rows:
    """Images as their 64 pixels, labelled by place."""
    rows = np.flatnonzero(np.isin(DIGITS.target, wanted))
    pixels = [DIGITS.images[row].astype("uint8").tobytes() for row in rows]
    labels = [wanted.index(DIGITS.target[row]) for row in rows]
    return Rows({"image": pixels, "label": labels}, {"label": tuple(map(str, wanted))})


def vector(item: Item) -> np.ndarray:
    """As in reference/images.py."""
    if isinstance(item, Image):
        return of_pixels(np.frombuffer(item.data, dtype=np.uint8))
    assert isinstance(item, str)
    return of_text(item)


@pytest.mark.parametrize(
    "case", FACTS, ids=lambda case: f"{case['modalities'][0]} first, {len(case['digits'])}, {case['similarity']}"
)
def test_every_metric_equals_the_reference(case: dict[str, Any]) -> None:
    likeness = "softmax" if case["modalities"] == ["image", "text"] else "similarity"
    task, data = bound(template=NUMBER, likeness=likeness), TaskData({"test": digits(case["digits"])})
    vectors = {items.name: np.stack([vector(item) for item in items.items]) for items in task.items(data)}
    scores = task.evaluate(Embeddings(vectors, case["similarity"]), data)
    expected = case["expected"]
    assert scores.main_score == pytest.approx(expected.pop("main_score"), abs=1e-6)
    assert {name: scores.values[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert all(np.isnan(value) for name, value in scores.values.items() if name not in expected)


def test_candidates_are_texts_and_inputs_images() -> None:
    candidates, inputs = bound(template=NUMBER).items(TaskData({"test": digits([3, 8])}))
    assert (candidates.modality, inputs.modality) == ("text", "image")
    assert list(candidates.items) == ["a photo of the number 3", "a photo of the number 8"]
    assert inputs.items[-1] == inputs.items[len(inputs.items) - 1]
    assert [image.where for image in inputs.items[1:3]] == ["column 'image', row 1", "column 'image', row 2"]


def test_labels_may_be_the_candidates_themselves() -> None:
    data = TaskData({"test": Rows({"image": [b"a", b"b", b"a"], "label": ["cat", "dog", "dog"]})})
    task = bound(candidate_labels=("dog", "cat"))
    vectors = {"candidates": np.eye(2, dtype=np.float32), "inputs": np.eye(2, dtype=np.float32)[[1, 0, 1]]}
    assert task.evaluate(Embeddings(vectors), data).main_score == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("settings", "columns", "message"),
    [
        ({}, {"image": [b"a"], "label": [0]}, "'label' has no class names, so give the texts as `candidate_labels`"),
        ({"candidate_labels": ("one",)}, {"image": [b"a"], "label": [0]}, "at least two candidates, found"),
        ({"candidate_labels": ("a", "b")}, {"image": [b"a"], "label": ["c"]}, "not among `candidate_labels`"),
        (
            {"candidate_labels": ("a", "b")},
            {"image": ["no bytes"], "label": [0]},
            "'image', row 0: expected an encoded",
        ),
        ({"candidate_labels": ("a", "b")}, {"picture": [b"a"], "label": [0]}, "no column 'image'"),
    ],
)
def test_data_that_cannot_be_scored_is_refused_with_a_reason(
    settings: dict[str, Any], columns: dict[str, list[Any]], message: str
) -> None:
    task, data = bound(**settings), TaskData({"test": Rows(columns)})

    def score() -> None:
        vectors = {items.name: np.ones((len(items.items[:]), 2), np.float32) for items in task.items(data)}
        task.evaluate(Embeddings(vectors), data)

    with pytest.raises(DataError, match=message):
        score()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"template": "a photo"}, "{label} in it"),
        ({"template": "a {label}", "candidate_labels": ("a", "b")}, "both set"),
    ],
)
def test_settings_that_contradict_themselves(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ZeroShotImageClassificationSettings(**settings)
