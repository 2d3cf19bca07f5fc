"""Which languages there was much data of for language technology, and of which little: facts of a named source."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from embedmark.runner.config.yaml_files import read_yaml

Side: TypeAlias = Literal["high", "low"]

_FILE = Path(__file__).with_name("resources.yaml")


@cache
def _known() -> Mapping[str, Any]:
    return read_yaml(_FILE)


@cache
def _classes() -> Mapping[str, int]:
    return {code: int(number) for number, codes in _known()["classes"].items() for code in codes}


def resource_class(code: str) -> int | None:
    """Return the class of a language of ISO 639-3, from 0 to 5; None where it is not known."""
    return _classes().get(code)


def side(code: str) -> Side | None:
    """Say whether a language is of high or low resource; None where it is in between, or not known."""
    found = resource_class(code)
    if found in _known()["high"]:
        return "high"
    return "low" if found in _known()["low"] else None


def source() -> dict[str, str]:
    """Return the name of who says so, and its url."""
    return {"name": _known()["source"], "url": _known()["url"]}
