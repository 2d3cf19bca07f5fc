"""Files of strangers: read within bounds, and refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.files import read_bounded


def test_a_file_may_have_as_many_bytes_as_are_read_of_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 2048)
    assert read_bounded(file, 2048) == b"x" * 2048
    with pytest.raises(UserError, match=r"^the list: larger than 1 KiB; expected lines$"):
        read_bounded(file, 2047, hint="; expected lines", where="the list")


@pytest.mark.parametrize("name", [".", "absent", "zero\0byte"])
def test_what_is_no_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="cannot be read: "):
        read_bounded(tmp_path / name, 10)
