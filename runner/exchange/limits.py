"""JSON that a stranger wrote, read within limits: no file, depth, text or number is larger than results have."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.files import read_bounded, refuse_larger
from embedmark.runner.common.text import shortened

BYTES = 8 << 20
"""The largest file; the largest result file that was published is a twentieth of it."""

_HINT = "; no result file is"

DEPTH, CHARACTERS, KEYS, ROWS = 12, 4096, 512, 20_000
_NUMBER, _INTEGER = 40, 18

LARGEST_SCORE = 1e6
"""No metric of the field comes near it, and what is larger has no exact place among millionths, which ranks are of."""


def read_json(path: Path, *, infinite: bool = False) -> dict[str, Any]:
    """Read the object in a JSON file that may be hostile.

    Args:
        path: A regular file.
        infinite: Whether `Infinity` is a number, as in the field's descriptions of models; -Infinity never is.

    Returns:
        The object; a bare `NaN` in it is a NaN.

    Raises:
        UserError: It cannot be read, is not JSON, says a key twice, or is beyond a limit. The message names the file.
    """
    return parse_json(read_bounded(path, BYTES, hint=_HINT), str(path), infinite=infinite)


def parse_json(content: bytes, where: str, *, infinite: bool = False) -> dict[str, Any]:
    """Parse what `read_json` reads. where: what messages call it. Raises UserError like it."""
    refuse_larger(len(content), BYTES, where, _HINT)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: not in UTF-8: byte {error.start} is {content[error.start]:#04x}") from None
    try:
        values = json.loads(
            text,
            object_pairs_hook=_once,
            parse_constant=_constant(infinite),
            parse_float=_float,
            parse_int=_integer,
        )
        _check(values, 1)
    except RecursionError:
        raise UserError(f"{where}: nested deeper than {DEPTH} levels") from None
    except ValueError as error:
        raise UserError(f"{where}: not valid: {shortened(str(error), 200)}") from None
    if not isinstance(values, dict):
        raise UserError(f"{where}: expected an object, as in {{...}}")
    return values


def check_values(values: object, where: str) -> None:
    """Hold values that are of YAML to the limits of `parse_json`. where: what messages call them. Raises UserError."""
    try:
        _check_plain(values)
        _check(values, 1)
    except ValueError as error:
        raise UserError(f"{where}: {error}") from None


def _check_plain(value: object) -> None:
    """Refuse what JSON has no words for, and numbers and objects that are too large. Raises ValueError."""
    if isinstance(value, dict):
        if len(value) > KEYS:
            raise ValueError(f"an object has {len(value)} keys; expected at most {KEYS}")
        for part in (*value, *value.values()):
            _check_plain(part)
    elif isinstance(value, list):
        for part in value:
            _check_plain(part)
    elif isinstance(value, float) and math.isinf(value):
        raise ValueError(f"{value} is no finite number")
    elif isinstance(value, int) and abs(value) >= 10**_INTEGER:
        raise ValueError(f"a number of more than {_INTEGER} digits")
    elif not (value is None or isinstance(value, (str, float, int))):
        raise ValueError(f"holds a value of the kind {type(value).__name__}; expected texts and numbers")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    if len(found) > KEYS:
        raise ValueError(f"an object has {len(found)} keys; expected at most {KEYS}")
    return found


def _constant(infinite: bool) -> Callable[[str], float]:
    def parse(name: str) -> float:
        if name == "NaN":
            return math.nan
        if infinite and name == "Infinity":
            return math.inf
        raise ValueError(f"{name} is no finite number")

    return parse


def _float(digits: str) -> float:
    if len(digits) > _NUMBER:
        raise ValueError(f"a number of {len(digits)} characters; expected at most {_NUMBER}")
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is no finite number")
    return number


def _integer(digits: str) -> int:
    if len(digits) > _INTEGER:
        raise ValueError(f"a number of {len(digits)} digits; expected at most {_INTEGER}")
    return int(digits)


def _check(value: Any, depth: int) -> None:
    """Raises ValueError for what is beyond a limit."""
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, (dict, list)):
        if depth > DEPTH:
            raise ValueError(f"nested deeper than {DEPTH} levels")
        if isinstance(value, list) and len(value) > ROWS:
            raise ValueError(f"a list of {len(value)}; expected at most {ROWS}")
        for inner in value:
            _check(inner, depth + 1)
        if isinstance(value, dict):
            for inner in value.values():
                if type(inner) is not float:
                    _check(inner, depth + 1)


def _check_text(text: str) -> None:
    if len(text) > CHARACTERS:
        raise ValueError(f"a text of {len(text)} characters; expected at most {CHARACTERS}")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("a text with half a character (a lone surrogate)")
