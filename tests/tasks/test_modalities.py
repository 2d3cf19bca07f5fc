"""Items that are images, or a text and an image, are scored as texts with the same vectors are."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from embedmark.tasks.base import Composite, Embeddings, Image, Item, Rows, Scores, TaskContext, TaskData, parts_of
from embedmark.tasks.types import task_types
from embedmark.testing import check_task_type

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
    "clustering_legacy": ({"sentences": TEXTS, "labels": [i % 3 for i in range(40)]}, {"whole": True}, "nmi"),
    "sts": ({**PAIRS, "score": [float(i % 5) for i in range(20)]}, {}, "cosine_spearman"),
    "pair_classification": ({**PAIRS, "labels": HALVES[:20]}, {}, "max_ap"),
}


LABELLED = {"classification", "multilabel_classification", "regression"}
OF_PAIRS = {"sts", "pair_classification"}


def score(kind: str, columns: dict[str, list[Any]], main: str, **settings: Any) -> tuple[Scores, frozenset[str]]:
    row = task_types()[kind]
    bound = row.settings(**settings)
    task = row.bind(bound, TaskContext("Alike", row.label), main)
    data = TaskData({split: Rows(columns) for split in task.splits()})
    sets = task.items(data)
    vectors = {found.name: np.stack([_vector(item) for item in found.items]) for found in sets}
    modalities = frozenset(part for found in sets for part in parts_of(found.modality))
    assert modalities == row.gives(bound)
    return task.evaluate(Embeddings(vectors), data), modalities


def _vector(item: Item) -> Any:
    return VECTORS[_text(item)]


def _text(item: Item) -> str:
    """What an item stands for: of composites the first half is the text, the other the image."""
    if isinstance(item, Composite):
        return "".join(map(_text, item.parts))
    return item.data.decode() if isinstance(item, Image) else item


@pytest.mark.parametrize("kind", CASES)
def test_images_are_scored_as_texts_of_the_same_bytes(kind: str) -> None:
    columns, settings, main = CASES[kind]
    texts, of_texts = score(kind, columns, main, **settings)
    pictures = {name: as_bytes(values) for name, values in columns.items()}
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


def halved(kind: str, columns: dict[str, list[Any]]) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Texts cut into texts and images, and the settings that name the columns of images."""
    split: dict[str, list[Any]] = {}
    images: dict[str, list[Any]] = {}
    for number, (name, values) in enumerate(columns.items()):
        if not isinstance(values[0], str):
            split[name] = values
            continue
        split[name] = [value[:4] for value in values]
        images[f"picture {number}"] = [value[4:].encode() for value in values]
    named = {"image_columns": tuple(images)} if kind in OF_PAIRS else {"image_column": next(iter(images))}
    return {**split, **images}, named


@pytest.mark.parametrize("modality", ["image", "text+image"])
@pytest.mark.parametrize("kind", CASES)
def test_items_of_every_kind_keep_the_laws(kind: str, modality: str) -> None:
    columns, settings, main = CASES[kind]
    if modality == "image":
        given, named = {name: as_bytes(values) for name, values in columns.items()}, {}
    else:
        given, named = halved(kind, columns)
    splits = ("train", "test") if kind in LABELLED else ("test",)
    said = json.loads(json.dumps({**settings, **named, "modality": modality}))
    scores = check_task_type(task_types()[kind], {split: Rows(given) for split in splits}, main, settings=said)
    assert scores.main_metric == main


def as_bytes(values: list[Any]) -> list[Any]:
    return [value.encode() if isinstance(value, str) else value for value in values]


@pytest.mark.parametrize("kind", CASES)
def test_a_text_and_an_image_are_scored_as_one_item(kind: str) -> None:
    columns, settings, main = CASES[kind]
    texts, _ = score(kind, columns, main, **settings)
    both_columns, named = halved(kind, columns)
    both, modalities = score(kind, both_columns, main, **settings, **named, modality="text+image")
    assert modalities == {"text", "image"}
    assert both.values == pytest.approx(texts.values, nan_ok=True, abs=0)
    assert len(set(both.items["_unit"].tolist())) == len(texts.items["_unit"])


@pytest.mark.parametrize("kind", sorted(OF_PAIRS))
def test_the_sides_of_a_pair_may_be_of_different_kinds(kind: str) -> None:
    columns, settings, main = CASES[kind]
    texts, _ = score(kind, columns, main, **settings)
    mixed = {**columns, "sentence2": [text.encode() for text in columns["sentence2"]]}
    found, modalities = score(kind, mixed, main, **settings, modalities=("text", "image"))
    assert modalities == {"text", "image"}
    assert found.values == pytest.approx(texts.values, nan_ok=True, abs=0)


def test_one_pair_of_images_is_no_table_of_lists() -> None:
    kind = task_types()["pair_classification"]
    task = kind.bind(kind.settings(modality="image"), TaskContext("One", kind.label), "max_ap")
    rows = Rows({"sentence1": [b"a"], "sentence2": [b"b"], "labels": [1]})
    assert [list(side.items) for side in task.items(TaskData({"test": rows}))] == [[Image(b"a")], [Image(b"b")]]
