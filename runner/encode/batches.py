"""A window of items as the model takes them: which batch costs what, and the vectors of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embedmark.models.base import CompositeEncoder, Encoder, ImageEncoder, PreparingEncoder, TokenEncoder, Variant
from embedmark.runner.common.errors import ModelError
from embedmark.runner.encode.ahead import Ready, decoded_bytes
from embedmark.tasks.base import Image

TOKENIZE_AT_ONCE = 1024


def batches_of(encoder: Encoder, items: list[Any], variant: Variant) -> Batches:
    """A window of items, by the way that suits model and modality."""
    if variant.modality == "image":
        assert isinstance(encoder, ImageEncoder)
        images = encoder
        lengths = _lengths(images.image_lengths(items), len(items))
        if not isinstance(images, PreparingEncoder):
            return _WholeBatches(items, lengths, lambda batch: images.encode_images(batch, variant))
        return PreparedBatches(items, lengths, images, variant)
    if variant.modality == "text+image":
        assert isinstance(encoder, CompositeEncoder)
        composites = encoder
        lengths = _lengths(composites.composite_lengths(items, variant), len(items))
        return _WholeBatches(items, lengths, lambda batch: composites.encode_composites(batch, variant))
    if isinstance(encoder, TokenEncoder):
        return _TokenBatches(encoder, items, variant)
    lengths = _lengths(encoder.lengths(items, variant), len(items))
    return _WholeBatches(items, lengths, lambda batch: encoder.encode(batch, variant))


def _lengths(found: Any, n_items: int) -> NDArray[np.int64]:
    """What a model says that items cost. Raises ModelError unless that is one number an item."""
    lengths = np.asarray(found)
    if lengths.shape != (n_items,) or lengths.dtype.kind not in "iuf" or not np.isfinite(lengths).all():
        raise ModelError(
            f"the model's lengths are {lengths.dtype} of shape {lengths.shape} for {n_items} texts or images; expected "
            f"one number for each, as in numpy's int64 ({n_items},)"
        )
    return lengths.astype(np.int64)


def finished(window: Batches, ready: Ready) -> NDArray[np.float32]:
    """The vectors of a batch that a thread has made ready."""
    assert isinstance(window, PreparedBatches)
    return window.finish(ready())


class Batches(Protocol):
    """A window of items, which is encoded batch by batch."""

    @property
    def items(self) -> list[Any]:
        """All of them."""
        ...

    @property
    def lengths(self) -> NDArray[np.int64]:
        """What each costs."""
        ...

    def run(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of those items of the window."""
        ...


@dataclass(frozen=True)
class PlannedBatch:
    """A batch: which of all distinct items it has, and which of its window."""

    items: NDArray[np.int64]
    window: Batches
    rows: NDArray[np.int64]

    @property
    def prepare(self) -> Callable[[], Any] | None:
        """What a thread can do for it."""
        window = self.window
        return partial(window.prepare, self.rows) if isinstance(window, PreparedBatches) else None

    @property
    def weight(self) -> int:
        """Bytes of its pixels."""
        return int(self.window.weights[self.rows].sum()) if isinstance(self.window, PreparedBatches) else 0


class PreparedBatches:
    """A window of images for a model that decodes them apart from its forward pass."""

    def __init__(
        self, items: list[Image], lengths: NDArray[np.int64], encoder: PreparingEncoder, variant: Variant
    ) -> None:
        self.items = items
        self.lengths = lengths
        self.weights = decoded_bytes(items)
        self._encoder = encoder
        self._variant = variant

    def prepare(self, rows: NDArray[np.int64]) -> Any:
        """Make ready what `finish` takes."""
        return self._encoder.prepare_images([self.items[row] for row in rows], self._variant)

    def finish(self, prepared: Any) -> NDArray[np.float32]:
        """The vectors of images that are ready."""
        return self._encoder.forward_images(prepared, self._variant)

    def run(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of those items of the window."""
        return self.finish(self.prepare(rows))


class _TokenBatches:
    """A window of texts, tokenized once and held as one flat array."""

    def __init__(self, encoder: TokenEncoder, texts: list[str], variant: Variant) -> None:
        self.items = texts
        self._encoder = encoder
        self._variant = variant
        parts: list[NDArray[np.int32]] = []
        sizes: list[int] = []
        for start in range(0, len(texts), TOKENIZE_AT_ONCE):
            some = texts[start : start + TOKENIZE_AT_ONCE]
            tokens = encoder.tokenize(some, variant)
            if len(tokens) != len(some):
                raise ModelError(f"the tokenizer returned {len(tokens)} token lists for {len(some)} texts")
            sizes += map(len, tokens)
            parts.append(np.fromiter(chain.from_iterable(tokens), dtype=np.int32))
        self.lengths: NDArray[np.int64] = np.array(sizes, dtype=np.int64)
        self._flat = np.concatenate(parts)
        self._ends = np.cumsum(self.lengths)

    def run(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of those texts of the window."""
        tokens = [self._flat[self._ends[row] - self.lengths[row] : self._ends[row]] for row in rows]
        return self._encoder.forward(tokens, self._variant)


@dataclass(frozen=True)
class _WholeBatches:
    """A window of items for a model that takes them as they are."""

    items: list[Any]
    lengths: NDArray[np.int64]
    encode: Callable[[list[Any]], NDArray[np.float32]]

    def run(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of those items of the window."""
        return self.encode([self.items[row] for row in rows])
