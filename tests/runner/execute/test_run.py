"""The whole command on small data: what is done stays done, what fails stops nothing else, and nothing is lost."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from float_bounds import SCORES
from small_project import TASKS, small_project, table, task

import embedmark.runner.execute.loop
from embedmark.runner.cli.main import main
from embedmark.runner.results.folder import JobFolders
from embedmark.runner.results.record import read_record

Records = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tasks(*names: str) -> str:
    return f"tasks=[{','.join(names or TASKS)}]"


def arguments(project: Path, *overrides: str, outputs: str = "outputs") -> list[str]:
    return ["run", "--config-dir", str(project), "model=tiny", f"outputs={outputs}", *overrides]


def records(outputs: Path | str = "outputs") -> Records:
    """Every record by task and subset, without what may differ between runs."""
    found: Records = {}
    for path in Path(outputs).glob("jobs/*/result.json"):
        record = json.loads(path.read_text())
        for key in ("timing", "started_at", "finished_at", "peak_memory_bytes"):
            del record[key]
        for side in record["sides"].values():  # not known where a run that was killed encoded some
            del side["tokens"], side["truncated"]
        found[f"{record['job']['task']}/{record['job']['subset']}"] = record
    return found


def test_run_then_nothing_left_to_do(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(project, tasks())) == 0
    first = records()
    assert set(first) == {f"{name}/default" for name in TASKS}
    assert "6 of 6 jobs done" in capsys.readouterr().out
    before = {path: path.stat().st_mtime_ns for path in Path("outputs/jobs").glob("*/result.json")}
    assert main(arguments(project, tasks())) == 0
    assert "6 jobs: all done" in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in Path("outputs/jobs").glob("*/result.json")}


def test_folders_hold_what_they_should(project: Path) -> None:
    main(arguments(project, tasks("Search")))
    (folder,) = Path("outputs/jobs").glob("Search--*")
    names = {path.name for path in folder.iterdir()}
    assert {"result.json", "identity.json", "environment.json", "items.npz", "log.txt"} <= names
    assert len(np.load(folder / "items.npz")["ndcg_at_10"]) == 8
    invocations = list(Path("outputs/invocations").iterdir())
    assert len(invocations) == 1
    assert not list(Path("outputs/invocations").rglob("result.json"))
    assert (invocations[0] / ".hydra" / "overrides.yaml").is_file()


@pytest.mark.parametrize(
    "overrides",
    [
        ["execution.batch_tokens=7"],
        ["execution.threads=1"],
        ["execution.store=false"],
        [tasks(*reversed(TASKS))],
        [tasks("Twins", "Groups", "Topics", "Pairs", "Search", "Likeness")],
    ],
    ids=lambda overrides: overrides[0],
)
def test_how_a_run_executes_never_changes_scores_or_names(project: Path, overrides: list[str]) -> None:
    assert main(arguments(project, tasks(), outputs="plain")) == 0
    assert main(arguments(project, *([] if overrides[0].startswith("tasks") else [tasks()]), *overrides)) == 0
    expected, found = records("plain"), records()
    assert {key: record["fingerprint"] for key, record in found.items()} == {
        key: record["fingerprint"] for key, record in expected.items()
    }
    for key, record in found.items():
        assert record["scores"] == pytest.approx(expected[key]["scores"], abs=SCORES, nan_ok=True)


def test_one_failure_stops_nothing_else_and_is_mended(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own"
    table(own, "broken", train=[{"text": "a", "label": 1}], test=[{"text": "a"}])
    task(own, "Broken", "classification", "accuracy")
    command = [*arguments(project, tasks("Topics", "Broken", "Likeness")), "--config-dir", str(own)]
    assert main(command) == 1
    assert set(records()) == {"Topics/default", "Likeness/default"}
    assert "no column 'label'" in capsys.readouterr().out
    (failed,) = Path("outputs/jobs").glob("Broken--*.failed")
    failure = json.loads((failed / "failure.json").read_text())
    assert "label" in failure["message"]
    assert "Traceback" in failure["traceback"]
    rows = [{"text": word, "label": index % 2} for index, word in enumerate("abcdefghijklmnop")]
    table(own, "broken", train=rows, test=rows)
    assert main(command) == 0
    assert set(records()) == {"Topics/default", "Likeness/default", "Broken/default"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([], "split 'test'.* is empty"),
        ([{"sentence1": "a", "sentence2": "b"}], "no column 'score'"),
        ([{"sentence1": None, "sentence2": "b", "score": 1.0}], "no value in 'sentence1', the first is row 0"),
        ([{"sentence1": "a", "sentence2": "b", "score": "high"}], "column 'score'.*'high'"),
        (None, "no split 'test'"),
    ],
    ids=["empty split", "missing column", "missing text", "wrong type", "missing split"],
)
def test_bad_data_is_told(
    project: Path, tmp_path: Path, content: Any, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the failure on record, and in the line about it."""
    own = tmp_path / "own"
    table(own, "bad", **({"other": [{"a": 1}]} if content is None else {"test": content}))
    task(own, "Bad", "sts", "cosine_spearman")
    assert main([*arguments(project, tasks("Bad", "Likeness")), "--config-dir", str(own)]) == 1
    (failed,) = Path("outputs/jobs").glob("Bad--*.failed")
    message = json.loads((failed / "failure.json").read_text())["message"]
    assert re.search(told, message), message
    assert " ".join(message.split())[-60:] in " ".join(capsys.readouterr().out.split())
    assert set(records()) == {"Likeness/default"}


def test_main_metric_that_does_not_exist_is_told(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own"
    table(own, "odd", test=[{"sentence1": "a", "sentence2": "b", "score": s} for s in (1.0, 2.0, 3.0)])
    task(own, "Odd", "sts", "cosine_speerman")
    assert main([*arguments(project, tasks("Odd")), "--config-dir", str(own)]) == 2
    said = capsys.readouterr().err
    assert "cosine_speerman" in said
    assert "cosine_spearman" in said


@pytest.mark.parametrize("wrong", ["nan", "shape"])
def test_bad_vectors_fail_only_the_jobs_that_have_them(
    project: Path, wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from embedmark.models.torch.sentence_transformer import StaticEncoder

    (marked,) = {row["text"] for row in map(json.loads, (project / "data/search/queries/test.jsonl").open())} - {
        row["text"] for row in list(map(json.loads, (project / "data/search/queries/test.jsonl").open()))[1:]
    }
    plain = StaticEncoder.forward

    def forward(self: StaticEncoder, tokens: Any, variant: Any) -> Any:
        vectors = plain(self, tokens, variant).copy()
        faulty = [list(self.tokenize([marked], variant)[0]) == list(ids) for ids in tokens]
        if wrong == "shape" and any(faulty):
            return vectors[:-1]
        vectors[faulty] = np.nan
        return vectors

    monkeypatch.setattr(StaticEncoder, "forward", forward)
    assert main(arguments(project, tasks("Likeness", "Search"))) == 1
    assert set(records()) == {"Likeness/default"}
    assert re.search(r"Search: failed: .*the model ", capsys.readouterr().out)


def test_a_damaged_record_is_set_aside_and_done_again(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(arguments(project, tasks("Likeness")))
    expected = records()
    (result,) = Path("outputs/jobs").glob("*/result.json")
    result.write_text(result.read_text().replace('"main_score": ', '"main_score": 1'))
    assert main(arguments(project, tasks("Likeness"))) == 0
    assert len(list(Path("outputs/jobs").glob("*.corrupt-1"))) == 1
    sound = [path for path in Path("outputs/jobs").glob("*/result.json") if "corrupt" not in path.parent.name]
    assert len(sound) == 1
    assert json.loads(sound[0].read_text())["scores"] == expected["Likeness/default"]["scores"]


def test_a_damaged_store_is_encoded_again(project: Path) -> None:
    main(arguments(project, tasks("Likeness")))
    expected = records()
    shards = list(Path("outputs/store").rglob("*.safetensors"))
    assert shards
    for shard in shards:
        content = bytearray(shard.read_bytes())
        content[-5] ^= 0xFF
        shard.write_bytes(content)
    assert main(arguments(project, tasks("Likeness"), "rerun=true")) == 0
    assert records() == expected


def test_outputs_that_cannot_be_written(project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert main(arguments(project, tasks("Likeness"), outputs="file/outputs")) == 2
    err = capsys.readouterr().err
    assert "file" in err
    assert "outputs=" in err


def test_a_model_that_cannot_be_loaded(project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for source, told in ((tmp_path / "nowhere", "nowhere"), (tmp_path / "empty", "empty")):
        overrides = [tasks("Likeness"), f"model.source={{path: {source}}}"]
        assert main(arguments(project, *overrides)) == 2
        assert told in capsys.readouterr().err
    assert not records()


def test_a_checkpoint_that_changes_is_another_model(project: Path, tmp_path: Path) -> None:
    from tiny_models import tiny_static

    weights = tiny_static(tmp_path / "checkpoint")
    override = f"model.source={{path: {weights}}}"
    main(arguments(project, tasks("Likeness"), override))
    assert len(list(Path("outputs/jobs").glob("Likeness--*"))) == 1
    table_file = next(weights.rglob("model.safetensors"))
    content = bytearray(table_file.read_bytes())
    content[-2] ^= 0x10
    table_file.write_bytes(content)
    main(arguments(project, tasks("Likeness"), override))
    assert len(list(Path("outputs/jobs").glob("Likeness--*"))) == 2


def test_sweep_measures_every_point_and_outlives_a_bad_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = [*arguments(project, tasks("Likeness"), "model.truncate_dim=4,6"), "-m"]
    assert main(sweep) == 0
    assert len(list(Path("outputs/jobs").glob("Likeness--*"))) == 2
    assert main([*arguments(project, tasks("Likeness"), "model.truncate_dim=0,5"), "-m"]) == 2
    assert "model.truncate_dim: found 0" in capsys.readouterr().err
    assert len(list(Path("outputs/jobs").glob("Likeness--*"))) == 3


def test_why_names_exactly_what_differs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(arguments(project, tasks("Likeness")))
    main(arguments(project, tasks("Likeness"), "model.normalize=true"))
    capsys.readouterr()
    a, b = (path.name for path in Path("outputs/jobs").glob("Likeness--*"))
    assert main(["why", a, b]) == 0
    out = capsys.readouterr().out
    assert "model.normalize" in out
    assert "task" not in out.replace("Likeness", "").split("model.normalize")[1]


def test_report_writes_what_it_prints(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(arguments(project, tasks()))
    capsys.readouterr()
    assert main(["report"]) == 0
    out = capsys.readouterr().out
    assert "Mean (Task)" in out
    assert {path.name for path in Path("outputs/report").iterdir()} == {"report.md", "report.csv", "report.json"}


def command(project: Path, outputs: Path) -> list[str]:
    return [sys.executable, "-m", "runner", *arguments(project, tasks(), outputs=str(outputs))]


@pytest.mark.slow
def test_two_processes_share_the_work(project: Path, tmp_path: Path) -> None:
    both = [subprocess.Popen(command(project, tmp_path / "o"), stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    assert len(list((tmp_path / "o" / "jobs").glob("*/result.json"))) == len(TASKS)
    assert not [path for path in (tmp_path / "o" / "jobs").iterdir() if path.suffix == ".failed"]


def test_who_waits_for_another_process_is_told_so(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(arguments(project, tasks("Likeness"))) == 0
    (path,) = Path("outputs/jobs").glob("*/result.json")
    done = read_record(path)
    capsys.readouterr()
    claim = JobFolders(Path("outputs")).try_claim(done.fingerprint, done.job)
    assert claim is not None
    monkeypatch.setattr(embedmark.runner.execute.loop.time, "sleep", lambda _: claim.release())
    assert main(arguments(project, tasks("Likeness"), "rerun=true")) == 0
    assert capsys.readouterr().out.count("waiting for 1 job that another process is doing") == 1


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed(project: Path, tmp_path: Path) -> None:
    """SIGKILL at random moments, from start-up to the last write; then one run to the end."""
    main(arguments(project, tasks(), outputs=str(tmp_path / "calm")))
    expected = records(tmp_path / "calm")
    started = time.monotonic()
    subprocess.run(command(project, tmp_path / "timed"), check=True, stdout=subprocess.DEVNULL)
    whole = time.monotonic() - started
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    kept: set[str] = set()
    for _ in range(6):
        process = subprocess.Popen(command(project, tmp_path / "killed"), stdout=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.5, 1.0) * whole)
        process.kill()
        process.wait()
        now = records(tmp_path / "killed")
        assert kept <= set(now), f"seed {seed}: a finished record was lost"
        assert all(now[key] == expected[key] for key in now), f"seed {seed}: a half-written record"
        kept = set(now)
    assert main(arguments(project, tasks(), outputs=str(tmp_path / "killed"))) == 0
    assert records(tmp_path / "killed") == expected, f"seed {seed}"
