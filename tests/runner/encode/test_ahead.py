"""Images are decoded in threads while the model is busy: the same vectors and errors, a bounded number of pixels."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pictures

from embedmark.models.base import EncodeContext, PreparingEncoder, Variant
from embedmark.runner.common.errors import DataError, ModelError
from embedmark.runner.encode import ahead, engine
from embedmark.runner.encode.engine import Encoding, Request
from embedmark.runner.encode.store import MemoryStore
from embedmark.tasks.base import Image, SimilarityName

PICTURE = Variant(modality="image")


def picture(shade: int, side: int = 2) -> Image:
    content = io.BytesIO()
    Pictures.new("RGB", (side, side + shade), (shade, 1, 2)).save(content, "PNG")
    return Image(content.getvalue(), f"row {shade}")


IMAGES = [picture(shade) for shade in range(20)]


class Shades:
    """A vector is an image's size and shade. most: images that fit in its memory."""

    similarity: SimilarityName = "cosine"
    batch_tokens = 4
    facts: Mapping[str, Any] = {}

    def __init__(self, most: int = 100) -> None:
        self.most = most
        self.batches: list[int] = []
        self.prepared = 0
        self.lead = 0
        self.two = threading.Event()

    def variant(self, context: EncodeContext) -> Variant:
        return Variant()

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        return np.ones(len(texts), dtype=np.int64)

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        raise NotImplementedError

    def image_lengths(self, images: Sequence[Image]) -> NDArray[np.int64]:
        return np.ones(len(images), dtype=np.int64)

    def encode_images(self, images: Sequence[Image], variant: Variant) -> NDArray[np.float32]:
        return self.forward_images(self.prepare_images(images, variant), variant)

    def prepare_images(self, images: Sequence[Image], variant: Variant) -> list[list[float]]:
        self.prepared += 1
        if self.prepared > 1:
            self.two.set()
        found = []
        for image in images:
            try:
                opened = Pictures.open(io.BytesIO(image.data))
            except OSError as error:
                raise DataError(f"{image.where}: cannot be decoded") from error
            shade: Any = opened.getpixel((0, 0))
            found.append([float(opened.width), float(opened.height), float(shade[0])])
        return found

    def forward_images(self, prepared: list[list[float]], variant: Variant) -> NDArray[np.float32]:
        self.lead = max(self.lead, self.prepared - len(self.batches))
        if len(prepared) > self.most:
            raise MemoryError("too many")
        self.batches.append(len(prepared))
        return np.array(prepared, dtype=np.float32)


def encoded(encoder: PreparingEncoder, images: Sequence[Image], **more: Any) -> Encoding:
    encoding = Encoding(encoder, [Request("r", images, PICTURE)], MemoryStore(), **more)
    with encoding:
        encoding.run()
    return encoding


def vectors(encoding: Encoding) -> list[list[float]]:
    found: list[list[float]] = encoding.vectors(encoding.requests[0]).tolist()
    return found


EXPECTED = Shades().prepare_images(IMAGES, PICTURE)


@pytest.mark.parametrize("window", [1, 200, 10**9])
def test_order_and_vectors_are_those_of_one_batch_after_the_other(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "WINDOW_SIZE", window)
    assert vectors(encoded(Shades(), IMAGES)) == EXPECTED


def test_the_next_batch_is_decoded_while_the_model_is_busy() -> None:
    class Waiting(Shades):
        def forward_images(self, prepared: list[list[float]], variant: Variant) -> NDArray[np.float32]:
            assert self.two.wait(20)
            return super().forward_images(prepared, variant)

    assert vectors(encoded(Waiting(), IMAGES)) == EXPECTED


def test_a_damaged_image_is_named_and_what_is_before_it_is_kept() -> None:
    images = [*IMAGES[:9], Image(b"\x89PNG no more", "row 9"), *IMAGES[10:]]
    encoding = Encoding(encoder := Shades(), [Request("r", images, PICTURE)], store := MemoryStore())
    with pytest.raises(DataError, match="row 9: cannot be decoded"), encoding:
        encoding.run()
    assert encoder.batches == [4, 4]
    assert (store.find(encoding.items.keys)[:, 0] >= 0).tolist() == [True] * 8 + [False] * 12
    apart = Encoding(encoder, [Request("1", images[8:12], PICTURE), Request("2", images[12:], PICTURE)], store)
    with pytest.raises(DataError), apart:
        apart.run()
    assert [apart.suspects([request]) for request in apart.requests] == [True, False]


def test_an_image_that_cannot_be_read_comes_after_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unreadable(list[Image]):
        def __getitem__(self, place: Any) -> Any:
            if not self.whole and isinstance(place, slice) and place.start >= 64:
                raise DataError("row 64 is lost")
            return super().__getitem__(place)

        whole = True

    images = Unreadable(picture(shade % 100, 2 + shade // 100) for shade in range(80))
    monkeypatch.setattr(engine, "WINDOW_SIZE", sum(map(len, images[:32])))
    encoding = Encoding(encoder := Shades(), [Request("r", images, PICTURE)], MemoryStore())
    images.whole = False
    with pytest.raises(DataError, match="row 64 is lost"), encoding:
        encoding.run()
    assert sum(encoder.batches) >= 60


def test_when_memory_runs_out_what_was_planned_is_cut_as_well() -> None:
    encoder = Shades(most=2)
    encoding = encoded(encoder, IMAGES)
    assert vectors(encoding) == EXPECTED
    assert (encoder.batches, encoding.budget) == ([2] * 10, 2)


def test_one_image_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(ModelError, match="not enough memory for one image"):
        encoded(Shades(most=0), IMAGES)


def test_memory_that_runs_out_while_decoding_halves_the_batch() -> None:
    class Small(Shades):
        def prepare_images(self, images: Sequence[Image], variant: Variant) -> list[list[float]]:
            if len(images) > 1:
                raise MemoryError("too many pixels")
            return super().prepare_images(images, variant)

    assert vectors(encoded(Small(), IMAGES)) == EXPECTED


def test_few_batches_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there are threads, and fewer where they are large."""
    monkeypatch.setattr(ahead, "_cores", lambda: 3)
    encoded(encoder := Shades(), IMAGES, batch_tokens=1)
    assert encoder.lead <= 5
    monkeypatch.setattr(ahead, "MOST_BYTES", 1)
    encoded(encoder := Shades(), IMAGES, batch_tokens=1)
    assert encoder.lead <= 2


def test_a_batch_of_large_images_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BATCH_BYTES", 3 * 50 * (50 + 20) * 2)
    images = [picture(shade, 50) for shade in range(6)]
    encoded(encoder := Shades(), images, batch_tokens=6)
    assert encoder.batches == [2, 2, 2]
