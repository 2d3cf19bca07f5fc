"""Vectors that are a function of a text's letters alone: the same everywhere, without a model or a generator.

Their values are multiples of 1/512 and small, so that dot products and distances have no rounding error in float32, in
whatever order they are summed: equal texts then tie in the reference too, whose matrix products otherwise give some of
them another last bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """(n, 16): texts that begin with the same four letters are alike; the empty text has zeros."""
    found = np.stack([_noise(text[:4]) + 0.7 * _noise(text) if text else np.zeros(16) for text in texts])
    return (np.rint(found * 512) / 512).astype(np.float32)


def _noise(text: str) -> NDArray[np.float64]:
    digest = hashlib.blake2b(text.encode(), digest_size=64).digest()
    return np.frombuffer(digest, dtype="<u4") / 2**32 - 0.5
