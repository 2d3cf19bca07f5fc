"""`dtype` from the command line to the record: its words, what they identify, and what the record holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from small_project import small_project
from tiny_models import recast, tiny_static

from embedmark.runner.cli.main import main


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_project(tmp_path_factory.mktemp("project"))
    half = recast(tiny_static(folder / "half"), torch.bfloat16)
    (folder / "model/half.yaml").write_text(yaml.safe_dump({"name": "test/half", "source": {"path": str(half)}}))
    for loader in ("bm25", "fusion", "model2vec", "openai"):
        values: dict[str, Any] = {"name": f"test/{loader}", "loader": loader, "revision": "1"}
        if loader == "fusion":
            values["members"] = ["bm25_", "tiny"]
        (folder / f"model/{loader}_.yaml").write_text(yaml.safe_dump(values))
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(project: Path, *overrides: str, verb: str = "run") -> int:
    return main([verb, "--config-dir", str(project), "tasks=[Likeness]", "outputs=outputs", *overrides])


def done() -> dict[str, dict[str, object]]:
    """Of each job that is done: dtype in its identity → its record."""
    found = {}
    for path in Path("outputs/jobs").glob("*/result.json"):
        identity = json.loads((path.parent / "identity.json").read_text())
        found[identity["model"]["dtype"]] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize(
    ("model", "dtype", "identity", "record"),
    [
        ("tiny", None, "checkpoint", "float32"),
        ("tiny", "auto", "checkpoint", "float32"),
        ("tiny", "float32", "float32", "float32"),
        ("tiny", "float16", "float16", "float16"),
        ("half", None, "checkpoint", "bfloat16"),
        ("half", "checkpoint", "checkpoint", "bfloat16"),
        ("half", "auto", "checkpoint", "bfloat16"),
        ("half", "bfloat16", "bfloat16", "bfloat16"),
        ("half", "float32", "float32", "float32"),
    ],
)
def test_the_identity_holds_the_word_and_the_record_what_it_was(
    model: str, dtype: str | None, identity: str, record: str, project: Path
) -> None:
    assert run(project, f"model={model}", *([f"model.dtype={dtype}"] if dtype else [])) == 0
    (word, found), *more = done().items()
    assert not more
    assert word == identity
    assert found["model"]["dtype"] == record  # type: ignore[index]


def test_an_older_word_for_it_is_the_same_job(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(project, "model=half")
    capsys.readouterr()
    assert run(project, "model=half", "model.dtype=auto") == 0
    assert "all done" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("model", "dtype", "words"),
    [
        ("tiny", "float61", ["dtype", "'float61'", "checkpoint", "float32", "float16"]),
        ("tiny", "fp16", ["dtype", "'fp16'", "float16"]),
        ("tiny", "int8", ["dtype", "'int8'", "bfloat16"]),
        ("tiny", "Float32", ["dtype", "'Float32'", "float32"]),
        ("tiny", "32", ["dtype", "32", "float32"]),
        ("tiny", "[float32]", ["dtype", "float32"]),
        ("tiny", "torch.float16", ["dtype", "float16"]),
        ("bm25_", "float16", ["test/bm25: dtype: found float16; loader bm25 takes checkpoint. Leave it out"]),
        ("fusion_", "bfloat16", ["test/fusion: dtype: found bfloat16; loader fusion takes checkpoint."]),
        ("openai_", "float32", ["test/openai: dtype: found float32; loader openai takes checkpoint."]),
        ("model2vec_", "bfloat16", ["found bfloat16; loader model2vec takes checkpoint, float32, float16."]),
    ],
)
@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_word_that_cannot_be(
    verb: str, model: str, dtype: str, words: list[str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(project, f"model={model}", f"model.dtype={dtype}", verb=verb) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert [word for word in words if word not in said] == [], said
    assert len(said) <= 600
    assert not Path("outputs/jobs").exists()


@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_backend_says_before_loading_what_it_takes(
    verb: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(project, "model=tiny", "model.parameters={backend: onnx}", "model.dtype=float16", verb=verb) == 2
    assert "found float16; backend onnx takes checkpoint, float32." in capsys.readouterr().err


def test_what_reads_records_names_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for dtype in ("checkpoint", "float32"):
        run(project, "model=half", f"model.dtype={dtype}")
    capsys.readouterr()
    assert main(["report", "--outputs", "outputs"]) == 0
    out = capsys.readouterr().out
    assert "dtype=checkpoint" in out
    assert "dtype=float32" in out
    one, other = sorted(path.parent.name for path in Path("outputs/jobs").glob("*/result.json"))
    assert main(["why", "--outputs", "outputs", one, other]) == 0
    assert "model.dtype" in capsys.readouterr().out


def test_show_prints_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--config-dir", str(project), "tiny"]) == 0
    assert "dtype: checkpoint" in capsys.readouterr().out
