"""The report as people and programs get it."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sample_records import failure, identity, keep, record

from embedmark.runner.cli.main import main
from embedmark.runner.common.errors import OutputError, UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.identity import fingerprint
from embedmark.runner.report.aggregate import aggregate
from embedmark.runner.report.report import FORMATS, Options, report
from embedmark.runner.report.rows import rows_on_record
from embedmark.runner.report.tables import print_report
from embedmark.runner.results.collect import Collected, Kept
from embedmark.runner.results.record import ModelFacts

CATALOGUE = Catalogue()


def console(width: int = 80) -> Console:
    return Console(file=io.StringIO(), width=width)


def shown(outputs: Path, width: int = 80, **more: Any) -> str:
    screen = console(width)
    formats = more.pop("formats", FORMATS)
    report(outputs, CATALOGUE, Options(**more), formats, console=screen)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    for model, shift in (("org/good", 0.0), ("org/bad", -0.25), ("org/partial", 0.25)):
        for task, kind, score in (("STSBenchmark", "STS", 0.5), ("Banking77Classification", "Classification", 1 / 3)):
            if (model, task) != ("org/partial", "STSBenchmark"):
                values = identity(task, model=model)
                keep(tmp_path, values, record(values, score + shift, kind))
    values = identity("STSBenchmark", model="org/partial")
    keep(tmp_path, values, failure(values, type="STS"))
    return tmp_path


def test_what_is_printed(outputs: Path) -> None:
    lines = [line.split() for line in shown(outputs).splitlines()]
    assert ["3", "models,", "2", "tasks;", "scores", "×", "100"] in lines
    assert ["1", "org/good", "41.67", "41.67", "2/2"] in lines
    assert ["3", "org/partial", "–", "–", "1/2"] in lines
    assert ["task", "good", "bad", "partial"] in lines
    assert ["Banking77Classification", "33.33", "8.33", "58.33"] in lines
    assert ["STSBenchmark", "50.00", "25.00", "failed"] in lines
    assert ["STS", "50.00", "25.00", "–"] in lines
    assert ["org/partial", "has", "no", "mean:", "STSBenchmark", "(failed;", "0", "of", "1", "done)"] in lines


TASKS = {
    "ContractNLIPermissibleAcquirementOfSimilarInformationLegalBenchClassification": "Classification",
    "SprintDuplicateQuestions": "PairClassification",
    "STSBenchmark": "STS",
    "Core17InstructionRetrieval": "InstructionReranking",
    "BUCC": "BitextMining",
    "a_task_with_a_name_of_one_word_that_goes_on_and_on_and_on_for_eighty_columns_and_more": "MultilabelClassification",
    "ArguAna": "Retrieval",
    "TwentyNewsgroups": "Clustering",
}


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize(("models", "tasks"), [(1, 1), (4, 8), (10, 2), (10, 8), (25, 1), (25, 8)])
def test_tables_fit(models: int, tasks: int, width: int) -> None:
    records = []
    for number in range(models):
        for task in list(TASKS)[:tasks]:
            values = identity(task, model=f"some-organisation/a-model-with-a-long-name-{number:02}")
            records.append(Kept(record(values, (number + 1) / 100, TASKS[task]), Path(task), values))
    screen = console(width)
    print_report(aggregate(Collected(tuple(records), (), ()), rows_on_record(records)), screen)
    assert isinstance(screen.file, io.StringIO)
    text = screen.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    words = text.split()
    # The scores of every model: its means, and a score a task or a type.
    assert all(words.count(f"{number + 1}.00") >= 2 + tasks for number in range(models))


def test_nothing_is_folded_in_a_pipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"org/model-{number:02}" for number in range(12)]
    monkeypatch.setattr(os, "fsync", lambda _: None)
    for name in names:
        for task, kind in TASKS.items():
            values = identity(task, model=name)
            keep(tmp_path, values, record(values, 0.5, kind))
    assert main(["report", "--outputs", str(tmp_path)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for task in TASKS:
        assert [task, *["50.00"] * 12] in lines
    for name in names:
        assert [name, "50.00", "50.00", "8/8"] in [line[1:] for line in lines]


def test_markdown_of_many_models_numbers_them(tmp_path: Path) -> None:
    for number in range(10):
        values = identity("STSBenchmark", model=f"org/model-{number}")
        keep(tmp_path, values, record(values, number / 10))
    shown(tmp_path)
    text = (tmp_path / "report/report.md").read_text(encoding="utf-8")
    assert "| task | #1 | #2 | #3 | #4 | #5 | #6 | #7 | #8 | #9 | #10 |" in text
    assert "| 1 | org/model-9 | 90.00 | 90.00 | 1/1 | aaaaaaaa" in text
    assert f"| STSBenchmark | hub:org/topic | {'b' * 40} |" in text


def test_files(outputs: Path) -> None:
    shown(outputs)
    folder = outputs / "report"
    assert sorted(path.name for path in folder.iterdir()) == ["report.csv", "report.json", "report.md"]

    rows = list(csv.DictReader((folder / "report.csv").open(encoding="utf-8", newline="")))
    exact = {(row["model"], row["task"]): row["score"] for row in rows}
    assert float(exact["org/good", "Banking77Classification"]) == 1 / 3
    assert exact["org/partial", "STSBenchmark"] == ""
    assert float(exact["org/good", "Mean (Task)"]) == (0.5 + 1 / 3) / 2
    assert {row["status"] for row in rows if row["model"] == "org/partial"} == {"done", "failed", "missing"}

    values = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    good, _, partial = values["models"]
    assert good["scores"]["Banking77Classification"] == {"score": 1 / 3, "status": "done"}
    assert partial["mean_task"] is None
    assert partial["lacking"] == ["STSBenchmark (failed; 0 of 1 done)"]

    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "| Banking77Classification | 33.33 | 8.33 | 58.33 |" in text
    assert "scores × 100" in text


def test_every_job_is_a_row_of_the_csv(outputs: Path) -> None:
    shown(outputs)
    with (outputs / "report/report.csv").open(encoding="utf-8", newline="") as file:
        jobs = [row for row in csv.DictReader(file) if row["level"] == "job"]
    assert len(jobs) == 5
    (row,) = (row for row in jobs if (row["model"], row["task"]) == ("org/good", "Banking77Classification"))
    values = identity("Banking77Classification", model="org/good")
    assert row["score"] == repr(1 / 3)
    assert row["fingerprint"] == fingerprint(values)
    assert (row["label"], row["revision"], row["subset"], row["split"]) == ("org/good", "a" * 40, "default", "test")
    assert (row["dataset"], row["dataset_revision"], row["metric"]) == ("hub:org/topic", "b" * 40, "cosine_spearman")
    assert row["versions"] == "embedmark=0.1.0 python=3.11.0"
    assert (row["n"], row["in_mean"], row["status"]) == ("", "yes", "done")


def test_only_what_is_asked_for(outputs: Path) -> None:
    text = shown(outputs, models=["good"], formats=["csv"])
    assert "org/bad" not in text
    assert [path.name for path in (outputs / "report").iterdir()] == ["report.csv"]


def test_a_benchmark_lists_tasks_that_nobody_ran(outputs: Path) -> None:
    text = shown(outputs, width=400, benchmark="MTEB(eng, v2)")
    assert "MTEB(eng, v2): 3 models, 41 tasks" in text
    assert "ArguAna" in text
    assert "and 36 more" in text
    # Records of sample identities are not what the present configs give.
    assert "Banking77Classification (stale: " in text


def test_damaged_records_are_told(outputs: Path) -> None:
    path = next(outputs.glob("jobs/STSBenchmark--org__good--*"))
    (path / "result.json").write_bytes(b"")
    assert f"{path.name}: result.json is not what was written" in shown(outputs, width=400)


def test_mistakes(outputs: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no results of model 'org/goud'\. Did you mean 'org/good' .* On record: "):
        report(outputs, CATALOGUE, Options(models=["org/goud"]), console=console())
    with pytest.raises(UserError, match="no benchmark"):
        report(outputs, CATALOGUE, Options("MTEB(eng, v9)"), console=console())
    with pytest.raises(UserError, match="nothing of benchmark"):
        report(outputs, CATALOGUE, Options("MTEB(jpn, v1)"), console=console())
    with pytest.raises(UserError, match="no results"):
        report(tmp_path / "nowhere", CATALOGUE, console=console())
    (outputs / "report").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="a file is where a folder has to be"):
        report(outputs, CATALOGUE, console=console())


def test_older_files_survive_a_disk_that_fails(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown(outputs)
    before = (outputs / "report" / "report.csv").read_bytes()

    def broken(*_: Any, **__: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OutputError, match="the disk is full"):
        report(outputs, CATALOGUE, console=console())
    assert (outputs / "report" / "report.csv").read_bytes() == before
    assert len(list((outputs / "report").iterdir())) == 3


def test_a_folder_is_named_by_its_content(tmp_path: Path) -> None:
    values = identity("STSBenchmark", model="step-9000")
    values["model"] |= {"revision": None, "content": "e" * 64}
    keep(tmp_path, values, record(values, model=ModelFacts(source="folder", revision=None, content_hash="e" * 64)))
    shown(tmp_path)
    folder = tmp_path / "report"
    with (folder / "report.csv").open(encoding="utf-8", newline="") as file:
        assert {(row["revision"], row["content"]) for row in csv.DictReader(file)} == {("", "e" * 64)}
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["models"][0]["content"] == "e" * 64
    assert f"| {'e' * 64} |" in (folder / "report.md").read_text(encoding="utf-8")


def test_a_long_reason_is_cut_in_its_middle(tmp_path: Path) -> None:
    values = identity("STSBenchmark")
    keep(tmp_path, values, failure(values, f"task STSBenchmark: {'far ' * 200}away, run it with network"))
    text = " ".join(shown(tmp_path, width=1000).split())
    assert "STSBenchmark, org/model: far far" in text
    assert "away, run it with network" in text


def test_heads_name_the_model_of_a_variant_where_there_are_several(tmp_path: Path) -> None:
    for model, dims in (("me/step", (None, 64)), ("me/other", (None,))):
        for dim in dims:
            values = identity("STSBenchmark", model=model)
            values["model"] |= {"truncate_dim": dim} if dim else {}
            keep(tmp_path, values, record(values))
    assert "step (truncate_dim=64)" in _head(shown(tmp_path, width=200))
    assert _head(shown(tmp_path, models=["step"])).split() == ["task", "step", "truncate_dim=64"]


def _head(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("task "))


def test_draws_alone_are_refused(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--draws", "mteb", "--outputs", str(outputs)]) == 2
    assert "--benchmark" in capsys.readouterr().err
