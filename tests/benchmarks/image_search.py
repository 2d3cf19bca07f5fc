"""How much memory a search of a million images takes whose vectors are stored.

    python tests/benchmarks/image_search.py [--images 1000000] [--queries 100] [--dim 128]

The corpus is a column that cannot be read at all: what is searched are vectors in a store on disk. Memory is RssAnon,
what belongs to the process alone, sampled every 5 ms; the peak of each step is given above what the imports take.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from embedmark.models.base import Variant
from embedmark.runner.encode.engine import Encoding, Request
from embedmark.runner.encode.keys import Digests
from embedmark.runner.encode.store import DiskStore
from embedmark.tasks.base import Item
from embedmark.tasks.retrieval.search import search

BLOCK = 50_000


class Unread(Sequence[Item]):
    """So many images, none of which can be had."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        raise AssertionError(f"image {place} is read")


def main() -> None:
    """Store vectors, find them by their keys, search, and print what each step took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--dim", type=int, default=128)
    options = parser.parse_args()
    draw = np.random.default_rng(0)
    base = _anonymous()
    with tempfile.TemporaryDirectory() as folder:
        keys = draw.integers(0, 2**64, (options.images + options.queries, 2), dtype=np.uint64)
        with _peak("written", base):
            store = DiskStore(Path(folder), {})
            for start in range(0, len(keys), BLOCK):
                some = keys[start : start + BLOCK]
                store.add(some, draw.standard_normal((len(some), options.dim), dtype=np.float32))
        corpus = Request("corpus", Unread(options.images), Variant(modality="image"))
        asked = Request("queries", Unread(options.queries), Variant(modality="image"))
        digests = [
            Digests(some, np.ones(len(some), np.int64)) for some in (keys[: options.images], keys[options.images :])
        ]
        with _peak("found by their keys", base):
            encoding = Encoding(None, [corpus, asked], DiskStore(Path(folder), {}), digests=digests)
        assert encoding.complete
        documents = [f"d{number}" for number in range(options.images)]
        queries = [f"q{number}" for number in range(options.queries)]
        with _peak("searched", base):
            ranking = search(encoding.vectors(asked), encoding.rows(corpus), queries, documents, 1000)
    vectors = options.images * options.dim * 4
    print(json.dumps({"vectors_mib": vectors >> 20, "hits": len(ranking.scores)}))


@contextmanager
def _peak(step: str, base: int) -> Iterator[None]:
    over, seen, started = threading.Event(), [_anonymous()], time.perf_counter()

    def watch() -> None:
        while not over.wait(0.005):
            seen.append(_anonymous())

    watching = threading.Thread(target=watch)
    watching.start()
    yield
    over.set()
    watching.join()
    seconds = round(time.perf_counter() - started, 1)
    print(json.dumps({"step": step, "anonymous_mib": (max(seen) - base) >> 20, "seconds": seconds}), flush=True)


def _anonymous() -> int:
    found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) * 1024


if __name__ == "__main__":
    main()
