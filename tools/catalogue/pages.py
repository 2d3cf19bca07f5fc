"""Writes a config the way a person would: short lists on one line, long ones a line each, names first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from embedmark.runner.common.yaml_page import WIDTH, FlowList, FlowMap, dump

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def page(values: Mapping[str, Any]) -> str:
    """The YAML text of a config, keys in the order given."""
    return dump({key: _laid_out(value, len(key) + 2) for key, value in values.items()})


def write(path: Path, values: Mapping[str, Any]) -> bool:
    """Write a config unless the file says so already. Returns whether it was written."""
    text = page(values)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return True


def read(path: Path) -> Any:
    """What a YAML file says."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)


def _laid_out(value: Any, indent: int) -> Any:
    """`value` with every part that fits on a line marked so; `indent` is what stands before it on its line."""
    if isinstance(value, Mapping):
        if _fits(value, indent):
            return FlowMap(value)
        return {key: _laid_out(item, indent + len(str(key)) + 2) for key, item in value.items()}
    if isinstance(value, list | tuple):
        if _fits(value, indent) or _all_short(value):
            return FlowList(value)
        return [_laid_out(item, 4) for item in value]
    return value


def _fits(value: Any, indent: int) -> bool:
    if isinstance(value, Mapping) and any(isinstance(item, Mapping) for item in value.values()):
        return False
    flow = FlowMap(value) if isinstance(value, Mapping) else FlowList(value)
    line = dump(flow, width=10**6).rstrip("\n")
    return "\n" not in line and indent + len(line) <= WIDTH


def _all_short(values: list[Any] | tuple[Any, ...]) -> bool:
    """Whether these are words, such as languages, that read better wrapped than one a line."""
    return len(values) > 40 and all(isinstance(value, str | int) and len(str(value)) <= 12 for value in values)
