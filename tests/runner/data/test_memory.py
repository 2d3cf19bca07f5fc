"""The memory of what a dataset's rows were, when its file holds something else: one clear error, nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_project import small_project

from embedmark.runner.cli.main import main


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    assert cost(project, folder) == 0
    return folder


def cost(project: Path, outputs: Path) -> int:
    return main(
        ["plan", "--cost", "--json", "--config-dir", str(project), "model=tiny", "tasks=[Twins]", f"outputs={outputs}"]
    )


@pytest.mark.parametrize(
    "content",
    [
        b"", b" ", b"{", b"[]", b"1", b"null", b'"text"', b"true", b'{"a": 1}', b'{"a": null}', b'{"a": {"b": "c"}}',
        b'{"a": ["b"]}', b"\xff\xfe{\x00", b"[" * 100_000, b"NaN",
    ],
)  # fmt: skip
def test_it_is_said_and_kept(project: Path, outputs: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    (memory,) = outputs.glob("data/*.json")
    sound = memory.read_bytes()
    memory.write_bytes(content)
    capsys.readouterr()
    try:
        assert cost(project, outputs) == 1
        told = json.loads(capsys.readouterr().out.splitlines()[-1])["cost"]["not_counted"]["Twins"]
        assert f"{memory}: the hashes of earlier runs cannot be read" in told
        assert "delete it" in told
        assert len(told) < 600
        assert memory.read_bytes() == content
        memory.unlink()
        assert cost(project, outputs) == 0
        assert memory.read_bytes() == sound
    finally:
        memory.write_bytes(sound)
