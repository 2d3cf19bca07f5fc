"""How alike vectors are: a number a pair, or a matrix. Higher is always more similar; distances are negated.

Everything is float32, and `pairwise` and `normalized` round as PyTorch does on a CPU, because the reference
implementation scores with it: texts whose similarities differ only by rounding then rank alike in both, and a rank
correlation or an average precision agrees to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import SimilarityName

Vectors: TypeAlias = NDArray[np.float32]

_SMALLEST_NORM = np.float32(1e-12)
MATRIX_CELLS = 2**24
"""Cells of a block of a similarity matrix: 64 MiB of float32."""
_CACHE_CELLS = 2**17
"""Cells of a block of vectors that stays in a core's cache while it is passed over again and again."""


def pairwise(name: SimilarityName, a: Vectors, b: Vectors) -> NDArray[np.float32]:
    """Similarity of a[i] and b[i]. Shapes (n, dim), (n, dim) → (n,)."""
    similarity = np.empty(len(a), dtype=np.float32)
    for rows in row_blocks(len(a), a.shape[1], _CACHE_CELLS):
        similarity[rows] = _pairwise(name, a[rows], b[rows])
    return similarity


def comparisons(a: Vectors, b: Vectors, own: SimilarityName) -> dict[str, NDArray[np.float32]]:
    """The similarity of a[i] and b[i] in every way that tasks of pairs report: a name → (n,).

    "similarity" is the model's own. "cosine" is 1 - |a' - b'|^2 / 2 with a' and b' of length 1, as scikit-learn has it
    and the reference reports it: equal texts are exactly 1, where the dot product of a' and b' is only close to it.
    Raises DataError when a similarity is not finite.
    """
    # Here and below, and not above: it takes a second to import, and most searches do without.
    from sklearn.metrics.pairwise import (
        paired_cosine_distances,
        paired_euclidean_distances,
        paired_manhattan_distances,
    )

    found = {
        "similarity": finite("similarity", pairwise(own, a, b)),
        "cosine": 1 - paired_cosine_distances(a, b),
        "manhattan": -paired_manhattan_distances(a, b),
        "euclidean": -paired_euclidean_distances(a, b),
        "dot": np.vecdot(a, b),
    }
    return {name: finite(name, similarity) for name, similarity in found.items()}


def finite(name: str, similarity: NDArray[np.float32]) -> NDArray[np.float32]:
    """`similarity`, or DataError when one of its values is NaN or infinite."""
    wrong = np.flatnonzero(~np.isfinite(similarity))
    if wrong.size:
        raise DataError(
            f"{name} of pair {wrong[0]} is {similarity[wrong[0]]}, and {wrong.size} of {similarity.size} pairs are not "
            "finite; expected vectors without NaN or inf whose products fit into float32"
        )
    return similarity


def matrix(name: SimilarityName, a: Vectors, b: Vectors) -> NDArray[np.float32]:
    """Similarity of every a[i] and b[j]. Shapes (n, dim), (m, dim) → (n, m). Use `row_blocks` to bound n."""
    match name:
        case "cosine":
            return normalized(a) @ normalized(b).T
        case "dot":
            return a @ b.T
        case "euclidean":
            from sklearn.metrics.pairwise import euclidean_distances

            return -np.asarray(euclidean_distances(a, b), dtype=np.float32)
        case "manhattan":
            from sklearn.metrics.pairwise import manhattan_distances

            return -np.asarray(manhattan_distances(a, b), dtype=np.float32)


def row_blocks(n: int, m: int, cells: int = MATRIX_CELLS) -> Iterator[slice]:
    """Consecutive slices of n rows, so that a block of rows by m columns has at most `cells` cells (but one row)."""
    step = max(1, cells // max(1, m))
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def normalized(x: Vectors) -> Vectors:
    """Rows scaled to length 1; rows of zeros stay zeros. With it, cosine is the dot product."""
    length = np.maximum(_norm(x), _SMALLEST_NORM)
    return np.divide(x, length[:, None], dtype=np.float32)


def _pairwise(name: SimilarityName, a: Vectors, b: Vectors) -> NDArray[np.float32]:
    match name:
        case "cosine":
            return _sum(normalized(a) * normalized(b))
        case "dot":
            return _sum(a * b)
        case "euclidean":
            return -_norm(a - b)
        case "manhattan":
            return -_sum(np.abs(a - b))


# PyTorch's CPU kernels add a row in lanes of eight (AVX2's, whatever the machine has), not from left to right. The
# order decides the last bit, and with it the ranks of near-ties; what follows keeps it. Source of the orders:
# aten/src/ATen/native/cpu/SumKernel.cpp and ReduceOpsKernel.cpp. The length of vectors whose dimension is no
# multiple of four may still differ in the last bit.

_LANES = 8
_STRIDE = 4
_LEVELS = 4


def _sum(x: Vectors) -> NDArray[np.float32]:
    """Sum of each row, as torch.sum(dim=-1): four accumulators of eight lanes, then the lanes."""
    n, dim = x.shape
    lanes = _LANES if dim >= _LANES else 1
    n_chunks = dim // lanes
    n_steps = n_chunks // _STRIDE
    chunks = x[:, : n_chunks * lanes].reshape(n, n_chunks, lanes)
    accumulators = _cascade(chunks[:, : n_steps * _STRIDE].reshape(n, n_steps, _STRIDE, lanes))
    total = accumulators[:, 0]
    for k in range(n_steps * _STRIDE, n_chunks):
        total = total + chunks[:, k]
    for k in range(1, _STRIDE):
        total = total + accumulators[:, k]
    tail = _add_columns(np.zeros(n, dtype=np.float32), x[:, n_chunks * lanes :])
    return _add_columns(tail, total)


def _cascade(steps: Vectors) -> Vectors:
    """Sum over axis 1 with partial sums, each moved up a level before it grows large."""
    n_steps = steps.shape[1]
    power = max(4, (max(n_steps, 1) - 1).bit_length() // _LEVELS)
    levels = np.zeros((_LEVELS, len(steps), *steps.shape[2:]), dtype=np.float32)
    for i in range(n_steps):
        levels[0] += steps[:, i]
        for level in range(1, _LEVELS):
            if (i + 1) % (1 << (power * level)):
                break
            levels[level] += levels[level - 1]
            levels[level - 1] = 0
    return _add_columns(levels[0], np.moveaxis(levels[1:], 0, 1))


def _norm(x: Vectors) -> NDArray[np.float32]:
    """Euclidean length of each row, as torch.linalg.vector_norm(dim=-1): one accumulator of eight lanes."""
    n, dim = x.shape
    whole = dim - dim % _LANES
    squares = x * x
    chunks = squares[:, :whole].reshape(n, whole // _LANES, _LANES)
    lanes = _add_columns(np.zeros((n, _LANES), dtype=np.float32), chunks)
    length = _add_columns(np.zeros(n, dtype=np.float32), lanes)
    return np.sqrt(_add_columns(length, squares[:, whole:]))


def _add_columns(start: Vectors, columns: Vectors) -> Vectors:
    """`start` plus the slices along axis 1 of `columns`, one after the other."""
    total = start.copy()
    for k in range(columns.shape[1]):
        total += columns[:, k]
    return total
