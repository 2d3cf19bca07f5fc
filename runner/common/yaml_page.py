"""YAML as a person would write it: keys in their own order, what is short on one line, no anchors."""

from __future__ import annotations

from typing import Any

import yaml

WIDTH = 120
"""Characters of a line."""


class FlowList(list[Any]):
    """A list on one line, as far as it fits."""


class FlowMap(dict[str, Any]):
    """A mapping on one line, as far as it fits."""


class _Page(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists under their key."""
        del indentless
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Write what occurs twice twice."""
        del data
        return True


def _text(page: _Page, value: str) -> yaml.Node:
    """Line ends are written as \\n, in quotes: in prompts each counts."""
    return page.represent_scalar("tag:yaml.org,2002:str", value, style='"' if "\n" in value else None)


_Page.add_representer(str, _text)
_Page.add_representer(FlowList, lambda page, value: page.represent_sequence("tag:yaml.org,2002:seq", value, True))
_Page.add_representer(FlowMap, lambda page, value: page.represent_mapping("tag:yaml.org,2002:map", value, True))


def on_one_line(value: Any) -> Any:
    """Mark a list or mapping, with all that is in it, to be written on one line as far as it fits."""
    if isinstance(value, dict):
        return FlowMap(value)
    return FlowList(value) if isinstance(value, (list, tuple)) else value


def dump(value: Any, width: int = WIDTH) -> str:
    """Return the YAML text of a value."""
    text: str = yaml.dump(value, Dumper=_Page, sort_keys=False, allow_unicode=True, width=width)
    return text
