"""Where anything is printed: names and messages that strangers wrote are shown, and never obeyed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.segment import Segment
from rich.table import Column, Table

from embedmark.runner.common.text import visible, without_passwords

UNFOLDED = 1000
"""Columns of a pipe or file: lines are never folded there."""


def open_console(file: IO[str] | None = None, *, width: int | None = None, soft_wrap: bool = False) -> Console:
    """Open a console, by default standard output, where no text is read as markup or shown unescaped."""
    console = Console(file=file, width=width, soft_wrap=soft_wrap, markup=False, emoji=False, highlight=False)
    console.push_render_hook(_Escaping())
    return console


def table_console() -> Console:
    """Open standard output, as wide as the terminal; or as wide as any table where it is no terminal."""
    console = open_console()
    return console if console.is_terminal else open_console(width=UNFOLDED)


def plain_table(*names: str, gap: int | None = None) -> Table:
    """Make an empty table without lines, its head in bold.

    Args:
        names: of its first columns, which are aligned left and fold long values; `add_column` adds others.
        gap: blanks in front of each column but the first; by default two.
    """
    heads = (Column(name, overflow="fold") for name in names)
    padding = (0, 1) if gap is None else (0, 0, 0, gap)
    return Table(*heads, box=None, pad_edge=False, header_style="bold", padding=padding)


class _Escaping(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Called by Rich with all that it is about to print."""
        return [_Escaped(renderable) for renderable in renderables]


class _Escaped:
    """What something looks like, with every character of its texts to be seen."""

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Called by Rich."""
        segments: Iterable[Segment] = console.render(self._renderable, options)
        for segment in segments:
            yield segment if segment.control else Segment(visible(without_passwords(segment.text)), segment.style)
