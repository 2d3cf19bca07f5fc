"""What a model's file may not say, beyond what its fields' types say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from embedmark.runner.config.schema import ModelConfig


def model(**values: Any) -> ModelConfig:
    return ModelConfig.model_validate({"name": "org/x", **values})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"similarity": "max_sim"}, "max_sim is for the loader multi_vector"),
        ({"similarity": "max_sim", "loader": "sparse_encoder"}, "max_sim is for the loader multi_vector"),
        ({"quantize_clip": [0.1, 0.9]}, "quantize_clip is for integers"),
        ({"quantize_clip": [0.1, 0.9], "quantize": "float8_e5m2"}, "quantize_clip is for integers"),
        ({"quantize_clip": [0.9, 0.1], "quantize": "int8"}, r"found \[0.9, 0.1\]; expected two shares"),
        ({"quantize_clip": [1, 99], "quantize": "int8"}, "expected two shares"),
    ],
)
def test_settings_that_do_not_fit_together(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        model(**values)


def test_single_vectors_have_no_max_sim() -> None:
    assert model(similarity="dot").vector_similarity == "dot"
    assert model(similarity="max_sim", loader="multi_vector").vector_similarity is None
