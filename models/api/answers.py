"""From what a service answered to vectors, or to an error that says what came instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import ModelError

SHOWN = 300
"""Characters of an answer that an error shows."""


def vectors(rows: Any, texts: int, width: int | None) -> NDArray[np.float32]:
    """Rows of numbers as float32 (texts, dim). width: what the vectors must have, None for any.

    Raises ModelError.
    """
    if not isinstance(rows, list):
        raise ModelError(f"answered {excerpt(repr(rows))} where vectors should be")
    if len(rows) != texts:
        raise ModelError(f"answered {len(rows)} vectors for {texts} texts")
    for row in rows:
        if not isinstance(row, list):
            raise ModelError(f"answered {excerpt(repr(row))} where a vector should be")
        width = len(row) if width is None else width
        if len(row) != width:
            raise ModelError(f"answered a vector of {len(row)} dimensions; expected {width}")
    try:
        found = np.array(rows, dtype=np.float32)
    except (TypeError, ValueError):
        found = np.zeros(0, dtype=np.float32)
    if found.ndim != 2 or not found.size:
        raise ModelError(f"answered {excerpt(repr(rows))} where vectors of numbers should be")
    return found


def named_in(answer: Any) -> set[str]:
    """What an answer calls the model that gave it; nothing where it does not say."""
    named = answer.get("model") if isinstance(answer, dict) else getattr(answer, "model", None)
    return {excerpt(named)} if isinstance(named, str) and named else set()


def excerpt(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}..."


def in_order(numbered: Iterable[tuple[int, Any]]) -> list[Any]:
    """Vectors in the order of their texts, out of pairs of a text's number and its vector. Raises ModelError."""
    pairs = sorted(numbered, key=lambda pair: pair[0])
    numbers = [number for number, _ in pairs]
    if numbers != list(range(len(pairs))):
        raise ModelError(f"answered vectors for the texts {excerpt(str(numbers))}, not one for each")
    return [vector for _, vector in pairs]
