"""Turns what pydantic says about a config into what its writer needs to know: in YAML's words, with an example."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest, similar
from embedmark.runner.common.text import MESSAGE, shortened, visible, without_passwords
from embedmark.runner.config.annotations import bare, fields_of, holds, kinds_in, tag_of

_Place = tuple[int | str, ...]
_Types = tuple[Any, ...]
"""The kinds of value that may stand at a place, None left out."""

_EXAMPLES: Mapping[str, str] = {
    "name": "name: org/name",
    "loader": "loader: sentence_transformer",
    "dataset": "dataset: {hub: org/name, revision: <commit>}",
    "source": "source: {path: /where/the/weights/are}",
    "members": "members: [bm25, minilm]",
    "tasks": "tasks: [STSBenchmark]",
    "languages": "languages: [eng-Latn]",
    "subsets": "subsets: {en: [eng-Latn]}",
    "pairs": "pairs: {en: eng-Latn, de: deu-Latn}",
    "splits": "splits: [test]",
    "prompts": 'prompts: {query: "query: ", document: "passage: "}',
    "prompt": 'prompt: "Find what answers the question"',
    "instructions": 'instructions: {template: "Instruct: {instruction}\\nQuery: "}',
    "main_metric": "main_metric: ndcg_at_10",
    "settings": "settings: {n_experiments: 10}",
    "transforms": "transforms: [{rename: {old: new}}]",
    "layout": "layout: {corpus: {config: documents}}",
    "parameters": "parameters: {pooling: cls}",
    "date": 'date: ["2024-01-01", "2024-12-31"]',
    "quantize_clip": "quantize_clip: [0.01, 0.99]",
    "sha256": "sha256: {model.safetensors: <64 digits>}",
    "training_datasets": "training_datasets: [MSMARCO]",
    "max_tokens": "max_tokens: 512",
    "embed_dim": "embed_dim: 384",
    "modalities": "modalities: [text]",
    "about": "about: {license: mit}",
    "execution": "execution: {device: cpu}",
    "outputs": "outputs: /where/results/go",
}
"""How a key looks when it is right, where that says more than its kind does."""

_LEAST_ROOM = 80
_DEEPEST_SHOWN = 3
_ALTERNATIVES = 4


def invalid(error: ValidationError, where: str, schema: type[Any]) -> UserError:
    """The UserError for a config that does not fit its schema; `where` names the file or the command line."""
    lines = _lines(error, schema)
    message = f"{shortened(where, 200)}:"
    for number, line in enumerate(lines):
        left = len(lines) - number
        room = MESSAGE - len(message) - 3 - len(f"\n  and {left} more")
        if number and room < max(_LEAST_ROOM, min(len(line), 3 * _LEAST_ROOM)):
            return UserError(f"{message}\n  and {left} more")
        message += f"\n  {shortened(line, room)}"
    return UserError(message)


def _lines(error: ValidationError, schema: type[Any]) -> list[str]:
    """Each mistake once: the members of a union all complain, and what is short for something else does twice."""
    details = error.errors(include_url=False)
    places = [_at(schema, detail["loc"])[0] for detail in details]
    lines: dict[str, str] = {}
    for place, detail in zip(places, details, strict=True):
        deeper = any(len(other) > len(place) and other[: len(place)] == place for other in places)
        if not deeper or detail["type"] == "value_error":
            line = problem(detail, schema)
            lines.setdefault(line.partition(": ")[2] if detail["type"] == "value_error" else line, line)
    return list(lines.values())


def problem(detail: ErrorDetails, schema: type[Any]) -> str:
    """One mistake in one line: key, what was found, what was expected, and an example."""
    parts = detail["loc"]
    if _no_key(detail):
        parts = parts[: -2 if parts[-1] == "[key]" else -1]
    elif detail["type"] == "missing" and parts and isinstance(parts[-1], int):
        parts = parts[:-1]  # a list that is too short
    location, expected = _at(schema, parts)
    key = ".".join(shortened(visible(str(part)), 60) for part in location) or "(top level)"
    return f"{key}: {_said(detail, schema, location, expected)}"


def _said(detail: ErrorDetails, schema: type[Any], location: _Place, expected: _Types) -> str:
    kind, found, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        known = {name for at in _at(schema, detail["loc"][:-1])[1] for name in fields_of(bare(at))}
        near = nearest(shortened(str(location[-1])), known)
        return f"no such key.{near or ' Known keys: ' + ', '.join(sorted(known)) + '.'}"
    if kind == "missing_argument" or (kind == "missing" and not isinstance(detail["loc"][-1], int)):
        return f"missing; it has to be given{_example(location, expected)}."
    if kind in {"value_error", "assertion_error"}:
        return str(context["error"])
    if _no_key(detail):
        return not_a_key(found)
    wanted = f"{_words(expected)}{_hint(found, location, expected)}"
    if kind in _BOUNDS:
        wanted = f"{_BOUNDS[kind]} {next(iter(context.values()))}"
    if kind == "finite_number":
        wanted = "a number that is neither infinite nor .nan"
    if kind.startswith(("timezone_", "datetime_")):
        wanted = "a time with its timezone, as in 2026-01-01T12:00:00Z"
    return f"found {in_yaml(found)}; expected {wanted}.{_later(found, location)}"


def _later(found: object, location: _Place) -> str:
    """What is said of items that cannot be measured yet."""
    asked = str(location[-1]).endswith("modality") and any(word in str(found) for word in ("audio", "video"))
    return " Audio and video cannot be measured yet." if asked else ""


_BOUNDS = {
    "greater_than": "a number above",
    "greater_than_equal": "a number of at least",
    "less_than": "a number below",
    "less_than_equal": "a number of at most",
}


def _no_key(detail: ErrorDetails) -> bool:
    """Whether a key is something other than text."""
    return detail["type"] == "invalid_key" or (
        detail["loc"][-1:] == ("[key]",) and not isinstance(detail["input"], str)
    )


def not_a_key(found: object) -> str:
    """What is said of a key that YAML does not read as text."""
    return f"found {in_yaml(found)} as a key; expected a name: put it in quotes"


def in_yaml(value: object, room: int = 80) -> str:
    """A value as YAML writes it, shortened."""
    return shortened(_yaml(value, 0), room)


def _yaml(value: object, depth: int) -> str:
    if isinstance(value, Mapping) and depth <= _DEEPEST_SHOWN:
        inner = (f"{_yaml(name, depth + 1)}: {_yaml(item, depth + 1)}" for name, item in _first(value.items()))
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, (list, tuple, set, frozenset)) and depth <= _DEEPEST_SHOWN:
        return "[" + ", ".join(_yaml(item, depth + 1) for item in _first(value)) + "]"
    return "nothing (null)" if value is None and depth == 0 else _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return repr(without_passwords(value[:200]))
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if value is None or isinstance(value, (bool, int, float, date)):
        huge = isinstance(value, int) and value.bit_length() > 256
        return "a number of very many digits" if huge else _SPELLED.get(str(value), str(value))
    return "bytes" if isinstance(value, bytes) else "..."


_SPELLED = {"None": "null", "True": "true", "False": "false"}


def _first(items: Iterable[Any], most: int = 8) -> list[Any]:
    return [item for item, _ in zip(items, range(most), strict=False)]


# -- where in a schema a mistake is, and what belongs there -----------------------------------------------------------


def _at(schema: type[Any], location: Iterable[int | str]) -> tuple[_Place, _Types]:
    """A place as its writer sees it, and what may stand there; pydantic adds a name for each union on the way."""
    keys: list[int | str] = []
    here: _Types = (schema,)
    above: _Types = ()
    parts = list(location)
    while parts:
        if len(here) > 1:  # the next part is the name of a member
            tag = parts.pop(0)
            here = tuple(kind for kind in here if tag_of(kind) == tag) or here
            if not parts:
                break
        part = parts.pop(0)
        if part == "[key]":
            return tuple(keys), tuple(get_args(kind)[0] for kind in map(bare, above) if holds(kind, Mapping))
        keys.append(part)
        above, here = here, _inside(tuple(map(bare, here)), part)
    return tuple(keys), here


def _inside(kinds: _Types, part: int | str) -> _Types:
    found: list[Any] = []
    for kind in kinds:
        arguments = get_args(kind)
        if part in (fields := fields_of(kind)):
            found += kinds_in(fields[str(part)])
        elif holds(kind, Mapping):
            found += kinds_in(arguments[1])
        elif holds(kind, tuple, list, Sequence) and isinstance(part, int):
            inner = arguments[part] if len(arguments) > part and Ellipsis not in arguments else arguments[0]
            found += kinds_in(inner)
    return tuple(found)


# -- what belongs there, in words -------------------------------------------------------------------------------------

_ONE = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
_MANY = {str: "texts", int: "whole numbers", float: "numbers"}
_SAMPLES = {str: '"text"', int: "128", float: "0.5", bool: "true"}


def _words(kinds: _Types) -> str:
    tags = [tag for kind in kinds if (tag := tag_of(kind)) and fields_of(bare(kind)).keys() & {tag}]
    if len(tags) > 1:
        return f"keys with values, one of them {', '.join(tags[:-1])} or {tags[-1]}"
    said = list(dict.fromkeys(_one(bare(kind)) for kind in kinds))
    return " or ".join(said[:_ALTERNATIVES]) or "something else"


def _one(kind: Any) -> str:
    if kind in _ONE:
        return _ONE[kind]
    origin: Any = get_origin(kind)
    arguments = get_args(kind)
    if origin is Literal:
        return "one of " + ", ".join(map(str, arguments)) if len(arguments) > 1 else str(arguments[0])
    if holds(kind, Mapping):
        return f"names with {_many(arguments[1])}"
    if holds(kind, tuple, list, Sequence):
        counted = len(arguments) if origin is tuple and Ellipsis not in arguments else None
        return f"a list of {f'{counted} ' if counted else ''}{_many(arguments[0])}"
    if fields := fields_of(kind):
        needed = _needed(kind)
        return f"keys with values, such as {', '.join(needed or list(fields)[:3])}"
    return "a value"


def _many(kind: Any) -> str:
    inner = [bare(kind) for kind in kinds_in(kind)]
    if inner and all(kind in _MANY for kind in inner):
        return " or ".join(_MANY[kind] for kind in inner)
    return "values"


def _needed(kind: type[Any]) -> list[str]:
    fields = getattr(kind, "model_fields", {})
    return [field.alias or name for name, field in fields.items() if field.is_required()]


def _hint(found: object, location: _Place, kinds: _Types) -> str:
    """How to write it right."""
    plain = [bare(kind) for kind in kinds]
    near = _near(found, kinds)
    quoted = str in plain and not any(fields_of(kind) for kind in plain)
    if isinstance(found, (bool, int, float, date)) and (quoted or _scalar(found) in _allowed(kinds)):
        mark = "- " if location and isinstance(location[-1], int) else f"{shortened(str([*location, ''][-2]), 40)}: "
        why = " (YAML reads yes, no, on and off as true and false)" if isinstance(found, bool) else ""
        return f': put it in quotes, as in `{mark}"{in_yaml(found, 40)}"`{why}'
    return near or _example(location, kinds)


def _allowed(kinds: _Types) -> list[str]:
    return [str(value) for kind in kinds if get_origin(bare(kind)) is Literal for value in get_args(bare(kind))]


def _near(found: object, kinds: _Types) -> str:
    near = similar(found if isinstance(found, str) else "", _allowed(kinds))
    return f" (did you mean {' or '.join(map(repr, near))}?)" if near else ""


def _example(location: _Place, kinds: _Types) -> str:
    names = [part for part in location if isinstance(part, str)]
    if not names:
        return ""
    if names[-1] in _EXAMPLES and names[-1] in location[-2:]:
        return f", as in `{_EXAMPLES[names[-1]]}`"
    sample = next((found for kind in kinds if (found := _sample(bare(kind))) is not None), None)
    if sample is None:
        return ""
    mark = "- " if isinstance(location[-1], int) else f"{shortened(names[-1], 40)}: "
    return f", as in `{mark}{sample}`"


def _sample(kind: Any) -> str | None:
    if kind in _SAMPLES:
        return _SAMPLES[kind]
    origin: Any = get_origin(kind)
    arguments = get_args(kind)
    if origin is Literal:
        return str(arguments[0])
    if holds(kind, tuple, list, Sequence) and (inner := _sample_of(arguments[0])) is not None:
        return f"[{inner}, {inner}]" if len(arguments) == 2 and Ellipsis not in arguments else f"[{inner}]"
    if holds(kind, Mapping) and (inner := _sample_of(arguments[1])) is not None:
        return f"{{name: {inner}}}"
    return None


def _sample_of(annotation: Any) -> str | None:
    return next((found for kind in kinds_in(annotation) if (found := _sample(bare(kind))) is not None), None)
