"""`verify` on the command line: what it runs again, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_project import small_project

from embedmark.runner.cli.main import main
from embedmark.runner.results.record import read_record


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.chdir(tmp_path)
    project = small_project(tmp_path / "project")
    line = ["run", "model=tiny", "tasks=[Likeness,Topics,Search]", "--config-dir", str(project)]
    assert main(line) == 0
    return sorted(Path("outputs/jobs").glob("*--*"))


def test_all_are_looked_at_and_those_that_are_named_run_again(
    done: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["verify"]) == 0
    assert capsys.readouterr().out == (
        "intact   3 records: sums, schema and identity hold; this says nothing of their scores\n"
    )
    assert main(["verify", str(done[0]), "--config-dir", "project"]) == 0
    assert "\nmatch    Likeness--test__tiny" in capsys.readouterr().out
    assert main(["verify", str(done[0]), "--config-dir", "project", "--quick"]) == 3
    assert "cannot tell, because the job was not run again; so far equal: 1 splits" in capsys.readouterr().out


def test_a_sample_is_drawn_by_what_nobody_knew(done: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    drawn = set()
    for nonce in ("a", "b", "c", "d", "e", "f"):
        assert main(["verify", "--sample", "1", "--nonce", nonce, "--config-dir", "project", "--quick"]) == 3
        drawn.add(capsys.readouterr().out.rsplit("(", 1)[1])
    assert len(drawn) > 1
    assert main(["verify", "--sample", "-1"]) == 2
    assert main(["verify", "--sample", "9", "--config-dir", "project"]) == 0
    out = capsys.readouterr().out
    assert "sample   3 of 3 records, drawn by --nonce " in out
    assert out.count("\nmatch ") == 3


def test_weights_and_data_that_are_elsewhere_cannot_be_told(
    done: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(done[0])]) == 3  # without the config folder nothing says where they are
    assert "cannot tell, because its identity cannot be planned here" in capsys.readouterr().out
    with Path("project/data/likeness/test.jsonl").open("a") as file:
        file.write(json.dumps({"sentence1": "a", "sentence2": "b", "score": 1}) + "\n")
    assert main(["verify", str(done[0]), "--config-dir", "project"]) == 3
    assert "makes another job of its identity (task.dataset.content" in capsys.readouterr().out


def test_a_record_says_what_it_was_given(done: list[Path]) -> None:
    record = read_record(done[1] / "result.json")
    assert record.job.task == "Search"
    queries, corpus = record.sides["queries"], record.sides["corpus"]
    assert (queries.n, corpus.n, corpus.distinct) == (8, 40, 40)
    assert queries.tokens is not None
    assert record.ties == 0
    assert record.seed is None
    assert read_record(done[2] / "result.json").seed == 42
    assert record.peak_memory_bytes is None or record.peak_memory_bytes > 10**7
    assert record.unverifiable is None


@pytest.mark.parametrize("schema", [1, 2])
def test_records_of_every_schema_are_read(schema: int) -> None:
    """One that was written when the schema was new; none of these files ever changes."""
    record = read_record(Path(__file__).parents[2] / "facts" / "records" / f"schema-{schema}.json")
    assert record.schema_version == schema
    assert (record.job.task, record.main_metric) == ("EmojiNamesRetrieval", "ndcg_at_10")
    assert bool(record.sides) == (schema > 1)
