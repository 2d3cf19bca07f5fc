from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import signal
import time
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedmark.runner.common.errors import OutputError, UserError
from embedmark.runner.encode.shard import SUFFIX, Keys
from embedmark.runner.encode.store import IN_USE_SECONDS, DiskStore, MemoryStore

IDENTITY = {"model": "tiny", "revision": "1"}


def keys(*numbers: int) -> Keys:
    return np.array([(number * 7919, number) for number in numbers], dtype=np.uint64).reshape(-1, 2)


def vectors(*numbers: int) -> np.ndarray:
    return np.array([(number, -number, 0.5) for number in numbers], dtype=np.float32)


def shards(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def found(store: MemoryStore, *numbers: int) -> list[bool]:
    return [bool(place >= 0) for place in store.find(keys(*numbers))[:, 0]]


@given(st.lists(st.sets(st.integers(0, 30), min_size=1), max_size=4), st.sets(st.integers(0, 30)))
def test_what_was_added_is_found_as_it_was(added: list[set[int]], wanted: set[int]) -> None:
    store = MemoryStore()
    for numbers in added:
        store.add(keys(*numbers), vectors(*numbers))
    places = store.find(keys(*wanted))
    has = places[:, 0] >= 0
    assert {number for number, there in zip(wanted, has, strict=True) if there} == wanted & set().union(*added)
    if has.any():
        np.testing.assert_array_equal(store.read(places[has]), vectors(*np.array(list(wanted))[has]))


def test_a_later_process_finds_everything(tmp_path: Path) -> None:
    first = DiskStore(tmp_path / "m", IDENTITY)
    np.testing.assert_array_equal(first.read(first.add(keys(3, 1), vectors(3, 1))), vectors(3, 1))
    first.add(keys(2), vectors(2))
    again = DiskStore(tmp_path / "m", IDENTITY)
    np.testing.assert_array_equal(again.read(again.find(keys(1, 2, 3, 1))), vectors(1, 2, 3, 1))
    assert found(again, 4, 1) == [False, True]
    assert not list((tmp_path / "m").glob(".*")), "no temporary file is left"


def test_keys_that_share_a_half_are_told_apart() -> None:
    store = MemoryStore()
    store.add(np.array([(1, 1), (1, 3)], np.uint64), vectors(1, 3))
    places = store.find(np.array([(1, 2), (2, 1), (1, 3), (1, 1), (1, 1)], np.uint64))
    assert places.tolist() == [[-1, -1], [-1, -1], [0, 1], [0, 0], [0, 0]]


def test_a_folder_belongs_to_one_model(tmp_path: Path) -> None:
    DiskStore(tmp_path / "m", IDENTITY)
    DiskStore(tmp_path / "m", dict(reversed(IDENTITY.items())))
    with pytest.raises(UserError, match="embeddings of another model"):
        DiskStore(tmp_path / "m", {**IDENTITY, "revision": "2"})


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "header"])
def test_a_damaged_shard_is_set_aside_and_the_rest_serves(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = DiskStore(tmp_path / "m", IDENTITY)
    store.add(keys(1, 2), vectors(1, 2))
    (path,) = shards(tmp_path / "m")
    store.add(keys(3), vectors(3))
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[-1] ^= 1
    if damage == "header":
        content[20] ^= 0xFF
    path.write_bytes({"cut": content[:-4], "empty": b""}.get(damage, content))
    with caplog.at_level(logging.WARNING):
        again = DiskStore(tmp_path / "m", IDENTITY)
        assert found(again, 1, 2, 3) == [False, False, True]
        assert found(again, 1, 2, 3) == [False, False, True]
    assert len([record for record in caplog.records if "damaged" in record.message]) == 1
    assert path.with_name(path.name + ".corrupt").exists()
    again.add(keys(1, 2), vectors(1, 2))
    assert found(DiskStore(tmp_path / "m", IDENTITY), 1, 2, 3) == [True] * 3


def _write(folder: Path, start: int) -> None:
    store = DiskStore(folder, IDENTITY)
    for number in range(start, start + 20):
        store.add(keys(number), vectors(number))


def test_several_writers_lose_nothing_and_see_each_other(tmp_path: Path) -> None:
    reader = DiskStore(tmp_path / "m", IDENTITY)
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(tmp_path / "m", start)) for start in (0, 20, 40)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    everything = list(range(60))
    np.testing.assert_array_equal(reader.read(reader.find(keys(*everything))), vectors(*everything))


def _write_until_killed(folder: Path) -> None:
    store = DiskStore(folder, IDENTITY)
    number = 0
    while True:
        store.add(keys(number), np.full((1, 20_000), number, dtype=np.float32))
        number += 1


def test_a_killed_writer_leaves_whole_shards_only(tmp_path: Path) -> None:
    writer = multiprocessing.get_context("fork").Process(target=_write_until_killed, args=(tmp_path / "m",))
    writer.start()
    while len(shards(tmp_path / "m")) < 5:
        time.sleep(0.01)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    store = DiskStore(tmp_path / "m", IDENTITY)
    numbers = list(range(len(shards(tmp_path / "m"))))
    assert all(found(store, *numbers)), "whatever has its name is whole"
    np.testing.assert_array_equal(store.read(store.find(keys(*numbers)))[:, -1], numbers)


def test_a_full_disk_is_an_error_that_says_so_and_costs_nothing(tmp_path: Path) -> None:
    import resource

    store = DiskStore(tmp_path / "m", IDENTITY)
    store.add(keys(1), vectors(1))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(OutputError, match=r"no room in .* for 0\.4 MiB of embeddings"):
            store.add(keys(2), np.zeros((1, 100_000), np.float32))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert found(DiskStore(tmp_path / "m", IDENTITY), 1, 2) == [True, False]
    assert not list((tmp_path / "m").glob(".*"))


def _with_few_files(folder: Path) -> None:
    import resource

    soft, hard = 50, 60
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    stores = [DiskStore(folder, IDENTITY), DiskStore(folder, IDENTITY)]
    numbers = list(range(100))
    for number in numbers:
        stores[number % 2].add(keys(number), vectors(number))
    for store in [*stores, DiskStore(folder, IDENTITY)]:
        np.testing.assert_array_equal(store.read(store.find(keys(*numbers))), vectors(*numbers))
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard), "the process takes what it may have"
    for _ in range(10):
        os.open(folder, os.O_RDONLY)


def test_more_shards_than_files_may_be_open(tmp_path: Path) -> None:
    writer = multiprocessing.get_context("fork").Process(target=_with_few_files, args=(tmp_path / "m",))
    writer.start()
    writer.join()
    assert writer.exitcode == 0
    assert len(shards(tmp_path / "m")) == 100


def test_a_shard_that_cannot_be_read_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = DiskStore(tmp_path / "m", IDENTITY)
    for number in (1, 2):
        first.add(keys(number), vectors(number))
    refused = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    with monkeypatch.context() as other_user:
        other_user.setattr("embedmark.runner.encode.store.map_shard", Mock(side_effect=refused))
        assert found(DiskStore(tmp_path / "m", IDENTITY), 1, 2) == [False, False]
    assert sum(record.levelno >= logging.WARNING for record in caplog.records) == 1
    assert found(DiskStore(tmp_path / "m", IDENTITY), 1, 2) == [True, True]


def _read_only(folder: Path) -> None:
    os.setuid(65534)  # root may write anywhere
    store = DiskStore(folder, IDENTITY)
    assert not store.writable
    places = store.add(keys(2), vectors(2))
    np.testing.assert_array_equal(store.read(places), vectors(2))
    np.testing.assert_array_equal(store.read(store.find(keys(1, 2))), vectors(1, 2))


def test_a_read_only_store_is_read_and_the_rest_stays_in_memory(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    DiskStore(folder, IDENTITY).add(keys(1), vectors(1))
    if os.geteuid() == 0:
        for parent in [folder, *folder.parents]:
            if parent.is_relative_to("/tmp") and parent != Path("/tmp"):
                parent.chmod(0o755)
    folder.chmod(0o555)
    target = _read_only if os.geteuid() == 0 else _read_only_as_self
    reader = multiprocessing.get_context("fork").Process(target=target, args=(folder,))
    reader.start()
    reader.join()
    folder.chmod(0o755)
    assert reader.exitcode == 0
    assert len(shards(folder)) == 1


def _read_only_as_self(folder: Path) -> None:
    store = DiskStore(folder, IDENTITY)
    assert not store.writable


def test_over_budget_the_least_recently_used_go_first_over_all_models(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = time.time()
    stores = [DiskStore(tmp_path / name, {"model": name}) for name in ("a", "b")]
    for number, age in enumerate([3, 1, 2, 0]):
        store = stores[number % 2]
        before = set(shards(store.folder))
        store.add(keys(number), vectors(number))
        (path,) = set(shards(store.folder)) - before
        os.utime(path, (now, now - age * IN_USE_SECONDS - 60))
    size = shards(stores[0].folder)[0].stat().st_size
    budget = DiskStore(tmp_path / "a", {"model": "a"}, budget=2 * size)
    assert found(budget, 0, 2) == [False, False], "3 and 2 hours old: the two oldest of both models"
    assert found(DiskStore(tmp_path / "b", {"model": "b"}), 1, 3) == [True, True]
    with caplog.at_level(logging.WARNING):
        DiskStore(tmp_path / "b", {"model": "b"}, budget=1)
    assert found(DiskStore(tmp_path / "b", {"model": "b"}), 3) == [True], "in use a minute ago: stays"
    assert "nothing in them is old" in caplog.text
