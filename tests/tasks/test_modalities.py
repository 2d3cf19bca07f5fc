"""Items of a column of images are scored as those of a column of texts are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from embedmark.tasks.base import Embeddings, Image, Item, Rows, Scores, TaskContext, TaskData
from embedmark.tasks.types import task_types

TEXTS = [f"item {i}" for i in range(40)]
VECTORS = dict(zip(TEXTS, np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32), strict=True))
PAIRS = {"sentence1": TEXTS[:20], "sentence2": TEXTS[20:]}
HALVES = [i % 2 for i in range(40)]

CASES: dict[str, tuple[dict[str, list[Any]], dict[str, Any], str]] = {
    "classification": ({"text": TEXTS, "label": HALVES}, {}, "accuracy"),
    "multilabel_classification": ({"text": TEXTS, "label": [[i % 2, 2 + i % 3] for i in range(40)]}, {}, "lrap"),
    "regression": ({"text": TEXTS, "value": list(range(40))}, {"n_samples": 20}, "kendalltau"),
    "zeroshot_classification": ({"text": TEXTS, "label": HALVES}, {"candidate_labels": tuple(TEXTS[:2])}, "accuracy"),
    "clustering": (
        {"sentences": TEXTS, "labels": HALVES},
        {"max_fraction_of_documents_to_embed": 0.5, "max_documents_per_cluster": 30},
        "v_measure",
    ),
    "sts": ({**PAIRS, "score": [float(i % 5) for i in range(20)]}, {}, "cosine_spearman"),
    "pair_classification": ({**PAIRS, "labels": HALVES[:20]}, {}, "max_ap"),
}


def score(kind: str, columns: dict[str, list[Any]], main: str, **settings: Any) -> tuple[Scores, frozenset[str]]:
    row = task_types()[kind]
    bound = row.settings(**settings)
    task = row.bind(bound, TaskContext("Alike", row.label), main)
    data = TaskData({split: Rows(columns) for split in task.splits()})
    sets = task.items(data)
    vectors = {found.name: np.stack([_vector(item) for item in found.items]) for found in sets}
    modalities = frozenset(found.modality for found in sets)
    assert modalities == row.gives(bound)
    return task.evaluate(Embeddings(vectors), data), modalities


def _vector(item: Item) -> Any:
    return VECTORS[item.data.decode() if isinstance(item, Image) else item]


@pytest.mark.parametrize("kind", CASES)
def test_images_are_scored_as_texts_of_the_same_bytes(kind: str) -> None:
    columns, settings, main = CASES[kind]
    texts, of_texts = score(kind, columns, main, **settings)
    pictures = {
        name: [value.encode() if isinstance(value, str) else value for value in values]
        for name, values in columns.items()
    }
    images, of_images = score(kind, pictures, main, **settings, modality="image")
    assert (of_texts, of_images - {"text"}) == ({"text"}, {"image"})
    assert images.values == pytest.approx(texts.values, nan_ok=True, abs=0)
    assert images.items.keys() == texts.items.keys()
    for name, values in texts.items.items():
        np.testing.assert_array_equal(images.items[name], values, name)


def test_tasks_of_images_by_either_name_are_scored_alike() -> None:
    columns = {"image": [text.encode() for text in TEXTS], "label": HALVES}
    candidates = {"candidate_labels": tuple(TEXTS[:2]), "likeness": "softmax"}
    by_column = score("zeroshot_classification", columns, "ap", input_column="image", modality="image", **candidates)
    by_type = score("zeroshot_image_classification", columns, "ap", **candidates)
    assert by_column[0].values == by_type[0].values
