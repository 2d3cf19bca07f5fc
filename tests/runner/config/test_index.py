"""The index of what files' heads say: a shortcut that never tells what a file no longer says."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embedmark.runner.config import catalogue, index
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.index import HeadIndex


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("EMBEDMARK_CACHE", str(folder))
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A config folder with two tasks, older than any clock is coarse."""
    folder = tmp_path / "own"
    (folder / "task").mkdir(parents=True)
    for name in ("a", "b"):
        (folder / "task" / f"{name}.yaml").write_text(text(name.upper()), encoding="utf-8")
    return folder


def text(name: str, kind: str = "sts") -> str:
    return f"name: {name}\ntype: {kind}\ndataset: {{files: /data}}\nmain_metric: pearson\nlanguages: [eng-Latn]\n"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files be old enough to be kept at once; the tests cannot set a `ctime`."""
    monkeypatch.setattr(index, "_GRANULARITY", -(10**18))


def known(folder: Path) -> dict[str, tuple[str | None, str]]:
    """Name → type and file of the tasks of a folder, as a new process would find them."""
    index._opened.cache_clear()
    found = Catalogue((folder,), quiet=True).tasks
    return {name: (entry.type, entry.path.name) for name, entry in found.items()}


def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read from now on."""
    seen: list[Path] = []
    plain = catalogue.read_text

    def reading(path: Path) -> str:
        seen.append(path)
        return plain(path)

    monkeypatch.setattr(catalogue, "read_text", reading)
    return seen


@pytest.mark.usefixtures("cache", "settled")
def test_what_is_known_is_not_read_again(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = known(own)
    seen = reads(monkeypatch)
    assert known(own) == before == {"A": ("sts", "a.yaml"), "B": ("sts", "b.yaml")}
    assert seen == []


def _edited(folder: Path) -> None:
    (folder / "a.yaml").write_text(text("C"), encoding="utf-8")


def _edited_with_its_times_put_back(folder: Path) -> None:
    status = (folder / "a.yaml").stat()
    (folder / "a.yaml").write_text(text("C"), encoding="utf-8")
    os.utime(folder / "a.yaml", ns=(status.st_atime_ns, status.st_mtime_ns))


def _copied_over(folder: Path) -> None:
    """`cp -p` of another file of equal size: size and mtime are then the other's."""
    other = folder.parent.parent / "other.yaml"
    other.write_text(text("C"), encoding="utf-8")
    status = (folder / "a.yaml").stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    shutil.copy2(other, folder / "a.yaml")


def _renamed_over(folder: Path) -> None:
    other = folder.parent.parent / "other.yaml"
    other.write_text(text("C"), encoding="utf-8")
    status = (folder / "a.yaml").stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(folder / "a.yaml")


def _linked(folder: Path) -> None:
    target = folder.parent.parent / "other.yaml"
    target.write_text(text("C"), encoding="utf-8")
    (folder / "a.yaml").unlink()
    (folder / "a.yaml").symlink_to(target)


def _another_type(folder: Path) -> None:
    (folder / "a.yaml").write_text(text("C", "regression"), encoding="utf-8")


def _removed(folder: Path) -> None:
    (folder / "a.yaml").unlink()


def _added(folder: Path) -> None:
    (folder / "c.yaml").write_text(text("C"), encoding="utf-8")


def _broken(folder: Path) -> None:
    (folder / "a.yaml").write_text("name: [\n", encoding="utf-8")


def _a_folder_in_its_place(folder: Path) -> None:
    moved = folder.with_name("moved")
    folder.rename(moved)
    folder.mkdir()
    (folder / "a.yaml").write_text(text("C"), encoding="utf-8")


CHANGES: list[Callable[[Path], None]] = [
    _edited, _edited_with_its_times_put_back, _copied_over, _renamed_over, _linked, _another_type, _removed, _added,
    _broken, _a_folder_in_its_place,
]  # fmt: skip


@pytest.mark.usefixtures("cache", "settled")
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_shows_at_once(change: Callable[[Path], None], own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = known(own)
    time.sleep(0.02)  # a tick of the file system's clock
    change(own / "task")
    after = known(own)
    assert after != before
    monkeypatch.setenv("EMBEDMARK_CACHE", "")
    assert after == known(own)


@pytest.mark.usefixtures("cache")
def test_a_file_that_has_just_been_written_is_not_kept(own: Path) -> None:
    """Another change in the same tick of the clock, of equal size, would not show."""
    for name in ("C", "D", "E"):
        (own / "task" / "a.yaml").write_text(text(name), encoding="utf-8")
        assert set(known(own)) == {name, "B"}


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b'{"layout": 0, "entries": {}}', b'{"layout": 1}', b'{"layout": 1, "entries": []}',
        b'{"layout": 1, "entries": {"PATH": [[1, 2], ["X"]]}}',
        b'{"layout": 1, "entries": {"PATH": [KEY, [3, null, 1]]}}',
        b'{"layout": 1, "entries": {"PATH": [KEY, null]}}', b"\xff\xfe", b"[" * 100_000,
    ],
)  # fmt: skip
def test_an_index_that_is_none_is_as_if_it_were_absent(content: bytes, own: Path, cache: Path) -> None:
    before = known(own)
    path = own / "task" / "a.yaml"
    key = json.dumps(index._key(path.stat())).encode()
    (cache / "heads.json").write_bytes(content.replace(b"PATH", str(path).encode()).replace(b"KEY", key))
    assert known(own) == before


def test_an_index_that_cannot_be_written_fails_nothing(own: Path, cache: Path) -> None:
    cache.write_text("a file where the folder has to be")
    assert set(known(own)) == {"A", "B"}


def test_there_may_be_none(own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EMBEDMARK_CACHE", "")
    assert index.cache_folder() is None
    assert set(known(own)) == {"A", "B"}
    monkeypatch.delenv("EMBEDMARK_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert index.cache_folder() == tmp_path / "xdg" / "embedmark"


@pytest.mark.usefixtures("cache", "settled")
def test_what_other_files_decide_is_read_each_time(own: Path) -> None:
    (own / "task" / "c.yaml").write_text("defaults: [a, _self_]\nlanguages: [deu-Latn]\n", encoding="utf-8")
    assert known(own)["A"][0] == "sts"
    (own / "task" / "a.yaml").write_text(text("A", "regression"), encoding="utf-8")
    index._opened.cache_clear()
    assert Catalogue((own,), quiet=True).find("task", "c").type == "regression"


def _look(folder: Path, barrier: Any) -> None:
    barrier.wait()
    for _ in range(20):
        assert set(known(folder)) == {"A", "B"}


@pytest.mark.usefixtures("settled")
def test_several_processes_may_write_it(own: Path, cache: Path) -> None:
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    barrier = context.Barrier(3)
    racers = [context.Process(target=_look, args=(own, barrier)) for _ in range(3)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert [racer.exitcode for racer in racers] == [0, 0, 0]
    assert {path.name for path in cache.iterdir()} == {"heads.json"}


def test_it_does_not_grow_without_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_GRANULARITY", -(10**18))
    monkeypatch.setattr(index, "_MOST_ENTRIES", 2)
    path = tmp_path / "heads.json"
    for name in ("a", "b", "c", "d"):
        file = tmp_path / name
        file.write_text("x")
        kept = HeadIndex(path)
        kept.put(file, file.stat(), (name, None, None))
        kept.save()
    assert len(json.loads(path.read_text())["entries"]) <= 2


def test_a_start_of_its_own_process_uses_it(own: Path, cache: Path) -> None:
    command = [sys.executable, "-m", "runner", "list", "tasks", "--config-dir", str(own)]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert first == second
    entries = json.loads((cache / "heads.json").read_text())["entries"]
    assert any("configs" in path for path in entries)
