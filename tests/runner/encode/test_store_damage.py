"""Damage and leftovers in the store, of every kind: the next run works, and what is derived is written anew."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from small_project import small_project

from embedmark.runner.cli.main import main
from embedmark.runner.encode import shard
from embedmark.runner.encode.shard import write_locked
from embedmark.runner.encode.store import sweep


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("damage"))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(project: Path, *more: str) -> int:
    return main(["run", "--config-dir", str(project), "model=tiny", "tasks=[Likeness]", *more])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20])


def other_revision(path: Path) -> None:
    path.write_text(path.read_text().replace("test/tiny", "test/tany"))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut,
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "not UTF-8": lambda path: path.write_bytes(b'{"name": "\xff"}'),
    "a list": lambda path: path.write_text("[1]"),
    "null": lambda path: path.write_text("null"),
    "a number": lambda path: path.write_text("NaN"),
    "a string": lambda path: path.write_text('"tiny"'),
    "deep": lambda path: path.write_text("[" * 100_000),
    "other value": other_revision,
    "other keys": lambda path: path.write_text('{"name": "x"}'),
    "gone": Path.unlink,
    "dangling": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_the_stores_identity_is_written_anew(project: Path, kind: str) -> None:
    assert run(project) == 0
    (path,) = Path("outputs/store").glob("*/identity.json")
    written = path.read_bytes()
    shards = sorted(Path("outputs/store").rglob("*.safetensors"))
    DAMAGES[kind](path)
    assert run(project, "rerun=true") == 0
    assert path.read_bytes() == written
    assert sorted(Path("outputs/store").rglob("*.safetensors")) == shards, "the vectors served again"


def test_an_identity_that_cannot_be_written_stops_nothing(project: Path) -> None:
    assert run(project) == 0
    (path,) = Path("outputs/store").glob("*/identity.json")
    a_folder(path)
    assert run(project, "rerun=true") == 0


def _write_slowly(folder: Path) -> None:
    os.fsync = lambda _: time.sleep(60)  # type: ignore[assignment]
    write_locked(folder / "a.safetensors", b"x" * 100_000)


@pytest.mark.parametrize("todo", [True, False], ids=["with jobs to do", "nothing to do"])
def test_what_killed_processes_left_is_swept_and_what_is_written_stays(
    project: Path, todo: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "JUST_BEGUN_SECONDS", 0.0)
    assert run(project) == 0
    (folder,) = Path("outputs/store").iterdir()
    writers = [multiprocessing.get_context("fork").Process(target=_write_slowly, args=(folder,)) for _ in range(2)]
    for writer in writers:
        writer.start()
    while len(list(folder.glob(".*.tmp"))) < 2 or any(path.stat().st_size == 0 for path in folder.glob(".*.tmp")):
        time.sleep(0.01)
    assert writers[0].pid is not None
    os.kill(writers[0].pid, signal.SIGKILL)
    writers[0].join()
    elsewhere = folder / ".b.safetensors.another0.1.tmp"
    long_ago = folder / ".c.safetensors.another0.1.tmp"
    for path in (elsewhere, long_ago, folder / "d.safetensors.corrupt"):
        path.write_bytes(b"x")
    os.utime(long_ago, (0, time.time() - 7200))
    unfinished = Path("outputs/jobs/.tmp/0123456789abcdef.01")
    unfinished.mkdir(parents=True)
    assert run(project, *(["rerun=true"] if todo else [])) == 0
    left = list(folder.glob(".*.tmp"))
    writers[1].kill()
    writers[1].join()
    assert elsewhere in left
    assert len(left) == 2, "the living writer's, and another machine's of this hour"
    assert not list(folder.glob("*.corrupt"))
    assert not unfinished.exists()
    sweep(folder.parent)
    assert list(folder.glob(".*.tmp")) == [elsewhere]
