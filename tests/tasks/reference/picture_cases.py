"""The cases of pictures.py: small tables of images, and of texts beside images, for every type that takes them.

Settings are ours. `images` names the columns whose numbers are images, `modalities` are those of the reference's task.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from pixels import LABELS

Case = dict[str, Any]
Columns = dict[str, list[Any]]

N = len(LABELS)
SIMILARITIES = ("cosine", "dot", "euclidean", "manhattan")


def case(
    kind: str,
    name: str,
    data: dict[str, Columns],
    settings: dict[str, Any],
    images: list[str],
    modalities: list[str],
    similarity: str = "cosine",
) -> Case:
    """One case."""
    return {
        "type": kind,
        "name": name,
        "similarity": similarity,
        "settings": settings,
        "images": images,
        "modalities": modalities,
        "data": data,
    }


def said_of(number: int, draw: random.Random) -> str:
    """A text about an image, that is about another digit in a third of the cases."""
    digit = LABELS[number] if draw.random() < 0.67 else draw.randrange(10)
    return f"variant {draw.randrange(N)} of {digit}"


def drawn(draw: random.Random, n: int) -> list[int]:
    """Digits, some of them twice."""
    found = draw.choices(range(N), k=n)
    found[1::9] = found[: len(found[1::9])]
    return found


def with_texts(columns: Columns, column: str, draw: random.Random) -> Columns:
    return {**columns, "text": [said_of(number, draw) for number in columns[column]]}


# ------------------------------------------------------------------------------------------------- labels


def labelled(draw: random.Random, n: int, column: str, label: Any) -> Columns:
    numbers = drawn(draw, n)
    return {column: numbers, "label": [label(LABELS[number]) for number in numbers]}


def classification(draw: random.Random) -> Iterator[Case]:
    five = {"n_experiments": 5, "samples_per_label": 16}
    of_images = {"modality": "image", "input_column": "img"}
    for name, label in (
        ("ten digits", int),
        ("two classes", lambda digit: digit % 2),
        ("names", lambda d: "odd"[d % 3 :]),
    ):
        data = {split: labelled(draw, n, "img", label) for split, n in (("train", 300), ("test", 150))}
        yield case("classification", name, data, {**five, **of_images}, ["img"], ["image"])
    data = {
        split: with_texts(labelled(draw, n, "image", int), "image", draw)
        for split, n in (("train", 300), ("test", 150))
    }
    both = {"modality": "text+image", "input_column": "text"}
    yield case("classification", "tweets", data, {**five, **both}, ["image"], ["image", "text"])
    few = {"n_experiments": 3, "samples_per_label": 4}
    yield case("classification", "tweets, few", data, {**few, **both}, ["image"], ["text", "image"])


def several(digit: int) -> list[str]:
    names = {"even": digit % 2 == 0, "large": digit > 4, "prime": digit in (2, 3, 5, 7), "round": digit in (0, 6, 8, 9)}
    return [name for name, has in names.items() if has]


def multilabel(draw: random.Random) -> Iterator[Case]:
    kind = "multilabel_classification"
    data = {split: labelled(draw, n, "image", several) for split, n in (("train", 300), ("test", 200))}
    of_images = {"modality": "image", "input_column": "image", "samples_per_label": 8, "n_experiments": 5}
    yield case(kind, "as VOC2007", data, {**of_images, "max_eval_samples": None}, ["image"], ["image"])
    yield case(kind, "the test split cut", data, {**of_images, "max_eval_samples": 90}, ["image"], ["image"])
    regression = {"classifier": "logistic_regression", "max_eval_samples": None}
    yield case(kind, "a logistic regression a label", data, {**of_images, **regression}, ["image"], ["image"])
    both = {**of_images, "modality": "text+image", "input_column": "text"}
    tweets = {split: with_texts(rows, "image", draw) for split, rows in data.items()}
    for name, more in (("tweets", {}), ("tweets, a logistic regression a label", regression)):
        yield case(kind, name, tweets, {**both, **more}, ["image"], ["image", "text"])


def regression(draw: random.Random) -> Iterator[Case]:
    data = {split: labelled(draw, n, "image", float) for split, n in (("train", 400), ("test", 120))}
    data = {split: {"image": rows["image"], "value": rows["label"]} for split, rows in data.items()}
    settings = {"modality": "image", "input_column": "image", "n_samples": 300, "n_experiments": 3}
    yield case("regression", "how large a digit is", data, settings, ["image"], ["image"])


def zero_shot(draw: random.Random) -> Iterator[Case]:
    """Images alone are in images.json."""
    data = {"test": with_texts(labelled(draw, 150, "image", int), "image", draw)}
    candidates = [f"a photo of the number {digit}" for digit in range(10)]
    both = {"modality": "text+image", "input_column": "text", "candidate_labels": candidates}
    for likeness, modalities in (("softmax", ["image", "text"]), ("similarity", ["text", "image"])):
        settings = {**both, "likeness": likeness}
        yield case("zeroshot_classification", f"tweets, {likeness}", data, settings, ["image"], modalities)


# ------------------------------------------------------------------------------------------------- clusters


def clustering(draw: random.Random) -> Iterator[Case]:
    kind, few = "clustering", {"n_clusterings": 3, "max_documents_per_cluster": 300}
    data = {"test": labelled(draw, 240, "image", int)}
    of_images = {**few, "modality": "image", "input_column": "image", "label_column": "label"}
    half = {"max_fraction_of_documents_to_embed": 0.5}
    yield case(kind, "half of the images", data, {**of_images, **half}, ["image"], ["image"])
    every: dict[str, Any] = {"max_fraction_of_documents_to_embed": None}
    levels = {"test": labelled(draw, 200, "image", lambda digit: [digit % 2, digit])}
    yield case(kind, "levels", levels, {**of_images, **every}, ["image"], ["image"])
    both = {**of_images, **every, "modality": "text+image", "input_column": "text"}
    shelves = {"test": with_texts(data["test"], "image", draw)}
    yield case(kind, "products with their words", shelves, both, ["image"], ["image", "text"])


def whole_split(draw: random.Random) -> Iterator[Case]:
    kind, settings = "clustering_legacy", {"whole": True, "modality": "image", "input_column": "img"}
    of_label = {"label_column": "label"}
    for name, label, n in (
        ("ten labels", int, 300),
        ("three labels", lambda digit: digit // 4, 120),
        ("labels that are not from 0", lambda digit: 7 - digit % 5, 700),
        ("one label", lambda _: 4, 20),
    ):
        data = {"test": labelled(draw, n, "img", label)}
        yield case(kind, name, data, {**settings, **of_label}, ["img"], ["image"])
    flat = {"test": {"img": [-3] * 12 + [-10] * 9 + [5, 6], "label": [0] * 10 + [1] * 13}}
    yield case(kind, "images that repeat", flat, {**settings, **of_label}, ["img"], ["image"])


# ------------------------------------------------------------------------------------------------- pairs


def beside(draw: random.Random, n: int) -> tuple[list[int], list[int], list[float]]:
    """Pairs of images, how alike their digits are from 0 to 5; some pairs are of one image twice."""
    first, second = drawn(draw, n), drawn(draw, n)
    second[::7] = first[::7]
    scores = [
        float(max(0, min(5, 5 - abs(LABELS[a] - LABELS[b]) + draw.choice([-1, 0, 1]))))
        for a, b in zip(first, second, strict=True)
    ]
    return first, second, scores


def sts(draw: random.Random) -> Iterator[Case]:
    scale = {"min_score": 0, "max_score": 5, "columns": ["sentence1", "sentence2"]}
    first, second, scores = beside(draw, 160)
    pages = {"sentence1": first, "sentence2": second, "score": scores}
    for similarity in SIMILARITIES:
        settings = {**scale, "modality": "image"}
        yield case("sts", "pages", {"test": pages}, settings, ["sentence1", "sentence2"], ["image"], similarity)
    mixed = {**pages, "sentence2": [said_of(number, draw) for number in second]}
    settings = {**scale, "modalities": ["image", "text"]}
    yield case("sts", "images and texts", {"test": mixed}, settings, ["sentence1"], ["image", "text"])
    both = {
        **{name: [said_of(number, draw) for number in pages[name]] for name in scale["columns"]},
        **{"image1": first, "image2": second, "score": scores},
    }
    settings = {**scale, "modality": "text+image", "image_columns": ["image1", "image2"]}
    yield case("sts", "tweets", {"test": both}, settings, ["image1", "image2"], ["image", "text"], "dot")


def together(draw: random.Random) -> Iterator[Case]:
    kind, columns = "pair_classification", ["image1", "image2"]
    first, second, scores = beside(draw, 150)
    pairs = {"image1": first, "image2": second, "labels": [int(score > 3) for score in scores]}
    for similarity in SIMILARITIES:
        settings = {"modality": "image", "columns": columns}
        yield case(kind, "pairs of images", {"test": pairs}, settings, columns, ["image"], similarity)
    texts = {"text": [said_of(number, draw) for number in first], "image": second, "labels": pairs["labels"]}
    settings = {"modalities": ["text", "image"], "columns": ["text", "image"]}
    yield case(kind, "a text and an image", {"test": texts}, settings, ["image"], ["text", "image"], "dot")
    answered = {**texts, "page": first}
    settings = {"modalities": ["text+image", "image"], "columns": ["text", "image"], "image_columns": ["page", ""]}
    yield case(
        kind, "a text with an image and an image", {"test": answered}, settings, ["image", "page"], ["text", "image"]
    )
    one = {name: values[:1] for name, values in pairs.items()}
    yield case(kind, "one pair", {"test": one}, {"modality": "image", "columns": columns}, columns, ["image"])


def captions(draw: random.Random) -> Iterator[Case]:
    """Rows of digits and texts about them; and rows of patterns, in which much is equal."""

    def rows(n: int, n_images: int, n_texts: int, ties: bool) -> Iterator[tuple[list[int], list[str]]]:
        for _ in range(n):
            if ties:
                yield (
                    [-draw.randrange(1, 20) for _ in range(n_images)],
                    [f"pattern {draw.randrange(1, 20)}" for _ in range(n_texts)],
                )
                continue
            images = draw.sample(range(N), n_images)
            about = [images[place] if place < n_images else draw.randrange(N) for place in range(n_texts)]
            yield images, [said_of(number, draw) for number in about]

    def made(name: str, n: int, n_images: int, n_texts: int, *, ties: bool = False) -> Case:
        images, texts = ([f"{word} {i}" for i in range(k)] for word, k in (("image", n_images), ("caption", n_texts)))
        found = list(rows(n, n_images, n_texts, ties))
        data = {
            **{column: [of_row[i] for of_row, _ in found] for i, column in enumerate(images)},
            **{column: [of_row[i] for _, of_row in found] for i, column in enumerate(texts)},
        }
        settings = {"image_columns": images, "text_columns": texts}
        return case("compositionality", name, {"test": data}, settings, images, ["text", "image"])

    yield made("one image, two texts", 200, 1, 2)
    yield made("one image, five texts", 103, 1, 5)
    yield made("two images, two texts", 151, 2, 2)
    yield made("ten images, one text", 97, 10, 1)
    yield made("three images, two texts", 61, 3, 2)
    yield made("one of each", 17, 1, 1)
    yield made("one of each, in tuples", 17, 1, 1) | {"name": "of each one"}
    yield made("one row", 1, 2, 2)
    for n_images, n_texts in ((1, 2), (1, 5), (2, 2), (10, 1), (3, 2)):
        yield made(f"ties, {n_images} by {n_texts}", 90, n_images, n_texts, ties=True)


def cases() -> Iterator[Case]:
    """All of them."""
    kinds = (classification, multilabel, regression, zero_shot, clustering, whole_split, sts, together, captions)
    for number, kind in enumerate(kinds):
        yield from kind(random.Random(number + 100))
