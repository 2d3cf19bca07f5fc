from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from embedmark.models.postprocess import Postprocess, checked, layer_norm, quantized, truncate, unit_length
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.similarity import pairwise

VECTORS = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=20),
    elements=st.floats(-1e4, 1e4, width=32, allow_subnormal=False),
)


@given(VECTORS, st.integers(1, 20))
def test_equal_to_torch(vectors: np.ndarray, dim: int) -> None:
    dim = min(dim, vectors.shape[1])
    before = vectors.copy()
    ours = Postprocess(truncate_dim=dim, normalize=True)(vectors)
    theirs = torch.nn.functional.normalize(torch.from_numpy(vectors[:, :dim]), p=2, dim=1).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(vectors, before)


def test_a_zero_vector_stays_zero() -> None:
    assert not Postprocess(normalize=True)(np.zeros((2, 3), np.float32)).any()


@pytest.mark.parametrize("normalize", [None, False])
def test_nothing_asked_for_changes_nothing(normalize: bool | None) -> None:
    vectors = np.ones((2, 3), np.float32)
    assert Postprocess(None, normalize)(vectors) is vectors


def test_too_many_dimensions_asked_for() -> None:
    with pytest.raises(ModelError, match=r"truncate_dim is 4, .* 3 dimensions"):
        Postprocess(truncate_dim=4)(np.ones((2, 3), np.float32))


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((1, 3)), r"shape \(1, 3\) for 2 texts"),
        (np.ones(2), r"shape \(2,\)"),
        (np.ones((2, 0)), r"shape \(2, 0\)"),
        (np.ones((2, 3), int), "int64; expected floating"),
        (np.array([[1.0, 2.0, 3.0], [1.0, np.nan, 3.0]]), "NaN for the text 'second'"),
        (np.array([[np.inf, 0.0, 0.0], [0.0, 0.0, 0.0]]), "infinity for the text 'first'"),
        (np.ones((2, 4)), "4 dimensions after 3 before"),
    ],
)
def test_what_is_no_embedding_is_refused(vectors: np.ndarray, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        checked(vectors, ["first", "second"], dim=3)


def test_half_precision_becomes_float32() -> None:
    assert checked(np.ones((1, 2), np.float16), ["x"]).dtype == np.float32


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy], ids=["an array", "a tensor"])
def test_a_model_may_write_every_batch_into_one_buffer(kind: Callable[[np.ndarray], Any]) -> None:
    buffer = np.ones((2, 3), np.float32)
    kept = checked(kind(buffer), ["first", "second"])
    buffer[:] = 2
    assert (kept == 1).all()


SOME = np.random.default_rng(0).normal(2, 3, (20, 8)).astype(np.float32)


def test_layer_norm_is_torchs() -> None:
    expected = torch.nn.functional.layer_norm(torch.from_numpy(SOME), (SOME.shape[1],)).numpy()
    np.testing.assert_allclose(layer_norm(SOME), expected, atol=1e-6)


def test_layer_norm_comes_before_truncation_and_length() -> None:
    expected = unit_length(truncate(layer_norm(SOME), 3))
    np.testing.assert_array_equal(Postprocess(truncate_dim=3, normalize=True, layer_norm=True)(SOME), expected)


def test_binary_keeps_signs_alone() -> None:
    np.testing.assert_array_equal(quantized(np.array([[-1.0, 0.0, 2.0]], dtype=np.float32), "binary"), [[0, 0, 1]])


def test_float16_is_rounded_to() -> None:
    assert quantized(np.array([[1 / 3]], dtype=np.float32), "float16")[0, 0] == np.float32(np.float16(1 / 3))


@pytest.mark.parametrize(
    ("to", "least", "largest"), [("int8", -128, 127), ("uint8", 0, 255), ("int4", -8, 7), ("uint4", 0, 15)]
)
def test_integers_span_each_dimensions_range(to: Any, least: int, largest: int) -> None:
    column = np.linspace(-3, 5, 50, dtype=np.float32)[:, None]
    got = quantized(np.hstack([column, column * 100, np.ones_like(column)]), to)
    assert got[:, 0].min() == least
    assert got[:, 0].max() in (largest - 1, largest), "the top step may be lost to rounding, as it is in the reference"
    assert np.abs(got[:, 0] - got[:, 1]).max() <= 1, "a dimension's scale does not matter"
    assert set(got[:, 2]) == {least}, "a dimension with one value has no steps and is no NaN"
    np.testing.assert_array_equal(got, np.round(got))


FACTS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "facts" / "reference_quantized.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", [name for name in FACTS if name not in ("vectors", "clip")])
def test_every_number_format_is_the_references(name: str) -> None:
    vectors = np.array(FACTS["vectors"], dtype=np.float32)
    to, _, clipped = name.partition(" ")
    ours = Postprocess(quantize=to, clip=tuple(FACTS["clip"]) if clipped else None)(vectors)  # type: ignore[arg-type]
    np.testing.assert_array_equal(ours, np.array(FACTS[name], dtype=np.float32))
    assert ours.dtype == np.float32


def test_bits_are_compared_by_the_number_that_differ() -> None:
    bits = quantized(SOME, "binary")
    differ = [(one != other).sum() for one, other in zip(bits[:10], bits[10:], strict=True)]
    np.testing.assert_array_equal(-pairwise("manhattan", bits[:10], bits[10:]), differ)
