from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from model2vec import StaticModel
from tiny_models import tiny_model2vec

from embedmark.models.base import EncodeContext, Variant
from embedmark.models.loaders import loaders
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import TaskContext

TEXTS = ["a b c", "", "the word " * 300, "日本"]


def test_model2vec_equals_the_library(tmp_path: Path) -> None:
    folder = tiny_model2vec(tmp_path)
    encoder = loaders()["model2vec"].load(ModelSpec("tiny", folder, prompts={"query": "query "}))
    reference = StaticModel.from_pretrained(folder)
    np.testing.assert_array_equal(encoder.encode(TEXTS, Variant()), reference.encode(TEXTS))
    query = encoder.variant(EncodeContext(TaskContext("T", "Retrieval"), "query"))
    np.testing.assert_array_equal(encoder.encode(["a"], query), reference.encode(["query a"]))


def test_max_tokens_cuts_texts(tmp_path: Path) -> None:
    encoder = loaders()["model2vec"].load(ModelSpec("tiny", tiny_model2vec(tmp_path), max_tokens=2))
    np.testing.assert_array_equal(encoder.encode(["a b c"], Variant()), encoder.encode(["a b"], Variant()))


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model\.safetensors"):
        loaders()["model2vec"].load(ModelSpec("tiny", tmp_path))
