"""The roles of a config's fields, and what all schemas have in common."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, ValidationInfo, field_validator

from embedmark.runner.common.text import composed
from embedmark.runner.config.values import as_meant

Role = Literal["decides", "describes", "executes"]


def role(name: Role, **constraints: Any) -> Any:
    """A field of that role, with constraints of pydantic's."""
    return Field(json_schema_extra={"role": name}, **constraints)


Decides = role("decides")
Describes = role("describes")
Executes = role("executes")


def role_of(model: type[BaseModel], field: str) -> Role:
    """The role of one field of a schema."""
    extra = model.model_fields[field].json_schema_extra
    assert isinstance(extra, dict), f"{model.__name__}.{field} has no role"
    return extra["role"]  # type: ignore[return-value]


def kind_by_key(*keys: str) -> Any:
    """Tell the members of a union apart by the one key that each must have."""

    def kind(value: Any) -> str | None:
        present = vars(value) if isinstance(value, BaseModel) else value if isinstance(value, Mapping) else ()
        return next((key for key in keys if key in present), None)

    return Discriminator(
        kind,
        custom_error_type="one_of_keys",
        custom_error_message="expected one of the keys",
    )


class Schema(BaseModel):
    """What all schemas of configs have in common: unknown keys are refused, values never change after the check."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _as_meant(cls, value: Any, info: ValidationInfo) -> Any:
        assert info.field_name is not None
        meant = as_meant(value, cls.model_fields[info.field_name].annotation)
        return composed(meant) if _is_composed(cls, info.field_name) else meant


@cache
def _is_composed(schema: type[BaseModel], name: str) -> bool:
    """Whether a field is read in NFC: one that decides. Schemas in it see to theirs, and leave paths alone."""
    return role_of(schema, name) == "decides" and not _holds_schemas(schema.model_fields[name].annotation)


def _holds_schemas(annotation: Any) -> bool:
    inner = get_args(annotation)
    return any(map(_holds_schemas, inner)) or (isinstance(annotation, type) and issubclass(annotation, BaseModel))
