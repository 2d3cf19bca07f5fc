"""Two models that were measured on different things never share a row, and no mean counts what is stale."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planned_records import change, config, fail, measure, planned, reported_project
from small_project import table

from embedmark.runner.cli.main import main

Change = Callable[[Path], None]
TOPICS = "task/topics.yaml"


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return reported_project(tmp_path / "mine")


def reported(mine: Path, *options: str) -> dict[str, Any]:
    """What a report writes."""
    assert main(["report", "-cd", str(mine), *options]) == 0
    written: dict[str, Any] = json.loads(Path("outputs/report/report.json").read_text())
    return written


def cells(written: dict[str, Any], task: str = "Topics") -> dict[tuple[str, str], str]:
    """(row, model) → status, of one task."""
    rows = [row["label"] for row in written["tasks"] if row["name"] == task]
    return {(row, model["model"]): model["scores"][row]["status"] for row in rows for model in written["models"]}


def other_labels(mine: Path) -> None:
    table(mine, "topics/en", test=[{"text": "text", "label": "0"}])


def one_more_row(mine: Path) -> None:
    with (mine / "data/topics/de/train.jsonl").open("a") as file:
        file.write('{"text": "one more", "label": "0"}\n')


def setting(**values: object) -> Change:
    return lambda mine: change(mine, TOPICS, settings=values)


def key(**values: object) -> Change:
    return lambda mine: change(mine, TOPICS, **values)


def other_languages(mine: Path) -> None:
    change(mine, TOPICS, subsets={"de": ["gsw-Latn"]})


CHANGES: list[tuple[str, Change, str]] = [
    ("labels", other_labels, "content="),
    ("a row more", one_more_row, "content="),
    ("experiments", setting(n_experiments=3), "n_experiments=10"),
    ("seed", setting(seed=1), "seed=42"),
    ("classifier", setting(classifier="k_nearest_neighbours"), "classifier=logistic_regression"),
    ("samples", setting(samples_per_label=16), "samples_per_label=8"),
    ("column", setting(input_column="label"), "input_column=text"),
    ("revision of files", key(dataset={"revision": "2"}), "revision=2"),
    ("main metric", key(main_metric="f1"), "main_metric=accuracy"),
    ("prompt of the task", key(prompt="Say which topic"), "prompt=Say which topic"),
    ("transforms", key(transforms=[{"drop_duplicates": {"columns": ["text"]}}]), "transforms[0]"),
    ("languages", other_languages, "languages[0]=deu-Latn"),
    ("type", key(type="multilabel_classification"), "type=classification"),
]


@pytest.mark.parametrize(("changed", "words"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_what_was_measured_differently_is_in_different_rows(changed: Change, words: str, mine: Path) -> None:
    measure(mine, "model=a", "tasks=[Topics]", score=0.75)
    changed(mine)
    measure(mine, "model=b", "tasks=[Topics]", score=0.25)

    written = reported(mine)
    found = cells(written)
    rows = {row for row, _ in found}
    assert len(rows) == 2
    for row in rows:
        assert [found[row, model] for model in ("org/a", "org/b")].count("done") == 1
    assert any(words in row for row in rows), rows
    # One of the versions is ranked, and only a model that has it has a mean.
    means = {model["model"]: model["mean_task"] for model in written["models"]}
    assert means == {"org/a": None, "org/b": 0.25}
    assert any("2 versions" in note for note in written["notes"])

    written = reported(mine, "--benchmark", "Small")
    assert cells(written) == {("Topics", "org/a"): "stale", ("Topics", "org/b"): "done"}
    (stale,) = (model for model in written["models"] if model["model"] == "org/a")
    assert stale["mean_task"] is None
    assert words.partition("=")[0] in stale["scores"]["Topics"]["detail"]


def moved_data(mine: Path) -> None:
    shutil.move(mine / "data/topics", mine / "data/elsewhere")
    change(mine, TOPICS, dataset={"files": str(mine / "data/elsewhere")})


SAME: list[tuple[str, Change]] = [
    ("description", key(about={"license": "mit"})),
    ("file's name", lambda mine: shutil.move(mine / TOPICS, mine / "task/renamed.yaml")),
    ("data moved", moved_data),
    ("default said", setting(n_experiments=10)),
    ("another split too", lambda mine: change(mine, TOPICS, splits=["test", "train"])),
    ("order of subsets", lambda mine: change(mine, TOPICS, subsets={"de": ["deu-Latn"]})),
    ("another task", lambda mine: change(mine, "task/likeness.yaml", main_metric="cosine_pearson")),
    ("written differently", lambda mine: (mine / TOPICS).write_text("# mine\n" + (mine / TOPICS).read_text())),
]


@pytest.mark.parametrize("changed", [case[1] for case in SAME], ids=[case[0] for case in SAME])
def test_what_decides_nothing_parts_no_row(changed: Change, mine: Path) -> None:
    measure(mine, "model=a", "tasks=[{name: Topics, splits: [test]}]", score=0.75)
    changed(mine)
    measure(mine, "model=b", "tasks=[{name: Topics, splits: [test]}]", score=0.25)
    assert cells(reported(mine)) == {("Topics", "org/a"): "done", ("Topics", "org/b"): "done"}


def test_data_that_changed_under_one_identity(mine: Path) -> None:
    """Nothing pins it, and only the hash of what was read tells."""
    measure(mine, "model=a", "tasks=[Topics]", content="1")
    measure(mine, "model=b", "tasks=[Topics]", content="2")
    written = reported(mine)
    assert cells(written) == {
        ("Topics (content.test=2222222)", "org/a"): "missing",
        ("Topics (content.test=2222222)", "org/b"): "done",
        ("Topics (content.test=1111111)", "org/a"): "done",
        ("Topics (content.test=1111111)", "org/b"): "missing",
    }
    written = reported(mine, "--benchmark", "Small")
    assert cells(written) == {("Topics", "org/a"): "stale", ("Topics", "org/b"): "done"}


def test_a_new_and_a_stale_subset_are_no_mean(mine: Path) -> None:
    measure(mine, "model=a", "tasks=[Topics]", score=0.75)
    measure(mine, "model=b", "tasks=[Topics]", score=0.5)
    other_labels(mine)
    measure(mine, "model=a", "tasks=[{name: Topics, subsets: [en]}]", score=0.25)
    (a, b) = reported(mine, "--benchmark", "Small")["models"]
    assert (a["model"], a["scores"]["Topics"]["score"], a["mean_task"]) == ("org/a", None, None)
    assert a["scores"]["Topics"]["status"] == "stale"
    assert "1 of 2 done" in a["scores"]["Topics"]["detail"]
    assert b["scores"]["Topics"]["detail"].endswith("0 of 2 done")
    rows = cells(reported(mine))
    assert sorted(rows.values()) == ["done", "done", "done", "missing"]
    rows_of_csv = csv.DictReader(Path("outputs/report/report.csv").read_text().splitlines())
    scores = {row["score"] for row in rows_of_csv if row["level"] == "task"}
    assert scores == {"0.75", "0.5", "0.25", ""}


def test_the_version_of_most_models_is_ranked(mine: Path) -> None:
    for model in ("a", "b"):
        measure(mine, f"model={model}", "tasks=[Topics]", score=0.5)
    setting(seed=1)(mine)
    measure(mine, "model=a", "tasks=[Topics]", score=0.75)
    written = reported(mine)
    assert [row["label"] for row in written["tasks"] if row["in_mean"]] == ["Topics (seed=42)"]
    assert [model["mean_task"] for model in written["models"]] == [0.5, 0.5]


def test_the_draws_of_the_reference_are_named(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"text": f"text {number}", "label": ["x", "y"]} for number in range(9)]
    for subset in ("en", "de"):
        table(mine, f"topics/{subset}", train=rows, test=rows)
    key(type="multilabel_classification")(mine)
    measure(mine, "model=a", "benchmark=small", score=0.75)
    measure(mine, "model=b", "benchmark=small", "draws=mteb", score=0.25)
    found = cells(reported(mine))
    assert {row for row, _ in found} == {"Topics (draws=job)", "Topics (draws=mteb)"}
    assert found["Topics (draws=mteb)", "org/a"] == "missing"
    assert cells(reported(mine, "--benchmark", "Small"))["Topics", "org/b"] == "stale"
    capsys.readouterr()
    written = reported(mine, "--benchmark", "Small", "--draws", "mteb")
    assert cells(written) == {("Topics", "org/a"): "stale", ("Topics", "org/b"): "done"}
    assert "Small, draws=mteb: 2 models, 3 tasks" in capsys.readouterr().out
    assert {model["model"]: model["mean_task"] for model in written["models"]} == {"org/a": None, "org/b": 0.25}


def test_data_that_is_gone_is_said_to_be_unknown(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure(mine, "model=a", "benchmark=small")
    shutil.rmtree(mine / "data/topics")
    written = reported(mine, "--benchmark", "Small")
    assert cells(written) == {("Topics", "org/a"): "done"}
    assert "Topics: whether its scores are stale is not known: " in capsys.readouterr().out


def test_members_of_an_aggregate_are_stale_too(mine: Path) -> None:
    config(
        mine, "task/both.yaml", name="Both", type="classification", dataset={"tasks": ["Topics", "More"]},
        languages=["eng-Latn"], main_metric="accuracy",
    )  # fmt: skip
    shutil.copytree(mine / "data/topics", mine / "data/more")
    config(
        mine, "task/more.yaml", name="More", type="classification", dataset={"files": str(mine / "data/more")},
        subsets={"en": ["eng-Latn"]}, main_metric="accuracy",
    )  # fmt: skip
    config(mine, "benchmark/group.yaml", name="Group", tasks=["Both"])
    measure(mine, "model=a", "benchmark=group")
    assert cells(reported(mine, "--benchmark", "Group"), "Both") == {("Both", "org/a"): "done"}
    setting(seed=1)(mine)
    assert cells(reported(mine, "--benchmark", "Group"), "Both") == {("Both", "org/a"): "stale"}


def test_failures_of_what_nobody_has_a_score_of_spoil_no_mean(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure(mine, "model=a", "tasks=[{name: Topics, subsets: [en]}]", score=0.75)
    fail(mine, "model=a", "tasks=[{name: Topics, subsets: [de]},Likeness]")
    (model,) = reported(mine)["models"]
    assert (model["mean_task"], model["lacking"]) == (0.75, [])
    out = capsys.readouterr().out
    assert "failed, and not counted: Topics/de, org/a: no such column" in out
    assert "failed, and not counted: Likeness, org/a: no such column" in out

    reported(mine, "--ignore-failed")
    assert "failed" not in capsys.readouterr().out

    config(mine, "benchmark/en.yaml", name="En", tasks=[{"name": "Topics", "subsets": ["en"]}])
    (model,) = reported(mine, "--benchmark", "En")["models"]
    assert model["mean_task"] == 0.75
    assert "failed" not in capsys.readouterr().out

    # Where another model has a score, the failure is one.
    measure(mine, "model=b", "tasks=[Topics]", score=0.5)
    assert cells(reported(mine)) == {("Topics", "org/a"): "failed", ("Topics", "org/b"): "done"}
    (_, a) = reported(mine, "--benchmark", "Small")["models"]
    assert a["lacking"][0] == "Topics (failed; 1 of 2 done)"
    # A failure of another identity is none of the present one.
    setting(seed=1)(mine)
    measure(mine, "model=a", "tasks=[Topics]", score=0.25)
    measure(mine, "model=b", "tasks=[Topics]", score=0.5)
    assert set(cells(reported(mine, "--benchmark", "Small")).values()) == {"done"}


LISTED: list[tuple[str, list[object]]] = [
    ("by subsets", [{"name": "Topics", "subsets": ["en"]}, {"name": "Topics", "subsets": ["de"]}]),
    ("whole, twice", ["Topics", "Topics"]),
    ("whole and in part", [{"name": "Topics", "subsets": ["de"]}, "Topics"]),
    ("in an aggregate, twice", ["Both", "Both"]),
]


@pytest.mark.parametrize("tasks", [case[1] for case in LISTED], ids=[case[0] for case in LISTED])
def test_a_task_that_a_benchmark_lists_twice_counts_once(tasks: list[object], mine: Path) -> None:
    config(mine, "benchmark/twice.yaml", name="Twice", tasks=[*tasks, "Likeness"])
    both = {"name": "Both", "type": "classification", "main_metric": "accuracy", "languages": ["eng-Latn"]}
    config(mine, "task/both.yaml", **both, dataset={"tasks": ["Topics"]})
    measure(mine, "model=a", "tasks=[{name: Topics, subsets: [en]}]", score=0.25)
    measure(mine, "model=a", "tasks=[{name: Topics, subsets: [de]}]", score=0.75)
    measure(mine, "model=a", "tasks=[Likeness]", score=0.0)
    (model,) = reported(mine, "--benchmark", "Twice")["models"]
    assert model["mean_task"] == 0.25
    assert [scores["score"] for scores in model["scores"].values()] == [0.5, 0.0]
    name = "Both" if "Both" in tasks else "Topics"
    assert len(planned(mine, "model=a", "benchmark=Twice", f"tasks=[{name}]")) == 2
