"""A file of keys and values with the reasons beside them, as a person would write it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from embedmark.runner.common.yaml_page import WIDTH, dump, on_one_line


@dataclass(frozen=True)
class Line:
    """One key. note: what is said of it, in a comment. off: the whole line is a comment, to be switched on by hand.

    A line without a key is a comment alone.
    """

    key: str = ""
    value: Any = None
    note: str = ""
    off: bool = False


def page(lines: Iterable[Line], indent: str = "") -> str:
    """The YAML text of some lines."""
    return "".join(_written(line, indent) for line in lines)


def _written(line: Line, indent: str) -> str:
    if not line.key:
        return _comment(line.note, indent)
    dumped = dump({line.key: on_one_line(line.value)}, WIDTH - len(indent))
    rows = [f"{indent}{'# ' if line.off else ''}{row}" for row in dumped.splitlines()]
    if line.note and len(rows) == 1 and len(rows[0]) + len(line.note) + 4 <= WIDTH:
        return f"{rows[0]}  # {line.note}\n"
    above = _comment(line.note[0].upper() + line.note[1:] + ".", indent) if line.note else ""
    return above + "".join(f"{row}\n" for row in rows)


def _comment(text: str, indent: str) -> str:
    """A text as lines of comment."""
    rows = textwrap.wrap(text, WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{indent}# {row}\n" for row in rows)
