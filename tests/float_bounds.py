"""How far apart numbers may be that float32 computed in another order: the bounds of tests, and why they are so wide.

A sum in float32 depends in its last digits on the order of its terms. That order is decided by the shape of a batch and
by the instructions that a processor has: oneDNN, MKL, OpenBLAS and PyTorch's own kernels each choose by both. So the
vector of a text moves by a few units of the last place from one batch to another, and from one processor to another.
The bounds here hold on every processor; docs/fidelity.md has the largest differences that were seen, which
tests/benchmarks/differences.py writes down.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VECTORS = 1e-6
"""Of a component of a vector whose length is about 1."""

SCORES = 1e-6
"""Of a score, but for correlations and where a row falls on the other side."""

LAST_PLACE = 2.0**-24
"""Half the distance of float32 numbers just below 1, the most that rounding moves a similarity there."""


def correlation_bound(similarity: NDArray[np.floating]) -> float:
    """How far a correlation with these cosines may move when each of them is rounded to its neighbour.

    If no similarity moves by more than d, no correlation moves by more than 2·d over their standard deviation. Where
    all texts are nearly alike, as they are to a small model with random weights, that is many times d.
    """
    return 2 * LAST_PLACE / float(np.std(similarity))
