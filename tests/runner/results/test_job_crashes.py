"""A writer killed at any moment leaves whole records or none, and the next one goes on from there."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_records import failure, identity, job, record

from embedmark.runner.config.identity import fingerprint
from embedmark.runner.results import durable
from embedmark.runner.results.folder import JobFolders
from embedmark.runner.results.inspection import inspect, scan
from embedmark.runner.results.record import read_record

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")

JOBS = [identity(f"Task{number}") for number in range(2)]
ENVIRONMENT = {"packages": {"numpy": "2"}}


def work(outputs: Path, score: float, *, rerun: bool = False) -> None:
    """What a run does: claim, skip what is done, fail every second first, then write."""
    for number, values in enumerate(JOBS):
        claim = JobFolders(outputs).try_claim(fingerprint(values), job(values))
        assert claim is not None
        with claim:
            if claim.state == "done" and not rerun:
                continue
            if number % 2 and claim.state == "absent":
                claim.fail(failure(values), values, ENVIRONMENT)
            claim.succeed(record(values, score), values, ENVIRONMENT)


def forked(child: Callable[[], Any]) -> int:
    """Run in another process, and return its process id."""
    if pid := os.fork():
        return pid
    try:
        child()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def finish(outputs: Path) -> None:
    assert_whole(outputs)
    work(outputs, 0.5)
    JobFolders(outputs).clean()
    assert set(JobFolders(outputs).look(map(fingerprint, JOBS)).states.values()) == {"done"}
    assert [path.name for path in (outputs / "jobs").iterdir() if "corrupt" in path.name or "failed" in path.name] == []
    assert list((outputs / "jobs" / ".tmp").iterdir()) == []
    for values in JOBS:
        found = JobFolders(outputs).look([fingerprint(values)]).jobs[fingerprint(values)]
        assert found is not None
        assert read_record(found.found.path / "result.json") in (record(values, 0.5), record(values, 0.75))


def assert_whole(outputs: Path) -> None:
    for found in scan(outputs):
        assert not inspect(found).problem
    assert "corrupt" not in JobFolders(outputs).look(map(fingerprint, JOBS)).states.values()


@pytest.mark.slow
def test_killed_at_random_points(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    draw = random.Random(seed)
    kills = 0
    for round_number in range(4):
        outputs = tmp_path / str(round_number)
        started = time.perf_counter()
        os.waitpid(forked(lambda outputs=outputs: work(outputs / "undisturbed", 0.5)), 0)
        reach = time.perf_counter() - started
        for _ in range(15):
            pid = forked(lambda outputs=outputs: work(outputs, 0.75, rerun=True))
            time.sleep(draw.uniform(0, reach))
            os.kill(pid, signal.SIGKILL)
            killed = os.WIFSIGNALED(os.waitpid(pid, 0)[1])
            kills += killed
            reach *= 1.0 if killed else 0.8  # a writer that ended first was faster than the first one
            assert_whole(outputs)
        finish(outputs)
    assert kills > 20, f"seed {seed}: most writers ended before they were killed"


@pytest.mark.parametrize("rerun", [False, True])
def test_killed_at_every_step(rerun: bool, tmp_path: Path) -> None:
    """Every call that changes the disk is the last one once."""
    for last in range(1, 10_000):
        outputs = tmp_path / str(last)
        if rerun:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(os, "fsync", lambda _: None)
                work(outputs, 0.5)
        pid = forked(lambda outputs=outputs, last=last: dying_after(last, lambda: work(outputs, 0.75, rerun=rerun)))
        status = os.waitpid(pid, 0)[1]
        recover(outputs, rerun)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            assert last > 30
            return
    pytest.fail("the writer never ended")


def recover(outputs: Path, rerun: bool) -> None:
    assert_whole(outputs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        if rerun:
            JobFolders(outputs).clean()
            assert set(JobFolders(outputs).look(map(fingerprint, JOBS)).states.values()) == {"done"}
        finish(outputs)


CHANGES = {"open", "os.mkdir", "os.rename", "os.rmdir", "os.remove", "fsync"}
"""The audit events that come before a change on disk; fsync raises none and is counted by a stand-in."""


def dying_after(last: int, action: Callable[[], Any]) -> None:
    calls = 0

    def count(event: str, _: Any) -> None:
        nonlocal calls
        if event in CHANGES:
            calls += 1
            if calls == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    durable.os.fsync = lambda handle: count("fsync", handle)  # type: ignore[attr-defined]
    action()
