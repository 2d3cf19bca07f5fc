"""`forget` deletes what is named and nothing else, records only when that is confirmed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from sample_records import failure, identity, job, keep, record

from embedmark.runner.cli.main import main
from embedmark.runner.config.identity import fingerprint
from embedmark.runner.results.folder import JobFolders

A, B = "org/a", "org/b"
FAILURES = {
    name: identity(task, subset, model=model)
    for name, (task, subset, model) in {
        "a1": ("One", "en", A),
        "a1de": ("One", "de", A),
        "a2": ("Two", "en", A),
        "b1": ("One", "en", B),
    }.items()
}
RECORD = identity("Three", model=A)


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for values in FAILURES.values():
        keep(Path("outputs"), values, failure(values))
    keep(Path("outputs"), RECORD, record(RECORD))
    return Path("outputs")


def left(outputs: Path) -> set[str]:
    """The failures and the record that are there."""
    states = JobFolders(outputs).look(map(fingerprint, (*FAILURES.values(), RECORD))).states
    there = {name for name, values in FAILURES.items() if states[fingerprint(values)] == "failed"}
    return there | ({"record"} if states[fingerprint(RECORD)] == "done" else set())


def folder_of(name: str) -> str:
    values = RECORD if name == "record" else FAILURES[name]
    found = JobFolders(Path("outputs")).look([fingerprint(values)]).jobs[fingerprint(values)]
    assert found is not None
    return found.found.path.name


ALL = {*FAILURES, "record"}
CASES: list[tuple[list[str], int, set[str], str]] = [
    (["--failed"], 0, {"record"}, "4 of 4 forgotten"),
    (["--failed", "--model", A], 0, {"b1", "record"}, "3 of 3 forgotten"),
    (["--failed", "--model", "B"], 0, ALL - {"b1"}, "1 of 1 forgotten"),
    (["--failed", "--task", "One"], 0, {"a2", "record"}, "3 of 3 forgotten"),
    (["--failed", "--task", "one", "--model", "a"], 0, {"a2", "b1", "record"}, "2 of 2 forgotten"),
    (["--failed", "--task", "Two", "--model", B], 2, ALL, "no failure of task 'Two'"),
    (["--failed", "--model", "org/c"], 2, ALL, "Did you mean 'org/"),
    (["--failed", "--outputs", "nowhere"], 0, ALL, "nothing to forget"),
    (["{a1}"], 0, ALL - {"a1"}, "1 of 1 forgotten"),
    (["outputs/jobs/{a1}"], 0, ALL - {"a1"}, "1 of 1 forgotten"),
    (["{a1}", "{b1}"], 0, ALL - {"a1", "b1"}, "2 of 2 forgotten"),
    ([fingerprint(FAILURES["a2"])[:12]], 0, ALL - {"a2"}, "1 of 1 forgotten"),
    (["Two--org__a"], 0, ALL - {"a2"}, "1 of 1 forgotten"),
    (["One--org__a"], 2, ALL, "fits 2 jobs"),
    (["{record}"], 2, ALL, "add --yes"),
    (["{a1}", "{record}"], 2, ALL, "add --yes"),
    (["{record}", "--yes"], 0, ALL - {"record"}, "1 of 1 forgotten"),
    (["no-such-job"], 2, ALL, "no job 'no-such-job'"),
    (["/tmp"], 2, ALL, "no job"),
    ([], 2, ALL, "give the jobs to forget"),
    (["{a1}", "--failed"], 2, ALL, "one of the two"),
    (["{a1}", "--model", A], 2, ALL, "with --failed"),
]


@pytest.mark.parametrize(("arguments", "status", "remain", "words"), CASES)
def test_what_is_forgotten(
    arguments: list[str], status: int, remain: set[str], words: str, outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {name: folder_of(name) for name in ALL}
    assert main(["forget", *(argument.format(**names) for argument in arguments)]) == status
    printed = capsys.readouterr()
    assert words in printed.out + printed.err
    assert left(outputs) == remain
    assert not list((outputs / "jobs" / ".tmp").iterdir())


def test_a_job_that_another_process_works_on_stays(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = FAILURES["a1"]
    claim = JobFolders(outputs).try_claim(fingerprint(values), job(values))
    assert claim is not None
    with claim:
        assert main(["forget", "--failed"]) == 1
    assert left(outputs) == {"a1", "record"}
    assert "another process works on it" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
def test_damaged_failures_go_too(outputs: Path) -> None:
    os.truncate(outputs / "jobs" / folder_of("a1") / "failure.json", 5)
    target = outputs / "jobs" / folder_of("a2")
    target.rename(outputs / "elsewhere")
    target.symlink_to((outputs / "elsewhere").resolve(), target_is_directory=True)
    assert main(["forget", "--failed"]) == 0
    assert left(outputs) == {"record"}
    assert (outputs / "elsewhere").is_dir()
