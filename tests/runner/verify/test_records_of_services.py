"""What a service made: said on record, in exports, and never verified."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from embeddings_server import serving
from small_project import small_project

from embedmark.models.api.answers import named_in
from embedmark.runner.cli.main import main
from embedmark.runner.results.record import read_record


def test_a_record_of_a_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small_project(tmp_path / "project")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nothing")
    with serving("openai") as service:
        config = {
            "name": "org/served", "loader": "openai", "revision": "1", "trust_url": True,
            "parameters": {"url": service.url, "model": "served"},
        }  # fmt: skip
        (tmp_path / "project/model/served.yaml").write_text(yaml.safe_dump(config))
        words = ["model=served", "tasks=[Likeness]", "--config-dir", "project"]
        assert main(["run", *words]) == 0
    (path,) = Path("outputs/jobs").glob("*--*")
    record = read_record(path / "result.json")
    assert record.unverifiable == "service"
    assert record.service is not None
    assert (datetime.now(UTC).date() - record.service.asked_on).days in {0, 1}
    assert record.sides["sentence1"].tokens is None
    capsys.readouterr()
    assert main(["verify", str(path), "--config-dir", "project"]) == 3
    assert "cannot tell, because a service made the vectors, on 20" in capsys.readouterr().out
    assert main(["export", "--to", "latex"]) == 0
    assert "a service runs cannot be verified" in Path("outputs/export/scores.tex").read_text()
    assert "sk-nothing" not in "".join(file.read_text(errors="replace") for file in path.iterdir())


def test_what_an_answer_calls_the_model() -> None:
    assert named_in({"model": "served-2026-11"}) == {"served-2026-11"}
    assert named_in({"model": ""}) == named_in([1]) == named_in({"model": 5}) == set()
    assert len(named_in({"model": "x" * 5000}).pop()) < 400
    assert json.dumps(sorted(named_in({"model": "a\nb"}))) == '["a b"]'
