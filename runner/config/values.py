"""Kinds of value in configs that a plain type does not describe: names, languages, anything, addresses.

pydantic is kinder than whoever writes YAML means it to be: it takes true for 1, bytes for text and a set for a list.
`as_meant` refuses these.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from runner.config.explain import alternatives, in_yaml, not_a_key
from runner.config.languages import check_language
from runner.errors import nearest
from runner.patterns import PatternError, compiled
from runner.text import has_password, is_visible

_LONGEST_NAME = 200
_DEEPEST = 32
_BITS = 64
_DEVICES = ("auto", "cpu", "cuda", "mps", "xpu")
_DEVICE = re.compile(r"auto|mps|cpu|(cuda|xpu)(:\d{1,3})?")


def as_meant(value: Any, annotation: Any) -> Any:
    """The value, unless only pydantic would take it for what stands there."""
    if not _stands(value, alternatives(annotation)):
        raise PydanticCustomError("not_meant", "another kind of value")
    for inner in value if isinstance(value, (list, tuple)) else (value,):
        for key in inner if isinstance(inner, Mapping) else ():
            if not isinstance(key, str):
                raise ValueError(not_a_key(key))
    for leaf in _leaves(value, 0):
        if isinstance(leaf, str):
            _check_text(leaf)
        elif leaf != leaf:
            raise ValueError("found .nan; expected a number, or null for none")
        elif isinstance(leaf, int) and leaf.bit_length() > _BITS:
            raise ValueError("found a number of very many digits; expected one that a computer counts with")
    return value


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ValueError(f"found {in_yaml(text)}; expected a text without the character of code 0")
    if has_password(text):
        raise ValueError(
            "found an address with a user or password in it (not shown); leave `user:password@` out, since configs "
            "are kept with the results: a key belongs in an environment variable"
        )


def _stands(value: Any, kinds: Sequence[Any]) -> bool:
    bare = [get_args(kind)[0] if get_origin(kind) is Annotated else kind for kind in kinds]
    if isinstance(value, (bytes, bytearray, set, frozenset)):
        return False
    if isinstance(value, bool):
        return not bare or any(kind not in (int, float) for kind in bare)
    if isinstance(value, (list, tuple)):
        inner = [get_args(kind)[0] for kind in bare if get_origin(kind) is tuple]
        return not inner or all(_stands(item, alternatives(inner[0])) for item in value)
    if isinstance(value, Mapping):
        values = [get_args(kind)[1] for kind in bare if get_origin(kind) is not None and _is_mapping(kind)]
        return not values or all(_stands(item, alternatives(values[0])) for item in value.values())
    return True


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _leaves(value: Any, depth: int) -> Iterator[Any]:
    if isinstance(value, (list, tuple)) and depth <= _DEEPEST:
        for item in value:
            yield from _leaves(item, depth + 1)
    elif isinstance(value, Mapping) and depth <= _DEEPEST:
        for pair in value.items():
            yield from _leaves(pair, depth + 1)
    else:
        yield value


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
"""A regular expression; see runner/patterns.py."""

Anything = Annotated[Any, AfterValidator(_anything)]
"""A value whose meaning others know: what YAML and JSON both can hold."""

Language = Annotated[str, AfterValidator(check_language)]
"""ISO 639-3 language and ISO 15924 script, as in eng-Latn."""

Languages = tuple[Language, ...]
