"""Texts drawn as pages: the same bytes each time, every word in them, and refusals in words."""

from __future__ import annotations

import hashlib
import io

import PIL
import pytest
from PIL import Image

from embedmark.runner.common.errors import TableError, UserError
from embedmark.runner.data.table import Table
from embedmark.runner.data.transforms.rendering import render

VERSE = "In the beginning God created the heaven and the earth."


def drawn(text: str, **settings: int) -> Image.Image:
    table = render(Table.of({"text": [text]}), column="text", pillow=PIL.__version__, **settings)
    return Image.open(io.BytesIO(table.values("image")[0]))


@pytest.mark.skipif(PIL.__version__ != "13.0.0", reason="pixels are those of Pillow 13.0.0, which the tasks name")
def test_a_page_has_the_same_bytes_everywhere() -> None:
    """Golden: tasks whose pages changed would be other tasks under their old fingerprint."""
    page = render(Table.of({"text": [VERSE]}), column="text", pillow="13.0.0").values("image")[0]
    assert hashlib.sha256(page).hexdigest() == "ea9554085603e769993f8da7527979428c3983ed6ebd2ebe8a7a46e34cfd5f4d"


def test_a_page_is_as_high_as_its_lines() -> None:
    assert drawn("word").size == (1000, 130)
    assert drawn("word\n\nword").height == drawn("word").height + 2 * 50
    assert drawn("").height == drawn("word").height
    assert drawn("x" * 400, size=20, width=300).width == 300, "a word longer than a line is cut"
    assert drawn("x" * 400, size=20, width=300).height > drawn("x", size=20, width=300).height


@pytest.mark.parametrize(
    ("values", "message"),
    [(["a", None], "row 1: found None; expected a text"), (["a\n" * 2000], "the most is 20000")],
)
def test_what_cannot_be_drawn_is_named(values: list[str | None], message: str) -> None:
    with pytest.raises(TableError, match=message):
        render(Table.of({"text": values}), column="text", pillow=PIL.__version__)


def test_another_version_of_pillow_is_refused() -> None:
    with pytest.raises(UserError, match=r"pillow is installed in version .*, expected 1\.0\.0; run: pip install"):
        render(Table.of({"text": ["a"]}), column="text", pillow="1.0.0")
