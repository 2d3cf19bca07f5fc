"""Images through the engine: each once, apart from texts, the same vectors in any company."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import tiny_clip

from embedmark.models.base import ImageEncoder, PreparingEncoder, Variant
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.sentence_transformer import load
from embedmark.runner.common.errors import DataError, ModelError
from embedmark.runner.config.schema import PackageDataset
from embedmark.runner.data.sources.package import read
from embedmark.runner.data.table import Table
from embedmark.runner.encode import engine
from embedmark.runner.encode.engine import Progress, Request, encode
from embedmark.runner.encode.keys import deduplicate
from embedmark.runner.encode.store import DiskStore, MemoryStore
from embedmark.tasks.base import Image, Item

PICTURE, PLAIN = Variant(modality="image"), Variant()


def _digits() -> list[Image]:
    table = read(PackageDataset(package="scikit-learn", version="1.9.1", reader="sklearn_digits"), ["test"]).splits
    assert isinstance(table["test"], Table)
    return [Image(content) for content in table["test"].values("image")[:40]]


DIGITS = _digits()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> ImageEncoder:
    loaded = load(ModelSpec("clip", tiny_clip(tmp_path_factory.mktemp("clip")), device="cpu"))
    assert isinstance(loaded, ImageEncoder)
    return loaded


def test_keys_of_images_stay_what_they_are() -> None:
    """Golden: a changed key would leave every stored embedding unfound."""
    keys = deduplicate([("r", [Image(b"content")], Variant("", (("task", "x"),), modality="image"))]).keys
    assert [bytes(key).hex() for key in keys] == ["34054ecf71be794ef96612816ed7b902"]


def test_equal_bytes_are_one_image_wherever_they_are_from() -> None:
    items = [Image(b"a", "row 1"), Image(b"b"), Image(b"a", "row 3")]
    found = deduplicate([("r", items, PICTURE), ("again", items[1:], PICTURE)])
    assert list(found.inverse) == [0, 1, 0, 1, 0]
    assert list(found.sizes) == [1, 1]
    assert found.pick([items, items[1:]], np.arange(2)) == items[:2]


def test_an_image_is_not_the_text_of_its_bytes() -> None:
    keys = deduplicate([("r", ["content"], PLAIN), ("r", [Image(b"content")], PICTURE)]).keys
    assert (keys[0] != keys[1]).any()


@pytest.mark.parametrize(
    ("items", "variant", "message"),
    [
        ([Image(b"a"), "a"], PICTURE, "MNIST: row 1 is 'a'; expected an image"),
        (["a", Image(b"a", "here")], PLAIN, r"MNIST: row 1 is Image\(where='here'\); expected a text"),
    ],
)
def test_items_of_another_modality_are_named(items: list[Item], variant: Variant, message: str) -> None:
    with pytest.raises(DataError, match=message):
        deduplicate([("MNIST", items, variant)])


@settings(max_examples=10)
@given(
    st.lists(st.tuples(st.booleans(), st.lists(st.integers(0, 39), min_size=1, max_size=8)), min_size=1, max_size=4),
    st.integers(1, 200),
    st.data(),
)
def test_vectors_do_not_depend_on_company(
    clip: ImageEncoder, wanted: list[tuple[bool, list[int]]], batch_tokens: int, data: st.DataObject
) -> None:
    """Order, batch size, duplicates and other requests, of texts too, move no vector by more than the last digits."""
    requests = [
        Request("images", [DIGITS[row] for row in rows], PICTURE)
        if pictured
        else Request("texts", [f"a photo of {row}" for row in rows], PLAIN)
        for pictured, rows in wanted
    ]
    encoded = encode(clip, data.draw(st.permutations(requests)), MemoryStore(), batch_tokens=batch_tokens)
    for request in requests:
        one: Any = clip.encode_images if request.variant == PICTURE else clip.encode
        alone = np.concatenate([one([item], request.variant) for item in request.items])
        np.testing.assert_allclose(encoded.vectors(request), alone, atol=4e-6)


def counted(clip: ImageEncoder, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches of images that a model is given from here on."""
    batches: list[int] = []
    assert isinstance(clip, PreparingEncoder)
    real = clip.forward_images

    def forward_images(prepared: Any, variant: Variant) -> Any:
        batches.append(len(prepared["pixel_values"]))
        return real(prepared, variant)

    monkeypatch.setattr(clip, "forward_images", forward_images)
    return batches


def test_each_image_is_encoded_once_and_found_again(
    clip: ImageEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = counted(clip, monkeypatch)
    request = Request("r", [*DIGITS, *DIGITS[::-1]], PICTURE)
    first = encode(clip, [request], DiskStore(tmp_path / "m", {}), batch_tokens=17 * 15)
    assert batches == [15, 15, 10]
    again = encode(clip, [request], DiskStore(tmp_path / "m", {}))
    assert sum(batches) == 40
    assert (again.facts.reused, again.facts.tokens) == (40, 0)
    np.testing.assert_array_equal(again.vectors(request), first.vectors(request))


def test_windows_bound_the_bytes_that_are_held(clip: ImageEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request("r", DIGITS, PICTURE)
    expected = encode(clip, [request], MemoryStore()).vectors(request)
    monkeypatch.setattr(engine, "WINDOW_SIZE", 5 * len(DIGITS[0]))
    batches = counted(clip, monkeypatch)
    np.testing.assert_allclose(encode(clip, [request], MemoryStore()).vectors(request), expected, atol=4e-6)
    assert max(batches) <= 5


def test_the_total_is_estimated_apart_for_texts_and_images(clip: ImageEncoder) -> None:
    """A character of a text costs a token here, a byte of an image a ninth of one: neither tells of the other."""
    seen: list[Progress] = []
    requests = [Request("t", [f"a photo of {n}" for n in range(30)], PLAIN), Request("i", DIGITS, PICTURE)]
    encode(clip, requests, MemoryStore(), batch_tokens=100, on_progress=seen.append)
    assert seen[-1].tokens_done == seen[-1].tokens_total
    assert seen[-1].items_done == 70
    halfway = next(progress for progress in seen if progress.items_done >= 30)
    assert halfway.tokens_total < 2 * seen[-1].tokens_total


def test_an_image_too_large_for_the_memory_is_named(clip: ImageEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    def forward_images(_prepared: Any, _variant: Variant) -> Any:
        raise MemoryError("CUDA out of memory")

    monkeypatch.setattr(clip, "forward_images", forward_images)
    with pytest.raises(ModelError, match="one image of 17 tokens"):
        encode(clip, [Request("r", DIGITS[:1], PICTURE)], MemoryStore())
