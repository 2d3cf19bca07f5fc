"""A job's folder: whole or absent, one writer at a time, damaged ones kept, and every obstacle told."""

from __future__ import annotations

import errno
import hashlib
import logging
import multiprocessing
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_records import failure, identity, job, record

from embedmark.runner.common.errors import OutputError
from embedmark.runner.config.identity import canonical, fingerprint
from embedmark.runner.results import durable, folder, inspection
from embedmark.runner.results.folder import Claim, JobFolders, folder_name
from embedmark.runner.results.inspection import as_job_folder, inspect
from embedmark.runner.results.record import read_failure, read_record

ENVIRONMENT = {"packages": {"numpy": "2"}}


def claimed(outputs: Path, values: Any) -> Claim:
    claim = JobFolders(outputs).try_claim(fingerprint(values), job(values))
    assert claim is not None
    return claim


def write(outputs: Path, values: Any, score: float = 0.5, **more: Any) -> Path:
    with claimed(outputs, values) as claim:
        return claim.succeed(record(values, score), values, ENVIRONMENT, **more)


def fail(outputs: Path, values: Any) -> Path:
    with claimed(outputs, values) as claim:
        return claim.fail(failure(values), values, ENVIRONMENT, log="it went wrong")


def state(outputs: Path, values: Any) -> str:
    return JobFolders(outputs).look([fingerprint(values)]).states[fingerprint(values)]


def unfinished(outputs: Path) -> list[Path]:
    return [*(outputs / "jobs" / ".tmp").glob("*")]


def test_a_job_done_has_all_its_files(tmp_path: Path) -> None:
    values = identity("NFCorpus", model="intfloat/e5-base-v2")
    items = {"ndcg_at_10": np.array([0.25, np.nan]), "file": np.array([1.0])}
    made = write(tmp_path, values, items=items, log="two lines\nof log\n")
    assert made.name == f"NFCorpus--intfloat__e5-base-v2--{fingerprint(values)[:12]}"
    assert {path.name for path in made.iterdir()} == {
        "result.json", "identity.json", "environment.json", "items.npz", "log.txt", "SHA256SUMS",
    }  # fmt: skip
    assert read_record(made / "result.json") == record(values)
    with np.load(made / "items.npz") as kept:
        assert set(kept) == set(items)
        for name, values_kept in kept.items():
            np.testing.assert_array_equal(values_kept, items[name])
    assert (made / "log.txt").read_bytes() == b"two lines\nof log\n"
    assert state(tmp_path, values) == "done"
    assert unfinished(tmp_path) == []


def test_identity_file_hashes_to_the_fingerprint(tmp_path: Path) -> None:
    values = identity()
    made = write(tmp_path, values)
    content = (made / "identity.json").read_bytes()
    assert content == canonical(values).encode()
    assert hashlib.sha256(content).hexdigest() == fingerprint(values)


@pytest.mark.skipif(sys.platform == "win32", reason="needs sha256sum")
def test_sums_are_what_sha256sum_checks(tmp_path: Path) -> None:
    made = write(tmp_path, identity(), items={"hit": np.ones(3)})
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=made, check=True)


def test_record_of_another_job_is_not_written(tmp_path: Path) -> None:
    values, other = identity("A"), identity("B")
    with claimed(tmp_path, values) as claim, pytest.raises(ValueError, match="not of one job"):
        claim.succeed(record(other), other, ENVIRONMENT)
    with claimed(tmp_path, values) as claim, pytest.raises(ValueError, match="not of one job"):
        claim.succeed(record(values), other, ENVIRONMENT)
    assert state(tmp_path, values) == "absent"


def test_a_released_claim_cannot_write(tmp_path: Path) -> None:
    values = identity()
    with claimed(tmp_path, values) as claim:
        pass
    with pytest.raises(ValueError, match="released"):
        claim.succeed(record(values), values, ENVIRONMENT)


def test_a_failure_is_not_done_and_goes_with_success(tmp_path: Path) -> None:
    values = identity()
    made = fail(tmp_path, values)
    assert state(tmp_path, values) == "failed"
    assert read_failure(made / "failure.json").error_class == "ValueError"
    assert fail(tmp_path, values) == made
    with claimed(tmp_path, values) as claim:
        assert claim.state == "failed"
    done = write(tmp_path, values)
    assert state(tmp_path, values) == "done"
    assert [path for path in (tmp_path / "jobs").iterdir() if not path.name.startswith(".")] == [done]


def test_a_failed_rerun_keeps_the_record(tmp_path: Path) -> None:
    values = identity()
    done = write(tmp_path, values)
    fail(tmp_path, values)
    assert state(tmp_path, values) == "done"
    assert read_record(done / "result.json") == record(values)


def test_a_rerun_replaces_the_record(tmp_path: Path) -> None:
    values = identity()
    write(tmp_path, values, 0.5)
    with claimed(tmp_path, values) as claim:
        assert claim.state == "done"
    done = write(tmp_path, values, 0.75)
    assert read_record(done / "result.json").main_score == 0.75
    assert unfinished(tmp_path) == []


def test_states_of_many(tmp_path: Path) -> None:
    names = ["done", "failed", "corrupt", "absent"]
    jobs = {name: identity(name) for name in names}
    write(tmp_path, jobs["done"])
    fail(tmp_path, jobs["failed"])
    (write(tmp_path, jobs["corrupt"]) / "result.json").unlink()
    found = JobFolders(tmp_path).look(fingerprint(values) for values in jobs.values()).states
    assert [found[fingerprint(jobs[name])] for name in names] == names


def test_no_outputs_yet(tmp_path: Path) -> None:
    assert state(tmp_path / "nowhere", identity()) == "absent"
    assert not (tmp_path / "nowhere").exists()
    JobFolders(tmp_path / "nowhere").clean()


def truncated(path: Path) -> None:
    (path / "result.json").write_bytes((path / "result.json").read_bytes()[:100])


def emptied(path: Path) -> None:
    (path / "result.json").write_bytes(b"")


def edited(path: Path) -> None:
    content = (path / "result.json").read_bytes()
    (path / "result.json").write_bytes(content.replace(b"0.5", b"0.9"))


def without_sums(path: Path) -> None:
    (path / "SHA256SUMS").unlink()


def with_broken_sums(path: Path) -> None:
    (path / "SHA256SUMS").write_bytes(b"\xff\x00")


def with_a_folder_for_a_file(path: Path) -> None:
    (path / "result.json").unlink()
    (path / "result.json").mkdir()


def replaced_by_a_file(path: Path) -> None:
    durable.remove_folder(path)
    path.write_text("not a folder", encoding="utf-8")


DAMAGES = [
    truncated, emptied, edited, without_sums, with_broken_sums, with_a_folder_for_a_file, replaced_by_a_file,
]  # fmt: skip


@pytest.mark.parametrize("hurt", DAMAGES)
def test_damaged_records_are_set_aside_and_done_again(
    hurt: Callable[[Path], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    values = identity()
    for number in (1, 2):
        path = write(tmp_path, values)
        hurt(path)
        assert state(tmp_path, values) == "corrupt"
        with caplog.at_level(logging.WARNING), claimed(tmp_path, values) as claim:
            assert claim.state == "absent"
        assert f"{path.name}.corrupt-{number}" in caplog.text
        assert Path(f"{path}.corrupt-{number}").exists()
        assert state(tmp_path, values) == "absent"
    write(tmp_path, values)
    assert state(tmp_path, values) == "done"


def test_damage_in_any_file_is_found(tmp_path: Path) -> None:
    path = write(tmp_path, identity(), items={"hit": np.ones(3)})
    found = as_job_folder(path)
    assert found is not None
    assert not inspect(found).problem
    (path / "items.npz").write_bytes(b"")
    assert inspect(found).problem == "items.npz is not what was written"


def test_two_jobs_with_the_same_twelve_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # No two identities with this are known, so names have one digit here.
    monkeypatch.setattr(folder, "_DIGITS", 1)
    monkeypatch.setattr(inspection, "_FOLDER", re.compile(r".+--(?P<digits>[0-9a-f]+)(?P<failed>\.failed)?$"))
    first, *others = (identity("Topic", subset=str(number)) for number in range(200))
    second = next(values for values in others if fingerprint(values)[0] == fingerprint(first)[0])
    digests = [fingerprint(first), fingerprint(second)]
    paths = [write(tmp_path, values) for values in (first, second)]
    assert [path.name.rpartition("--")[2] for path in paths] == [digests[0][:1], digests[1][:9]]
    look = JobFolders(tmp_path).look(digests)
    assert look.states == dict.fromkeys(digests, "done")
    assert [found and found.found.path for found in look.jobs.values()] == paths


def test_one_job_has_one_claim(tmp_path: Path) -> None:
    values = identity()
    with claimed(tmp_path, values):
        assert JobFolders(tmp_path).try_claim(fingerprint(values), job(values)) is None
        with claimed(tmp_path, identity("Other")):
            pass
    with claimed(tmp_path, values):
        pass


def race(outputs: Path, barrier: Barrier, results: Any) -> None:
    values = identity()
    barrier.wait()
    claim = JobFolders(outputs).try_claim(fingerprint(values), job(values))
    if claim is None:
        results.put("lost")
    else:
        with claim:
            results.put(f"won {claim.state}")
            if claim.state == "absent":
                time.sleep(0.5)
                claim.succeed(record(values), values, ENVIRONMENT)


def test_two_processes_race_for_one_job(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    racers = [context.Process(target=race, args=(tmp_path, barrier, results)) for _ in range(2)]
    for racer in racers:
        racer.start()
    outcomes = sorted(results.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join()
    # The second may come so late that the first is already done; it must never find the job absent as well.
    assert outcomes in (["lost", "won absent"], ["won absent", "won done"])
    assert state(tmp_path, identity()) == "done"


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "may not be written"), (errno.EIO, "cannot be written")],
)
@pytest.mark.parametrize("call", ["os.fsync", "sync_folder"])
@pytest.mark.parametrize("earlier", ["absent", "failed", "done"])
def test_a_disk_that_fails_loses_nothing(
    call: str, number: int, message: str, earlier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = identity()
    if earlier != "absent":
        {"failed": fail, "done": write}[earlier](tmp_path, values)

    def broken(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with claimed(tmp_path, values) as claim, monkeypatch.context() as patch:
        patch.setattr(f"{durable.__name__}.{call}", broken)
        with pytest.raises(OutputError, match=message) as error:
            claim.succeed(record(values, 0.75), values, ENVIRONMENT)
    assert str(tmp_path) in str(error.value)
    assert "outputs=FOLDER" in str(error.value)
    assert state(tmp_path, values) == earlier
    assert unfinished(tmp_path) == []


def test_a_rename_that_fails_brings_the_earlier_record_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = identity()
    done = write(tmp_path, values, 0.5)
    rename = Path.rename

    def broken(self: Path, target: Path) -> Path:
        if "replaced" not in self.name and ".tmp" not in Path(target).parts:
            raise OSError(errno.EIO, "rename")
        return rename(self, target)

    with claimed(tmp_path, values) as claim, monkeypatch.context() as patch:
        patch.setattr(Path, "rename", broken)
        with pytest.raises(OutputError, match="cannot be written"):
            claim.succeed(record(values, 0.75), values, ENVIRONMENT)
    assert read_record(done / "result.json").main_score == 0.5
    assert unfinished(tmp_path) == []


def test_outputs_that_may_not_be_written(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    outputs.mkdir(mode=0o500)
    if os.access(outputs, os.W_OK):
        pytest.skip("this user may write anywhere; the file that is in the way below stands in for it")
    with pytest.raises(OutputError, match="may not be written"):
        claimed(outputs, identity())


def test_a_file_where_outputs_should_be(tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="a file is where a folder has to be"):
        claimed(tmp_path / "outputs", identity())


def test_leftovers_go_only_when_their_owner_is_gone(tmp_path: Path) -> None:
    living, dead = identity("Living"), identity("Dead")
    with claimed(tmp_path, living):
        for values in (living, dead):
            durable.write_folder(JobFolders(tmp_path).new_temporary(fingerprint(values)), {"result.json": b"{"})
        JobFolders(tmp_path).clean()
        assert [path.name.partition(".")[0] for path in unfinished(tmp_path)] == [fingerprint(living)[:32]]
    JobFolders(tmp_path).clean()
    assert unfinished(tmp_path) == []


def test_folder_names_suit_every_file_system() -> None:
    values = identity('A/B: "C" * \u00e9', model="../..")
    assert folder_name(job(values), fingerprint(values)) == f"A__B_C_--__--{fingerprint(values)[:12]}"
    assert len(folder_name(job(identity("x" * 500, model="y" * 500)), fingerprint(values))) == 60 + 2 + 60 + 2 + 12
