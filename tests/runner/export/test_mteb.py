"""Records as the field's result files: its layout, and what it has no place for said beside it."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pytest
from planned_records import measure
from sample_records import identity, job, record

from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.identity import fingerprint
from embedmark.runner.export import mteb
from embedmark.runner.export.chosen import choose
from embedmark.runner.results.folder import JobFolders
from embedmark.runner.results.record import Timing

CLIP = "results/openai__clip-vit-base-patch32/3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268"
MINILM = "results/sentence-transformers__all-MiniLM-L6-v2/8b3219a92973c328a8e22fadcfa821b5dc75636a"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def exported(*more: str) -> dict[str, Any]:
    assert main(["export", "--to", "mteb", "--out", "out", *more]) == 0
    return {str(path.relative_to("out")): path.read_text() for path in Path("out").rglob("*") if path.is_file()}


def test_the_fields_layout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = measure(tmp_path, "model=minilm", "tasks=[STSBenchmark]", score=0.8203249999)
    found = exported()
    assert set(found) == {f"{MINILM}/{name}" for name in ("STSBenchmark.json", "model_meta.json", "run_settings.jsonl")}
    result = json.loads(found[f"{MINILM}/STSBenchmark.json"])
    assert list(result) == [
        "dataset_revision", "task_name", "mteb_version", "scores", "evaluation_time", "kg_co2_emissions", "date",
        "evaluation_phases",
    ]  # fmt: skip
    (row,) = result["scores"]["test"]
    assert (row["main_score"], row["hf_subset"], row["languages"]) == (0.820325, "default", ["eng-Latn"])
    assert result["mteb_version"] == row["mteb_version"]
    assert row["mteb_version"].startswith("2.26.24+embedmark.")
    kept = (path / "result.json").read_bytes()
    assert row["embedmark"]["record_sha256"] == hashlib.sha256(kept).hexdigest()
    assert row["embedmark"]["fingerprint"] == json.loads(kept)["fingerprint"]
    meta = json.loads(found[f"{MINILM}/model_meta.json"])
    assert (meta["name"], meta["embed_dim"]) == ("sentence-transformers/all-MiniLM-L6-v2", 384)
    assert "3 files of 1 record of 1 model" in capsys.readouterr().out


def test_a_task_that_is_the_mean_of_some_subsets(tmp_path: Path) -> None:
    model = "model=clip_vit_base_patch32"
    measure(tmp_path, model, "tasks=[VisualSTS17Eng]", score=0.5)
    assert [name for name in exported() if "VisualSTS17" in name and "STS17M" not in name] == [
        f"{CLIP}/VisualSTS17Eng.json"
    ]
    measure(tmp_path, model, "tasks=[VisualSTS17Multilingual]", score=0.25)
    found = exported()
    means = {}
    for name in ("VisualSTS17Eng", "VisualSTS17Multilingual", "STS17MultilingualVisualSTS"):
        scores = json.loads(found[f"{CLIP}/{name}.json"])["scores"]["test"]
        means[name] = sorted(row["main_score"] for row in scores)
    assert means == {
        "VisualSTS17Eng": [0.5],
        "VisualSTS17Multilingual": [0.25],
        "STS17MultilingualVisualSTS": [*[0.25] * 10, 0.5],
    }


def test_a_task_that_is_the_mean_of_others(tmp_path: Path) -> None:
    measure(tmp_path, "model=minilm", "tasks=[CQADupstackRetrieval]", score=0.25)
    result = json.loads(exported()[f"{MINILM}/CQADupstackRetrieval.json"])
    ((split, rows),) = result["scores"].items()
    assert (split, result["dataset_revision"]) == ("test", "1")
    assert [(row["ndcg_at_10"], row["main_score"], row["hf_subset"], row["languages"]) for row in rows] == [
        (0.25, 0.25, "default", ["eng-Latn"]),
    ]  # fmt: skip
    found = exported("--model", "minilm")
    assert sum(name.endswith("Retrieval.json") for name in found) == 13


def test_tasks_of_ones_own_are_left_out_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure(tmp_path, "model=minilm", "tasks=[STSBenchmark,BibleBookClustering]")
    assert f"{MINILM}/BibleBookClustering.json" not in exported()
    assert "BibleBookClustering: left out: mteb 2.26.24 has no such task" in capsys.readouterr().out


def test_draws_that_are_not_the_references_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure(tmp_path, "model=minilm", "tasks=[SIB200ClusteringS2S]")
    rows = json.loads(exported()[f"{MINILM}/SIB200ClusteringS2S.json"])["scores"]["test"]
    assert {row["embedmark"]["draws"] for row in rows} == {"job"}
    assert "SIB200ClusteringS2S: its subsets were drawn each by itself" in capsys.readouterr().out


def test_two_variants_never_share_a_folder(tmp_path: Path) -> None:
    measure(tmp_path, "model=minilm", "tasks=[STSBenchmark]", score=0.5)
    measure(tmp_path, "model=minilm", "model.truncate_dim=64", "tasks=[STSBenchmark]", score=0.4)
    found = exported()
    inside = [name for name in found if name.endswith("STSBenchmark.json")]
    assert sorted(inside) == [f"{MINILM}/STSBenchmark.json", f"{MINILM}/experiments/truncate_dim=64/STSBenchmark.json"]
    assert json.loads(found[inside[0]])["scores"] != json.loads(found[inside[1]])["scores"]
    meta = json.loads(found[f"{MINILM}/experiments/truncate_dim=64/model_meta.json"])
    assert meta["experiment_kwargs"] == {"embedmark": "truncate_dim=64"}


def of_samples(outputs: Path, *records: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    for values, changes in records:
        claim = JobFolders(outputs).try_claim(fingerprint(values), job(values))
        assert claim is not None
        with claim:
            claim.succeed(record(values, **changes), values, {})
    made, _ = mteb.files(choose(outputs, [], Catalogue()), Catalogue(), is_known=lambda _: True)
    return {name.rpartition("/")[2]: json.loads(text) for name, text in made.items() if name.endswith(".json")}


def test_a_score_that_is_undefined(tmp_path: Path) -> None:
    scores = {"cosine_spearman": math.nan, "pearson": math.nan}
    found = of_samples(tmp_path, (identity(), {"scores": scores, "main_score": math.nan}))
    (row,) = found["Topic.json"]["scores"]["test"]
    assert math.isnan(row["main_score"])
    assert row["pearson"] is None


def test_seconds_that_jobs_share_count_once(tmp_path: Path) -> None:
    shared = Timing(load_s=1.0, encode_s=6.5, evaluate_s=0.5)
    found = of_samples(tmp_path, *((identity(subset=name), {"timing": shared}) for name in ("a", "b")))
    assert found["Topic.json"]["evaluation_time"] == pytest.approx(2 * 1.5 + 6.5)


@pytest.mark.parametrize("model", ["plain", "../../etc/passwd", "a/..", "a/b\n", "-rf/x"])
def test_names_that_are_no_part_of_a_path_are_left_out(model: str, tmp_path: Path) -> None:
    assert of_samples(tmp_path, (identity(model=model), {})) == {}


def test_nothing_to_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--to", "mteb"]) == 2
    assert "no results; run a model first" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.reference
def test_files_equal_those_of_mteb_value_by_value(tmp_path: Path) -> None:
    """Every type of text task, run by both on the same vectors, and read by mteb's own loader."""
    from export_parity import differences

    found = differences(tmp_path)
    assert len(found) > 20
    assert {task: lines for task, lines in found.items() if lines} == {}
