"""Pictures of captions, and vectors of texts, of pictures and of both that are a function of letters alone.

A picture has a row of pixels a caption, a letter each, so that a decoder gets the caption back. A picture's vector is
that of its caption read backwards, and that of a text with a picture the sum of both, as of two towers.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

import numpy as np
from letters import vectors
from numpy.typing import NDArray
from PIL import Image

Item = tuple[str | None, str | None]
"""Text and caption; None where an item has no such part."""


def picture(caption: str) -> Image.Image:
    """The picture of a caption."""
    return Image.fromarray(np.frombuffer(caption.encode(), dtype=np.uint8)[None, :])


def png(caption: str) -> bytes:
    """The file of a caption's picture."""
    content = io.BytesIO()
    picture(caption).save(content, "PNG")
    return content.getvalue()


def caption_of(image: Image.Image) -> str:
    """The caption of a picture; of any other picture a hash of its pixels."""
    if image.mode == "L" and image.height == 1:
        return image.tobytes().decode()
    return hashlib.blake2b(image.tobytes(), digest_size=8).hexdigest()


def caption_in(content: bytes) -> str:
    """The caption of the picture in a file."""
    return caption_of(Image.open(io.BytesIO(content)))


def fused(items: Sequence[Item]) -> NDArray[np.float32]:
    """(n, 16): multiples of 1/512, as `letters.vectors`."""
    towers = [(text, None if caption is None else caption[::-1]) for text, caption in items]
    return np.stack([sum(vectors([part])[0] for part in parts if part is not None) for parts in towers])


def coarse(items: Sequence[Item]) -> NDArray[np.float32]:
    """(n, 16): four of the numbers are 0.5 or -0.5, so that all have length 1, and many pairs the same cosine."""
    found = np.zeros((len(items), 16), dtype=np.float32)
    for row, parts in enumerate(items):
        draw = np.frombuffer(hashlib.blake2b(repr(parts).encode(), digest_size=40).digest(), dtype="<u4")
        found[row, np.argsort(draw[:10])[:4]] = 0.5
        found[row, :10] *= np.where(draw[:10] % 3, 1, -1)
    return found


ENCODERS = {"fused": fused, "coarse": coarse}
