"""The label of a task: what prompts, means by type and lists go by instead of its type's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_project import small_project, task

from embedmark.runner.cli.main import main

LABEL = "PageUnderstanding"
"""Of no task that is shipped."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = small_project(tmp_path_factory.mktemp("project"))
    for path in (made / "data").iterdir():
        if path.name == "search":
            path.rename(made / "data" / "pages")
    task(made, "Pages", "retrieval", "ndcg_at_10", label=LABEL)
    (made / "benchmark").mkdir()
    (made / "benchmark" / "own.yaml").write_text("name: Own\ntasks: [Pages, Likeness]\n", encoding="utf-8")
    return made


@pytest.mark.parametrize("head", ["name: P\ntype: retrieval\nlabel: {}\n", "label: {}\nname: P\n'type': retrieval\n"])
def test_lists_show_it_wherever_the_file_says_it(head: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "p.yaml").write_text(head.format(LABEL), encoding="utf-8")
    asked = ["list", "tasks", LABEL.lower(), "--config-dir", str(tmp_path)]
    assert main(asked) == 0
    assert capsys.readouterr().out == f"P\tp\tretrieval ({LABEL})\n"
    assert main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["label"] == LABEL


def test_prompts_and_means_go_by_it(project: Path, tmp_path: Path) -> None:
    config = ["--config-dir", str(project)]
    wanted = ["model=tiny", "tasks=[Pages,Likeness]", f"outputs={tmp_path}", *config]
    assert main([*wanted, f"model.prompts={{{LABEL}-query: 'a '}}"]) == 0
    expected = {"Pages": LABEL, "Likeness": "STS"}
    records = [json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("jobs/*/result.json")]
    assert {record["job"]["task"]: record["job"]["type"] for record in records} == expected
    for asked in ([], ["--benchmark", "Own"]):  # by what is on record, and by the files of tasks
        assert main(["report", "--outputs", str(tmp_path), "--format", "json", *asked, *config]) == 0
        report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
        assert {row["name"]: row["type"] for row in report["tasks"]} == expected


def test_a_misspelt_one_is_refused_as_a_key_of_prompts(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["plan", "model=tiny", "tasks=[Likeness]", f"model.prompts={{{LABEL[:-1]}: 'a '}}"]
    assert main([*asked, "--config-dir", str(project)]) == 2
    assert f"Did you mean {LABEL!r}" in capsys.readouterr().err
