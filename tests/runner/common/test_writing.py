"""A file that is written is there as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from embedmark.runner.common.files import write_atomically


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("before", [None, b"old"])
def test_what_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool, before: bytes | None
) -> None:
    path = tmp_path / "file.json"
    if before is not None:
        path.write_bytes(before)

    def refused(*_: object) -> None:
        raise OSError("the disk broke")

    with monkeypatch.context() as patched:
        patched.setattr(os if durable else Path, "fsync" if durable else "replace", refused)
        with pytest.raises(OSError, match="the disk broke"):
            write_atomically(path, b"new", durable=durable)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([] if before is None else [before])
    write_atomically(path, "new\r\né\n", durable=durable)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ["new\r\né\n".encode()]


@pytest.mark.parametrize("name", [".", "/", "folder"])
def test_a_folder_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(Path(name), b"new", durable=False)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_device_stays_one(tmp_path: Path) -> None:
    """As root, a renamed file would take the place of /dev/null for everybody; a link to it is as good for a test."""
    path = tmp_path / "device"
    path.symlink_to(os.devnull)
    write_atomically(path, "text", durable=False)
    assert path.is_symlink()
    assert path.read_bytes() == b""
