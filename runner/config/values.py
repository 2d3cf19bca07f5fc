"""Kinds of value in configs that a plain type does not describe: names, languages, anything, addresses.

pydantic is kinder than whoever writes YAML means it to be: it takes true for 1, bytes for text and a set for a list.
`as_meant` refuses these.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple, get_args

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from embedmark.runner.common.errors import PatternError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.patterns import compiled
from embedmark.runner.common.text import has_password, is_visible
from embedmark.runner.config.annotations import bare, holds, kinds_in
from embedmark.runner.config.explain import in_yaml, not_a_key
from embedmark.runner.config.languages import check_language

_LONGEST_NAME = 200
_DEEPEST = 32
_BITS = 64
_DEVICES = ("auto", "cpu", "cuda", "mps", "xpu")
_DEVICE = re.compile(r"auto|mps|cpu|(cuda|xpu)(:[0-9]{1,3})?")


def as_meant(value: Any, annotation: Any) -> Any:
    """The value, unless only pydantic would take it for what stands there. Raises what pydantic expects."""
    if not _stands(value, annotation):
        raise PydanticCustomError("not_meant", "another kind of value")
    for inner in value if isinstance(value, (list, tuple)) else (value,):
        for key in inner if isinstance(inner, Mapping) else ():
            if not isinstance(key, str):
                raise ValueError(not_a_key(key))
    _check_leaves(value)
    return value


def _check_leaves(value: Any, depth: int = 0) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, (list, tuple)):
        for item in value if depth <= _DEEPEST else ():
            _check_leaves(item, depth + 1)
    elif isinstance(value, Mapping):
        for pair in value.items() if depth <= _DEEPEST else ():
            _check_leaves(pair, depth + 1)
    elif value != value:
        raise ValueError("found .nan; expected a number, or null for none")
    elif isinstance(value, int) and value.bit_length() > _BITS:
        raise ValueError("found a number of very many digits; expected one that a computer counts with")


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ValueError(f"found {in_yaml(text)}; expected a text without the character of code 0")
    if has_password(text):
        raise ValueError(
            "found an address with a user or password in it (not shown); leave `user:password@` out, since configs "
            "are kept with the results: a key belongs in an environment variable"
        )


class _Room(NamedTuple):
    """What may stand at a place: whether true and false may; the annotation of a list's items, and of a mapping's
    values, where there is a list or mapping of one kind."""

    switch: bool
    items: Any = None
    values: Any = None


@cache
def _room(annotation: Any) -> _Room:
    kinds = [bare(kind) for kind in kinds_in(annotation)]
    return _Room(
        switch=not kinds or any(kind not in (int, float) for kind in kinds),
        items=next((get_args(kind)[0] for kind in kinds if holds(kind, tuple)), None),
        values=next((get_args(kind)[1] for kind in kinds if holds(kind, Mapping)), None),
    )


def _stands(value: Any, annotation: Any) -> bool:
    if isinstance(value, str):  # most values: tasks have thousands of subsets
        return True
    if isinstance(value, (bytes, bytearray, set, frozenset)):
        return False
    room = _room(annotation)
    if isinstance(value, bool):
        return room.switch
    if isinstance(value, (list, tuple)):
        return room.items is None or all(_stands(item, room.items) for item in value)
    if isinstance(value, Mapping):
        return room.values is None or all(_stands(item, room.values) for item in value.values())
    return True


def _name(text: str) -> str:
    if not is_visible(text) or not text.strip() or text != text.strip() or len(text) > _LONGEST_NAME:
        raise ValueError(
            f"found {in_yaml(text)}; expected a name: one line of at most {_LONGEST_NAME} characters that can "
            "be seen, with no blank at its ends"
        )
    return text


def _device(text: str) -> str:
    if not _DEVICE.fullmatch(text):
        raise ValueError(
            f"found {in_yaml(text)}; expected one of {', '.join(_DEVICES)}, or one of several as in cuda:1."
            f"{nearest(text.partition(':')[0], _DEVICES)}"
        )
    return text


def _pattern(text: str) -> str:
    try:
        compiled(text)
    except PatternError as error:
        raise ValueError(str(error)) from None
    return text


def _anything(value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise ValueError(f"lists or names within each other, more than {_DEEPEST} deep; expected fewer")
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value):
        return value
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not isinstance(name, (str, bool, int)):
                raise ValueError(not_a_key(name))
            _anything(item, depth + 1)
        return value
    if isinstance(value, (list, tuple)):
        for item in value:
            _anything(item, depth + 1)
        return value
    raise ValueError(
        f"found {in_yaml(value)}; expected text, a number, true or false, a list, or names with values: put a date, or "
        "what else is text, in quotes"
    )


Name = Annotated[str, AfterValidator(_name)]
"""What something is called: it stands in file names and tables."""

Device = Annotated[str, AfterValidator(_device)]
"""What a model runs on."""

Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression; see runner/common/patterns.py."""

Anything = Annotated[Any, AfterValidator(_anything)]
"""A value whose meaning others know: what YAML and JSON both can hold."""

Language = Annotated[str, AfterValidator(check_language)]
"""ISO 639-3 language and ISO 15924 script, as in eng-Latn."""

Languages = tuple[Language, ...]
