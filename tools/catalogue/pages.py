"""Writes a config the way a person would: short lists on one line, long ones a line each, names first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

WIDTH = 120
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _FlowList(list[Any]):
    """A list on one line."""


class _FlowMap(dict[str, Any]):
    """A mapping on one line."""


class _Page(yaml.SafeDumper):
    """Indents lists under their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


_Page.add_representer(_FlowList, lambda page, value: page.represent_sequence("tag:yaml.org,2002:seq", value, True))
_Page.add_representer(_FlowMap, lambda page, value: page.represent_mapping("tag:yaml.org,2002:map", value, True))


def _text(page: _Page, value: str) -> yaml.Node:
    """Line ends are written as \\n, in quotes: in prompts each counts."""
    return page.represent_scalar("tag:yaml.org,2002:str", value, style='"' if "\n" in value else None)


_Page.add_representer(str, _text)


def page(values: Mapping[str, Any]) -> str:
    """The YAML text of a config, keys in the order given."""
    return _dump({key: _laid_out(value, len(key) + 2) for key, value in values.items()})


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
            return _FlowMap(value)
        return {key: _laid_out(item, indent + len(str(key)) + 2) for key, item in value.items()}
    if isinstance(value, list | tuple):
        if _fits(value, indent) or _all_short(value):
            return _FlowList(value)
        return [_laid_out(item, 4) for item in value]
    return value


def _fits(value: Any, indent: int) -> bool:
    if isinstance(value, Mapping) and any(isinstance(item, Mapping) for item in value.values()):
        return False
    flow = _FlowMap(value) if isinstance(value, Mapping) else _FlowList(value)
    line = _dump(flow, width=10**6).rstrip("\n")
    return "\n" not in line and indent + len(line) <= WIDTH


def _all_short(values: list[Any] | tuple[Any, ...]) -> bool:
    """Whether these are words, such as languages, that read better wrapped than one a line."""
    return len(values) > 40 and all(isinstance(value, str | int) and len(str(value)) <= 12 for value in values)


def _dump(values: Any, width: int = WIDTH) -> str:
    text: str = yaml.dump(values, Dumper=_Page, sort_keys=False, allow_unicode=True, width=width)
    return text
