"""What somebody who checks a record may say of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["match", "differs because", "cannot tell, because"]

SKETCH, SCORE = 1e-5, 1e-6
"""How far numbers may be apart. Measured once, by hand: kernels and batches move a component of a vector by up to 2e-7
and a score by 5e-8; the smallest true cause, another number format, moves a component by 3e-3 and a score by 6e-5."""

_COARSE = {"bfloat16": (2e-3, 2e-4), "float16": (3e-4, 5e-5)}
"""The same of models that compute in fewer bits, whose vectors move more with the batch that a text is in."""


def tolerances(dtype: str | None) -> tuple[float, float]:
    """Return how far components of vectors, and scores, may be apart for a model of that number format."""
    return next((allowed for name, allowed in _COARSE.items() if name in (dtype or "")), (SKETCH, SCORE))


def far(one: float, other: float, allowed: float) -> bool:
    """Whether two scores are further apart than is allowed; an undefined one is far from all that are defined."""
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) != math.isnan(other)
    return abs(one - other) > allowed * (1 + 1e-9)


@dataclass(frozen=True)
class Verdict:
    """A verdict on one record.

    Args:
        outcome: What can be said.
        reason: Of a match, what was compared; else what parts, or what is missing, in words.
        ran: Whether the whole job was run again.
    """

    outcome: Outcome
    reason: str
    ran: bool = False
