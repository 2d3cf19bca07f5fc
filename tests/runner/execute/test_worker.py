"""A worker does a chunk without any display, in this process or another; logs of two threads do not mix."""

from __future__ import annotations

import json
import logging
import multiprocessing
import pickle
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import own_encoders
import pytest
import yaml
from planned_records import planned
from small_project import TASKS, small_project, table, task

from embedmark.runner.config.schema import Execution
from embedmark.runner.execute.events import Done, Event
from embedmark.runner.execute.log import JobLog, listen_to, listening
from embedmark.runner.execute.worker import Chunk, Left, work


def records(outputs: Path) -> dict[str, Any]:
    found = {}
    for path in outputs.glob("jobs/*/result.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        for key in ("timing", "started_at", "finished_at", "peak_memory_bytes"):
            del record[key]
        found[record["job"]["task"]] = record
    return found


def in_another_process(pickled: bytes, results: Any) -> None:
    """What a spawned process runs."""
    chunk, outputs, execution = pickle.loads(pickled)
    told: list[Event] = []
    left = work(chunk, outputs, execution, told.append)
    results.send((left, told))


def test_a_pickled_chunk_gives_the_same_records_in_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    jobs = planned(small_project(tmp_path / "project"), "model=tiny", f"tasks=[{','.join(TASKS)}]")
    chunk, execution = Chunk(tuple(jobs)), Execution(batch_tokens=64)
    here: list[Event] = []
    assert work(chunk, tmp_path / "here", execution, here.append) == Left()
    receiver, sender = multiprocessing.Pipe(duplex=False)
    pickled = pickle.dumps((chunk, tmp_path / "there", execution))
    process = multiprocessing.get_context("spawn").Process(target=in_another_process, args=(pickled, sender))
    process.start()
    left, there = receiver.recv()
    process.join()
    assert left == Left()
    assert set(records(tmp_path / "here")) == set(TASKS)
    assert records(tmp_path / "there") == records(tmp_path / "here")
    for told in (here, there):
        done = [event.fingerprint for event in told if isinstance(event, Done)]
        assert sorted(done) == sorted(job.fingerprint for job in jobs)


class Alternating(own_encoders.Fine):
    """Warns of each batch by a logger, after the other thread has come as far."""

    turns = threading.Barrier(2, timeout=60)

    def encode(self, texts: Sequence[str], variant: Any) -> Any:
        self.turns.wait()
        logging.getLogger("test_worker").warning("read %s", texts[0].split()[0])
        self.turns.wait()
        return super().encode(texts, variant)


def test_two_workers_in_two_threads_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "project"
    for name in ("Left", "Right"):
        pairs = [{"sentence1": f"{name} {n}", "sentence2": f"{name} of {n}", "score": float(n)} for n in range(5)]
        table(project, name.lower(), test=pairs)
        task(project, name, "sts", "cosine_spearman")
    (project / "code").mkdir()
    (project / "code" / "alternating.py").write_text("from test_worker import Alternating\n", encoding="utf-8")
    (project / "model").mkdir()
    model = {
        "name": "me/alternating", "loader": "alternating:Alternating", "trust_remote_code": True,
        "source": {"path": str(project / "code")},
    }  # fmt: skip
    (project / "model" / "own.yaml").write_text(yaml.safe_dump(model), encoding="utf-8")
    listen_to("test_worker")
    told: dict[str, list[Event]] = {"Left": [], "Right": []}
    chunks = {name: Chunk(tuple(planned(project, "model=own", f"tasks=[{name}]"))) for name in told}
    before = logging.getLogger().handlers[:]

    def one(name: str) -> None:
        work(chunks[name], tmp_path / "outputs", Execution(), told[name].append)

    threads = [threading.Thread(target=one, args=(name,)) for name in told]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert logging.getLogger().handlers == before
    for name, events in told.items():
        (done,) = [event for event in events if isinstance(event, Done)]
        assert done.record is not None
        assert done.record.job.task == name
        (log,) = tmp_path.glob(f"outputs/jobs/{name}--*/log.txt")
        said = [line for line in log.read_text(encoding="utf-8").splitlines() if " read " in line]
        assert [line.rpartition(" ")[2] for line in said] == [name] * len(said)
        assert said


def test_a_job_hears_its_own_thread_alone() -> None:
    ours, turns = logging.getLogger("embedmark.somewhere"), threading.Barrier(2)
    listen_to("embedmark", "py.warnings")
    logs = {name: JobLog() for name in ("first", "second")}

    def one(name: str) -> None:
        with listening(logs[name]):
            turns.wait()
            ours.warning("of %s", name)
            logging.getLogger("py.warnings").warning("warned in %s", name)
            logging.getLogger("a.library").warning("nobody's")
            turns.wait()

    threads = [threading.Thread(target=one, args=(name,)) for name in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ours.warning("too late")
    for name, log in logs.items():
        assert [line.rpartition(": ")[2] for line in log.lines] == [f"of {name}", f"warned in {name}"]
