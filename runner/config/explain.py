"""Turns what pydantic and YAML say about a config into what its writer needs to know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runner.errors import UserError, nearest

_UNION_TAGS = {
    "dataset": frozenset({"hub", "package", "files"}),
    "source": frozenset({"hub", "package", "path"}),
    "members": frozenset({"named", "inline"}),
}
"""Key → the tags of its union, which pydantic puts behind it, or behind a place in its list."""


def invalid(error: ValidationError, where: str, schema: type[Any]) -> UserError:
    """The UserError for a config that does not fit its schema; `where` names the file or the command line."""
    lines = [_line(detail, schema) for detail in error.errors(include_url=False)]
    return UserError(f"{where}:\n" + "\n".join(f"  {line}" for line in dict.fromkeys(lines)))


def _line(detail: ErrorDetails, schema: type[Any]) -> str:
    location = _without_tags(detail["loc"])
    key = ".".join(str(part) for part in location) or "(top level)"
    kind, found = detail["type"], detail["input"]
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        known = _fields(_schema_at(schema, location[:-1]))
        return f"{key}: no such key.{nearest(str(location[-1]), known)} Known keys: {', '.join(sorted(known))}."
    if kind in {"missing", "missing_argument"}:
        return f"{key}: missing; it has to be given."
    if kind == "literal_error":
        allowed = [part.strip("' ") for part in detail["ctx"]["expected"].replace(" or ", ", ").split(",")]
        return f"{key}: found {_short(found)}; expected one of {', '.join(allowed)}.{nearest(str(found), allowed)}"
    if kind == "value_error":
        return f"{key}: {detail['ctx']['error']}"
    return f"{key}: found {_short(found)}; {_lower_first(detail['msg'])}."


def _without_tags(location: Iterable[int | str]) -> tuple[int | str, ...]:
    kept: list[int | str] = []
    key = ""
    for part in location:
        if part not in _UNION_TAGS.get(key, ()):
            kept.append(part)
        if isinstance(part, str):
            key = part
    return tuple(kept)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _schema_at(schema: type[Any], location: Iterable[int | str]) -> Iterable[type[Any]]:
    """The schemas that a key path may lead to; several where a union is on the way."""
    here = [schema]
    for part in location:
        if isinstance(part, int):
            continue
        fields = [s.model_fields[part].annotation for s in here if _is_schema(s) and part in s.model_fields]
        here = [found for annotation in fields for found in _schemas_in(annotation)]
    return here


def _schemas_in(annotation: Any) -> Iterable[type[Any]]:
    if _is_schema(annotation):
        yield annotation
    for inner in get_args(annotation):
        yield from _schemas_in(inner)


def _is_schema(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)


def _fields(schemas: Iterable[type[Any]]) -> set[str]:
    names: set[str] = set()
    for schema in schemas:
        fields: Mapping[str, Any] = getattr(schema, "model_fields", None) or schema.__dataclass_fields__
        names |= set(fields)
    return names


def _lower_first(message: str) -> str:
    return message[0].lower() + message[1:]
