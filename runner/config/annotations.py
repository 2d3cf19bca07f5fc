"""What the annotations of schemas say: which kinds of value may stand at a place, and what is inside of them."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Tag


def kinds_in(annotation: Any) -> tuple[Any, ...]:
    """What a union is made of, None left out; tags stay on its members."""
    if get_origin(annotation) is Annotated and tag_of(annotation) is None:
        return kinds_in(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(kind for inner in get_args(annotation) for kind in kinds_in(inner))
    return () if annotation is type(None) else (annotation,)


def tag_of(annotation: Any) -> str | None:
    """What a member of a union is called in the places of pydantic's errors, where it has a name."""
    marks = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return next((mark.tag for mark in marks if isinstance(mark, Tag)), None)


def bare(annotation: Any) -> Any:
    """The annotation without what pydantic is told besides."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def holds(annotation: Any, *kinds: type) -> bool:
    """Whether it is a generic of one of these kinds: `Mapping[str, int]` of Mapping, `tuple[str, ...]` of tuple."""
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, kinds)


def fields_of(schema: Any) -> Mapping[str, Any]:
    """The keys of a schema, as YAML names them, with what may stand there; none of what is no schema."""
    if not isinstance(schema, type):
        return {}
    if issubclass(schema, BaseModel):
        return {field.alias or name: field.annotation for name, field in schema.model_fields.items()}
    return get_type_hints(schema) if dataclasses.is_dataclass(schema) else {}


def plain_types(annotation: Any) -> Iterator[Any]:
    """The plain types that an annotation is made of."""
    if get_origin(annotation) is Annotated:
        yield from plain_types(get_args(annotation)[0])
    elif get_origin(annotation) is Literal:
        yield from map(type, get_args(annotation))
    elif inner := get_args(annotation):
        for part in inner:
            yield from plain_types(part)
    else:
        yield annotation


def schemas_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The schemas that an annotation is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from schemas_in(inner)
