"""Linear layers by oneDNN, whose weights are laid out for its kernels once instead of at every call.

On the CPU PyTorch multiplies float32 matrices with MKL, which copies the bias into place first, packs the weights anew
for each batch, and does without AVX-512 on processors that are not Intel's. The numbers are the same but for the last
digits of float32, as between any two batch sizes; nothing of a job's identity depends on it. Measured by
tests/benchmarks/encode.py.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

LARGEST_BYTES = 4 * 2**30
"""Weights beyond this are left as they are: the packed ones are copies, and the originals stay for those who ask."""

ROWS = 1024
"""The number of rows that the layout is chosen for; any other number works with it."""


def pack_linear_layers(network: nn.Module) -> bool:
    """Let every plain float32 linear layer on the CPU go through oneDNN. Returns whether any does."""
    library: Any = torch.backends.mkldnn
    operators: Any = torch.ops.mkldnn
    if not library.is_available() or not hasattr(operators, "_linear_pointwise"):
        return False
    layers = [module for module in network.modules() if type(module) is nn.Linear and _is_plain(module)]
    if not layers or sum(layer.weight.nbytes for layer in layers) > LARGEST_BYTES:
        return False
    with torch.inference_mode():
        for layer in layers:
            weight = operators._reorder_linear_weight(layer.weight.detach(), ROWS)
            bias = None if layer.bias is None else layer.bias.detach()
            layer.forward = partial(_forward, weight, bias)  # type: ignore[method-assign]
    return True


def is_packed(network: nn.Module) -> bool:
    """Whether some of its layers go through oneDNN."""
    return any("forward" in vars(module) for module in network.modules() if type(module) is nn.Linear)


def _is_plain(layer: nn.Linear) -> bool:
    """Subclasses, parametrized layers among them, have a forward of their own and are left out before this."""
    return layer.weight.dtype == torch.float32 and layer.weight.device.type == "cpu"


def _forward(weight: Tensor, bias: Tensor | None, rows: Tensor) -> Tensor:
    result: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return result
