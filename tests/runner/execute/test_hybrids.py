"""Hybrids through the whole command: members by name and in place, what identifies them, and what they share."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sentence_transformers import SentenceTransformer
from small_project import reranking_task, small_project
from tiny_models import tiny_cross_encoder, tiny_static

from embedmark.models.lexical.bm25 import load as load_bm25
from embedmark.models.spec import ModelSpec
from embedmark.runner.cli.main import main
from embedmark.runner.config.compose import settings_from
from embedmark.runner.execute.jobs import prepare
from embedmark.runner.execute.model import open_model
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import make_plan
from embedmark.tasks.retrieval.retrieval import Retrieval

BM25 = {"name": "own/bm25", "loader": "bm25"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_project(tmp_path_factory.mktemp("project"))
    reranking_task(folder)
    model(folder, "hybrid", members=[BM25, "tiny"])
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def model(folder: Path, file: str, **values: Any) -> None:
    text = yaml.safe_dump({"name": f"test/{file}", "loader": "fusion", **values})
    (folder / "model").mkdir(parents=True, exist_ok=True)
    (folder / "model" / f"{file}.yaml").write_text(text, encoding="utf-8")


def command(project: Path, *overrides: str, model: str = "hybrid", tasks: str = "Search,Order") -> list[str]:
    return ["run", "--config-dir", str(project), f"model={model}", f"tasks=[{tasks}]", "outputs=out", *overrides]


def records() -> dict[str, dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in Path("out").glob("jobs/*/result.json")]
    return {record["job"]["task"]: record for record in found}


def test_a_hybrid_is_measured_where_its_members_are(project: Path) -> None:
    assert main(command(project, tasks="Search,Order,Topics")) == 0
    found = records()
    assert set(found) == {"Search", "Order"}
    assert found["Search"]["model"]["source"] == "own/bm25: none; test/tiny: folder"
    assert main(command(project, "execution.batch_tokens=1", "execution.store=false", "rerun=true")) == 0
    for name, record in records().items():
        assert record["scores"] == pytest.approx(found[name]["scores"], abs=1e-5)


@pytest.mark.parametrize("name", ["Search", "Order"])
def test_hits_are_those_of_the_members_fused(name: str, project: Path) -> None:
    settings, catalogue = settings_from(["model=hybrid", f"tasks=[{name}]"], [project])
    plan = make_plan(settings, catalogue, default_pins())
    opened = open_model(plan.model, settings.execution, Path("out"))
    prepared = prepare(plan.jobs[0], Path("hashes"))
    assert isinstance(prepared.task, Retrieval)
    assert opened.searcher is not None
    lookup = prepared.task.lookup(prepared.data)
    found = lookup.ranking(opened.searcher.search(lookup, prepared.context))

    lexical = lookup.ranking(load_bm25(ModelSpec("bm25", None)).search(lookup, prepared.context))
    tiny = SentenceTransformer(str(project / "weights"), device="cpu", local_files_only=True)
    cosines = tiny.similarity(tiny.encode(list(lookup.queries)), tiny.encode(list(lookup.documents))).numpy()
    for query in range(len(lookup.queries)):
        asked = range(len(lookup.documents)) if lookup.candidates is None else np.unique(lookup.candidates[query])
        # Equal texts have equal vectors; rounding leaves their tie as exact as it is here.
        dense = {lookup.document_ids[place]: float(np.round(cosines[query, place], 5)) for place in asked}
        ranks = [list(lexical.hits(query)), sorted(dense, key=lambda document: (dense[document], document))[::-1]]
        fused = {document: sum(0.5 / (61 + order.index(document)) for order in ranks) for document in dense}
        assert found.hits(query) == pytest.approx(fused, abs=1e-12)


def test_vectors_are_shared_with_the_member_alone(project: Path) -> None:
    assert main(command(project, model="tiny", tasks="Search")) == 0
    shards = set(Path("out/store").rglob("*.safetensors"))
    assert shards
    assert main(command(project)) == 0
    assert set(Path("out/store").rglob("*.safetensors")) == shards
    assert main(command(project, "rerun=true", "execution.store=false", "execution.batch_tokens=5")) == 0


def test_why_shows_the_weight_that_changed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for weights in ("[0.5,0.5]", "[0.2,0.5]"):
        main(command(project, f"model.parameters.weights={weights}", tasks="Search"))
    capsys.readouterr()
    assert main(["why", "--outputs", "out", *(path.name for path in Path("out/jobs").glob("Search--*"))]) == 0
    told = capsys.readouterr().out
    assert "model.parameters.weights[0]" in told
    assert "weights[1]" not in told


def test_a_member_whose_weights_change_is_another_hybrid(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tiny_static(tmp_path / "checkpoint")
    member = {"name": "own/checkpoint", "source": {"path": str(weights)}}
    model(tmp_path / "own", "changing", members=[BM25, member])
    asked = [*command(project, model="changing", tasks="Search"), "--config-dir", str(tmp_path / "own")]
    assert main(asked) == 0
    content = bytearray((file := next(weights.rglob("model.safetensors"))).read_bytes())
    content[-2] ^= 0x10
    file.write_bytes(content)
    assert main(asked) == 0
    capsys.readouterr()
    assert main(["why", "--outputs", "out", *(path.name for path in Path("out/jobs").glob("Search--*"))]) == 0
    assert re.findall(r"^model\S+", capsys.readouterr().out, re.MULTILINE) == ["model.members[1].content"]


def test_a_member_that_only_orders_candidates_leaves_search_out(project: Path, tmp_path: Path) -> None:
    scorer = {"name": "own/cross", "loader": "cross_encoder", "source": {"path": str(tiny_cross_encoder(tmp_path))}}
    model(tmp_path / "own", "ordering", members=["tiny", scorer], parameters={"method": "weighted"})
    assert main([*command(project, model="ordering"), "--config-dir", str(tmp_path / "own")]) == 0
    assert set(records()) == {"Order"}


def test_a_hybrid_can_be_a_member(project: Path, tmp_path: Path) -> None:
    model(tmp_path / "own", "nested", members=["hybrid", BM25], parameters={"method": "dbsf"})
    assert main([*command(project, model="nested"), "--config-dir", str(tmp_path / "own")]) == 0
    assert set(records()) == {"Search", "Order"}


@pytest.mark.parametrize(
    ("members", "told"),
    [
        (["tinny", "tiny"], r"model test/wrong: members: no model 'tinny'. Did you mean 'tiny'"),
        (["wrong", "tiny"], "test/wrong → test/wrong is a circle"),
        (["round", "tiny"], "test/wrong → test/round → test/wrong is a circle"),
        (["tiny"], "members: found 1; loader fusion puts two models or more together"),
        ([], "members: found 0"),
        ([{"name": "x", "loadr": "bm25"}, "tiny"], r"members.0.loadr: no such key. Did you mean 'loader'"),
        ([{"name": "x", "source": {"hub": 3}}, "tiny"], r"members.0.source.hub: found 3"),
        ([{"name": "x", "loader": "bm26"}, "tiny"], "model x: loader: no loader 'bm26'"),
        ([{"name": "x", "prompts": {"Retreival": "q"}}, "tiny"], "model x: prompts: .* 'Retreival'"),
        ([{"name": "x", "loader": "bm25", "members": ["tiny", "tiny"]}, "tiny"], "model x: members: .*bm25 takes none"),
        ([BM25, {"name": "x", "loader": "bm25", "normalize": True}], "normalize: .* no vectors"),
    ],
)
def test_members_that_cannot_be(
    members: list[Any], told: str, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model(tmp_path / "own", "wrong", members=members)
    model(tmp_path / "own", "round", members=["wrong", "tiny"])
    assert main([*command(project, model="wrong", tasks="Search"), "--config-dir", str(tmp_path / "own")]) == 2
    assert re.search(told, " ".join(capsys.readouterr().err.split()))
    assert not records()
