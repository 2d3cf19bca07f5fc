"""Texts with names in braces, as configs use them: "{title} {text}"."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from embedmark.runner.common.errors import TableError
from embedmark.runner.common.names import nearest


def fields(template: str) -> list[str]:
    """List the names in braces of a template. Raises TableError when it holds more than names."""
    names = []
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise TableError(f"the template {template!r} cannot be read: {error}") from error
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if spec or conversion or not name:
            raise TableError(f"the template {template!r} may hold only names in braces, such as {{title}}")
        names.append(name)
    return list(dict.fromkeys(names))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace the names in a template. Raises TableError when a name is unknown."""
    unknown = [name for name in fields(template) if name not in values]
    if unknown:
        raise TableError(f"{template!r} names {unknown[0]!r}; known are {sorted(values)}.{nearest(unknown[0], values)}")
    return "".join(
        literal + ("" if name is None else values[name]) for literal, name, _, _ in Formatter().parse(template)
    )
