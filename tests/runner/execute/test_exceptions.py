"""Whatever a model, a dataset or a scorer raises or returns fails its own job, and no other."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import own_encoders
import pytest
import sentence_transformers
import torch
import yaml
from own_encoders import ERRORS, LOST, MARKED, RETURNED, TAKEN
from small_project import table, task
from tiny_models import tiny_static

import embedmark.runner.execute.jobs
from embedmark.runner.cli.main import main
from embedmark.runner.encode.engine import Encoding
from embedmark.tasks.pairs.sts import STS


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy task and one whose texts are marked, of equal length, so that they share their batches."""
    folder = tmp_path_factory.mktemp("exceptions")
    for name, word in (("Healthy", "normal"), ("Faulty", MARKED)):
        pairs = [{"sentence1": f"{word} {n}", "sentence2": f"{n} {word}", "score": float(n)} for n in range(5)]
        table(folder, name.lower(), test=pairs)
        task(folder, name, "sts", "cosine_spearman")
    (folder / "code").mkdir()
    shutil.copy(own_encoders.__file__, folder / "code")
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(project: Path, encoder: str, *more: str, tasks: str = "Healthy,Faulty") -> int:
    """Measure one of the encoders of own_encoders.py."""
    model = {"name": f"me/{encoder}", "loader": f"own_encoders:{encoder}", "trust_remote_code": True}
    source = {"source": {"path": str(project / "code")}}
    Path("own/model").mkdir(parents=True, exist_ok=True)
    Path("own/model/own.yaml").write_text(yaml.safe_dump({**model, **source}), encoding="utf-8")
    return main(["run", "--config-dir", str(project), "--config-dir", "own", "model=own", f"tasks=[{tasks}]", *more])


def done() -> set[str]:
    return {json.loads(path.read_text())["job"]["task"] for path in Path("outputs/jobs").glob("*/result.json")}


def failures() -> dict[str, dict[str, Any]]:
    read = [json.loads(path.read_text()) for path in Path("outputs/jobs").glob("*.failed/failure.json")]
    return {failure["job"]["task"]: failure for failure in read}


@pytest.mark.parametrize("encoder", [*ERRORS, *RETURNED, "TooFewLengths", "NoVariant", "Holding"])
def test_the_faulty_job_fails_alone(project: Path, encoder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(project, encoder) == 1
    assert done() == {"Healthy"}
    assert set(failures()) == {"Faulty"}
    failure = failures()["Faulty"]
    assert "Traceback" in failure["traceback"]
    assert "own_encoders.py" in failure["traceback"] or "ModelError" in failure["error_class"]
    out, err = capsys.readouterr()
    assert [line for line in out.splitlines() if "failed: " in line and "Faulty" in line]
    assert out.count("Faulty: failed") == 1
    assert "Traceback" not in out + err
    (log,) = Path("outputs/jobs").glob("*.failed/log.txt")
    assert "ERROR" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("encoder", [*TAKEN, "OddFacts", "Loud"])
def test_what_is_vectors_is_taken(project: Path, encoder: str) -> None:
    assert run(project, encoder) == 0
    assert done() == {"Healthy", "Faulty"}
    log = next(Path("outputs/jobs").glob("Faulty--*/log.txt")).read_text()
    assert ("this text is odd" in log) == (encoder == "Loud")
    assert "data loaded from files:" in log
    assert "cosine_spearman" in log


@pytest.mark.parametrize("encoder", ["NotLoaded", "NotLoadedExit", "NoFacts"])
def test_a_model_that_cannot_be_made(project: Path, encoder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(project, encoder) == 1
    assert set(failures()) == {"Healthy", "Faulty"}
    assert capsys.readouterr().out.count(": failed: ") == 1


@pytest.mark.parametrize("encoder", LOST)
def test_a_lost_device_ends_the_run_and_later_runs_find_the_cause(
    project: Path, encoder: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts of both jobs are in the batch that ends the first run; the second one tries them apart."""
    monkeypatch.setattr("embedmark.runner.execute.worker.JOBS_AT_ONCE", 2)
    table(project, "third", test=[{"sentence1": f"a {n}", "sentence2": f"{n} b", "score": float(n)} for n in range(3)])
    task(project, "Third", "sts", "cosine_spearman")
    assert run(project, encoder, tasks="Healthy,Faulty,Third") == 1
    assert (done(), set(failures())) == (set(), {"Healthy", "Faulty"})
    assert "left to do by the same command: 1" in capsys.readouterr().out
    for _ in range(2):
        assert run(project, encoder, tasks="Healthy,Faulty,Third") == 1
    assert (done(), set(failures())) == ({"Healthy", "Third"}, {"Faulty"})


def test_an_error_in_scoring_or_in_reading_fails_its_job(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = embedmark.runner.execute.jobs.load

    def load(config: Any, *arguments: Any, **named: Any) -> Any:
        if config.name == "Faulty":
            raise MemoryError
        return plain(config, *arguments, **named)

    monkeypatch.setattr(embedmark.runner.execute.jobs, "load", load)
    assert run(project, "Fine") == 1
    assert (done(), failures()["Faulty"]["error_class"]) == ({"Healthy"}, "MemoryError")
    monkeypatch.setattr(embedmark.runner.execute.jobs, "load", plain)
    scored = STS.evaluate

    def evaluate(self: STS, *arguments: Any) -> Any:
        if self.context.name == "Faulty":
            raise ZeroDivisionError("division by zero")
        return scored(self, *arguments)

    monkeypatch.setattr(STS, "evaluate", evaluate)
    assert run(project, "Fine", "rerun=true") == 1
    assert (done(), failures()["Faulty"]["error_class"]) == ({"Healthy"}, "ZeroDivisionError")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MemoryError("no room"), 1),
        (torch.OutOfMemoryError("CUDA out of memory"), 1),
        (OSError("no file named model.safetensors"), 2),
        (ValueError("unrecognized model"), 2),
    ],
)
def test_loading_tells_the_machines_fault_from_the_checkpoints(
    project: Path, error: Exception, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    folder = tiny_static(Path("tiny").absolute())
    monkeypatch.setattr(sentence_transformers.SentenceTransformer, "__init__", broken)
    assert main(["run", "--config-dir", str(project), f"model={folder}", "tasks=[Healthy]"]) == status
    assert str(error) in "".join(capsys.readouterr())


def test_a_width_below_truncate_dim_is_told_after_one_batch(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(project, "Fine", "model.truncate_dim=17") == 1
    assert "truncate_dim is 17, and the model's vectors have 16 dimensions" in capsys.readouterr().out
    assert not list(Path("outputs/store").rglob("*.safetensors"))


def test_a_similarity_that_does_not_exist(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(project, "Compared") == 2
    assert "its `similarity` is 'cosin'; expected cosine, dot, euclidean, manhattan" in capsys.readouterr().err
    assert run(project, "Compared", "model.similarity=dot") == 0


@pytest.fixture
def a_group_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedmark.runner.execute.worker.BATCHES", 0)
    monkeypatch.setattr("embedmark.runner.encode.engine.FLUSH_SECONDS", 0.0)


@pytest.mark.usefixtures("a_group_a_job")
@pytest.mark.parametrize("encoder", ["Interrupted", "Terminated"])
def test_who_stops_a_run_keeps_what_is_scored(project: Path, encoder: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert run(project, encoder, "execution.batch_tokens=10", tasks="Healthy,Faulty") == 130
    assert (done(), failures()) == ({"Healthy"}, {})
    assert "the same command goes on" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == before
    assert list(Path("outputs/store").rglob("*.safetensors"))


@pytest.mark.usefixtures("a_group_a_job")
def test_a_score_is_there_before_all_is_encoded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []
    plain = Encoding.run

    def run_group(self: Encoding, *arguments: Any) -> None:
        seen.append(done())
        plain(self, *arguments)

    monkeypatch.setattr(Encoding, "run", run_group)
    assert run(project, "Fine") == 0
    assert seen == [set(), {"Healthy"}]


def test_mistakes_in_data_are_told_before_the_model_is_opened(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table(project, "empty", test=[])
    task(project, "Empty", "sts", "cosine_spearman")
    assert run(project, "Fine", tasks="Healthy,Empty") == 1
    out = capsys.readouterr().out
    assert out.index("Empty: failed") < out.index("opening me/Fine") < out.index("Healthy: cosine")
    assert run(project, "NotLoaded", tasks="Empty") == 1
    assert "opening" not in capsys.readouterr().out
