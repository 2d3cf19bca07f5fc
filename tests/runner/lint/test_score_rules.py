"""Rules over all scores: made-up tables in which something is wrong, and the published scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from loopback import shared_folder

from embedmark.runner.cli.main import main
from embedmark.runner.exchange import snapshot
from embedmark.runner.lint import over_scores
from embedmark.runner.lint.finding import Finding
from embedmark.runner.lint.fit import fit
from embedmark.runner.lint.groups import find_groups
from embedmark.runner.lint.lint import lint_scores
from embedmark.runner.lint.table import ScoreTable

MODELS, TASKS = 60, 30


def world(seed: int = 0) -> np.ndarray[Any, Any]:
    """Scores of models of some ability on tasks of some difficulty."""
    rng = np.random.default_rng(seed)
    ability, slope = rng.normal(size=(MODELS, 2)), rng.normal(1.0, 0.3, size=(2, TASKS))
    logit = ability @ slope * 0.4 + rng.normal(size=TASKS) * 0.4 + rng.normal(0, 0.05, size=(MODELS, TASKS))
    return 1 / (1 + np.exp(-logit))


def table(scores: np.ndarray[Any, Any], versions: np.ndarray[Any, Any] | None = None, **models: Any) -> ScoreTable:
    rows = [
        {
            "model": f"org{model % 15}/m{model}", "revision": "r", "task": f"T{task}", "split": "test",
            "subset": "default", "main_score": float(scores[model, task]), "dataset_revision": "a" * 40,
            "mteb_version": "1.18.0" if versions is None else str(versions[model, task]),
        }
        for model in range(scores.shape[0]) for task in range(scores.shape[1]) if np.isfinite(scores[model, task])
    ]  # fmt: skip
    facts = [{"name": name, "adapted_from": source} for name, source in models.get("adapted", {}).items()]
    known = pl.DataFrame(facts, schema={"name": pl.String, "adapted_from": pl.String})
    names = [f"T{task}" for task in range(scores.shape[1])]
    kinds = pl.DataFrame({"name": names, "type": ["STS"] * len(names), "modalities": [["text"]] * len(names),
                          "languages": [["eng"]] * len(names)})  # fmt: skip
    return ScoreTable.of(pl.DataFrame(rows), known, kinds)


def rules(findings: Any) -> list[str]:
    return [finding.rule for finding in findings]


def test_the_fit_finds_what_was_made_wrong() -> None:
    scores = world()
    true = scores[7, 3]
    scores[7, 3] = 0.01
    fitted = fit(scores)
    assert fitted.expected[7, 3] == pytest.approx(true, abs=0.12)
    assert np.unravel_index(np.nanargmin(fitted.z), scores.shape) == (7, 3)


def test_floor_and_runs_out_of_line() -> None:
    scores = world()
    scores[7, 3] = 0.01
    scores[9, :5] = np.maximum(scores[9, :5] - 0.35, 0.05)
    found = list(over_scores.beside_expectation(table(scores)))
    assert [(finding.rule, finding.where) for finding in found] == [
        ("floor", "org7/m7 T3"), ("out-of-line", "org9/m9 at 1.18.0"),
    ]  # fmt: skip
    assert found[1].evidence.startswith("5 tasks: ") or found[1].evidence.startswith("4 tasks: ")


def test_no_order_of_rows_changes_a_finding() -> None:
    scores = world()
    scores[7, 3] = 0.01
    made = table(scores)
    again = ScoreTable.of(made.cells.with_columns(revision=pl.lit("r")).sample(fraction=1, shuffle=True, seed=1),
                          made.models, made.tasks)  # fmt: skip
    assert list(over_scores.beside_expectation(made)) == list(over_scores.beside_expectation(again))


def test_twins() -> None:
    scores = world()
    scores[4, :12] = scores[5, :12]
    (finding,) = over_scores.twins(table(scores))
    assert (finding.severity, finding.where) == ("error", "org4/m4 org5/m5")
    assert finding.evidence.startswith("equal in 12 of 30 tasks")
    assert list(over_scores.twins(table(scores, adapted={"org4/m4": "org5/m5"}))) == []
    assert list(over_scores.twins(table(world()))) == []


def test_of_several_scores_that_of_the_newest_release_counts() -> None:
    made = table(world())
    old = made.cells.with_columns(pl.lit("r").alias("revision"), pl.lit("1.9.0").alias("mteb_version"))
    new = old.with_columns(pl.lit("1.18.0").alias("mteb_version"), pl.col("main_score") / 2)
    both = ScoreTable.of(pl.concat([new, old]), made.models, made.tasks)
    assert both.cells["mteb_version"].unique().to_list() == ["1.18.0"]
    assert both.by_task["version"].unique().to_list() == ["1.18.0"]
    assert both.cells["main_score"].mean() == pytest.approx(made.cells["main_score"].mean() / 2)  # type: ignore[operator]


def test_range_zero_and_doubled() -> None:
    scores = world()
    scores[1, 1], scores[2, 2] = 50.0, 0.0
    made = table(scores)
    assert rules(over_scores.out_of_range(made)) == ["range"]
    assert [finding.where for finding in over_scores.zero(made)] == ["org2/m2 T2 [test] default"]
    cells = made.cells.with_columns(revision=pl.lit("r"))
    one = cells.filter(pl.col("model") == "org3/m3", pl.col("task") == "T3")
    both = pl.concat([cells, one.with_columns(main_score=pl.col("main_score") + 0.1)])
    assert rules(over_scores.doubled(ScoreTable.of(both, made.models, made.tasks))) == ["contradicting"]
    assert rules(over_scores.doubled(ScoreTable.of(pl.concat([cells, one]), made.models, made.tasks))) == ["doubled"]


def test_not_a_number_is_no_number_out_of_range() -> None:
    cells = table(world()).cells.with_columns(revision=pl.lit("r"), main_score=pl.lit(float("nan")))
    made = ScoreTable.of(cells, snapshot.models(), snapshot.tasks())
    assert list(over_scores.out_of_range(made)) == []
    assert lint_scores(cells) == []


def test_one_score_on_many_subsets() -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"model": f"o/m{model}", "revision": "r", "task": "T", "split": "test", "subset": f"s{subset}",
         "main_score": 0.142292 if model == 3 else 0.1 * subset + rng.random() * 0.05, "dataset_revision": None,
         "mteb_version": None}
        for model in range(20) for subset in range(9)
    ]  # fmt: skip
    made = ScoreTable.of(pl.DataFrame(rows, infer_schema_length=None), snapshot.models(), snapshot.tasks())
    assert [finding.where for finding in over_scores.constant(made)] == ["o/m3 T [test]"]


def test_a_shift_between_versions_is_found_and_ability_is_not() -> None:
    scores = world()
    versions = np.full(scores.shape, "1.18.0", dtype=object)
    better = np.argsort(scores.mean(axis=1))[-30:]
    versions[better[::2]] = "2.0.0"
    versions[np.argsort(scores.mean(axis=1))[:30][::3]] = "2.0.0"
    assert find_groups(table(scores, versions)) == []
    new = versions[:, 0] == "2.0.0"
    scores[new, 4] = np.minimum(scores[new, 4] + 0.25, 0.99)
    (group,) = find_groups(table(scores, versions))
    assert (group.task, group.what) == ("T4", "since 2.0.0")
    assert group.shift == pytest.approx(0.25, abs=0.05)


@pytest.mark.slow
def test_the_published_scores(capsys: pytest.CaptureFixture[str]) -> None:
    """What was found by hand is found, untold; tests/benchmarks/lint.py measures how long it takes."""
    assert main(["lint", "snapshot", "--json"]) == 1
    found = [Finding(**json.loads(line)) for line in capsys.readouterr().out.splitlines()]
    twins = [finding for finding in found if finding.rule == "twins"]
    assert twins[0].where == "brahmairesearch/slx-v0.1 sentence-transformers/all-MiniLM-L6-v2"
    assert {finding.where for finding in twins} >= {"voyageai/voyage-2 voyageai/voyage-large-2"}
    groups = [finding for finding in found if finding.rule == "group"]
    assert groups[0].where == "TwitterHjerneRetrieval"
    assert "since 1.18.2" in groups[0].evidence
    floors = [finding.where for finding in found if finding.rule == "floor"]
    assert "jinaai/jina-embeddings-v2-base-en" in {where.split()[0] for where in floors}


SAMPLE = shared_folder() / "facts" / "results" / "sample.tar.xz"


@pytest.mark.skipif(not SAMPLE.is_file(), reason="no published results (../shared/facts)")
def test_published_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import tarfile

    with tarfile.open(SAMPLE) as sample:
        sample.extractall(tmp_path, filter="data")
    assert main(["lint", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    errors = [line for line in out.splitlines() if line.startswith("error")]
    assert len(errors) == 3
    assert all("nvidia__NV-Embed-v2/external" in line and " mrr " in line for line in errors)
    assert "ArguAna: 23 of 25 files: the task's own rules" in out
    assert out.count("bge-m3") == 3
    assert main(["lint", str(tmp_path / "thenlper__gte-base")]) == 0
    assert main(["lint", str(tmp_path / "thenlper__gte-base"), "--strict"]) == 1
    assert main(["lint", str(tmp_path / "nowhere")]) == 2
