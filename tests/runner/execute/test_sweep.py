"""A sweep: one table of its points at the end, one loading of the model for points that need the same weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_project import small_project

from embedmark.models.torch import sentence_transformer
from embedmark.runner.cli.main import main


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("sweep"))


@pytest.fixture(autouse=True)
def loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often a model was loaded."""
    monkeypatch.chdir(tmp_path)
    counted: list[str] = []
    plain = sentence_transformer.load

    def load(spec: Any) -> Any:
        counted.append(spec.name)
        return plain(spec)

    monkeypatch.setattr(sentence_transformer, "load", load)
    return counted


def run(project: Path, *overrides: str, outputs: str = "outputs") -> int:
    return main(["run", "--config-dir", str(project), "model=tiny", f"outputs={outputs}", *overrides])


def scores(outputs: str) -> dict[str, float]:
    records = [json.loads(path.read_text()) for path in Path(outputs).glob("jobs/*/result.json")]
    return {record["fingerprint"]: record["main_score"] for record in records}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["model.truncate_dim=4", "model.truncate_dim=6", "model.truncate_dim=null"], 1),
        (["model.normalize=true", "model.normalize=false"], 1),
        (["model.layer_norm=true", "model.layer_norm=false"], 1),
        (["model.quantize=int8", "model.quantize=binary"], 1),
        (["model.prompts={query: 'a ', document: 'b '}", "model.prompts={query: 'c '}", "model.prompts={}"], 1),
        (["model.similarity=dot", "model.similarity=null"], 1),
        (["model.similarity=euclidean", "model.similarity=cosine"], 1),
        (["tasks=[Search]", "tasks=[Likeness]"], 1),
        (["model.max_tokens=2", "model.max_tokens=9"], 2),
        (["execution.threads=1", "execution.threads=2"], 1),
    ],
    ids=lambda values: values[0].partition("=")[0] if isinstance(values, list) else "",
)
def test_points_share_a_model_where_they_can(
    project: Path, loads: list[str], values: list[str], expected: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last two: other token limits are other encoders; with other threads there is nothing left to do."""
    key = values[0].partition("=")[0]
    swept = f"{key}={','.join(value.partition('=')[2] for value in values)}"
    tasks = [] if key == "tasks" else ["tasks=[Likeness,Search]"]
    assert run(project, *tasks, swept, "-m") == 0
    assert len(loads) == expected
    table = capsys.readouterr().out.rpartition("point")[2].splitlines()
    assert len([line for line in table if line.startswith(f"{key}=")]) == len(values)
    assert run(project, *tasks, values[-1], outputs="plain") == 0
    assert scores("plain").items() <= scores("outputs").items()


def test_a_bad_point_is_marked_and_the_others_are_measured(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(project, "tasks=[Likeness]", "model.truncate_dim=4,0,99", "-m") != 0
    out = capsys.readouterr().out
    lines = [line.split() for line in out.rpartition("point")[2].splitlines() if line.startswith("model.")]
    assert [line[0] for line in lines] == ["model.truncate_dim=4", "model.truncate_dim=0", "model.truncate_dim=99"]
    assert float(lines[0][1]) == float(lines[0][1])
    assert lines[1][1] == "refused"
    assert lines[2][1] in {"failed", "–"}
