"""The file of a bundle: equal bytes for equal plans, other bytes found, and files of another making."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from embedmark.runner.bundle.archive import Source, size_of, unpack, write
from embedmark.runner.bundle.manifest import Content, Manifest, parse_manifest
from embedmark.runner.common.errors import JobError, UserError

FILES = {
    "configs/model/bundle.yaml": b"name: a/b\n",
    "folders/model-a/model.safetensors": b"1" * 1300,
    "folders/model-a/config.json": b"{}",
    "folders/task-a/test.jsonl": b"",
    "hub/datasets--a--b/snapshots/0/README.md": b"{}",
}


def manifest_of(files: Mapping[str, bytes]) -> Manifest:
    contents = {name: Content(size=len(found), sha256=sha256_of(found)) for name, found in files.items()}
    return Manifest(embedmark="0.1.0", model="a/b", jobs=(), files=contents)


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def packed(path: Path, files: Mapping[str, bytes] = FILES) -> Path:
    write(path, manifest_of(files), {sha256_of(content): Source(content) for content in files.values()})
    return path


def a_tar(path: Path, *members: tuple[tarfile.TarInfo | str, bytes]) -> Path:
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name) if isinstance(name, str) else name
            if isinstance(name, str):
                entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def content_of(folder: Path) -> dict[str, bytes]:
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if name != "manifest.json"}


def test_equal_files_give_equal_bytes_and_come_out_as_they_went_in(tmp_path: Path) -> None:
    first = packed(tmp_path / "a.tar")
    second = packed(tmp_path / "b.tar", dict(reversed(FILES.items())))
    assert first.read_bytes() == second.read_bytes()
    manifest = unpack(first, tmp_path / "there")
    assert content_of(tmp_path / "there") == FILES
    assert first.stat().st_size == size_of(manifest)
    with tarfile.open(first) as archive:  # as other programs read it; what is equal is there once
        assert len(archive.getnames()) == 2 + len(set(FILES.values()))
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar", "b.tar", "there"}


def test_a_folder_that_is_there_is_used_again_or_refused(tmp_path: Path) -> None:
    unpack(packed(tmp_path / "a.tar"), tmp_path / "there")
    unpack(tmp_path / "a.tar", tmp_path / "there")
    other = packed(tmp_path / "b.tar", {"configs/model/bundle.yaml": b"name: c/d\n"})
    with pytest.raises(UserError, match="not of this bundle; give another folder"):
        unpack(other, tmp_path / "there")
    assert content_of(tmp_path / "there") == FILES


def test_every_changed_byte_is_found_and_named(tmp_path: Path) -> None:
    whole = packed(tmp_path / "a.tar").read_bytes()
    path = tmp_path / "b.tar"
    for place in range(0, len(whole), 23):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        with pytest.raises(UserError, match=r"b\.tar: (damaged|no bundle|manifest\.json)"):
            unpack(path, tmp_path / "there")
        assert not (tmp_path / "there").exists()
    changed = bytearray(whole)
    changed[whole.index(b"1" * 1300) + 700] ^= 1
    path.write_bytes(changed)
    with pytest.raises(UserError, match=r"damaged: folders/model-a/model\.safetensors is not what was written"):
        unpack(path, tmp_path / "there")


@pytest.mark.parametrize(("content", "said"), [(slice(0, -1), "was cut off"), (slice(0, 4000), "was cut off")])
def test_a_file_that_was_cut_off(content: slice, said: str, tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar")
    path.write_bytes(path.read_bytes()[content])
    with pytest.raises(UserError, match=said):
        unpack(path, tmp_path / "there")


def test_a_file_that_goes_on(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar")
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(UserError, match="something behind its end"):
        unpack(path, tmp_path / "there")


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/evil",
        "folders/../../evil",
        "folders//b",
        "folders/a\\evil",
        "folders/a/\x1b",
        "configs/config.yaml",
        "configs/execution/default.yaml",
        "hub/evil",
        "evil",
        f"folders/{'a/' * 40}b",
    ],
)
def test_names_that_lead_elsewhere(name: str, tmp_path: Path) -> None:
    content = manifest_of({}).to_bytes().replace(b'"files": {}', b'"files": {%s: {"size": 1, "sha256": "%s"}}')
    said = content % (_json(name), sha256_of(b"x").encode())
    with pytest.raises(UserError, match="files"):
        parse_manifest(said, "manifest.json")


def _json(text: str) -> bytes:
    import json

    return json.dumps(text).encode()


def head_of(files: Mapping[str, bytes]) -> list[tuple[tarfile.TarInfo | str, bytes]]:
    head = manifest_of(files).to_bytes()
    return [("manifest.json", head), ("manifest.sha256", f"{sha256_of(head)}  manifest.json\n".encode())]


def test_archives_of_another_making(tmp_path: Path) -> None:
    def refused(said: str, *members: Any) -> None:
        path = a_tar(tmp_path / "x.tar", *members)
        if len(members) > 2:  # as long as it has to be, so that its content is looked at
            path.write_bytes(path.read_bytes()[: size_of(manifest_of(one))])
        with pytest.raises(UserError, match=said):
            unpack(path, tmp_path / "there")

    one = {"folders/a/b": b"x"}
    link = tarfile.TarInfo(f"content/{sha256_of(b'x')}")
    link.type, link.linkname, link.mtime = tarfile.SYMTYPE, "/etc/passwd", 0
    refused("it begins with 'a'", ("a", b"x"))
    refused("damaged: the header of folders/a/b", *head_of(one), (link, b""), ("more", b"x"))
    refused("damaged: the header of folders/a/b", *head_of(one), ("content/evil", b"x"))
    refused("damaged: folders/a/b is not what was written", *head_of(one), (f"content/{sha256_of(b'x')}", b"y"))
    refused("not valid JSON", ("manifest.json", deep := b"[" * 100_000), summed(deep))
    refused("newer version of embedmark", ("manifest.json", newer := b'{"bundle": 2}'), summed(newer))
    refused("damaged: manifest.json", ("manifest.json", b"{}"), summed(b"other"))
    huge = tarfile.TarInfo("manifest.json")
    huge.size = 2**40
    (tmp_path / "x.tar").write_bytes(huge.tobuf(tarfile.GNU_FORMAT))
    with pytest.raises(UserError, match="at most"):
        unpack(tmp_path / "x.tar", tmp_path / "there")
    (tmp_path / "x.tar").write_bytes(b"")
    with pytest.raises(UserError, match="cut off"):
        unpack(tmp_path / "x.tar", tmp_path / "there")
    with pytest.raises(UserError, match="cannot be read"):
        unpack(tmp_path / "absent.tar", tmp_path / "there")
    assert [path.name for path in tmp_path.iterdir()] == ["x.tar"]


def summed(head: bytes) -> tuple[str, bytes]:
    return "manifest.sha256", f"{sha256_of(head)}  manifest.json\n".encode()


def test_what_a_killed_process_left_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / ".a.tar.part").write_bytes(b"half")
    (tmp_path / ".there.part/folders").mkdir(parents=True)
    (tmp_path / ".there.part/folders/left").touch()
    unpack(packed(tmp_path / "a.tar"), tmp_path / "there")
    assert content_of(tmp_path / "there") == FILES
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar", "there"}


def test_a_file_that_changes_meanwhile_leaves_nothing(tmp_path: Path) -> None:
    manifest = manifest_of({"folders/a/b": b"x"})
    (tmp_path / "b").write_bytes(b"y")
    with pytest.raises(JobError, match="b has changed while the bundle was written"):
        write(tmp_path / "a.tar", manifest, {sha256_of(b"x"): Source(tmp_path / "b")})
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_size_beyond_what_tar_writes_in_digits(tmp_path: Path) -> None:
    big = {"folders/model-a/model.safetensors": Content(size=2**34, sha256="0" * 64)}
    manifest = Manifest(embedmark="0.1.0", model="a/b", jobs=(), files=big)
    assert size_of(manifest) > 2**34
    assert parse_manifest(manifest.to_bytes(), "manifest.json") == manifest
