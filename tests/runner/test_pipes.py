"""A pipe or a device in the place of a file that is read is told, or left out; nothing waits for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sample_records import identity, keep, record
from small_project import small_project

from embedmark.runner.cli.main import main
from embedmark.runner.common.files import read_regular

pytestmark = [pytest.mark.skipif(sys.platform == "win32", reason="no pipes among files"), pytest.mark.timeout(30)]
KINDS: dict[str, Callable[[Path], None]] = {
    "a pipe": lambda path: os.mkfifo(path),
    "zeros without end": lambda path: path.symlink_to("/dev/zero"),
    "a folder": Path.mkdir,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["result.json", "identity.json", "SHA256SUMS", "items.npz"])
def test_in_a_jobs_folder(kind: str, name: str, tmp_path: Path) -> None:
    folder = keep(tmp_path, identity(), record(identity()))
    (folder / name).unlink(missing_ok=True)
    KINDS[kind](folder / name)
    digits = folder.name.rpartition("--")[2]
    assert main(["report", "--outputs", str(tmp_path)]) in {0, 2}
    assert main(["store", "--outputs", str(tmp_path)]) == 0
    assert main(["why", digits, digits, "--outputs", str(tmp_path)]) in {0, 2}


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_config_folder(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = small_project(tmp_path / "mine")
    KINDS[kind](project / "model" / "odd.yaml")
    assert main(["show", "test/tiny", "--config-dir", str(project)]) == 0
    assert main(["show", "odd", "--config-dir", str(project)]) == 2
    KINDS[kind](project / "config.yaml")
    assert main(["plan", "--config-dir", str(project), "model=tiny", "tasks=[Topics]"]) in {0, 2}
    assert "fault" not in capsys.readouterr().err


def test_as_much_is_read_as_is_wanted(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "file").write_bytes(content)
    assert read_regular(tmp_path / "file") == content
    assert read_regular(tmp_path / "file", 1_500_000) == content[:1_500_000]
    assert read_regular(tmp_path / "file", 10**8) == content


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a name a file can have"):
        read_regular(f"{tmp_path}/a\0b")
