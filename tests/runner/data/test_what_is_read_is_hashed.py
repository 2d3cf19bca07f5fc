"""A folder of tables or weights is its content: what can be read from it changes its jobs, nothing outside is read."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_project import small_project, table, task

from embedmark.runner.cli.main import main
from embedmark.runner.common import folder

ROWS = [{"text": "a b", "label": "x"}, {"text": "c d", "label": "y"}]
OTHER = [{"text": "a b", "label": "y"}, {"text": "c d", "label": "x"}]


@pytest.fixture(scope="module")
def plain_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(plain_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one's own, and a home."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "here").write_text("a file")
    copy = tmp_path / "project"
    shutil.copytree(plain_project, copy)
    _model(copy, source={"path": str(copy / "weights")})
    return copy


def _model(project: Path, **values: Any) -> None:
    text = yaml.safe_dump({"name": "test/tiny", **values})
    (project / "model" / "tiny.yaml").write_text(text)


def plan(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *overrides: str) -> tuple[int, str, str]:
    """Exit status, fingerprint and what was said."""
    arguments = ["plan", "--config-dir", str(project), "model=tiny", f"outputs={tmp_path / 'outputs'}", *overrides]
    capsys.readouterr()
    status = main([*arguments, "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out.splitlines()[0])["fingerprint"] if status == 0 else "", f"{out}{err}"


def _rows(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


Change = Callable[[Path, Path], Callable[[], object]]
"""Given the data's folder and one elsewhere: makes the data, and gives what changes it."""


def _linked_subset(data: Path, elsewhere: Path) -> Callable[[], object]:
    _rows(elsewhere / "v1" / "test.jsonl", ROWS)
    (data / "default").symlink_to(elsewhere / "v1")
    return lambda: _rows(elsewhere / "v1" / "test.jsonl", OTHER)


def _linked_file(data: Path, elsewhere: Path) -> Callable[[], object]:
    _rows(elsewhere / "rows.jsonl", ROWS)
    (data / "test.jsonl").symlink_to(elsewhere / "rows.jsonl")
    return lambda: _rows(elsewhere / "rows.jsonl", OTHER)


def _links_behind_links(data: Path, elsewhere: Path) -> Callable[[], object]:
    _rows(elsewhere / "a" / "test.jsonl", ROWS)
    (elsewhere / "b").mkdir()
    (elsewhere / "b" / "default").symlink_to(elsewhere / "a")
    (data / "deep").symlink_to(elsewhere / "b")
    return lambda: _rows(elsewhere / "a" / "test.jsonl", OTHER)


def _relative_link(data: Path, elsewhere: Path) -> Callable[[], object]:
    _rows(elsewhere / "rows.jsonl", ROWS)
    (data / "test.jsonl").symlink_to(os.path.relpath(elsewhere / "rows.jsonl", data))
    return lambda: _rows(elsewhere / "rows.jsonl", OTHER)


def _retargeted_link(data: Path, elsewhere: Path) -> Callable[[], object]:
    _rows(elsewhere / "a.jsonl", ROWS)
    _rows(elsewhere / "b.jsonl", OTHER)
    link = data / "test.jsonl"
    link.symlink_to(elsewhere / "a.jsonl")
    return lambda: (link.unlink(), link.symlink_to(elsewhere / "b.jsonl"))


def _new_table_behind_a_link(data: Path, elsewhere: Path) -> Callable[[], object]:
    _linked_subset(data, elsewhere)
    return lambda: _rows(elsewhere / "v1" / "train.jsonl", OTHER)


def _same_size_and_time(data: Path, elsewhere: Path) -> Callable[[], object]:
    path = data / "test.jsonl"
    _rows(path, ROWS)
    os.utime(path, (1_600_000_000, 1_600_000_000))

    def change() -> None:
        _rows(path, OTHER)
        os.utime(path, (1_600_000_000, 1_600_000_000))

    return change


def _large_letters(data: Path, elsewhere: Path) -> Callable[[], object]:
    (data / "TEST.CSV").write_text("text,label\na,x\n")
    return lambda: (data / "TEST.CSV").write_text("text,label\na,y\n")


def _tabs(data: Path, elsewhere: Path) -> Callable[[], object]:
    (data / "test.tsv").write_text("text\tlabel\na\tx\n")
    return lambda: (data / "test.tsv").write_text("text\tlabel\na\ty\n")


def _odd_name(data: Path, elsewhere: Path) -> Callable[[], object]:
    name = os.fsdecode(b"caf\xe9.jsonl")
    _rows(data / name, ROWS)
    return lambda: _rows(data / name, OTHER)


CHANGES = [
    _linked_subset, _linked_file, _links_behind_links, _relative_link, _retargeted_link, _new_table_behind_a_link,
    _same_size_and_time, _large_letters, _tabs, _odd_name,
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "at_home"),
    [*((make, False) for make in CHANGES), (_linked_subset, True), (_same_size_and_time, True)],
    ids=lambda value: value.__name__.strip("_") if callable(value) else ("home" if value else "path"),
)
def test_changed_tables_make_a_new_job(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Change, at_home: bool
) -> None:
    data = tmp_path / "home" / "mine" if at_home else project / "data" / "mine"
    (tmp_path / "elsewhere").mkdir()
    data.mkdir(parents=True)
    change = make(data, tmp_path / "elsewhere")
    task(project, "Mine", "classification", "accuracy", dataset={"files": "~/mine" if at_home else str(data)})
    status, before, _ = plan(project, tmp_path, capsys, "tasks=[Mine]")
    assert status == 0
    assert plan(project, tmp_path, capsys, "tasks=[Mine]")[1] == before
    change()
    status, after, _ = plan(project, tmp_path, capsys, "tasks=[Mine]")
    assert status == 0
    assert after != before


def _circle(data: Path) -> None:
    _rows(data / "test.jsonl", ROWS)
    (data / "again").symlink_to(data)


def _wide_circle(data: Path) -> None:
    _rows(data / "a" / "test.jsonl", ROWS)
    (data / "b").mkdir()
    (data / "a" / "to_b").symlink_to(data / "b")
    (data / "b" / "to_a").symlink_to(data / "a")


def _itself(data: Path) -> None:
    _rows(data / "train.jsonl", ROWS)
    (data / "test.jsonl").symlink_to(data / "test.jsonl")


def _broken_link(data: Path) -> None:
    _rows(data / "train.jsonl", ROWS)
    (data / "test.jsonl").symlink_to(data / "nowhere")


def _broken_folder(data: Path) -> None:
    _rows(data / "train.jsonl", ROWS)
    (data / "en").symlink_to(data / "nowhere")


def _pipe(data: Path) -> None:
    os.mkfifo(data / "test.jsonl")


def _pipe_behind_a_link(data: Path) -> None:
    os.mkfifo(data / "pipe")
    (data / "test.csv").symlink_to(data / "pipe")


def _socket(data: Path) -> None:
    here = Path.cwd()
    os.chdir(data)  # the path of a socket has to be short
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("test.jsonl")
    os.chdir(here)


def _device(data: Path) -> None:
    (data / "test.jsonl").symlink_to("/dev/zero")


def _no_tables(data: Path) -> None:
    (data / "test.xlsx").write_bytes(b"x")


def _hidden_alone(data: Path) -> None:
    _rows(data / ".test.jsonl", ROWS)


def _nothing(data: Path) -> None:
    (data / "deep" / "deeper").mkdir(parents=True)


REFUSED = {
    _circle: "again leads in a circle",
    _wide_circle: "leads in a circle",
    _itself: "test.jsonl is a link to",
    _broken_link: "test.jsonl is a link to",
    _broken_folder: "which does not exist",
    _pipe: "no regular file",
    _pipe_behind_a_link: "no regular file",
    _socket: "test.jsonl",
    _device: "no regular file",
    _no_tables: "test.xlsx",
    _hidden_alone: "holds no tables",
    _nothing: "holds no tables",
}


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__.strip("_"))
def test_folders_that_cannot_be_hashed_are_refused_in_the_plan(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None]
) -> None:
    (project / "data" / "mine").mkdir()
    make(project / "data" / "mine")
    task(project, "Mine", "classification", "accuracy")
    status, _, said = plan(project, tmp_path, capsys, "tasks=[Mine]")
    assert status == 2
    assert REFUSED[make] in said
    assert "Traceback" not in said


@pytest.mark.parametrize("path", ["", " ", "~nobody-here/x", "/nowhere/at/all", "~/here", "a\0b", "x" * 300])
def test_folders_that_are_none(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str) -> None:
    task(project, "Mine", "classification", "accuracy", dataset={"files": path})
    status, _, said = plan(project, tmp_path, capsys, "tasks=[Mine]")
    assert status == 2
    assert "dataset" in said
    assert len(said) < 700


NAMES = [
    "../../x",
    "/etc",
    "..",
    ".",
    "a/../../b",
    "a\\b",
    "a\0b",
    "a\nb",
    "x" * 300,
    ".hidden",
    "a//b",
    "",
    "https://x",
]


@pytest.mark.parametrize(("name", "key"), [*((name, "subsets") for name in NAMES), *((n, "splits") for n in NAMES[:4])])
def test_names_that_leave_the_folder(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, key: str
) -> None:
    _rows(project / "data" / "x" / "test.jsonl", ROWS)
    table(project, "mine", test=ROWS)
    values: dict[str, Any] = {"subsets": {name: ["eng-Latn"]}, "languages": []} if key == "subsets" else {key: [name]}
    task(project, "Mine", "classification", "accuracy", **values)
    status, _, said = plan(project, tmp_path, capsys, "tasks=[Mine]")
    assert status == 2
    assert "Traceback" not in said


def test_a_link_to_a_whole_disk_is_refused(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "MOST_ENTRIES", 50)
    table(project, "mine", test=ROWS)
    table(project, "all", **{f"t{number}": ROWS for number in range(60)})
    (project / "data" / "mine" / "all").symlink_to(project / "data" / "all")
    task(project, "Mine", "classification", "accuracy")
    status, _, said = plan(project, tmp_path, capsys, "tasks=[Mine]")
    assert status == 2
    assert "more than 50 files" in said


# -- weights ----------------------------------------------------------------------------------------------------------


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b" ")


def _linked_part(weights: Path, elsewhere: Path) -> Callable[[], object]:
    (elsewhere / "pooling").mkdir()
    (elsewhere / "pooling" / "config.json").write_text("{}")
    (weights / "1_Pooling").symlink_to(elsewhere / "pooling")
    return lambda: _append(elsewhere / "pooling" / "config.json")


def _linked_weights(weights: Path, elsewhere: Path) -> Callable[[], object]:
    (real,) = weights.rglob("*.safetensors")
    shutil.move(real, elsewhere / "blob")
    real.symlink_to(elsewhere / "blob")
    return lambda: _append(elsewhere / "blob")


def _hidden_part(weights: Path, elsewhere: Path) -> Callable[[], object]:
    (weights / ".pooling").mkdir()
    (weights / ".pooling" / "config.json").write_text("{}")
    return lambda: _append(weights / ".pooling" / "config.json")


def _any_file(weights: Path, elsewhere: Path) -> Callable[[], object]:
    return lambda: (weights / "added.txt").write_text("")


@pytest.mark.parametrize("make", [_linked_part, _linked_weights, _hidden_part, _any_file])
def test_changed_weights_make_a_new_job(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Change
) -> None:
    (tmp_path / "elsewhere").mkdir()
    change = make(project / "weights", tmp_path / "elsewhere")
    status, before, _ = plan(project, tmp_path, capsys, "tasks=[Topics]")
    assert status == 0
    change()
    status, after, _ = plan(project, tmp_path, capsys, "tasks=[Topics]")
    assert (status, after != before) == (0, True)


@pytest.mark.parametrize("name", [".git/HEAD", "__pycache__/x.pyc", ".cache/huggingface/x.lock", ".DS_Store"])
def test_what_is_not_of_a_checkpoint_changes_nothing(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    before = plan(project, tmp_path, capsys, "tasks=[Topics]")[1]
    (project / "weights" / name).parent.mkdir(parents=True, exist_ok=True)
    (project / "weights" / name).write_text("x")
    assert plan(project, tmp_path, capsys, "tasks=[Topics]")[1] == before


def _modules(path: str) -> Callable[[Path], object]:
    module = {"idx": 0, "name": "0", "path": path, "type": "sentence_transformers.models.StaticEmbedding"}
    return lambda weights: (weights / "modules.json").write_text(json.dumps([module]))


WEIGHTS_REFUSED: list[tuple[Callable[[Path], object], str]] = [
    (_modules("../other"), "modules.json"),
    (_modules("/tmp/other"), "modules.json"),
    (_modules(".git"), "modules.json"),
    (_modules("a/../../b"), "modules.json"),
    (lambda weights: (weights / "again").symlink_to(weights), "leads in a circle"),
    (lambda weights: (weights / "gone").symlink_to("/nowhere"), "which does not exist"),
    (lambda weights: os.mkfifo(weights / "pipe"), "no regular file"),
    (lambda weights: (weights / "adapter_config.json").write_text("{}"), "adapter"),
    (lambda weights: (weights / "a\nb").write_text("{}"), "line break"),
    (shutil.rmtree, "does not exist"),
    (lambda weights: (shutil.rmtree(weights), weights.mkdir()), "no files"),
]


@pytest.mark.parametrize(("change", "message"), WEIGHTS_REFUSED)
def test_weights_that_cannot_be_hashed_are_refused_in_the_plan(
    project: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Path], object],
    message: str,
) -> None:
    change(project / "weights")
    status, _, said = plan(project, tmp_path, capsys, "tasks=[Topics]")
    assert status == 2
    assert message in " ".join(said.split())


@pytest.mark.parametrize("file", ["../x.onnx", "/x.onnx", "a\\b.onnx", ".git/x.onnx"])
def test_files_of_models_that_leave_the_folder(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    _model(project, source={"path": str(project / "weights")}, parameters={"backend": "onnx", "file": file})
    status, _, said = plan(project, tmp_path, capsys, "tasks=[Topics]")
    assert status == 2
    assert "parameters: file" in said
