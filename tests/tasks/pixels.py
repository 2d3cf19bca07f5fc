"""Images and texts of both environments, and their vectors, in steps that float32 holds exactly.

An image is a number: from 0 on one of scikit-learn's digits, below 0 a pattern of 1, 4, 16 or 64 equal points. Its
vector is its 64 pixels. A text ends with a digit, whose mean image is its vector; "variant 12 of 3" adds a quarter of
image 12, and "pattern 3" has the vector of image -3. The vector of a text and an image is the sum.

Cosines of patterns are exact in float32 whatever the order of a sum, so that equal ones tie everywhere.

Imports numpy and scikit-learn only, because the reference's environment imports it too.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

DIGITS = load_digits()
LABELS: list[int] = DIGITS.target.tolist()
"""Of each digit which one it is."""


def picture(number: int) -> NDArray[np.uint8]:
    """The 8 × 8 pixels of an image, from 0 to 16."""
    if number < 0:
        pattern = np.zeros(64, dtype=np.uint8)
        places = np.random.RandomState(-number // 8).permutation(64)[: 4 ** (-number % 4)]
        pattern[places] = 1 + -number % 8
        return pattern.reshape(8, 8)
    found: NDArray[np.uint8] = DIGITS.images[number].astype(np.uint8)
    return found


def of_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The vector of an image."""
    return pixels.astype(np.float32).ravel()


@cache
def of_text(text: str) -> NDArray[np.float32]:
    """The vector of a text."""
    if text.startswith("pattern"):
        return of_pixels(picture(-int(text.split()[1])))
    mean = DIGITS.data[DIGITS.target == int(text[-1])].mean(axis=0)
    found = (np.rint(mean * 32) / 32).astype(np.float32)
    if text.startswith("variant"):
        found = found + of_pixels(picture(int(text.split()[1]))) / 4
    return np.asarray(found, dtype=np.float32)
