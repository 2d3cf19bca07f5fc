"""Texts as pictures of pages, in the typeface that Pillow carries."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import pyarrow as pa
from pydantic import Field

from embedmark.runner.common.errors import TableError, UserError
from embedmark.runner.common.packages import require_package
from embedmark.runner.data.table import Table

if TYPE_CHECKING:  # an extra
    from PIL.ImageFont import FreeTypeFont

MARGIN = 40
_LEADING = 1.4
"""The height of a line, in sizes of its letters."""

_TALLEST = 20_000


def render(
    table: Table,
    *,
    column: str,
    pillow: str,
    into: str = "image",
    size: Annotated[int, Field(ge=8, le=200)] = 36,
    width: Annotated[int, Field(ge=200, le=4000)] = 1000,
) -> Table:
    """Draw each text on a page of its own, black on white, as a PNG.

    Pixels depend on the version of Pillow, its typeface and what it draws with, so that this version is an argument.
    The PNG is not compressed: its bytes would depend on a compressor's version, too. What the typeface lacks (it has
    the letters of European languages) is drawn as boxes.

    Args:
        column: The texts.
        pillow: The version of Pillow that has to be installed.
        into: The column of images, of `width` pixels and as many lines as a text takes.
        size: Of the letters, in pixels.
        width: Of a page, in pixels.

    Raises:
        TableError: A value is no text, or its page would be taller than 20,000 pixels.
        UserError: Another version of Pillow is installed, or none that can draw letters.
    """
    require_package("pillow", pillow, "render")
    font = _font(size)
    pages = []
    for row, text in enumerate(table.values(column)):
        if not isinstance(text, str):
            raise TableError(f"column {column!r}, row {row}: found {text!r:.60}; expected a text")
        pages.append(_page(text, font, size, width, f"column {column!r}, row {row}"))
    return table.put(into, pa.array(pages, pa.large_binary()))


def _font(size: int) -> FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise UserError("render: this Pillow was built without FreeType; install its wheel from PyPI")
    return font


def _page(text: str, font: FreeTypeFont, size: int, width: int, where: str) -> bytes:
    from PIL import Image, ImageDraw

    lines = list(_lines(text, font, width - 2 * MARGIN))
    leading = round(size * _LEADING)
    height = 2 * MARGIN + leading * len(lines)
    if height > _TALLEST:
        raise TableError(f"{where}: a text of {len(text)} characters takes {height} pixels; the most is {_TALLEST}")
    page = Image.new("L", (width, height), 255)
    drawing = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        drawing.text((MARGIN, MARGIN + leading * number), line, font=font, fill=0)
    file = io.BytesIO()
    page.save(file, "PNG", compress_level=0)
    return file.getvalue()


def _lines(text: str, font: FreeTypeFont, width: int) -> Iterator[str]:
    """The text in lines that are no wider than that; a longer word is cut."""
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if font.getlength(longer) <= width:
                line = longer
                continue
            if line:
                yield line
            *whole, line = _cut(word, font, width)
            yield from whole
        yield line


def _cut(word: str, font: FreeTypeFont, width: int) -> list[str]:
    pieces = [""]
    for letter in word:
        if pieces[-1] and font.getlength(pieces[-1] + letter) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces
