"""One tree of errors, and what rests on its shape."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from embedmark.runner.common import errors
from embedmark.runner.common.errors import EmbedmarkError, ModelError, OutputError, UserError


def classes_below(parent: type[Exception]) -> set[str]:
    return {name for child in parent.__subclasses__() for name in {child.__name__, *classes_below(child)}}


def test_the_drawing_has_every_error() -> None:
    drawn = re.findall(r"^[├└]── (\w+)", errors.__doc__ or "", re.MULTILINE)
    assert set(drawn) == classes_below(EmbedmarkError)


def test_who_gives_up_a_job_for_a_users_mistake_does_not_go_on_with_a_full_disk() -> None:
    assert not issubclass(OutputError, UserError)


def test_pydantic_places_what_a_loader_says_of_a_config() -> None:
    class Config(BaseModel):
        prompt: str

        @field_validator("prompt")
        @classmethod
        def _refuse(cls, value: Any) -> Any:
            raise ModelError(f"no prompt {value!r}")

    with pytest.raises(ValidationError) as caught:
        Config(prompt="x")
    assert caught.value.errors()[0]["loc"] == ("prompt",)
