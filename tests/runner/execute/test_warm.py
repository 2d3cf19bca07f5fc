"""A run whose store has every vector opens no model, and its records are those of a run that does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import tiny_architectures
import tiny_models
import yaml
from small_project import TASKS, small_project, table, task

from embedmark.models.base import EncodeContext
from embedmark.models.loaders import find_loader
from embedmark.models.spec import ModelSpec
from embedmark.runner.cli.main import main
from embedmark.runner.encode.store import OPENED
from embedmark.runner.results import environment
from embedmark.tasks.base import TaskContext

HEAVY = ("torch", "transformers", "sentence_transformers")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return small_project(tmp_path / "project")


def command(project: Path, *more: str) -> list[str]:
    model = () if any(word.startswith("model=") for word in more) else ("model=tiny",)
    return ["run", "--config-dir", str(project), *model, f"tasks=[{','.join(TASKS)}]", *more]


def records() -> dict[str, Any]:
    """Every record by task, without what differs between runs of one machine."""
    found = {}
    for path in Path("outputs/jobs").glob("*/result.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        for key in ("timing", "started_at", "finished_at", "peak_memory_bytes"):
            del record[key]
        ran_on = json.loads((path.parent / "environment.json").read_text(encoding="utf-8"))
        told = [(path.parent / name).read_bytes() for name in ("items.npz", "evidence.json")]
        found[record["job"]["task"]] = (record, ran_on, *told)
    return found


def run_of_its_own(words: Sequence[str]) -> tuple[list[str], str]:
    """Measure in a process of its own; which of HEAVY it imported, and what it printed."""
    code = (
        f"import sys\nfrom embedmark.runner.cli.main import main\nstatus = main({list(words)!r})\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\nsys.exit(status)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(ran.stderr.splitlines()[-1].replace("'", '"'))
    return found, ran.stdout


@pytest.mark.parametrize("model", ["tiny", "minilm"])
def test_a_warm_run_imports_no_library_of_models_and_records_the_same(project: Path, model: str) -> None:
    words = command(project, f"model={model}")
    assert run_of_its_own(words)[0] == list(HEAVY)
    cold = records()
    shutil.rmtree("outputs/jobs")
    imported, said = run_of_its_own(words)
    assert imported == []
    assert "opening" not in said
    warm = records()
    assert set(warm) == set(TASKS)
    assert warm == cold


def _one_text_more(project: Path) -> None:
    table(project, "more", test=[{"sentence1": f"a {n}", "sentence2": "b", "score": float(n)} for n in range(4)])
    task(project, "Twins", "sts", "cosine_spearman", dataset={"files": str(project / "data" / "more")})


def _no_opening(_: Path) -> None:
    next(Path("outputs/store").glob(f"*/{OPENED}")).unlink()


def _damaged_opening(_: Path) -> None:
    next(Path("outputs/store").glob(f"*/{OPENED}")).write_text('{"layout": 1, "under": []', encoding="utf-8")


def _odd_opening(_: Path) -> None:
    path = next(Path("outputs/store").glob(f"*/{OPENED}"))
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["found"]["sketch"]
    path.write_text(json.dumps(content), encoding="utf-8")


def _poor_opening(_: Path) -> None:
    path = next(Path("outputs/store").glob(f"*/{OPENED}"))
    content = json.loads(path.read_text(encoding="utf-8"))
    content["found"]["sketch"] = {}
    path.write_text(json.dumps(content), encoding="utf-8")


def _damaged_shard(_: Path) -> None:
    path = next(Path("outputs/store").glob("*/*.safetensors"))
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")


@pytest.mark.parametrize(
    "change",
    [_one_text_more, _no_opening, _damaged_opening, _odd_opening, _poor_opening, _damaged_shard],
    ids=lambda change: change.__name__,
)
def test_what_is_missing_opens_the_model(
    project: Path, change: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(project)) == 0
    shutil.rmtree("outputs/jobs")
    change(project)
    capsys.readouterr()
    assert main(command(project)) == 0
    assert capsys.readouterr().out.count("opening test/tiny") == 1
    assert set(records()) == set(TASKS)


@pytest.mark.parametrize("other", ["package", "execution.threads=2"])
def test_an_opening_holds_for_the_same_packages_and_settings(
    project: Path, other: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(command(project, "execution.threads=1")) == 0
    shutil.rmtree("outputs/jobs")
    if other == "package":
        monkeypatch.setattr(environment, "_packages", lambda: (("torch", "0.0"),))
    capsys.readouterr()
    assert main(command(project, "execution.threads=1", *([] if other == "package" else [other]))) == 0
    assert "opening test/tiny" in capsys.readouterr().out


def test_weights_that_change_fail_the_jobs_of_a_warm_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from embedmark.runner.execute import worker

    assert main(command(project)) == 0
    shutil.rmtree("outputs/jobs")
    real = worker.score

    def score(*given: Any) -> Any:
        (weights,) = (project / "weights").rglob("*.safetensors")
        content = weights.read_bytes()
        weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        monkeypatch.setattr(worker, "score", real)
        return real(*given)

    monkeypatch.setattr(worker, "score", score)
    assert main(command(project)) == 1
    assert records() == {}
    failures = [json.loads(path.read_text()) for path in Path("outputs/jobs").glob("*.failed/failure.json")]
    assert {"have changed since this job was planned" in failure["message"] for failure in failures} == {True}


def test_prompts_decide_what_a_warm_run_lacks(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Models that differ in prompts alone share a store, and what was found when it was opened."""
    prompted = command(project, "+model.prompts={query: 'q: '}")
    assert main(command(project)) == 0
    capsys.readouterr()
    assert main(prompted) == 0
    assert "opening test/tiny" in capsys.readouterr().out
    shutil.rmtree("outputs/jobs")
    assert main(prompted) == 0
    assert "opening" not in capsys.readouterr().out


def test_a_setting_that_the_loader_refuses_is_refused_with_a_full_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    project = small_project(tmp_path / "project")
    weights = tiny_models.tiny_model2vec(project / "own")
    file = yaml.safe_dump({"name": "test/own", "loader": "model2vec", "source": {"path": str(weights)}})
    (project / "model" / "own.yaml").write_text(file, encoding="utf-8")
    words = command(project, "model=own")
    assert main(words) == 0
    shutil.rmtree("outputs/jobs")
    capsys.readouterr()
    assert main([*words, "+model.instructions={template: '{instruction} '}"]) == 2
    assert "instructions" in capsys.readouterr().err
    assert main(words) == 0
    assert "opening" not in capsys.readouterr().out


CONTEXTS = [
    EncodeContext(TaskContext("Task", kind), side, modality)
    for kind in ("Retrieval", "STS")
    for side in ("query", "document", None)
    for modality in ("text", "image")
]


@pytest.mark.parametrize(
    "make",
    [
        tiny_models.tiny_bert, tiny_models.tiny_clip, tiny_models.tiny_static, tiny_models.tiny_model2vec,
        tiny_architectures.modernbert, tiny_architectures.qwen,
    ],
    ids=lambda make: make.__name__,
)  # fmt: skip
@pytest.mark.parametrize("prompts", [{}, {"query": "q: ", "STS": "s: "}])
def test_a_closed_model_treats_items_as_the_open_one(
    make: Callable[[Path], Path], prompts: dict[str, str], tmp_path: Path
) -> None:
    loader = find_loader("model2vec" if make is tiny_models.tiny_model2vec else "sentence_transformer")
    assert loader is not None
    folder = tmp_path / "model"
    made = make(folder)
    spec = ModelSpec("a/model", made or folder, loader.name, prompts=prompts)
    encoder: Any = loader.load(spec)
    treatment = loader.treatment(spec, json.loads(json.dumps(encoder.sketch)))
    assert treatment is not None
    assert [treatment.variant(context) for context in CONTEXTS] == [encoder.variant(context) for context in CONTEXTS]
