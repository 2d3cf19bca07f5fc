"""A built folder is put in its place whole, over nothing that was not built before, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedmark.runner.common.errors import OutputError, UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.leaderboard import built
from embedmark.runner.leaderboard.built import MARK, is_old, mark_of, rebuilt, restored

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders have no locks there")


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    (tmp_path / "outputs/jobs").mkdir(parents=True)
    return tmp_path / "outputs"


def build(out: Path, outputs: Path, text: str = "new", benchmarks: list[str] | None = None) -> None:
    with rebuilt(out, outputs, benchmarks) as folder:
        (folder / "index.html").write_text(text)


def beside(out: Path) -> list[str]:
    """Whatever a build left beside its folder."""
    return sorted(path.name for path in out.parent.iterdir() if path.name.startswith(f".{out.name}."))


def test_a_new_one_takes_the_place_of_the_old_one(tmp_path: Path, outputs: Path) -> None:
    out = tmp_path / "far/site"
    build(out, outputs, "old")
    (out / "left.html").touch()
    build(out, outputs, "new", ["A", "B"])
    assert sorted(path.name for path in out.iterdir()) == sorted([MARK, "index.html"])
    assert (out / "index.html").read_text() == "new"
    mark = mark_of(out)
    assert mark is not None
    assert mark.benchmarks == ("A", "B")
    assert beside(out) == []


def test_what_fails_leaves_the_old_one(tmp_path: Path, outputs: Path) -> None:
    out = tmp_path / "site"
    build(out, outputs, "old")

    def breaking() -> None:
        with rebuilt(out, outputs, None) as folder:
            (folder / "index.html").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaking()
    assert (out / "index.html").read_text() == "old"
    assert beside(out) == []


KILLED = """
import sys, time
from pathlib import Path
from embedmark.runner.leaderboard.built import rebuilt
with rebuilt(Path(sys.argv[1]), Path(sys.argv[2]), None) as folder:
    (folder / "index.html").write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_killed_build_leaves_the_old_one_and_is_swept_up_by_the_next(tmp_path: Path, outputs: Path) -> None:
    out = tmp_path / "site"
    build(out, outputs, "old")
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(out), str(outputs)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        build(out, outputs, "meanwhile")
        assert len(beside(out)) == 1, "a build that goes on was swept up"
        process.send_signal(signal.SIGKILL)
    assert (out / "index.html").read_text() == "meanwhile"
    assert len(beside(out)) == 1
    build(out, outputs, "new")
    assert (out / "index.html").read_text() == "new"
    assert beside(out) == []


def test_a_kill_between_two_names_is_mended(tmp_path: Path, outputs: Path) -> None:
    out = tmp_path / "site"
    build(out, outputs, "old")
    out.rename(tmp_path / ".site.0123abcd.old")
    restored(out)
    assert (out / "index.html").read_text() == "old"
    out.rename(tmp_path / ".site.0123abcd.old")
    build(out, outputs, "new")
    assert (out / "index.html").read_text() == "new"
    assert beside(out) == []


@pytest.mark.parametrize("place", ["jobs", "jobs/x/y", "store", "data", "imported", "report/x"])
def test_never_within_results(place: str, outputs: Path) -> None:
    with pytest.raises(UserError, match=r"another folder, such as .*leaderboard"):
        build(outputs / place, outputs)
    assert not any((outputs / "jobs").iterdir())


def test_never_over_results_or_around_them(tmp_path: Path, outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for out in (outputs, tmp_path, outputs / "jobs/.."):
        with pytest.raises(UserError, match="expected one of its own"):
            build(out, outputs)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UserError, match="found the current folder"):
        build(Path(), outputs)


def test_a_link_to_results_is_no_way_around(tmp_path: Path, outputs: Path) -> None:
    (tmp_path / "link").symlink_to(outputs / "jobs")
    with pytest.raises(UserError, match="lies in"):
        build(tmp_path / "link", outputs)
    assert (tmp_path / "link").is_symlink()


def test_a_link_to_a_built_folder_stays_a_link(tmp_path: Path, outputs: Path) -> None:
    build(tmp_path / "site", outputs, "old")
    (tmp_path / "link").symlink_to(tmp_path / "site")
    build(tmp_path / "link", outputs, "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "site/index.html").read_text() == "new"


@pytest.mark.parametrize("content", ["", "{}", "[", '{"benchmarks": 3, "embedmark": "0"}', "[" * 5000])
def test_folders_of_others_are_never_touched(content: str, tmp_path: Path, outputs: Path) -> None:
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "chapter.tex").write_text("years of work")
    (mine / MARK).write_text(content)
    with pytest.raises(UserError, match="found a folder with other things in it") as raised:
        build(mine, outputs)
    assert "Nothing was changed" in str(raised.value)
    assert sorted(path.name for path in mine.iterdir()) == [MARK, "chapter.tex"]
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="found a file"):
        build(tmp_path / "file", outputs)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_somebody_made_meanwhile_is_not_touched(tmp_path: Path, outputs: Path) -> None:
    out = tmp_path / "site"

    def meanwhile() -> None:
        with rebuilt(out, outputs, None) as folder:
            (folder / "index.html").write_text("new")
            out.mkdir()
            (out / "mine").write_text("mine")

    with pytest.raises(UserError, match="other things in it"):
        meanwhile()
    assert [path.name for path in out.iterdir()] == ["mine"]
    assert beside(out) == []


def test_an_empty_folder_will_do(tmp_path: Path, outputs: Path) -> None:
    (tmp_path / "site").mkdir()
    build(tmp_path / "site", outputs)
    assert (tmp_path / "site/index.html").exists()


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full; free some space"), (errno.EACCES, "may not be written"), (errno.EIO, "cannot")],
)
def test_a_full_disk_is_said_in_words(number: int, words: str, tmp_path: Path, outputs: Path) -> None:
    out = tmp_path / "site"
    build(out, outputs, "old")

    def full() -> None:
        with rebuilt(out, outputs, None) as folder:
            (folder / "index.html").write_text("half")
            raise OSError(number, os.strerror(number))

    with pytest.raises(OutputError, match=words) as raised:
        full()
    assert f"--out {out}" in str(raised.value)
    assert (out / "index.html").read_text() == "old"
    assert beside(out) == []


def test_a_disk_that_is_really_full(tmp_path: Path, outputs: Path) -> None:
    """/dev/full refuses every byte, as a full disk does."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")

    def full() -> None:
        with rebuilt(tmp_path / "site", outputs, None) as folder:
            (folder / "index.html").symlink_to("/dev/full")
            (folder / "index.html").write_text("a page")

    with pytest.raises(OutputError, match="the disk is full"):
        full()
    assert not (tmp_path / "site").exists()


def test_a_folder_that_may_not_be_written(tmp_path: Path, outputs: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="may not be written"):
        build(tmp_path / "closed/site", outputs)


def test_a_file_in_the_place_of_a_folder_above(tmp_path: Path, outputs: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file is where a folder has to be"):
        build(tmp_path / "file/site", outputs)


def test_what_is_wrong_with_other_files_is_not_said_of_the_folder(tmp_path: Path, outputs: Path) -> None:
    def reading() -> None:
        with rebuilt(tmp_path / "deep/site", outputs, None):
            (tmp_path / "elsewhere").read_text()

    with pytest.raises(FileNotFoundError):
        reading()


def test_when_it_is_old(tmp_path: Path, outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {path.name for folder in built._MADE_BY for path in folder.iterdir()} >= {"site.py", "page"}
    (tmp_path / "ours/page").mkdir(parents=True)
    monkeypatch.setattr(built, "_MADE_BY", (tmp_path / "ours",))
    mine = tmp_path / "mine"
    (mine / "task").mkdir(parents=True)
    out, catalogue = tmp_path / "site", Catalogue((mine,))
    assert is_old(out, outputs, catalogue)
    settled(tmp_path)
    build(out, outputs)
    assert not is_old(out, outputs, catalogue)
    for change in (
        lambda: (outputs / "jobs/STS17--m--0123456789ab").mkdir(),
        lambda: (outputs / "jobs/STS17--m--0123456789ab").rmdir(),
        lambda: (mine / "task/new.yaml").write_text("name: New"),
        lambda: (mine / "task/new.yaml").write_text("name: Newer"),
        lambda: ((outputs / "imported").mkdir(), (outputs / "imported/scores.parquet").touch()),
        lambda: (outputs / "imported/scores.parquet").unlink(),
        lambda: (tmp_path / "ours/page/words.js").touch(),
        lambda: (out / MARK).write_text('{"benchmarks": null, "embedmark": "0.0.0"}'),
    ):
        settled(tmp_path)
        change()
        assert is_old(out, outputs, catalogue)
        settled(tmp_path)
        build(out, outputs)
        assert not is_old(out, outputs, catalogue)


def test_what_is_measured_while_it_is_built_makes_it_old(tmp_path: Path, outputs: Path) -> None:
    out = tmp_path / "site"
    with rebuilt(out, outputs, None) as folder:
        (folder / "index.html").touch()
        settled(tmp_path)
        (outputs / "jobs/STS17--m--0123456789ab").mkdir()
    assert is_old(out, outputs, Catalogue((tmp_path,)))


def settled(folder: Path) -> None:
    """Wait until the file system's clock has gone on."""
    asked = folder / "clock"
    asked.touch()
    before = asked.stat().st_mtime_ns
    while asked.stat().st_mtime_ns == before:
        time.sleep(0.005)
        asked.touch()


def test_the_same_twice_is_the_same_to_the_byte(tmp_path: Path, outputs: Path) -> None:
    for name in ("one", "two"):
        build(tmp_path / name, outputs, "same", ["A"])
    assert (tmp_path / "one" / MARK).read_bytes() == (tmp_path / "two" / MARK).read_bytes()
