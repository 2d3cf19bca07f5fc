"""A damaged folder of a job is the same to `plan`, `run` and `report`, and the next run repairs it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_records import failure, identity, keep, record
from small_project import small_project, table, task

from embedmark.runner.cli.main import main
from embedmark.runner.config.identity import fingerprint
from embedmark.runner.results.collect import collect
from embedmark.runner.results.folder import JobFolders
from embedmark.runner.results.inspection import as_job_folder, inspect

Damage = Callable[[Path], None]


def arguments(verb: str) -> list[str]:
    return [verb, "-cd", "mine", "model=tiny", "tasks=[Many]"]


def out(*command: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main(command) == 0
    return printed.getvalue()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What each verb says where a subset of task Many is damaged in each of the ways, and a run afterwards."""
    subsets = [f"s{number:02}" for number in range(len(DAMAGES))]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder := tmp_path_factory.mktemp("project"))
        small_project(folder / "mine")
        pairs = [{"sentence1": f"a {n}", "sentence2": f"b {n % 7}", "score": n % 5} for n in range(20)]
        for subset in [*subsets, "whole"]:
            table(folder / "mine", f"many/{subset}", test=pairs)
        task(
            folder / "mine",
            "Many",
            "sts",
            "cosine_spearman",
            subsets={name: ["eng-Latn"] for name in [*subsets, "whole"]},
        )
        out(*arguments("run"))
        folders = {
            json.loads(path.read_bytes())["job"]["subset"]: path.parent
            for path in folder.glob("outputs/jobs/*/result.json")
        }
        before = (folders["whole"] / "result.json").read_bytes()
        (folder / "outputs/jobs/whole").symlink_to(folders["whole"], target_is_directory=True)
        for subset, (damage, _) in zip(subsets, DAMAGES, strict=True):
            damage(folders[subset])
        yield {
            "folders": folders,
            "plan": out(*arguments("plan")),
            "states": {
                job["subset"]: job["state"] for job in map(json.loads, out(*arguments("plan"), "--json").splitlines())
            },
            "report": out("report", "-cd", "mine"),
            "on record": rows(),
            "run": out(*arguments("run")),
            "repaired": rows() if out("report", "-cd", "mine") else "",
            "same": before == (folders["whole"] / "result.json").read_bytes(),
        }


def rows() -> str:
    return Path("outputs/report/report.json").read_text()


def summed(folder: Path) -> None:
    """Sums that agree with whatever the files hold."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(lines))


def other(folder: Path) -> Path:
    return folder.parent / "whole"


def write(name: str, content: bytes, *, sums: bool = False) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)
        if sums:
            summed(folder)

    return damage


def torn(name: str) -> Damage:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size // 2)


def changed_byte(folder: Path) -> None:
    content = bytearray((folder / "items.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "items.npz").write_bytes(content)


def of_another_job(name: str, *, sums: bool = False) -> Damage:
    def damage(folder: Path) -> None:
        shutil.copy(other(folder) / name, folder / name)
        if sums:
            summed(folder)

    return damage


def another_hash(folder: Path) -> None:
    values = json.loads((folder / "identity.json").read_bytes())
    values["task"]["protocol"] += 1
    (folder / "identity.json").write_text(json.dumps(values, sort_keys=True, separators=(",", ":")))
    summed(folder)


def changed_result(**changes: object) -> Damage:
    def damage(folder: Path) -> None:
        values = json.loads((folder / "result.json").read_bytes())
        (folder / "result.json").write_text(json.dumps({**values, **changes}))
        summed(folder)

    return damage


def changed_job(**changes: str) -> Damage:
    def damage(folder: Path) -> None:
        values = json.loads((folder / "result.json").read_bytes())
        changed_result(job={**values["job"], **changes})(folder)

    return damage


def named_in_the_sums(name: str) -> Damage:
    def damage(folder: Path) -> None:
        with (folder / "SHA256SUMS").open("a") as sums:
            sums.write(f"{'0' * 64}  {name}\n")

    return damage


def folder_in_place_of(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return damage


def pipe_in_place_of(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return damage


def dangling_link(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder.parent / "gone", target_is_directory=True)


def link_to_another_job(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(other(folder), target_is_directory=True)


def folder_of_another_job(folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(other(folder), folder)


def file_in_place_of_the_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("not a folder")


DAMAGES: list[tuple[Damage, str]] = [
    (lambda folder: (folder / "identity.json").unlink(), "identity.json is missing"),
    (write("identity.json", b""), "identity.json is not what was written"),
    (torn("identity.json"), "identity.json is not what was written"),
    (of_another_job("identity.json"), "identity.json is not what was written"),
    (of_another_job("identity.json", sums=True), "identity.json is of another job"),
    (write("identity.json", b"[1]", sums=True), "identity.json is of another job"),
    (another_hash, "identity.json is of another job"),
    (torn("result.json"), "result.json is not what was written"),
    (lambda folder: (folder / "result.json").unlink(), "result.json is missing"),
    (write("result.json", b"{}", sums=True), "result.json: schema: missing"),
    (write("result.json", b"[" * 20_000, sums=True), "result.json: nested too deeply"),
    (of_another_job("result.json", sums=True), "result.json is of another job"),
    (changed_result(schema=99), "result.json: schema: written by a newer version"),
    (changed_result(main_score="high"), "result.json: main_score"),
    (changed_job(model="org/stronger"), "result.json is edited: its model is not that of identity.json"),
    (changed_job(task="Harder"), "result.json is edited: its task"),
    (changed_job(split="train"), "result.json is edited: its split"),
    (changed_byte, "items.npz is not what was written"),
    (lambda folder: (folder / "items.npz").unlink(), "items.npz is missing"),
    (lambda folder: (folder / "environment.json").unlink(), "environment.json is missing"),
    (lambda folder: (folder / "SHA256SUMS").unlink(), "SHA256SUMS is missing"),
    (write("SHA256SUMS", b"\xff\x00"), "SHA256SUMS is not lines"),
    (write("SHA256SUMS", b""), "SHA256SUMS is not lines"),
    (named_in_the_sums("\0environment.json"), "SHA256SUMS is not lines"),
    (named_in_the_sums(".."), "SHA256SUMS is not lines"),
    (named_in_the_sums("../whole"), "SHA256SUMS is not lines"),
    (named_in_the_sums("n" * 300), f"{'n' * 300} cannot be read"),
    (folder_in_place_of("identity.json"), "identity.json cannot be read"),
    (folder_in_place_of("SHA256SUMS"), "SHA256SUMS cannot be read"),
    (pipe_in_place_of("identity.json"), "identity.json cannot be read: a pipe"),
    (dangling_link, "a link to what is not there"),
    (link_to_another_job, "identity.json is of another job"),
    (folder_of_another_job, "identity.json is of another job"),
    (file_in_place_of_the_folder, "not a folder"),
]


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links and pipes")
@pytest.mark.parametrize("number", range(len(DAMAGES)), ids=[problem for _, problem in DAMAGES])
def test_a_damaged_folder_is_done_for_nobody_and_repaired(number: int, seen: dict[str, Any]) -> None:
    subset, problem = f"s{number:02}", DAMAGES[number][1]
    folder = seen["folders"][subset]
    assert seen["states"][subset] == "corrupt"
    assert f"{folder.name}: {problem}" in seen["report"]
    assert f'"{subset}"' not in seen["on record"]
    assert os.path.lexists(f"{folder}.corrupt-1")
    assert inspect(as_job_folder(folder)).state == "done"  # type: ignore[arg-type]
    assert f'"{subset}"' in seen["repaired"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links and pipes")
def test_what_is_whole_stays(seen: dict[str, Any]) -> None:
    assert seen["same"]
    assert seen["states"]["whole"] == "done"
    assert '"whole"' in seen["on record"]
    assert f"{len(DAMAGES)} damaged, to do again, 1 done" in seen["plan"]
    assert f"and {len(DAMAGES) - 5} more damaged folders" in seen["plan"]
    assert f"{len(DAMAGES) + 1} of {len(DAMAGES) + 1} jobs done" in seen["run"]


@pytest.mark.parametrize("hurt", [False, True])
def test_an_older_failure_beside_a_record_does_not_matter(hurt: bool, tmp_path: Path) -> None:
    values = identity()
    folder = keep(tmp_path, values, record(values))
    failed = keep(tmp_path, values, failure(values))
    if hurt:
        os.truncate(failed / "failure.json", 10)
    found = JobFolders(tmp_path).look([fingerprint(values)]).jobs[fingerprint(values)]
    assert found is not None
    assert (found.state, found.found.path) == ("done", folder)
    printed = out("report", "--outputs", str(tmp_path))
    assert "failed" not in printed
    assert "skipped" not in printed
    assert "1/1" in printed


@pytest.mark.slow
@settings(max_examples=300)
@given(st.data())
def test_whatever_is_in_a_file_runs_and_reports_agree(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        outputs, values = Path(place), identity()
        folder = keep(outputs, values, record(values))
        path = folder / data.draw(st.sampled_from(sorted(path.name for path in folder.iterdir())))
        content = path.read_bytes()
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, len(content)))
        changed = content[:start] + data.draw(st.binary(max_size=20)) + content[end:]
        path.write_bytes(changed)
        state = JobFolders(outputs).look([fingerprint(values)]).states[fingerprint(values)]
        found = collect(outputs)
        assert (state == "done") == (len(found.records) == 1) == (not found.problems)
        # A line of the sums may be left out: the file that it was of is no part of the record then.
        assert (state == "done") == (changed == content) or path.name == "SHA256SUMS"


def test_outputs_that_are_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "jobs").write_text("")
    where = ["--outputs", str(tmp_path)]
    for command in (["report", *where], ["why", "a", "b", *where], ["plan", f"outputs={tmp_path}", "model=bm25"]):
        assert main(command) == 2
        assert f"{tmp_path / 'jobs'}: a file is where" in capsys.readouterr().err
