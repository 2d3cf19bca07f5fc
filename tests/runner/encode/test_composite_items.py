"""Items of a text and an image: what of them is encoded, and how one vector is made of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from embedmark.models.base import EncodeContext, Variant
from embedmark.models.postprocess import Postprocess
from embedmark.runner.common.errors import DataError, ModelError
from embedmark.runner.encode.engine import encode, encode_alone
from embedmark.runner.encode.keys import deduplicate
from embedmark.runner.encode.requests import requests
from embedmark.runner.encode.store import MemoryStore
from embedmark.tasks.base import Composite, Image, ItemSet, Modality, Rows, SimilarityName, TaskContext
from embedmark.tasks.columns import CompositeColumn, composite_items, part_of

ROWS = Rows({"text": ["a", "bb", "a"], "image": [b"x", b"yy", b"x"]})
ITEMS = composite_items(ROWS, {"text": "text", "image": "image"})
PAGES = ItemSet("corpus", ITEMS, "document", "text+image")
CONTEXT = TaskContext("Pages", "Retrieval")


class Lengths:
    """An encoder whose vectors are lengths: texts on the first axis, images on the second."""

    similarity: SimilarityName = "cosine"
    batch_tokens = 100

    def __init__(self, modalities: tuple[Modality, ...] = ("text", "image"), fusion: str | None = "sum") -> None:
        self.modalities = modalities
        self.fusion = fusion
        self.facts: dict[str, Any] = {}
        self.encoded: list[str] = []

    def variant(self, context: EncodeContext) -> Variant:
        return Variant("query: " if context.modality == "text" else "")

    def lengths(self, texts: Sequence[str], _variant: Variant) -> NDArray[np.int64]:
        return np.array([len(text) for text in texts])

    def encode(self, texts: Sequence[str], _variant: Variant) -> NDArray[np.float32]:
        self.encoded += texts
        return np.array([[len(text), 0] for text in texts], dtype=np.float32)

    def image_lengths(self, images: Sequence[Image]) -> NDArray[np.int64]:
        return np.array([len(image) for image in images])

    def encode_images(self, images: Sequence[Image], _variant: Variant) -> NDArray[np.float32]:
        return np.array([[0, len(image)] for image in images], dtype=np.float32)


class Joint(Lengths):
    """The same with a third axis for items of both."""

    def __init__(self) -> None:
        super().__init__()
        self.fusion = None

    def composite_lengths(self, items: Sequence[Composite], _variant: Variant) -> NDArray[np.int64]:
        return np.array([len(item) for item in items])

    def encode_composites(self, items: Sequence[Composite], _variant: Variant) -> NDArray[np.float32]:
        return np.array([[0, 0, len(item)] for item in items], dtype=np.float32)


def test_vectors_of_the_parts_are_added_before_anything_is_done_to_them() -> None:
    encoder = Lengths()
    (asked,) = requests("job", [PAGES], CONTEXT, encoder)
    encoded = encode(encoder, [asked], MemoryStore(), postprocess=Postprocess(normalize=True))
    added = np.array([[1, 1], [2, 2], [1, 1]], dtype=np.float32)
    np.testing.assert_array_equal(encoded.raw(asked, [0, 1, 2]), added)
    unit = added / np.linalg.norm(added, axis=1, keepdims=True)
    np.testing.assert_allclose(encoded.vectors(asked), unit)
    np.testing.assert_allclose(encoded.rows(asked)[1:], unit[1:])
    np.testing.assert_array_equal(encode_alone(encoder, asked, [1, 2]), added[1:])
    assert encoder.encoded == ["bb", "a", "bb", "a"], "each text once, and again where it is encoded alone"
    assert (encoded.distinct(asked), len(np.unique(encoded.keys_of(asked), axis=0))) == (2, 2)
    np.testing.assert_array_equal(encoded.keys_of(asked), asked.keys())


def test_parts_are_found_again_among_texts_and_images_of_other_items() -> None:
    encoder, store = Lengths(), MemoryStore()
    texts = ItemSet("texts", ITEMS.texts, "document")  # type: ignore[attr-defined]
    encode(encoder, requests("job", [texts], CONTEXT, encoder), store)
    again = encode(encoder, requests("job", [PAGES], CONTEXT, encoder), store)
    assert again.facts.reused == 2, "the two texts; the images are new"


def test_a_model_that_takes_both_at_once_is_given_both() -> None:
    (asked,) = requests("job", [PAGES], CONTEXT, Joint())
    assert asked.parts == ()
    found = encode(Joint(), [asked], MemoryStore())
    np.testing.assert_array_equal(found.vectors(asked)[:, 2], [2, 4, 2])


@pytest.mark.parametrize("modality", ["text", "image"])
def test_a_model_of_one_modality_is_given_that_part(modality: Modality) -> None:
    encoder = Lengths((modality,), None)
    (asked,) = requests("job", [PAGES], CONTEXT, encoder)
    assert (asked.variant.modality, list(asked.items)) == (modality, list(part_of(ITEMS, modality)))


def test_what_cannot_be_fused_is_refused() -> None:
    with pytest.raises(DataError, match="encode_composites"):
        requests("job", [PAGES], CONTEXT, Lengths(fusion=None))
    with pytest.raises(DataError, match="corpus are images, and the model takes texts alone"):
        requests("job", [ItemSet("corpus", [Image(b"x")], None, "image")], CONTEXT, Lengths(("text",)))


def test_towers_of_different_widths_cannot_be_added() -> None:
    class Wide(Lengths):
        def encode(self, texts: Sequence[str], _variant: Variant) -> NDArray[np.float32]:
            return np.ones((len(texts), 3), dtype=np.float32)

    with pytest.raises(ModelError, match="3"):
        encode(Wide(), requests("job", [PAGES], CONTEXT, Wide()), MemoryStore())


def test_keys_tell_where_the_text_ends() -> None:
    """Golden: a changed key would leave every stored embedding unfound."""
    one, other = Composite(("ab", Image(b"c"))), Composite(("a", Image(b"bc")))
    keys = deduplicate([("r", [one, other], Variant(modality="text+image"))]).keys
    assert (keys[0] != keys[1]).any()
    assert bytes(keys[0]).hex() == "ee4d5d8ad8b2d0b9714421944c6a7db3"


def test_columns_are_read_when_they_are_asked_for() -> None:
    assert isinstance(ITEMS, CompositeColumn)
    chosen = composite_items(ROWS, {"text": "text", "image": "image"}, [2, 1])
    assert [item.parts for item in chosen[:]] == [("a", Image(b"x")), ("bb", Image(b"yy"))]
    assert list(part_of(list(chosen), "image")) == [Image(b"x"), Image(b"yy")]
