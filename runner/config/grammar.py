"""Values of the command line in Hydra's grammar: lists, mappings, quotes, numbers; and the values of a sweep.

A value is what it says: `${...}` stays as it stands, and a text needs no quotes unless it holds a comma, brackets or
quotes. Hydra's own parser reads lists, mappings and numbers; letters that its lexer does not know are hidden from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException

from embedmark.runner.common.errors import UserError

MAX_LENGTH = 20_000
"""Characters of one value that is more than a text."""
MAX_DEPTH = 20
MAX_POINTS = 10_000

_SWEEP = re.compile(r"(?:choice|range|glob|sort|shuffle|interval|tag)\(.*\)$", re.DOTALL)
_CAST = re.compile(r"(?:int|float|str|bool|json_str)\(.*\)$", re.DOTALL)
_MAYBE_NO_TEXT = re.compile(r"[-+.]?[\d.]|[-+]?(?:true|false|null|inf|nan)$", re.IGNORECASE)
_UNKNOWN = re.compile(r"\$\{[^{}'\"]*\}|[^\w./\\+%*@?|(){}\[\],:='\" \t-]|[^\x00-\x7f]")
_HIDDEN = re.compile(r"_uQ((?:[0-9A-F]+_)+)Q_")


def short(text: str) -> str:
    """An override as messages show it."""
    return repr(text if len(text) <= 100 else f"{text[:97]}...")


def split(text: str) -> list[str]:
    """The parts between commas that stand in no brackets and no quotes; the whole text where brackets do not match."""
    parts, begin, depth, quote, before = [], 0, 0, "", ","
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote and text[place - 1] != "\\" else quote
        elif sign in "'\"" and before in ",:=([{":
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif sign == "," and depth == 0:
            parts.append(text[begin:place])
            begin = place + 1
        if depth < 0:
            return [text]
        before = before if sign.isspace() else sign
    return [text] if quote or depth else [*parts, text[begin:]]


def alternatives(override: str, value: str, choices: Callable[[], Sequence[str]]) -> list[str]:
    """The values that one override stands for, each as it could have been typed: one, or those of a sweep.

    choices: the names that `glob(...)` chooses from.
    """
    if not _SWEEP.match(value.strip()):
        parts = split(value)
        return [part.strip() for part in parts] if len(parts) > 1 else parts
    parsed = _parsed(override, value)
    if isinstance(parsed._value, Glob):
        return parsed._value.filter(list(choices()))
    if not parsed.is_discrete_sweep():
        raise UserError(f"{short(override)}: these values cannot be listed; give them one by one, with commas between")
    found = [_shown(text) for text, _ in zip(parsed.sweep_string_iterator(), range(MAX_POINTS + 1), strict=False)]
    if len(found) > MAX_POINTS:
        raise UserError(f"{short(override)}: more than {MAX_POINTS:,} values; a sweep has fewer")
    return found


def value_of(override: str, value: str, *, text: bool = False) -> Any:
    """What one value says. text: that only a text is wanted, so that 9000 is one. Raises UserError."""
    plain = value.strip()
    if plain[:1] not in ("'", '"', "[", "{") and not _CAST.match(plain):
        if text:
            return None if plain == "null" else plain
        if not _MAYBE_NO_TEXT.match(plain) and not re.search(r"[\[\]{}()'\"\\,]", plain):
            return plain
    parsed = _parsed(override, value)
    if parsed.is_sweep_override():
        raise UserError(_commas(override))
    return _shown(parsed.value())


def name_of(value: str) -> str | None:
    """A name: as it stands, or in quotes; None for null."""
    plain = value.strip()
    if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "'\"":
        return plain[1:-1].replace(f"\\{plain[0]}", plain[0])
    return None if plain == "null" else plain


def one_of_many(override: str, found: Sequence[str], *, sweep: bool) -> None:
    """Refuse several values where there is no sweep."""
    if not sweep and len(found) != 1:
        raise UserError(_commas(override))
    if not found:
        raise UserError(f"{short(override)}: no value")


def _commas(override: str) -> str:
    key = override.partition("=")[0]
    listed = "" if key in {"model", "task", "benchmark"} else f" {key}=[a,b] is a list, \"{key}='a, b'\" one text."
    return f"{short(override)}: several values; give -m to try them one by one.{listed}"


def _parsed(override: str, value: str) -> Override:
    depth = deepest = 0
    for sign in value:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise UserError(f"{short(override)}: brackets nested more than {MAX_DEPTH} deep, the limit of the command line")
    if len(value) > MAX_LENGTH:
        raise UserError(f"{short(override)}: a value of {len(value):,} characters; put it in a file of your own")
    _keys_once(override, value)
    hidden = _UNKNOWN.sub(lambda found: _hide(found[0]), value)
    if not (_SWEEP.match(value.strip()) or _CAST.match(value.strip())):
        hidden = hidden.replace("=", _hide("="))
    try:
        return OverridesParser.create().parse_override(f"key={hidden}")
    except (HydraException, ValueError, RecursionError):
        key = override.partition("=")[0]
        raise UserError(
            f"{short(override)}: the value cannot be read. A text with commas, brackets or quotes in it stands in "
            f"quotes within the shell's: \"{key}='a, (b)'\"; a list is [a,b], a mapping {{key: value}}"
        ) from None


def _keys_once(override: str, value: str) -> None:
    """Refuse a mapping that gives a key twice, of which Hydra would take the last. Raises UserError."""
    plain = value.strip()
    if plain[:1] + plain[-1:] not in ("{}", "[]"):
        return
    seen: set[str] = set()
    for part in split(plain[1:-1]):
        key, colon, inner = part.partition(":") if plain[0] == "{" else ("", "", part)
        if colon and key.strip() in seen:
            raise UserError(f"{short(override)}: the key {key.strip()[:80]!r} is given twice; leave one of them out")
        seen.add(key.strip())
        _keys_once(override, inner)


def _hide(text: str) -> str:
    return f"_uQ{''.join(f'{ord(sign):X}_' for sign in text)}Q_"


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return _HIDDEN.sub(lambda found: "".join(chr(int(code, 16)) for code in found[1].split("_")[:-1]), value)
    if isinstance(value, dict):
        return {_shown(key) if isinstance(key, str) else _key(key): _shown(inner) for key, inner in value.items()}
    return [_shown(inner) for inner in value] if isinstance(value, list) else value


def _key(key: Any) -> Any:
    """Keys of configs are texts: {2021: x} is one too."""
    return str(key) if isinstance(key, int) and not isinstance(key, bool) else key
