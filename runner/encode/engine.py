"""From texts to vectors: each text once, sorted by length, in batches of a token budget, kept as it goes.

Images go the same way as texts: what an image costs is the model's to say, in the unit in which it measures texts.

The unit of work and of reuse is a text under a variant (prompt and parameters). Texts of all requests are brought down
to distinct ones, looked up in the store, and what is missing is encoded window by window, so that memory does not grow
with the number of texts.

A model in two stages reads the variant's sample first, by the same way and through the same store, as soon as a text
after that sample is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import ContextualEncoder, Encoder, ImageEncoder, ModelError, TokenEncoder, Variant
from models.postprocess import Postprocess, checked
from runner.encode.keys import Distinct, distinct
from runner.encode.rows import StoredRows
from runner.encode.store import Places, Store
from runner.errors import UserError
from tasks.base import Image, Item, Modality, VectorRows

WINDOW_TEXTS = 65_536
WINDOW_SIZE = 32_000_000
"""How much is held at once as texts and tokens, or as images: items, and characters or bytes."""

FLUSH_SECONDS = 5.0
FLUSH_BYTES = 64 * 2**20
"""How much work a crash may lose."""

TOKENIZE_AT_ONCE = 1024
SIZE_PER_TOKEN: dict[Modality, float] = {"text": 4.0, "image": 1000.0}
"""Characters or bytes: a first guess for the estimate of work left, replaced as soon as something is measured."""


@dataclass(frozen=True, eq=False)
class Request:
    """Texts or images that a job wants encoded under one variant. `name` is what messages call it."""

    name: str
    items: Sequence[Item]
    variant: Variant


@dataclass(frozen=True)
class Progress:
    """How far encoding has come. Tokens are the measure of work left; their total is an estimate until the end."""

    texts_done: int
    texts_total: int
    tokens_done: int
    tokens_total: int


@dataclass(frozen=True)
class EncodeFacts:
    """What encoding took: texts asked for, distinct ones, those found in the store, tokens computed, seconds.

    batch_tokens is the budget that held to the end: smaller than the one asked for when memory ran out.
    """

    texts: int
    distinct: int
    reused: int
    tokens: int
    seconds: float
    batch_tokens: int


@dataclass(frozen=True)
class Encoded:
    """Vectors of all requests."""

    store: Store
    facts: EncodeFacts
    _texts: Distinct = field(repr=False)
    _places: Places = field(repr=False)
    _order: dict[Request, int] = field(repr=False)
    _postprocess: Postprocess = field(repr=False)
    _fresh: NDArray[np.bool_] = field(repr=False)

    def counts(self, requests: Sequence[Request]) -> tuple[int, int]:
        """Of the distinct texts of some requests, how many this call encoded and how many were in the store."""
        of_each = [self._texts.of_request(self._order[request]) for request in requests]
        rows = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *of_each]))
        encoded = int(self._fresh[rows].sum())
        return encoded, len(rows) - encoded

    def vectors(self, request: Request) -> NDArray[np.float32]:
        """Vectors of a request, in the order of its texts: float32 (n, dim)."""
        return self._postprocess(self.store.read(self._places_of(request)))

    def rows(self, request: Request) -> VectorRows:
        """The same, read a block at a time where what is done to a vector does not depend on the others."""
        if self._postprocess.needs_all_rows:
            return self.vectors(request)
        return StoredRows(self.store, self._places_of(request), self._postprocess)

    def _places_of(self, request: Request) -> Places:
        return self._places[self._texts.of_request(self._order[request])]


def encode(
    encoder: Encoder,
    requests: Sequence[Request],
    store: Store,
    *,
    batch_tokens: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    postprocess: Postprocess | None = None,
) -> Encoded:
    """Vectors of every text or image of every request.

    batch_tokens: padded tokens of a batch (characters for models without a tokenizer apart); by default what suits the
    model. on_progress is called after each batch. postprocess: applied to what is read, never to what is stored.

    Raises ModelError when the model returns something else than finite vectors of one width, tasks.base.DataError for
    texts or images that are none, UserError when the store is full. What was encoded before any error stays in the
    store.
    """
    started = time.monotonic()
    texts = distinct([(request.name, request.items, request.variant) for request in requests])
    places = store.find(texts.keys)
    fresh = places[:, 0] < 0
    work = _Work(
        encoder, requests, texts, store, places, batch_tokens or encoder.batch_tokens, on_progress or (lambda _: None)
    )
    reused = len(places) - work.texts_total
    work.run()
    facts = EncodeFacts(
        texts=len(texts.inverse),
        distinct=len(places),
        reused=reused,
        tokens=work.tokens_done,
        seconds=time.monotonic() - started,
        batch_tokens=work.budget,
    )
    order = {request: number for number, request in enumerate(requests)}
    return Encoded(store, facts, texts, places, order, postprocess or Postprocess(), fresh)


class _Work:
    """The missing texts of one call, on their way into the store."""

    def __init__(
        self,
        encoder: Encoder,
        requests: Sequence[Request],
        texts: Distinct,
        store: Store,
        places: Places,
        batch_tokens: int,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.encoder = encoder
        self.requests = requests
        self.texts = texts
        self.store = store
        self.places = places
        self.budget = batch_tokens
        self.on_progress = on_progress
        self.missing = np.flatnonzero(places[:, 0] < 0)
        self.texts_total = len(self.missing)
        self.texts_done = 0
        self.tokens_done = 0
        self._variant_numbers = texts.variant_of(self.missing)
        self._estimates = {modality: self._estimate(modality) for modality in SIZE_PER_TOKEN}
        self._dim: int | None = None
        self._pending: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []
        self._pending_bytes = 0
        self._flushed = time.monotonic()

    def run(self) -> None:
        """Encode everything that is missing. Whatever stops it, what is computed is kept."""
        self._report()
        try:
            for variant, windows in self._windows():
                encoder = self._stage(variant)
                for window in windows:
                    self._run_window(encoder, variant, window)
        except BaseException:
            with suppress(UserError):
                self._flush()
            raise
        self._flush()

    def _stage(self, variant: Variant) -> Encoder:
        """What encodes texts of that variant: the model, or its second stage after it has read the sample."""
        if variant.sample is None:
            return self.encoder
        assert isinstance(self.encoder, ContextualEncoder)
        name = next(request.name for request in self.requests if request.variant == variant)
        sample = Request(f"{name}, sample", variant.sample.texts, Variant(variant.sample.prompt))
        first = encode(self.encoder, [sample], self.store, batch_tokens=self.budget)
        return self.encoder.given(first.vectors(sample))

    def _windows(self) -> Iterator[tuple[Variant, list[NDArray[np.int64]]]]:
        """The missing texts of each variant, in windows of as many as may be held at once."""
        for number in np.unique(self._variant_numbers):
            rows = self.missing[self._variant_numbers == number]
            filled = np.cumsum(self.texts.sizes[rows]) // WINDOW_SIZE
            counted = np.arange(len(rows)) // WINDOW_TEXTS
            cuts = np.flatnonzero(np.diff(filled) | np.diff(counted)) + 1
            yield self.texts.variants[number], np.split(rows, cuts)

    def _run_window(self, encoder: Encoder, variant: Variant, window: NDArray[np.int64]) -> None:
        batches = _batches(encoder, self.texts.pick([request.items for request in self.requests], window), variant)
        lengths = batches.lengths
        self._estimates[variant.modality].measure(int(self.texts.sizes[window].sum()), int(lengths.sum()))
        order = np.argsort(-lengths, kind="stable")
        start = 0
        while start < len(order):
            rows = order[start : start + max(1, self.budget // max(1, int(lengths[order[start]])))]
            vectors = self._compute(batches, rows)
            self._keep(window[rows], vectors, int(lengths[rows].sum()))
            start += len(rows)

    def _compute(self, batches: _TokenBatches | _WholeBatches, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        try:
            vectors = checked(batches.run(rows), [batches.items[row] for row in rows], self._dim)
        except MemoryError as error:
            if len(rows) == 1:
                one = "image" if isinstance(batches.items[rows[0]], Image) else "text"
                raise ModelError(
                    f"not enough memory for one {one} of {batches.lengths[rows[0]]} tokens: {error}. Set the model's "
                    "max_tokens lower or use a larger device."
                ) from error
            self.budget = max(1, self.budget // 2)
            return np.concatenate([self._compute(batches, half) for half in np.array_split(rows, 2)])
        self._dim = vectors.shape[1]
        return vectors

    def _keep(self, rows: NDArray[np.int64], vectors: NDArray[np.float32], tokens: int) -> None:
        self._pending.append((rows, vectors))
        self._pending_bytes += vectors.nbytes
        self.texts_done += len(rows)
        self.tokens_done += tokens
        if self._pending_bytes >= FLUSH_BYTES or time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self._flush()
        self._report()

    def _flush(self) -> None:
        if self._pending:
            rows = np.concatenate([rows for rows, _ in self._pending])
            vectors = np.concatenate([vectors for _, vectors in self._pending])
            self._pending, self._pending_bytes = [], 0
            self.places[rows] = self.store.add(self.texts.keys[rows], vectors)
        self._flushed = time.monotonic()

    def _estimate(self, modality: Modality) -> _Estimate:
        of_modality = np.array([variant.modality == modality for variant in self.texts.variants], dtype=bool)
        rows = self.missing[of_modality[self._variant_numbers]]
        return _Estimate(int(self.texts.sizes[rows].sum()), SIZE_PER_TOKEN[modality])

    def _report(self) -> None:
        total = sum(estimate.tokens for estimate in self._estimates.values())
        self.on_progress(Progress(self.texts_done, self.texts_total, self.tokens_done, total))


class _Estimate:
    """What all items of one modality cost: what is measured, and by that the rest."""

    def __init__(self, size: int, size_per_token: float) -> None:
        self._size_left = size
        self._size_per_token = size_per_token
        self._size_known = 0
        self._tokens_known = 0

    def measure(self, size: int, tokens: int) -> None:
        """Take notice of what items of that size cost."""
        self._size_left -= size
        self._size_known += size
        self._tokens_known += tokens

    @property
    def tokens(self) -> int:
        """Measured and estimated."""
        per_token = self._size_known / self._tokens_known if self._tokens_known else self._size_per_token
        return self._tokens_known + int(self._size_left / max(per_token, 1e-9))


def _batches(encoder: Encoder, items: list[Any], variant: Variant) -> _TokenBatches | _WholeBatches:
    """A window of items, by the way that suits model and modality."""
    if variant.modality == "image":
        assert isinstance(encoder, ImageEncoder)
        images = encoder
        return _WholeBatches(items, images.image_lengths(items), lambda batch: images.encode_images(batch, variant))
    if isinstance(encoder, TokenEncoder):
        return _TokenBatches(encoder, items, variant)
    return _WholeBatches(items, encoder.lengths(items, variant), lambda batch: encoder.encode(batch, variant))


class _TokenBatches:
    """A window of texts, tokenized once and held as one flat array."""

    def __init__(self, encoder: TokenEncoder, texts: list[str], variant: Variant) -> None:
        self.items = texts
        self._encoder = encoder
        self._variant = variant
        parts: list[NDArray[np.int32]] = []
        sizes: list[int] = []
        for start in range(0, len(texts), TOKENIZE_AT_ONCE):
            tokens = encoder.tokenize(texts[start : start + TOKENIZE_AT_ONCE], variant)
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
