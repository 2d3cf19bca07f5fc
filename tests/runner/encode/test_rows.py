from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import tiny_static

from embedmark.models.base import Encoder, Variant
from embedmark.models.postprocess import Postprocess
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.sentence_transformer import load
from embedmark.runner.encode.engine import Encoding, Request, encode
from embedmark.runner.encode.store import DiskStore, MemoryStore, Store

TEXTS = ["b", "aa", "b", "cab", "", "abc", "bb", "a"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return load(ModelSpec("static", tiny_static(tmp_path_factory.mktemp("static")), device="cpu"))


def encoded(encoder: Encoder, store: Store, **postprocess: Any) -> tuple[Encoding, Request]:
    encode(encoder, [Request("before", TEXTS[:3], Variant())], store)  # so that the vectors lie in two shards
    request = Request("texts", TEXTS, Variant())
    return encode(encoder, [request], store, postprocess=Postprocess(**postprocess)), request


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else DiskStore(tmp_path / "store" / "m", {})


@pytest.mark.parametrize(
    "which", [slice(None), slice(2, 5), slice(7, 99), np.array([5, 0, 0]), np.array([], dtype=int)]
)
@pytest.mark.parametrize("postprocess", [{}, {"truncate_dim": 2, "normalize": True}, {"layer_norm": True}])
def test_rows_are_those_of_the_whole(which: Any, postprocess: dict[str, Any], encoder: Encoder, store: Store) -> None:
    found, request = encoded(encoder, store, **postprocess)
    rows, whole = found.rows(request), found.vectors(request)
    assert not isinstance(rows, np.ndarray)
    assert rows.shape == whole.shape
    assert len(rows) == len(TEXTS)
    np.testing.assert_array_equal(rows[which], whole[which])
    assert rows[which].shape == whole[which].shape


def test_where_a_vector_depends_on_the_others_they_are_read_together(encoder: Encoder, store: Store) -> None:
    found, request = encoded(encoder, store, quantize="int8")
    np.testing.assert_array_equal(np.asarray(found.rows(request)[:]), found.vectors(request))
    assert isinstance(found.rows(request), np.ndarray)
