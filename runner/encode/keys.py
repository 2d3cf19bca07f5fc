"""Which items are the same: the key of a text or image under a variant, and the distinct items of many requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.models.base import Variant
from embedmark.runner.common.errors import DataError
from embedmark.runner.encode.shard import Keys
from embedmark.tasks.base import Composite, Image, Item, ItemModality

READ_AT_ONCE: dict[ItemModality, int] = {"text": 4096, "image": 64, "text+image": 64}
"""Rows of a lazy column that are read together."""


@dataclass(frozen=True)
class Distinct:
    """The distinct items of some requests, in the order in which they first appear.

    keys (n, 2), sizes (n,), in characters of a text and bytes of an image, and first (n,): where each appears first,
    counted over all requests' items. inverse: for every item of every request, in order, its distinct item. starts:
    where each request begins in that order, and where the last one ends. variants: those of the requests, without
    repetition; variant_numbers: one a request.
    """

    keys: Keys
    sizes: NDArray[np.int64]
    first: NDArray[np.int64]
    inverse: NDArray[np.int64]
    starts: NDArray[np.int64]
    variants: Sequence[Variant]
    variant_numbers: NDArray[np.int64]

    def of_request(self, number: int) -> NDArray[np.int64]:
        """The distinct item of each item of a request."""
        return self.inverse[self.starts[number] : self.starts[number + 1]]

    def variant_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of each distinct item's variant."""
        return self.variant_numbers[self._request_of(rows)]

    def pick(self, columns: Sequence[Sequence[Item]], rows: NDArray[np.int64]) -> list[Item]:
        """Return some distinct items, read from the requests' own. `rows` must be in ascending order."""
        items: list[Item] = []
        requests = self._request_of(rows)
        for number in np.unique(requests):
            wanted = self.first[rows[requests == number]] - self.starts[number]
            at_once = READ_AT_ONCE[self.variants[self.variant_numbers[number]].modality]
            items += _read(columns[number], wanted, at_once)
        return items

    def _request_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(self.starts, self.first[rows], side="right") - 1


def _read(column: Sequence[Item], wanted: NDArray[np.int64], at_once: int) -> list[Item]:
    items: list[Item] = []
    blocks, starts = np.unique(wanted // at_once, return_index=True)
    for block, rows in zip(blocks, np.split(wanted, starts[1:]), strict=True):
        values = column[int(block) * at_once : (int(block) + 1) * at_once]
        items += [values[row] for row in rows - block * at_once]
    return items


@dataclass(frozen=True)
class Digests:
    """The key (n, 2) and the size (n,) of every item of one request, repetitions included."""

    keys: Keys
    sizes: NDArray[np.int64]


def joined(keys: Sequence[Keys]) -> Keys:
    """The keys (n, 2) of items of which each part has keys of its own, alongside; one part's are as they are."""
    found = keys[0]
    for others in keys[1:]:
        found = found * np.uint64(_ODD) + others  # wraps around
    return found


_ODD = 0x9E3779B97F4A7C15
"""So that the parts cannot be exchanged for one another."""


def deduplicate(requests: Sequence[tuple[str, Sequence[Item], Variant]]) -> Distinct:
    """Find the distinct items of requests (name, items, variant).

    Raises DataError for an item that is not of its variant's modality, or a text that UTF-8 cannot write.
    """
    return merged([digests(*request) for request in requests], [variant for _, _, variant in requests])


def merged(each: Sequence[Digests], of_requests: Sequence[Variant]) -> Distinct:
    """The distinct items of requests whose items have their keys already. of_requests: the variant of each."""
    variants = list(dict.fromkeys(of_requests))
    numbers = {variant: number for number, variant in enumerate(variants)}
    keys = np.concatenate([np.zeros((0, 2), dtype="<u8"), *(digests.keys for digests in each)])
    sizes = np.concatenate([np.zeros(0, dtype=np.int64), *(digests.sizes for digests in each)])
    first, inverse = _unique_rows(keys)
    return Distinct(
        keys=keys[first],
        sizes=sizes[first],
        first=first,
        inverse=inverse,
        starts=np.cumsum([0, *(len(digests.sizes) for digests in each)]),
        variants=variants,
        variant_numbers=np.array([numbers[variant] for variant in of_requests], dtype=np.int64),
    )


def digests(name: str, items: Sequence[Item], variant: Variant) -> Digests:
    """The key of each item: BLAKE2b-128 of variant and content. name: of the request, for messages.

    Raises DataError as `deduplicate` does.
    """
    sample = [variant.sample.key] if variant.sample else []
    # Left out of the keys of texts, which are older than images.
    modality = [{"modality": variant.modality}] if variant.modality != "text" else []
    described = json.dumps([variant.prompt, variant.parameters, *sample, *modality], ensure_ascii=True).encode()
    start = hashlib.blake2b(hashlib.blake2b(described).digest(), digest_size=16)
    content = _CONTENT[variant.modality]
    keys = bytearray()
    sizes = np.empty(len(items), dtype=np.int64)
    at_once = READ_AT_ONCE[variant.modality]
    row = 0
    for block in range(0, len(items), at_once):
        for item in items[block : block + at_once]:
            digest = start.copy()
            digest.update(content(item, name, row))
            keys += digest.digest()
            sizes[row] = len(item)
            row += 1
    return Digests(np.frombuffer(bytes(keys), dtype="<u8").reshape(-1, 2), sizes)


def _image(image: Any, name: str, row: int) -> bytes:
    if not isinstance(image, Image):
        raise DataError(f"{name}: row {row} is {image!r:.60}; expected an image")
    return image.data


def _composite(item: Any, name: str, row: int) -> bytes:
    if not isinstance(item, Composite) or len(item.parts) != 2:
        raise DataError(f"{name}: row {row} is {item!r:.60}; expected a text and an image in one item")
    text = _utf8(item.parts[0], name, row)
    return b"".join((len(text).to_bytes(8, "little"), text, _image(item.parts[1], name, row)))


def _utf8(text: Any, name: str, row: int) -> bytes:
    try:
        encoded: bytes = text.encode()
        return encoded
    except AttributeError:
        raise DataError(f"{name}: row {row} is {text!r}; expected a text") from None
    except UnicodeEncodeError as error:
        raise DataError(f"{name}: row {row} is not Unicode text: {error}") from None


_CONTENT = {"text": _utf8, "image": _image, "text+image": _composite}


def _unique_rows(keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First row of each distinct key, in ascending order; and for every row, which of these it equals."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    ordered = keys[order]
    begins = np.ones(len(keys), dtype=bool)
    begins[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    group = np.cumsum(begins) - 1
    first = order[begins]
    rank = np.argsort(np.argsort(first))
    inverse = np.empty(len(keys), dtype=np.int64)
    inverse[order] = rank[group]
    return np.sort(first), inverse
