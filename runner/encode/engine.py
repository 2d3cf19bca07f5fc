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
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from itertools import chain
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embedmark.models.base import ContextualEncoder, Encoder, Sample, TokenEncoder, Variant
from embedmark.models.postprocess import Postprocess, checked
from embedmark.runner.common.errors import ModelError
from embedmark.runner.encode.ahead import BATCH_BYTES, Ready, ahead
from embedmark.runner.encode.batches import Batches, PlannedBatch, PreparedBatches, batches_of, finished
from embedmark.runner.encode.keys import Digests, digests, joined, merged
from embedmark.runner.encode.rows import StoredRows, read_sum
from embedmark.runner.encode.shard import Keys
from embedmark.runner.encode.store import MemoryStore, Places, Store
from embedmark.tasks.base import Item, ItemModality, VectorRows

WINDOW_TEXTS = 65_536
WINDOW_SIZE = 32_000_000
"""How much is held at once as texts and tokens, or as images: items, and characters or bytes."""

FLUSH_SECONDS = 5.0
FLUSH_BYTES = 64 * 2**20
"""How much work a crash may lose."""

SIZE_PER_TOKEN: dict[ItemModality, float] = {"text": 4.0, "image": 1000.0, "text+image": 1000.0}
"""Characters or bytes: a first guess for the estimate of work left, replaced as soon as something is measured."""


@dataclass(frozen=True, eq=False)
class Request:
    """Items that a job wants encoded under one variant. `name` is what messages call it.

    parts: for items whose vectors are the sum of those of their parts, a request a part; what is encoded is theirs.
    """

    name: str
    items: Sequence[Item]
    variant: Variant
    parts: tuple[Request, ...] = ()

    @property
    def encoded(self) -> tuple[Request, ...]:
        """The requests whose items are encoded: its parts, or itself."""
        return self.parts or (self,)

    def digests(self) -> tuple[Digests, ...]:
        """The keys of the items that are encoded, a request of `encoded` each. Raises DataError for an invalid item."""
        return tuple(digests(part.name, part.items, part.variant) for part in self.encoded)

    def keys(self) -> Keys:
        """The key of each item: (n, 2). Raises DataError for an invalid item."""
        return joined([found.keys for found in self.digests()])


@dataclass(frozen=True)
class Progress:
    """How far encoding has come. Tokens are the measure of work left; their total is an estimate until the end."""

    items_done: int
    items_total: int
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


class Encoding:
    """The items of some requests on their way into the store, and out of it again.

    All requests are known from the start, so that a text that several have is encoded once; `run` encodes some of them
    or all, in any order and as often as is wanted. What is encoded is written now and then, and when `flush` is called;
    a request can be read as soon as all of it is written (`is_ready`).

    Leaving the context writes what is encoded, also when an error ends it.

    Args:
        encoder: The model; None as long as it is not opened, which `run` needs where something is missing.
        requests: What is wanted.
        store: Where vectors are kept.
        batch_tokens: Padded tokens of a batch (characters for models without a tokenizer apart); by default what suits
            the model.
        on_progress: Called after each batch.
        postprocess: Applied to what is read, never to what is stored.
        digests: Those of each request, one after the other, where they are known already.

    Raises:
        tasks.base.DataError: Invalid texts or images.
    """

    def __init__(
        self,
        encoder: Encoder | None,
        requests: Sequence[Request],
        store: Store,
        *,
        batch_tokens: int | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        postprocess: Postprocess | None = None,
        digests: Sequence[Digests] | None = None,
    ) -> None:
        self.requests = requests
        self.store = store
        self._batch_tokens = batch_tokens
        self._encoder: Encoder | None = None
        self.budget = 0
        if encoder is not None:
            self.use(encoder)
        self._encoded = [part for request in requests for part in request.encoded]
        each = digests if digests is not None else [found for request in requests for found in request.digests()]
        self.items = merged(each, [part.variant for part in self._encoded])
        self._on_progress = on_progress or (lambda _: None)
        self._postprocess = postprocess or Postprocess()
        self._order = {part: number for number, part in enumerate(self._encoded)}
        self._places = store.find(self.items.keys)
        self._fresh = self._places[:, 0] < 0
        self._wanting = self._fresh.copy()
        """What is neither in the store nor waiting to be written."""
        self._measured = ~self._fresh
        self._lengths = np.full(len(self._places), -1, dtype=np.int64)
        self._suspects = self._planning = np.zeros(0, dtype=np.int64)
        self._items_done = self._tokens_done = self._size_done = 0
        self._seconds = 0.0
        self._estimates = {modality: self._estimate(modality) for modality in SIZE_PER_TOKEN}
        self._dim: int | None = None
        self._pending: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []
        self._pending_bytes = 0
        self._flushed = time.monotonic()

    def use(self, encoder: Encoder) -> None:
        """Encode with that model from here on."""
        self._encoder = encoder
        self.budget = self._batch_tokens or encoder.batch_tokens

    @property
    def encoder(self) -> Encoder:
        """The model, opened by now."""
        assert self._encoder is not None, "something is missing, and the model was not opened"
        return self._encoder

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be encoded."""
        return not self._wanting.any()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(Exception) if error is not None else nullcontext():  # what ends it counts, Ctrl-C above all
            self.flush()

    @property
    def facts(self) -> EncodeFacts:
        """What it took so far."""
        return EncodeFacts(
            texts=len(self.items.inverse),
            distinct=len(self._places),
            reused=int((~self._fresh).sum()),
            tokens=self._tokens_done,
            seconds=self._seconds,
            batch_tokens=self.budget,
        )

    def run(self, requests: Sequence[Request] | None = None) -> None:
        """Encode what is missing of some of the requests, by default of all. What is computed before an error is kept.

        Raises:
            ModelError: The model returned something else than finite vectors of one width.
            UserError: The store is full.
        """
        started = time.monotonic()
        self._report()
        rows = self._rows(self.requests if requests is None else requests)
        try:
            for variant, windows in self._windows(rows[self._wanting[rows]]):
                self._suspects = np.concatenate(windows)
                encoder = self._encoder_for(variant)
                self._suspects = windows[0]
                with closing(ahead(self._planned(encoder, variant, windows))) as batches:
                    for batch, ready in batches:
                        self._suspects = batch.items
                        vectors = self._compute_within_budget(batch, ready)
                        self._keep(batch.items, vectors, int(batch.window.lengths[batch.rows].sum()))
                        self._suspects = self._planning
        finally:
            self._seconds += time.monotonic() - started

    def flush(self) -> None:
        """Write what is encoded. Raises UserError when the store is full."""
        if self._pending:
            rows = np.concatenate([rows for rows, _ in self._pending])
            vectors = np.concatenate([vectors for _, vectors in self._pending])
            self._pending, self._pending_bytes = [], 0
            self._wanting[rows] = True  # should it fail
            self._places[rows] = self.store.add(self.items.keys[rows], vectors)
            self._wanting[rows] = False
        self._flushed = time.monotonic()

    def is_ready(self, requests: Sequence[Request]) -> bool:
        """Whether every vector of some requests can be read."""
        return all(bool((places[:, 0] >= 0).all()) for request in requests for places in self._places_of(request))

    def size(self, requests: Sequence[Request]) -> int:
        """What is still to be encoded of some requests: about so many tokens, as `budget` counts them."""
        rows = self._rows(requests)
        rows = rows[self._wanting[rows]]
        modalities = np.array([variant.modality for variant in self.items.variants], dtype=object)
        sizes = self.items.sizes[rows]
        images = modalities[self.items.variant_of(rows)] != "text" if len(rows) else np.zeros(0, dtype=bool)
        of_texts = SIZE_PER_TOKEN["text"] if isinstance(self._encoder, TokenEncoder) else 1.0
        return int(sizes[images].sum() / SIZE_PER_TOKEN["image"] + sizes[~images].sum() / of_texts)

    def seconds(self, requests: Sequence[Request]) -> float:
        """What it took to encode some requests: their share, by size, of the time that all have taken."""
        rows = self._rows(requests)
        return self._seconds * int(self.items.sizes[rows[self._fresh[rows]]].sum()) / max(1, self._size_done)

    def suspects(self, requests: Sequence[Request]) -> bool:
        """Whether some requests have a text or image of the batch that last went wrong."""
        return bool(np.isin(self._suspects, self._rows(requests)).any())

    def counts(self, requests: Sequence[Request]) -> tuple[int, int]:
        """Of the distinct texts of some requests, how many had to be encoded and how many were in the store."""
        rows = self._rows(requests)
        encoded = int(self._fresh[rows].sum())
        return encoded, len(rows) - encoded

    def vectors(self, request: Request) -> NDArray[np.float32]:
        """Vectors of a request, in the order of its texts: float32 (n, dim)."""
        return self._postprocess(read_sum(self.store, self._places_of(request)))

    def raw(self, request: Request, rows: Sequence[int]) -> NDArray[np.float32]:
        """Some vectors of a request as the model made them: float32 (n, dim)."""
        chosen = np.asarray(rows, dtype=np.int64)
        return read_sum(self.store, [places[chosen] for places in self._places_of(request)])

    def keys_of(self, request: Request) -> Keys:
        """The key of every item of a request, in order: (n, 2)."""
        return joined([self.items.keys[rows] for rows in self._rows_of(request)])

    def distinct(self, request: Request) -> int:
        """How many items of a request differ."""
        return len(np.unique(np.stack(self._rows_of(request)), axis=1).T)

    def lengths(self, request: Request) -> NDArray[np.int64] | None:
        """What every item of a request costs, in order; None where some of them were encoded by an earlier run."""
        found = np.stack([self._lengths[rows] for rows in self._rows_of(request)])
        return None if (found < 0).any() else found.sum(axis=0)

    def rows(self, request: Request) -> VectorRows:
        """The same, read a block at a time where what is done to a vector does not depend on the others."""
        if self._postprocess.needs_all_rows:
            return self.vectors(request)
        return StoredRows(self.store, self._places_of(request), self._postprocess)

    def _places_of(self, request: Request) -> list[Places]:
        return [self._places[rows] for rows in self._rows_of(request)]

    def _rows_of(self, request: Request) -> list[NDArray[np.int64]]:
        """The distinct item of each item of a request: (n,) a request that is encoded for it."""
        return [self.items.of_request(self._order[part]) for part in request.encoded]

    def _rows(self, requests: Sequence[Request]) -> NDArray[np.int64]:
        """The distinct items of some requests, rising."""
        of_each = [rows for request in requests for rows in self._rows_of(request)]
        return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *of_each]))

    def _encoder_for(self, variant: Variant) -> Encoder:
        """What encodes texts of that variant: the model, or its second stage after it has read the sample."""
        if variant.sample is None:
            return self.encoder
        name = next(request.name for request in self._encoded if request.variant == variant)
        return _second_stage(self.encoder, name, variant.sample, self.store, self.budget)

    def _windows(self, rows: NDArray[np.int64]) -> Iterator[tuple[Variant, list[NDArray[np.int64]]]]:
        """Distinct items by variant, in windows of as many as may be held at once."""
        numbers = self.items.variant_of(rows)
        for number in np.unique(numbers):
            of_variant = rows[numbers == number]
            filled = np.cumsum(self.items.sizes[of_variant]) // WINDOW_SIZE
            counted = np.arange(len(of_variant)) // WINDOW_TEXTS
            cuts = np.flatnonzero(np.diff(filled) | np.diff(counted)) + 1
            yield self.items.variants[number], np.split(of_variant, cuts)

    def _planned(
        self, encoder: Encoder, variant: Variant, windows: Sequence[NDArray[np.int64]]
    ) -> Iterator[PlannedBatch]:
        """The batches of all windows; a window is read when its first batch is asked for."""
        for window in windows:
            self._planning = window
            batches = batches_of(encoder, self.items.pick([part.items for part in self._encoded], window), variant)
            lengths = self._lengths[window] = batches.lengths
            unknown = ~self._measured[window]
            self._estimates[variant.modality].measure(
                int(self.items.sizes[window[unknown]].sum()), int(lengths[unknown].sum())
            )
            self._measured[window] = True
            for rows in self._cut(batches, np.argsort(-lengths, kind="stable")):
                yield PlannedBatch(window[rows], batches, rows)

    def _cut(self, batches: Batches, rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Items of a window, longest first, in batches of what the budget is when one is asked for."""
        start = 0
        while start < len(rows):
            most = max(1, self.budget // max(1, int(batches.lengths[rows[start]])))
            if isinstance(batches, PreparedBatches):
                held = np.cumsum(batches.weights[rows[start : start + most]])
                most = max(1, int(np.searchsorted(held, BATCH_BYTES, side="right")))
            yield rows[start : start + most]
            start += most

    def _compute_within_budget(self, batch: PlannedBatch, ready: Ready | None) -> NDArray[np.float32]:
        """The vectors of a batch; in pieces, where the budget has become smaller since it was planned."""
        pieces = self._cut(batch.window, batch.rows)
        first = next(pieces)
        if len(first) == len(batch.rows):
            return self._compute(batch.window, batch.rows, ready)
        if ready is not None:
            ready.forget()
        return np.concatenate([self._compute(batch.window, piece) for piece in chain([first], pieces)])

    def _compute(self, batches: Batches, rows: NDArray[np.int64], ready: Ready | None = None) -> NDArray[np.float32]:
        try:
            found = batches.run(rows) if ready is None else finished(batches, ready)
            vectors = checked(found, [batches.items[row] for row in rows], self._dim)
        except MemoryError as error:
            if len(rows) == 1:
                one = "text" if isinstance(batches.items[rows[0]], str) else "image"
                raise ModelError(
                    f"not enough memory for one {one} of {batches.lengths[rows[0]]} tokens: {error}. Set the model's "
                    "max_tokens lower or use a larger device."
                ) from error
            vectors = None
        if vectors is None:  # out of the handler: the error holds on to what the failed batch has in memory
            self.budget = max(1, self.budget // 2)
            return np.concatenate([self._compute(batches, half) for half in np.array_split(rows, 2)])
        if self._dim is None:
            self._postprocess.check_width(vectors.shape[1])
        self._dim = vectors.shape[1]
        return vectors

    def _keep(self, rows: NDArray[np.int64], vectors: NDArray[np.float32], tokens: int) -> None:
        self._wanting[rows] = False
        self._pending.append((rows, vectors))
        self._pending_bytes += vectors.nbytes
        self._items_done += len(rows)
        self._tokens_done += tokens
        self._size_done += int(self.items.sizes[rows].sum())
        if self._pending_bytes >= FLUSH_BYTES or time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()
        self._report()

    def _estimate(self, modality: ItemModality) -> _Estimate:
        of_modality = np.array([variant.modality == modality for variant in self.items.variants], dtype=bool)
        missing = np.flatnonzero(self._fresh)
        rows = missing[of_modality[self.items.variant_of(missing)]]
        return _Estimate(int(self.items.sizes[rows].sum()), SIZE_PER_TOKEN[modality])

    def _report(self) -> None:
        total = sum(estimate.tokens for estimate in self._estimates.values())
        self._on_progress(Progress(self._items_done, int(self._fresh.sum()), self._tokens_done, total))


def encode(
    encoder: Encoder,
    requests: Sequence[Request],
    store: Store,
    *,
    batch_tokens: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    postprocess: Postprocess | None = None,
) -> Encoding:
    """Encode every text or image of every request; see Encoding for the arguments.

    Raises ModelError when the model returns something else than finite vectors of one width, tasks.base.DataError for
    invalid texts or images, OutputError when the store is full. What was encoded before any error stays in the
    store.
    """
    encoding = Encoding(
        encoder, requests, store, batch_tokens=batch_tokens, on_progress=on_progress, postprocess=postprocess
    )
    with encoding:
        encoding.run()
    return encoding


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


def _second_stage(encoder: Encoder, name: str, sample: Sample, store: Store, budget: int) -> Encoder:
    """Make the second stage of a model, which has read a sample. name: of the request, for messages."""
    assert isinstance(encoder, ContextualEncoder)
    read = Request(f"{name}, sample", sample.texts, Variant(sample.prompt))
    return encoder.second_stage(encode(encoder, [read], store, batch_tokens=budget).vectors(read))


def encode_alone(encoder: Encoder, request: Request, rows: Sequence[int]) -> NDArray[np.float32]:
    """Encode some items of a request one at a time, so that the largest of them fits where any does: (rows, dim).

    Raises DataError, ModelError and MemoryError as the encoder does.
    """
    found = []
    for part in request.encoded:
        sample, stage = part.variant.sample, encoder
        if sample is not None:
            stage = _second_stage(encoder, part.name, sample, MemoryStore(), encoder.batch_tokens)
        batches = batches_of(stage, [part.items[row] for row in rows], part.variant)
        found.append(np.concatenate([batches.run(np.array([row])) for row in range(len(rows))]))
    return np.asarray(sum(found[1:], start=found[0]))
