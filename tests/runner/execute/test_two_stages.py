"""A model in two stages through the whole command: every text is encoded given a sample of its own task's corpus."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from float_bounds import SCORES, correlation_bound
from sentence_transformers import SentenceTransformer
from small_project import small_project, table, task
from tiny_models import tiny_two_stages

from embedmark.runner.cli.main import main
from embedmark.runner.config.compose import settings_from
from embedmark.runner.encode.engine import encode
from embedmark.runner.encode.store import DiskStore
from embedmark.runner.execute.jobs import prepare, requests
from embedmark.runner.execute.model import open_model
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import make_plan
from embedmark.runner.results.items import read_items

TASKS = ("Search", "Other", "Copy", "Topics", "Likeness", "Groups")
SIZE = 6


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Search and Other ask the same queries in two corpora; Copy is Search under another name."""
    folder = small_project(tmp_path_factory.mktemp("project"))
    rows = {
        part: [json.loads(line) for line in (folder / f"data/search/{part}/test.jsonl").read_text().splitlines()]
        for part in ("corpus", "queries", "qrels")
    }
    other = [{**document, "text": f"more {document['text']}"} for document in rows["corpus"]]
    for name, corpus in (("other", other), ("copy", rows["corpus"])):
        for part, content in {**rows, "corpus": corpus}.items():
            table(folder, f"{name}/{part}", test=content)
        task(folder, name.capitalize(), "retrieval", "ndcg_at_10")
    values = {
        "name": "test/stages",
        "source": {"path": str(tiny_two_stages(folder / "stages", SIZE))},
        "trust_remote_code": True,
        "prompts": {"query": "query: ", "document": "document: "},
        "parameters": {"context": {"prompt": "document: "}},
    }
    (folder / "model" / "stages.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


Records = dict[str, dict[str, Any]]


def run(project: Path, *overrides: str, tasks: Sequence[str] = TASKS, outputs: str = "out") -> Records:
    asked = ["model=stages", f"tasks=[{','.join(tasks)}]", f"outputs={outputs}", *overrides]
    assert main(["run", "--config-dir", str(project), *asked]) == 0
    found = [json.loads(path.read_text()) for path in Path(outputs).glob("jobs/*/result.json")]
    return {record["job"]["task"]: record for record in found}


def vectors(project: Path, tasks: Sequence[str], outputs: str) -> Mapping[str, Mapping[str, np.ndarray]]:
    """Task → text set → vectors, as the run loop would have them."""
    settings, catalogue = settings_from(["model=stages", f"tasks=[{','.join(tasks)}]"], [project])
    plan = make_plan(settings, catalogue, default_pins())
    model = open_model(plan.model, settings.execution, Path(outputs))
    assert model.encoder is not None
    found = {}
    for job in plan.jobs:
        prepared = prepare(job, Path("hashes"))
        wanted = requests(prepared, model.encoder)
        encoded = encode(model.encoder, wanted, model.store)
        found[job.task.name] = {
            item_set.name: encoded.vectors(request)
            for item_set, request in zip(prepared.item_sets, wanted, strict=True)
        }
    return found


def test_vectors_equal_sentence_transformers_in_two_stages(project: Path) -> None:
    reference = SentenceTransformer(
        str(project / "stages" / "model"), device="cpu", local_files_only=True, trust_remote_code=True
    )
    files = (project / f"data/other/{part}/test.jsonl" for part in ("corpus", "queries"))
    corpus, queries = ([json.loads(line)["text"] for line in file.read_text().splitlines()] for file in files)
    sample = np.random.default_rng(42).choice(corpus, size=SIZE, replace=False)
    first = reference.encode(sample.tolist(), prompt="document: ", convert_to_tensor=True)
    found = vectors(project, ["Search", "Other"], "out")["Other"]
    for name, texts, prompt in (("queries", queries, "query: "), ("corpus", corpus, "document: ")):
        expected = reference.encode(texts, prompt=prompt, dataset_embeddings=first)
        np.testing.assert_allclose(found[name], expected, atol=1e-5)


def test_other_corpora_give_other_vectors_and_equal_ones_share_theirs(project: Path) -> None:
    found = vectors(project, ["Search", "Other", "Copy"], "out")
    assert np.abs(found["Search"]["queries"] - found["Other"]["queries"]).max() > 0.001
    np.testing.assert_array_equal(found["Search"]["queries"], found["Copy"]["queries"])
    (folder,) = Path("out/store").iterdir()
    stored = DiskStore(folder, json.loads((folder / "identity.json").read_text()))
    # Search: 6 of the sample, 8 queries, 40 documents; Other the same; Copy nothing.
    assert sum(len(shard.keys) for shard in stored._shards if shard) == 2 * (SIZE + 8 + 40)


@pytest.mark.parametrize(
    "overrides",
    [["execution.batch_tokens=7"], ["execution.store=false"], []],
    ids=["small batches", "no store", "order alone"],
)
def test_order_of_jobs_and_size_of_batches_change_nothing(project: Path, overrides: list[str]) -> None:
    plain = run(project, outputs="plain")
    found = run(project, *overrides, tasks=TASKS[::-1])
    (likeness,) = Path("plain").glob("jobs/Likeness--*/items.npz")
    of_correlations = correlation_bound(read_items(likeness)["similarity"])
    assert of_correlations < 1e-4
    assert set(found) == set(TASKS)
    for name, record in found.items():
        assert record["fingerprint"] == plain[name]["fingerprint"]
        bound = of_correlations if name == "Likeness" else SCORES
        assert record["scores"] == pytest.approx(plain[name]["scores"], abs=bound, nan_ok=True)
    assert found["Search"]["scores"] == found["Copy"]["scores"]


def test_a_second_run_finds_everything_in_the_store(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(project)
    from embedmark.models.torch.two_stage import TwoStageEncoder

    def never(*_: Any) -> Any:
        raise AssertionError("a stage ran again")

    monkeypatch.setattr(TwoStageEncoder, "encode", never)
    monkeypatch.setattr(TwoStageEncoder, "second_stage", never)
    again = run(project, "rerun=true")
    for name, record in again.items():
        assert record["timing"]["texts_encoded"] == 0
        assert record["scores"] == first[name]["scores"]


def test_another_sample_is_another_job(project: Path) -> None:
    run(project, tasks=["Search"])
    run(project, "model.parameters.context={size: 5}", tasks=["Search"])
    assert len(list(Path("out/jobs").glob("Search--*"))) == 2
