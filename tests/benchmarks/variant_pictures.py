"""Small datasets of pictures, in their publishers' layouts, for one task of every variant of the types of one table."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from layout_pictures import dataset, picture
from layout_rows import Repository, Row

from embedmark.runner.config.schema import TaskConfig

Column = Callable[[random.Random], Row]
Make = Callable[[random.Random, TaskConfig, tuple[str, ...]], Repository]


def _picture(rng: random.Random) -> bytes:
    """One of a hundred, so that pictures repeat."""
    return picture(rng.randrange(100))


def _table(column: Column, n: int = 60, *, train: int = 0, classes: Mapping[str, list[str]] | None = None) -> Make:
    """A table a subset and split, and one to learn from where `train` says how many rows it has."""

    def make(rng: random.Random, task: TaskConfig, subsets: tuple[str, ...]) -> Repository:
        sizes = {**({"train": train} if train else {}), **dict.fromkeys(task.splits, n)}
        return {
            (getattr(task.dataset, "config", None) or subset, split): dataset(
                [column(rng) for _ in range(size)], classes
            )
            for subset in subsets
            for split, size in sizes.items()
        }

    return make


def _labelled(name: str, label: str, n_labels: int) -> Column:
    return lambda rng: {name: _picture(rng), label: rng.randrange(n_labels)}


def _tweet(rng: random.Random) -> Row:
    return {"image": _picture(rng), "text": f"text {rng.randrange(30)}", "label": rng.randrange(3)}


def _objects(rng: random.Random) -> Row:
    return {"image": _picture(rng), "classes": rng.sample(range(6), rng.randrange(1, 4))}


def _pages(rng: random.Random) -> Row:
    return {"sentence1": _picture(rng), "sentence2": _picture(rng), "score": round(5 * rng.random(), 1)}


def _captions(images: tuple[str, ...], texts: tuple[str, ...]) -> Column:
    return lambda rng: {
        **{name: _picture(rng) for name in images},
        **{name: f"{name} {rng.randrange(90)}" for name in texts},
    }


def _hard(number: int) -> tuple[str, ...]:
    return ("correct_caption", *(f"hard_text_{place}" for place in range(1, number + 1)))


def _only_train(column: Column) -> Make:
    return lambda rng, *_: {("default", "train"): dataset([column(rng) for _ in range(60)])}


def _image_code(rng: random.Random, *_: Any) -> Repository:
    corpus = [{"id": f"set{i // 10}-{i % 10}", "image": picture(i, "code"), "text": None} for i in range(80)]
    queries = [{"id": f"q{i}", "text": f"the one {i}", "image": None} for i in range(60)]
    right = [rng.randrange(10) for _ in queries]
    qrels = [
        {"query-id": f"q{i}", "corpus-id": f"set{i % 8}-{j}", "score": int(j == right[i])}
        for i in range(60)
        for j in range(10)
    ]
    parts: dict[tuple[str, str], list[Any]] = {
        ("corpus", "corpus"): corpus, ("query", "test"): queries, ("qrels", "test"): qrels,
    }  # fmt: skip
    return {place: dataset(rows) for place, rows in parts.items()}


_ONE = ("default",)
_DIGITS = {"label": [str(digit) for digit in range(10)]}

VARIANTS: Mapping[str, tuple[tuple[str, ...], Make]] = {
    "CIFAR10": (_ONE, _table(_labelled("img", "label", 4), train=120)),
    "CrisisMMDInformativeClassification": (_ONE, _table(_tweet, train=120)),
    "VOC2007.v2": (_ONE, _table(_objects, train=120)),
    "MNISTZeroShot": (_ONE, _table(_labelled("image", "label", 10), classes=_DIGITS)),
    "ImageNet10Clustering": (_ONE, _table(_labelled("image", "label", 5), 90)),
    "FineGrainOCRITClustering": (_ONE, _table(_tweet, 90)),
    "STS13VisualSTS": (_ONE, _table(_pages)),
    "STS17MultilingualVisualSTS": (("ko-ko", "en-en"), _table(_pages)),
    "AROCocoOrder": (_ONE, _table(_captions(("images",), _hard(4)))),
    "AROVisualRelation": (_ONE, _table(_captions(("image",), ("true_caption", "false_caption")))),
    "SugarCrepe": (_ONE, _only_train(_captions(("images",), ("caption", "negative_caption")))),
    "Winoground": (_ONE, _table(_captions(("image_0", "image_1"), ("caption_0", "caption_1")))),
    "ImageCoDe": (_ONE, _image_code),
}
"""Task → some of its subsets, and what makes their rows."""
