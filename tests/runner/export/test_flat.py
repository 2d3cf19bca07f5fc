"""All scores in one table."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest
from planned_records import measure, reported_project
from sample_records import identity, job, record

from embedmark.runner.cli.main import main
from embedmark.runner.config.identity import fingerprint
from embedmark.runner.results.folder import JobFolders


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return reported_project(tmp_path / "project")


def test_both_forms_hold_every_score(project: Path) -> None:
    measure(project, "model=a", "benchmark=small", score=0.1234567890123456)
    measure(project, "model=a", "model.truncate_dim=8", "benchmark=small", score=0.25)
    for form in ("parquet", "csv"):
        assert main(["export", "--to", form, "--config-dir", str(project)]) == 0
    found = pl.read_parquet("outputs/export/scores.parquet")
    assert len(found) == 8
    assert set(found["score"]) == {0.1234567890123456, 0.25}
    assert set(found["label"]) == {"", "truncate_dim=8"}
    rows = list(csv.DictReader(Path("outputs/export/scores.csv").read_text(encoding="utf-8").splitlines()))
    assert [float(row["score"]) for row in rows] == found["score"].to_list()
    assert {row["languages"] for row in rows} == {"eng-Latn", "deu-Latn"}


def test_equal_records_make_equal_files_in_whatever_order_they_were_made(project: Path) -> None:
    for folder, tasks in (("one", ("Likeness", "Search")), ("two", ("Search", "Likeness"))):
        for task in tasks:
            values = identity(task)
            claim = JobFolders(Path(folder)).try_claim(fingerprint(values), job(values))
            assert claim is not None
            with claim:
                claim.succeed(record(values), values, {})
        assert main(["export", "--to", "csv", "--outputs", folder]) == 0
    assert Path("one/export/scores.csv").read_bytes() == Path("two/export/scores.csv").read_bytes()


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    values = identity(task="=cmd|' /C calc'!A0")
    claim = JobFolders(Path("outputs")).try_claim(fingerprint(values), job(values))
    assert claim is not None
    with claim:
        claim.succeed(record(values), values, {})
    assert main(["export", "--to", "csv"]) == 0
    rows = list(csv.reader(Path("outputs/export/scores.csv").read_text(encoding="utf-8").splitlines()))
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
