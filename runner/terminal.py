"""Where tables are printed."""

from __future__ import annotations

from rich.console import Console

UNFOLDED = 1000
"""Columns of a pipe or file: lines are never folded there."""


def table_console() -> Console:
    """Standard output, as wide as the terminal; or as wide as any table where it is none."""
    console = Console()
    return console if console.is_terminal else Console(width=UNFOLDED)
