"""Which texts are the same: the key of a text under a variant, and the distinct texts of many requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.base import Variant
from runner.encode.shard import Keys
from tasks.base import DataError

READ_AT_ONCE = 4096
"""Rows of a lazy column that are read together."""


@dataclass(frozen=True)
class Distinct:
    """The distinct texts of some requests, in the order in which they first appear.

    keys (n, 2), characters (n,) and first (n,): where each appears first, counted over all requests' texts.
    inverse: for every text of every request, in order, its distinct text. starts: where each request begins in that
    order, and where the last one ends. variants: those of the requests, without repetition; variant_numbers: one a
    request.
    """

    keys: Keys
    characters: NDArray[np.int64]
    first: NDArray[np.int64]
    inverse: NDArray[np.int64]
    starts: NDArray[np.int64]
    variants: Sequence[Variant]
    variant_numbers: NDArray[np.int64]

    def of_request(self, number: int) -> NDArray[np.int64]:
        """The distinct text of each text of a request."""
        return self.inverse[self.starts[number] : self.starts[number + 1]]

    def variant_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of each distinct text's variant."""
        return self.variant_numbers[self._request_of(rows)]

    def pick(self, columns: Sequence[Sequence[str]], rows: NDArray[np.int64]) -> list[str]:
        """Some distinct texts, read from the requests' own texts. `rows` must rise."""
        texts: list[str] = []
        requests = self._request_of(rows)
        for number in np.unique(requests):
            wanted = self.first[rows[requests == number]] - self.starts[number]
            texts += _read(columns[number], wanted)
        return texts

    def _request_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(self.starts, self.first[rows], side="right") - 1


def _read(column: Sequence[str], wanted: NDArray[np.int64]) -> list[str]:
    texts: list[str] = []
    blocks, starts = np.unique(wanted // READ_AT_ONCE, return_index=True)
    for block, rows in zip(blocks, np.split(wanted, starts[1:]), strict=True):
        values = column[int(block) * READ_AT_ONCE : (int(block) + 1) * READ_AT_ONCE]
        texts += [values[row] for row in rows - block * READ_AT_ONCE]
    return texts


def distinct(requests: Sequence[tuple[str, Sequence[str], Variant]]) -> Distinct:
    """The distinct texts of requests (name, texts, variant).

    Raises DataError for a text that is not a string, or not one that UTF-8 can write.
    """
    variants = list(dict.fromkeys(variant for _, _, variant in requests))
    digests = bytearray()
    characters: list[NDArray[np.int64]] = []
    for name, texts, variant in requests:
        characters.append(_digest(name, texts, variant, digests))
    keys = np.frombuffer(bytes(digests), dtype="<u8").reshape(-1, 2)
    first, inverse = _unique_rows(keys)
    lengths = np.concatenate([*characters, np.zeros(0, dtype=np.int64)])
    return Distinct(
        keys=keys[first],
        characters=lengths[first],
        first=first,
        inverse=inverse,
        starts=np.cumsum([0, *(len(sizes) for sizes in characters)]),
        variants=variants,
        variant_numbers=np.array([variants.index(variant) for _, _, variant in requests], dtype=np.int64),
    )


def _digest(name: str, texts: Sequence[str], variant: Variant, digests: bytearray) -> NDArray[np.int64]:
    """Append the key of each text (BLAKE2b-128 of variant and text); returns the texts' lengths in characters."""
    described = json.dumps([variant.prompt, variant.parameters], ensure_ascii=True).encode()
    start = hashlib.blake2b(hashlib.blake2b(described).digest(), digest_size=16)
    lengths = np.empty(len(texts), dtype=np.int64)
    row = 0
    for block in range(0, len(texts), READ_AT_ONCE):
        for text in texts[block : block + READ_AT_ONCE]:
            digest = start.copy()
            digest.update(_utf8(text, name, row))
            digests += digest.digest()
            lengths[row] = len(text)
            row += 1
    return lengths


def _utf8(text: str, name: str, row: int) -> bytes:
    try:
        return text.encode()
    except AttributeError:
        raise DataError(f"{name}: row {row} is {text!r}; expected a text") from None
    except UnicodeEncodeError as error:
        raise DataError(f"{name}: row {row} is not Unicode text: {error}") from None


def _unique_rows(keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First row of each distinct key, rising; and for every row, which of these it equals."""
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
