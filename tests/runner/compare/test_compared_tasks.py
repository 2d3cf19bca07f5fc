"""Which tasks are compared: versions, splits and subsets that models have in common, and what is said of the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from planned_records import config, measure, reported_project

from embedmark.runner.cli.main import main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    made = reported_project(tmp_path / "project")
    config(made, "model/c.yaml", name="org/c", source={"hub": "org/c"}, revision="c" * 40)
    return made


def compared(project: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["compare", "a", "b", "--json", "--config-dir", str(project), *more]) == 0
    (pair,) = json.loads(capsys.readouterr().out)["comparisons"]
    return dict(pair)


def test_a_version_that_both_have_though_means_count_another(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for model in ("a", "b"):
        measure(project, f"model={model}", "tasks=[Likeness,Search]")
    measure(project, "model=c", "tasks=[Likeness]", content="d")
    found = compared(project, capsys)
    assert [task["name"] for task in found["tasks"]] == ["Search", "Likeness"]
    assert not found["lacking"]


def test_subsets_that_both_lack_are_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config(project, "benchmark/english.yaml", name="English", tasks=[{"name": "Topics", "subsets": ["en"]}])
    for model in ("a", "b"):
        measure(project, f"model={model}", "benchmark=english")
        measure(project, f"model={model}", "tasks=[Search]")
    measure(project, "model=c", "tasks=[Topics]")
    found = compared(project, capsys)
    assert [task["name"] for task in found["tasks"]] == ["Search"]
    assert {(one["task"], one["model"], one["why"]) for one in found["lacking"]} == {
        ("Topics", "org/a", "1 of 2 done"),
        ("Topics", "org/b", "1 of 2 done"),
    }


def test_json_is_json_where_a_picture_is_written_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for model in ("a", "b", "c"):
        measure(project, f"model={model}", "tasks=[Search]")
    capsys.readouterr()
    assert main(["compare", "a", "b", "c", "--json", "--svg", "x.svg", "--config-dir", str(project)]) == 0
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)["comparisons"]) == 3
    assert "the first of 3 pairs" in captured.err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--svg", "."], "--svg .: a folder"),
        (["--over", "revision", "--published"], "leave out --published"),
        (["--published", "--benchmark", "Small", "--task", "Serch"], "Did you mean 'Search'"),
    ],
)
def test_what_would_be_passed_over_is_an_error(
    more: list[str], words: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for model in ("a", "b"):
        measure(project, f"model={model}", "tasks=[Search]")
    assert main(["compare", "a", "b", "--config-dir", str(project), *more]) == 2
    assert words in capsys.readouterr().err
