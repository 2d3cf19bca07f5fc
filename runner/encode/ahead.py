"""Batches made ready in threads while the model computes those before them, as images are decoded."""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from embedmark.tasks.base import Image

MOST_THREADS = 8
MOST_BYTES = 128 * 2**20
"""How much may be decoded and wait before one more batch is begun."""

BATCH_BYTES = 128 * 2**20
"""The most that one batch may have decoded, unless it is a single image."""

_PER_PIXEL = 3


class Batch(Protocol):
    """What can be made ready: `prepare`, None where nothing can, gives something of about `weight` bytes."""

    @property
    def prepare(self) -> Callable[[], Any] | None:
        """Make it ready, in another thread."""
        ...

    @property
    def weight(self) -> int:
        """Bytes of memory that this takes."""
        ...


B = TypeVar("B", bound=Batch)


class Ready:
    """What a thread makes of a batch. It is given once, so that an error's memory is not held on to."""

    def __init__(self, future: Future[Any]) -> None:
        self._future: Future[Any] | None = future

    def __call__(self) -> Any:
        """Wait for it. Raises what went wrong."""
        future, self._future = self._future, None
        assert future is not None
        try:
            return future.result()
        finally:
            del future  # or its error would hold itself through this frame

    def forget(self) -> None:
        """Do without it."""
        if self._future is not None:
            self._future.cancel()
            self._future = None


def ahead(batches: Iterable[B]) -> Generator[tuple[B, Ready | None], None, None]:
    """Give batches in their order, some of them made ready or on their way.

    An error in making the batches comes in its place, after those before it are given.
    """
    threads = min(MOST_THREADS, _cores())
    source, waiting = iter(batches), deque[tuple[B, Ready | None]]()
    failed: Exception | None = None
    ended = False
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        while True:
            while not ended and (not waiting or (waiting[-1][1] and _has_room(waiting, threads))):
                try:
                    batch = next(source)
                except StopIteration:
                    ended = True
                except Exception as error:
                    ended, failed = True, error
                else:
                    prepare = batch.prepare
                    waiting.append((batch, None if prepare is None else Ready(pool.submit(prepare))))
            if not waiting:
                break
            yield waiting.popleft()
    finally:
        pool.shutdown(cancel_futures=True)
    if failed is not None:
        raise failed


def _has_room(waiting: Sequence[tuple[Batch, Ready | None]], threads: int) -> bool:
    return len(waiting) <= threads and sum(batch.weight for batch, _ in waiting) < MOST_BYTES


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not every system tells
        return os.cpu_count() or 1


def decoded_bytes(images: Sequence[Image]) -> NDArray[np.int64]:
    """What each image takes as pixels of three bytes, by what its file begins with; 0 where that tells nothing."""
    import PIL.Image

    def size(image: Image) -> int:
        try:
            with PIL.Image.open(io.BytesIO(image.data)) as opened:
                return opened.width * opened.height * _PER_PIXEL
        except Exception:  # whoever decodes it says what is wrong
            return 0

    return np.array([size(image) for image in images], dtype=np.int64)
