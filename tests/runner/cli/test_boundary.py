"""Whatever is given or raised ends in one line of words and a status."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

import embedmark.runner.cli.showing
from embedmark.runner.cli import boundary
from embedmark.runner.cli.main import main
from embedmark.runner.common.errors import JobError, UserError
from embedmark.runner.common.text import MESSAGE


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "faults").mkdir()
    (tmp_path / "work" / "file").write_text("no folder")
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "faults"))


@pytest.mark.parametrize(
    "line",
    [
        ["report", "--outputs", "file"],
        ["report", "--outputs", "nowhere"],
        ["report", "--outputs", "x" * 5000],
        ["report", "--outputs", "a\0b"],
        ["report", "--outputs", "\udcff"],
        ["report", "--outputs=--"],
        ["why", "00", "11", "--outputs", "file"],
        ["why", "../../etc", "/etc/passwd"],
        ["plan", "--config-dir", "file"],
        ["plan", "--config-dir", "x" * 5000],
        ["plan", "--config-dir", "a\0b"],
        ["plan", "outputs=file/there", "model=nobody"],
        ["outputs=file", "model=bm25", "tasks=[STSBenchmark]"],
        ["model", "new", "file"],
        ["model", "new"],
        ["list"],
        ["list", "modles"],
        ["list", "models", "--jsno"],
        ["show"],
        ["completion", "tcsh"],
        ["report", "--format", "xlsx"],
        ["show", "x" * 5000],
        ["plan", "model=https://me:secret@host/"],
    ],
)
def test_arguments_that_cannot_be_used_end_with_2(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ")
    assert len(shown.err.removesuffix("\n")) <= MESSAGE
    assert "Traceback" not in shown.err
    assert "secret" not in shown.err
    assert "fault" not in shown.err


def test_a_second_interruption_is_the_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polars raises a KeyboardInterrupt of its own, and Python's follows while the boundary speaks."""
    said: list[str] = []

    def interrupted(message: str) -> None:
        said.append(message)
        if len(said) == 1:
            raise KeyboardInterrupt

    def command() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(boundary, "complain", interrupted)
    assert boundary.guarded(command, []) == 130
    assert len(said) == 2


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (UserError("x: missing"), 2, "error: x: missing"),
        (UserError("y" * 5000), 2, "error: yyy"),
        (JobError("the hub is gone"), 1, "failed: the hub is gone"),
        (KeyboardInterrupt(), 130, "stopped; what is done is kept"),
        (SystemExit(0), 0, ""),
        (SystemExit("a library's word"), 1, "failed: a library's word"),
        (PermissionError(13, "Permission denied", "/root/x"), 2, "error: /root/x: Permission denied"),
        (NotADirectoryError(20, "Not a directory", "a/b"), 2, "error: a/b: Not a directory"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (MemoryError(), 1, "not enough memory"),
        (RecursionError("maximum recursion depth exceeded"), 1, "nested too deeply"),
        (IndexError("list index out of range"), 1, "IndexError: list index out of range. This is a fault of embedmark"),
        (KeyError("a\x1b[31m"), 1, "This is a fault of embedmark"),
        (BrokenPipeError(32, "Broken pipe"), 1, "This is a fault of embedmark"),
        (ValueError("https://me:secret@host/ refused"), 1, "https://host/ refused"),
    ],
)
def test_whatever_is_raised(
    raised: BaseException,
    status: int,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def show(*_: object) -> int:
        raise raised

    monkeypatch.setattr(embedmark.runner.cli.showing, "show", show)
    assert main(["show", "minilm"]) == status
    shown = capsys.readouterr().err
    assert said in shown
    assert len(shown.removesuffix("\n")) <= MESSAGE
    assert "Traceback" not in shown
    assert "secret" not in shown
    details = list((tmp_path / "faults").iterdir())
    assert len(details) == ("Details: " in shown)
    if "fault of embedmark" in shown:
        assert details[0].name in shown
        kept = details[0].read_text(encoding="utf-8")
        assert "Traceback" in kept
        assert "'show' 'minilm'" in kept
        assert "secret" not in kept


def test_a_fault_is_told_where_its_details_cannot_be_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def show(*_: object) -> int:
        raise IndexError("x")

    monkeypatch.setattr(embedmark.runner.cli.showing, "show", show)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    assert main(["show", "minilm"]) == 1
    assert capsys.readouterr().err == "failed: IndexError: x. This is a fault of embedmark; please report it.\n"
