"""All that lies in outputs is read; what is damaged is told and skipped."""

from __future__ import annotations

import math
from pathlib import Path

from sample_records import failure, identity, keep, record

from embedmark.runner.results.collect import collect, frame


def test_damaged_folders_are_told_and_skipped(tmp_path: Path) -> None:
    whole, hurt, failed = identity("Whole"), identity("Hurt"), identity("Failed")
    keep(tmp_path, whole, record(whole))
    keep(tmp_path, failed, failure(failed))
    path = keep(tmp_path, hurt, record(hurt))
    (path / "result.json").write_bytes(b"{")
    found = collect(tmp_path)
    assert [kept.facts.job.task for kept in found.records] == ["Whole"]
    assert [kept.facts.job.task for kept in found.failures] == ["Failed"]
    (problem,) = found.problems
    assert problem.startswith(f"{path}: result.json is not what was written")


def test_no_outputs(tmp_path: Path) -> None:
    found = collect(tmp_path / "nowhere")
    assert (found.records, found.failures, found.problems) == ((), (), ())
    assert frame(found).shape == (0, 18)


def test_a_row_a_metric(tmp_path: Path) -> None:
    english, german = identity("Topic", "en"), identity("Topic", "de", prompt="")
    keep(tmp_path, english, record(english, 0.5))
    keep(tmp_path, german, record(german, math.nan))
    table = frame(collect(tmp_path)).sort("subset", "metric")
    assert table["metric"].to_list() == ["cosine_spearman", "pearson"] * 2
    assert table["subset"].to_list() == ["de", "de", "en", "en"]
    assert math.isnan(table["score"][0])
    assert table["score"].to_list()[1:] == [0.25, 0.5, 0.25]
    assert table["is_main"].to_list() == [True, False, True, False]
    assert table["variant"].n_unique() == 2
    assert table["measured"].n_unique() == 2
    assert table["content"].n_unique() == 1
    assert table["languages"].to_list() == [["eng-Latn"]] * 4
