"""The roles of a config's fields, and what all schemas have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from runner.config.values import as_meant
from runner.text import composed

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
        field = cls.model_fields[info.field_name]
        meant = as_meant(value, field.annotation)
        # Fields that are schemas again see to their own, in which paths are left as they are written.
        return composed(meant) if _decides(field) and not _holds_schemas(field.annotation) else meant


def _decides(field: FieldInfo) -> bool:
    return isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("role") == "decides"


def _holds_schemas(annotation: Any) -> bool:
    inner = get_args(annotation)
    return any(map(_holds_schemas, inner)) or (isinstance(annotation, type) and issubclass(annotation, BaseModel))
