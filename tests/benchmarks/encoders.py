"""Encoders that give the same vectors in both environments: a text's vector depends on the text alone.

Imports numpy and the standard library only, because the reference's environment imports it too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

MINILM32 = Path(__file__).resolve().parents[1] / "facts" / "minilm32.npz"


class Vectors(Protocol):
    """Texts to vectors: float32 (n, dim)."""

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


def text_key(text: str) -> bytes:
    """BLAKE2b-128 of a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def image_text(size: tuple[int, int], pixels: bytes) -> str:
    """What stands for an image where an encoder is asked for texts. pixels: of RGB, row by row."""
    return f"image of {size[0]} x {size[1]}: {hashlib.blake2b(pixels, digest_size=16).hexdigest()}"


def texts_hash(texts: Iterable[str]) -> str:
    """A hash of texts whatever their order; a text that comes twice counts twice."""
    return hashlib.blake2b(b"".join(sorted(map(text_key, texts))), digest_size=16).hexdigest()


def random_vectors(texts: Sequence[str], dim: int = 64) -> NDArray[np.float32]:
    """Uniform in (-1, 1), drawn from SHAKE-256 of the text: the same on every machine and with every numpy."""
    drawn = b"".join(hashlib.shake_256(text_key(text)).digest(2 * dim) for text in texts)
    whole = np.frombuffer(drawn, "<u2").reshape(len(texts), dim)
    return ((whole - np.float64(32767.5)) / 32768).astype(np.float32)


def coarse_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """Eight signs a text, so that many texts are equally similar: what ties are broken by shows."""
    return np.sign(random_vectors(texts, 8))


class StoredVectors:
    """Vectors looked up by text. Raises KeyError naming a text that has none."""

    def __init__(self, keys: NDArray[np.uint8], vectors: NDArray[np.floating]) -> None:
        self._rows = {key.tobytes(): row for row, key in enumerate(keys)}
        self._vectors = vectors

    @classmethod
    def read(cls, path: Path) -> StoredVectors:
        """Vectors written by `write`."""
        with np.load(path) as stored:
            return cls(stored["keys"], stored["vectors"])

    @staticmethod
    def write(path: Path, texts: Sequence[str], vectors: NDArray[np.floating]) -> None:
        """Store vectors of distinct texts, in the order of their keys."""
        keys = np.frombuffer(b"".join(map(text_key, texts)), np.uint8).reshape(len(texts), 16)
        order = np.lexsort(keys.T[::-1])
        np.savez_compressed(path, keys=keys[order], vectors=vectors[order])

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        try:
            rows = [self._rows[text_key(text)] for text in texts]
        except KeyError:
            missing = next(text for text in texts if text_key(text) not in self._rows)
            raise KeyError(f"no stored vector of {missing!r}") from None
        return np.asarray(self._vectors[rows], dtype=np.float32)
