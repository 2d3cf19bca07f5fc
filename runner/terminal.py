"""Where tables are printed, and what may be printed there."""

from __future__ import annotations

import re

from rich.console import Console

UNFOLDED = 1000
"""Columns of a pipe or file: lines are never folded there."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a terminal's cursor, changes its colours or turns the order of letters; and what UTF-8 cannot write."""


def table_console() -> Console:
    """Standard output, as wide as the terminal; or as wide as any table where it is none."""
    console = Console()
    return console if console.is_terminal else Console(width=UNFOLDED)


def shown(text: str) -> str:
    """A text with its control characters written as escapes; line ends and tabs stay."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
