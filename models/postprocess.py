"""What is done to vectors after the model: checks, layer norm, fewer dimensions, length 1, fewer bits.

All in float32. The store keeps what the model itself made, so that every truncation of one model shares its encoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.models.base import Quantization
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import Composite, Image, Item

SHORTEST = 1e-12
"""Norms below this count as this, as in torch.nn.functional.normalize: a zero vector stays zero."""

LAYER_NORM_EPSILON = 1e-5
"""Added to the variance, as in torch.nn.functional.layer_norm."""

Percentiles = tuple[float, float]
"""The share of a dimension's values below the least that is told apart, and below the largest."""


@dataclass(frozen=True)
class Postprocess:
    """Layer norm, truncation, normalisation, quantisation: in this order, each where it is asked for.

    normalize: None and False leave the vectors as the model's own modules made them. clip: for integers.
    """

    truncate_dim: int | None = None
    normalize: bool | None = None
    layer_norm: bool | None = None
    quantize: Quantization | None = None
    clip: Percentiles | None = None

    @property
    def needs_all_rows(self) -> bool:
        """Whether what becomes of a vector depends on the others."""
        return self.quantize is not None

    def check_width(self, dim: int) -> None:
        """Raises ModelError when vectors of so many dimensions are too narrow for what is asked."""
        if self.truncate_dim is not None and self.truncate_dim > dim:
            raise ModelError(f"truncate_dim is {self.truncate_dim}, and the model's vectors have {dim} dimensions")

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Process the (n, dim) vectors of a text set; the array given is left as it is.

        Raises ModelError when they are too narrow.
        """
        if self.layer_norm:
            vectors = layer_norm(vectors)
        if self.truncate_dim is not None:
            vectors = truncate(vectors, self.truncate_dim)
        if self.normalize:
            vectors = unit_length(vectors)
        return quantized(vectors, self.quantize, self.clip) if self.quantize else vectors


def layer_norm(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each vector at mean 0 and variance 1 over its dimensions, as torch.nn.functional.layer_norm without weights."""
    centred = vectors - vectors.mean(axis=1, keepdims=True, dtype=np.float64)
    variance = np.square(centred).mean(axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (centred / np.sqrt(variance + LAYER_NORM_EPSILON)).astype(np.float32)
    return scaled


def quantized(vectors: NDArray[np.float32], to: Quantization, clip: Percentiles | None = None) -> NDArray[np.float32]:
    """The values that vectors of that number format hold, as float32, compared like the vectors themselves.

    Floating point formats are rounded to. binary is 1 for what is above 0, else 0; two such vectors differ in as many
    bits as their similarity "manhattan" says, negated. Integers number the 2^bits - 1 steps between the least and the
    largest value that each dimension has in these vectors, signed ones from -2^(bits - 1): the rule of mteb 2.26.24,
    so that queries and documents are scaled apart, each by their own values.

    clip: what lies outside these percentiles of its dimension counts as they, before the steps are numbered.
    """
    if to == "float16":
        return vectors.astype(np.float16).astype(np.float32)
    if to == "binary":
        return (vectors > 0).astype(np.float32)
    if "float" in to:
        return _rounded(vectors, to)
    if clip is not None:
        low, high = np.quantile(vectors, clip, axis=0).astype(np.float32)
        vectors = vectors.clip(low, high)
    bits = int(to[-1])
    least, largest = vectors.min(axis=0), vectors.max(axis=0)
    steps = (largest - least) / np.float32(2**bits - 1)
    # A dimension with one value has no steps: it lies at the first.
    places = np.floor((vectors - least) / np.where(steps > 0, steps, np.float32(1)))
    signed: NDArray[np.float32] = places - np.float32(0 if to.startswith("u") else 2 ** (bits - 1))
    return signed


def _rounded(vectors: NDArray[np.float32], to: str) -> NDArray[np.float32]:
    """Rounded to a format that PyTorch knows and NumPy does not."""
    import torch  # not needed by models that are no networks, and slow to import

    rounded: NDArray[np.float32] = (
        torch.from_numpy(np.ascontiguousarray(vectors)).to(getattr(torch, to)).float().numpy()
    )
    return rounded


def truncate(vectors: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
    """The first `dim` dimensions (Matryoshka representations, Kusupati et al. 2022). Raises ModelError."""
    Postprocess(truncate_dim=dim).check_width(vectors.shape[1])
    return np.ascontiguousarray(vectors[:, :dim])


def unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors of length 1, in the same direction."""
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    scaled: NDArray[np.float32] = vectors / np.maximum(norms, np.float32(SHORTEST))[:, None]
    return scaled


def checked(returned: Any, items: Sequence[Item], dim: int | None = None) -> NDArray[np.float32]:
    """What a model returned for a batch as float32 (n, dim), or ModelError naming the text or image that is wrong.

    Taken are arrays, torch's tensors on any device, and lists of either or of numbers, in any floating point format.
    What comes back shares no memory with what the model returned.

    dim: the width that the model's earlier vectors had, if any.
    """
    vectors = _as_array(returned)
    if vectors.ndim != 2 or len(vectors) != len(items) or vectors.shape[1] == 0:
        raise ModelError(
            f"the model returned shape {vectors.shape} for {len(items)} texts or images; expected ({len(items)}, dim)"
        )
    if dim is not None and vectors.shape[1] != dim:
        raise ModelError(
            f"the model returned {vectors.shape[1]} dimensions after {dim} before; the first for {_short(items)}"
        )
    if not np.issubdtype(vectors.dtype, np.floating):
        raise ModelError(f"the model returned {vectors.dtype}; expected floating point numbers")
    with np.errstate(over="ignore"):
        # A copy: some models write every batch into one buffer of theirs, and vectors are kept after the next batch.
        single = np.array(vectors, dtype=np.float32, order="C")
    finite = np.isfinite(single).all(axis=1)
    if not finite.all():
        wrong = int(np.argmin(finite))
        kind = "NaN" if np.isnan(single[wrong]).any() else "infinity"
        raise ModelError(f"the model returned {kind} for {_short(items[wrong:])}")
    return single


def _as_array(returned: Any) -> NDArray[Any]:
    """An array of what a model returned. Raises ModelError for what is no vectors at all."""
    if isinstance(returned, (list, tuple)):
        rows = [_as_array(row) if _is_tensor(row) else row for row in returned]
        try:
            return np.array(rows) if rows else np.zeros((0, 0), dtype=np.float32)
        except (ValueError, TypeError) as error:
            raise ModelError(f"the model returned a list whose rows are no vectors of one width: {error}") from error
    if _is_tensor(returned):
        tensor = returned.detach()
        return np.asarray((tensor.float() if tensor.is_floating_point() else tensor).cpu().numpy())
    if not hasattr(returned, "__array__"):
        found = "nothing" if returned is None else f"a {type(returned).__name__}"
        raise ModelError(f"the model returned {found}; expected an array of floating point numbers, (n, dim)")
    vectors = np.asarray(returned)
    # Formats of the package ml_dtypes, which NumPy does not count among its floating point numbers.
    return vectors.astype(np.float32) if vectors.dtype.name.startswith(("bfloat16", "float8")) else vectors


def _is_tensor(value: Any) -> bool:
    """Whether it is one of torch's tensors, which is not imported to find out."""
    return all(hasattr(value, name) for name in ("detach", "is_floating_point", "cpu"))


def _short(items: Sequence[Item], width: int = 120) -> str:
    item = items[0] if len(items) else ""
    if isinstance(item, Composite):
        return " and ".join(_short([part], width) for part in item.parts)
    if isinstance(item, Image):
        return f"the image in {item.where}"
    return f"the text {item!r}" if len(item) <= width else f"the text {item[:width]!r}... ({len(item)} characters)"
