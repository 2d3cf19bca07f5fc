"""One's own scores beside published ones: what is of the same thing, and why it may differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from planned_records import measure
from sample_records import identity, record

from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import snapshot
from embedmark.runner.exchange.metadata import FIELDS
from embedmark.runner.exchange.published import Published, Several, likely_cause, match

OWN = record(identity(task="Topic"), 0.5)  # revision aaaa..., data bbbb...


def published(**changes: Any) -> dict[str, Any]:
    row = {
        "model": "org/model", "revision": "a" * 40, "task": "Topic", "split": "test", "subset": "default",
        "metric": None, "main_score": 0.5, "dataset_revision": "b" * 40, "mteb_version": "1.18.0",
        "origin": "published", "source": "x.json",
    }  # fmt: skip
    return {**row, **changes}


def matched(*rows: dict[str, Any]) -> list[Published] | Several:
    return match(OWN, pl.DataFrame(list(rows), infer_schema_length=None))


def cause(**changes: Any) -> str:
    found = matched(published(**changes))
    assert isinstance(found, list)
    (one,) = found
    return likely_cause(OWN, one)


def test_causes() -> None:
    assert cause() == "-"
    assert cause(main_score=0.500009) == "-"
    assert cause(main_score=0.51, dataset_revision="c" * 40) == "data revision: cccccccc published, bbbbbbbb here"
    assert cause(main_score=0.51).startswith("cannot tell: same data and model revision; published by mteb 1.18.0")
    assert cause(main_score=0.51, revision="1") == "revision of the model not confirmed: 1 published"
    assert cause(main_score=0.51, metric="map") == "another metric: map"
    assert cause(main_score=0.51, mteb_version=None, dataset_revision=None).endswith(
        "an unknown version, its libraries unknown"
    )


def test_a_data_revision_that_differs_is_a_suspect_and_no_refusal() -> None:
    assert cause(dataset_revision="c" * 40) == "-"


def test_the_revision_is_the_records_or_the_only_one() -> None:
    (one,) = matched(published(revision="a" * 8))
    assert one.confirmed
    (one,) = matched(published(revision="no_revision"))
    assert not one.confirmed
    (one,) = matched(published(revision="d" * 40, main_score=0.9), published())
    assert (one.score, one.confirmed) == (0.5, True)
    found = matched(published(revision="d" * 40), published(revision="1"))
    assert found == Several(("1", "d" * 40))


def test_of_several_data_revisions_the_same_counts() -> None:
    (one,) = matched(published(dataset_revision="c" * 40, mteb_version="2.1.0", main_score=0.9), published())
    assert one.score == 0.5
    (one,) = matched(
        published(dataset_revision="c" * 40, mteb_version="1.9.0", main_score=0.9),
        published(dataset_revision="d" * 40, mteb_version="1.18.0-1.20.0", main_score=0.8),
    )
    assert one.score == 0.8


def test_other_cells_and_names() -> None:
    assert matched(published(task="Other")) == []
    assert matched(published(subset="en")) == []
    spaced = OWN.model_copy(update={"job": OWN.job.model_copy(update={"model": "org/a (dim=64)"})})
    found = match(spaced, pl.DataFrame([published(model="org/a_(dim=64)")], infer_schema_length=None))
    assert len(found) == 1  # type: ignore[arg-type]


def test_self_reported_scores_are_confronted_too_and_the_snapshot_only_where_it_says_something_else() -> None:
    found = matched(
        published(),
        published(origin="snapshot"),
        published(origin="self-reported", revision="model card", main_score=0.6),
    )
    assert [one.origin for one in found] == ["published", "self-reported"]  # type: ignore[union-attr]


def test_reproduce_of_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    measure(tmp_path, "model=minilm", "tasks=[STSBenchmark]", score=0.8203249999)
    assert main(["reproduce", "model=minilm", "tasks=[STSBenchmark]"]) == 0
    assert "1 of 1 score equal to within 1e-05" in capsys.readouterr().out
    measure(tmp_path, "model=minilm", "tasks=[STS14]", score=0.755997)
    assert main(["reproduce", "model=minilm", "tasks=[STS14]", "--json"]) == 1
    (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert row["published"] == 0.75589
    assert row["difference"] == pytest.approx(0.000107)
    assert row["cause"].startswith("cannot tell: same data and model revision; published by mteb 1.12.75")
    assert main(["reproduce", "-m", "model=minilm", "tasks=[STS14]"]) == 2


def test_where_a_model_stands_among_the_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    measure(tmp_path, "model=minilm", "tasks=[STSBenchmark,STS14]", score=0.99)
    assert main(["report", "--field"]) == 0
    assert (
        "among the published on 2 tasks: sentence-transformers/all-MiniLM-L6-v2 0.9900 is 1 of "
        in capsys.readouterr().out
    )
    measure(tmp_path, "model=minilm", "tasks=[BibleBookClustering]")
    assert main(["report", "--field"]) == 0
    assert "no model has the scores of 3 tasks; " in capsys.readouterr().out


def test_the_snapshot_that_ships() -> None:
    assert snapshot.SCORES.stat().st_size + snapshot.MODELS.stat().st_size < 5_000_000
    scores, models = snapshot.scores().collect(), snapshot.models()
    assert models.schema == pl.Schema(FIELDS)
    assert (models.height, models["name"].n_unique()) == (969, 969)
    assert scores.height > 1_200_000
    cell = scores.filter(
        pl.col("model") == "sentence-transformers/all-MiniLM-L6-v2", pl.col("task") == "STSBenchmark"
    )  # fmt: skip
    assert cell["main_score"].to_list() == [0.82032]
    assert not scores["main_score"].is_null().any()
    missing = set(scores["task"].cast(pl.String).unique()) - set(Catalogue(quiet=True).tasks)
    assert not missing, "the snapshot holds tasks that the catalogue lacks"
