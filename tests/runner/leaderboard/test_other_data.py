"""Scores of other data than most of their column are named, own ones as well; nobody is blamed for what is unknown."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml
from planned_records import measure
from small_boards import DATA, OTHER_DATA, published, small_outputs

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import store
from embedmark.runner.leaderboard.bench import bench
from embedmark.runner.leaderboard.data_revisions import other_data
from embedmark.runner.leaderboard.records import Sources
from embedmark.runner.leaderboard.scores import all_scores


def named(folder: Path, outputs: Path | None, name: str) -> dict[str, list[str]]:
    scores = all_scores(outputs, Catalogue.of([folder], quiet=True), [name])
    made = bench(scores, name)
    assert made is not None
    found = other_data(made, Sources.of(scores.cells))
    return {made.matrix.tasks[task]: [made.matrix.models[row] for row in rows] for task, rows in found.items()}


def test_a_column_of_one_revision_is_left_out(tmp_path: Path) -> None:
    outputs = small_outputs(tmp_path)
    more = [published(f"org/m{number}", "Likeness", 0.5) for number in range(3)]
    store.add(outputs, pl.DataFrame(more, schema=store.schema()))
    assert "Likeness" not in named(tmp_path, outputs, "Small")


def test_those_of_other_data_than_most(tmp_path: Path) -> None:
    outputs = small_outputs(tmp_path)
    more = [
        published("org/m0", "Likeness", 0.5, dataset_revision=OTHER_DATA),
        published("org/m1", "Likeness", 0.5),
        published("org/m2", "Likeness", 0.5),
        published("org/m3", "Likeness", 0.5, dataset_revision=None),
    ]
    store.add(outputs, pl.DataFrame(more, schema=store.schema()))
    assert named(tmp_path, outputs, "Small")["Likeness"] == ["org/m0"]


def test_a_score_that_is_of_two_is_of_other_data(tmp_path: Path) -> None:
    outputs = small_outputs(tmp_path)
    more = [published(f"org/m{number}", "Topics", 0.5, subset=subset) for number in "01" for subset in ("en", "de")]
    store.add(outputs, pl.DataFrame(more, schema=store.schema()))
    assert named(tmp_path, outputs, "Small")["Topics"] == ["org/x"]


def test_of_as_many_the_first_by_name_counts_as_most(tmp_path: Path) -> None:
    outputs = small_outputs(tmp_path)
    assert DATA < OTHER_DATA
    assert named(tmp_path, outputs, "Tiny") == {"Topics": ["org/y"]}


def test_ones_own_record_of_other_data(tmp_path: Path) -> None:
    outputs = small_outputs(tmp_path)
    file = tmp_path / "task" / "likeness.yaml"
    task = yaml.safe_load(file.read_text(encoding="utf-8"))
    task["dataset"] = {"hub": "org/likeness", "revision": OTHER_DATA}
    file.write_text(yaml.safe_dump(task), encoding="utf-8")
    measure(tmp_path, "model=b", "task=likeness", outputs=outputs)
    more = [published(f"org/m{number}", "Likeness", 0.5) for number in range(3)]
    store.add(outputs, pl.DataFrame(more, schema=store.schema()))
    assert "org/b" in named(tmp_path, outputs, "Small")["Likeness"]


@pytest.mark.parametrize("name", ["MTEB(eng, v2)", "BEIR-NL"])
def test_the_field(name: str, tmp_path: Path) -> None:
    found = named(tmp_path, None, name)
    if name == "BEIR-NL":
        # Its tasks CQADupstack have each data of their own.
        assert found == {}
    else:
        assert found["ArguAna"] == ["bigscience/sgpt-bloom-7b1-msmarco"]
