"""Every kind of model through the whole command, on small data."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from embeddings_server import serving
from small_project import reranking_task, small_project
from tiny_models import tiny_colbert, tiny_cross_encoder, tiny_model2vec, tiny_splade

from embedmark.runner.cli.main import main

OWN = """
class Shortest:
    facts = {}

    def __init__(self, spec):
        pass

    def score(self, pairs, context):
        import numpy as np

        return np.array([-len(document) for _, document in pairs], dtype=np.float32)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_project(tmp_path_factory.mktemp("project"))
    reranking_task(folder)
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(
    project: Path, model: dict[str, Any], *tasks: str, overrides: Sequence[str] = ()
) -> tuple[int, dict[str, dict[str, Any]]]:
    path = project / "model" / "measured.yaml"
    path.write_text(yaml.safe_dump({"name": "test/measured", **model}), encoding="utf-8")
    arguments = [
        "run",
        "--config-dir",
        str(project),
        "model=measured",
        f"tasks=[{','.join(tasks)}]",
        "outputs=out",
        *overrides,
    ]
    status = main(arguments)
    found = [json.loads(path.read_text()) for path in Path("out").glob("jobs/*/result.json")]
    return status, {record["job"]["task"]: record for record in found}


def _own(folder: Path) -> Path:
    folder.mkdir()
    (folder / "mine.py").write_text(OWN, encoding="utf-8")
    return folder


KINDS: dict[str, tuple[Callable[[Path], Path] | None, dict[str, Any], tuple[str, ...]]] = {
    "cross-encoder": (tiny_cross_encoder, {"loader": "cross_encoder"}, ("Order",)),
    "SPLADE": (tiny_splade, {"loader": "sparse_encoder"}, ("Order", "Search")),
    "ColBERT": (tiny_colbert, {"loader": "multi_vector", "similarity": "max_sim"}, ("Order", "Search")),
    "BM25": (None, {"loader": "bm25"}, ("Order", "Search")),
    "model2vec": (tiny_model2vec, {"loader": "model2vec"}, ("Order", "Search", "Topics", "Likeness")),
    "own": (_own, {"loader": "mine:Shortest", "trust_remote_code": True}, ("Order",)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_is_measured(kind: str, project: Path, tmp_path: Path) -> None:
    make, model, tasks = KINDS[kind]
    if make is not None:
        model = {**model, "source": {"path": str(make(tmp_path / "weights"))}}
    status, records = run(project, model, *tasks)
    assert status == 0
    assert set(records) == set(tasks)
    # One text a batch and the model opened anew give what all texts together gave, up to rounding.
    _, again = run(
        project, model, *tasks, overrides=["execution.batch_tokens=1", "execution.store=false", "rerun=true"]
    )
    for name, record in records.items():
        assert record["main_score"] not in (0.0, 1.0)
        assert again[name]["scores"] == pytest.approx(record["scores"], abs=1e-5)
        assert again[name]["finished_at"] != record["finished_at"]


@pytest.mark.parametrize("loader", ["openai", "cohere", "voyage", "google", "tei"])
def test_a_service_is_measured_though_it_pauses_and_its_key_is_nowhere(
    loader: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-never-to-be-seen"
    monkeypatch.setenv("SERVICE_API_KEY", key)
    with serving(loader) as service:
        service.pauses = {3: {"Retry-After": "0.05"}}
        parameters = {"url": service.url, "key": "SERVICE_API_KEY", "batch": 8}
        status, records = run(
            project, {"loader": loader, "parameters": parameters, "trust_url": True}, "Topics", "Search"
        )
    assert status == 0
    assert set(records) == {"Topics", "Search"}
    sent = [body for _, body in service.requests]
    assert sent[2] == sent[3]
    assert all(key in repr(headers) for headers, _ in service.requests)
    kept = [path for path in Path.cwd().rglob("*") if path.is_file()]
    assert len(kept) > 10
    assert not any(key.encode() in path.read_bytes() for path in kept)


def test_what_a_kind_cannot_do_is_planned_as_such(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, records = run(project, {"loader": "bm25"}, "Topics", "Search")
    assert status == 0
    assert set(records) == {"Search"}
    capsys.readouterr()
    assert main(["plan", "--config-dir", str(project), "model=measured", "tasks=[Topics,Search]"]) == 0
    assert "test/measured is a searcher" in " ".join(capsys.readouterr().out.split())


def test_an_own_encoders_kind_is_found_when_it_is_loaded(project: Path, tmp_path: Path) -> None:
    model = {"loader": "mine:Shortest", "trust_remote_code": True, "source": {"path": str(_own(tmp_path / "own"))}}
    status, records = run(project, model, "Topics", "Order")
    assert status == 1
    assert set(records) == {"Order"}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"loader": "bm26"}, "no loader 'bm26'.*Did you mean 'bm25'"),
        ({"loader": "bm25", "normalize": True}, "normalize: the model gives scores and no vectors"),
        ({"loader": "mine:Shortest", "trust_remote_code": True}, "nothing says which code mine:Shortest is"),
    ],
)
def test_models_that_cannot_be(
    model: dict[str, Any], message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    assert run(project, model, "Search")[0] == 2
    assert re.search(message, " ".join(capsys.readouterr().err.split()))
