"""From a task's config to rows: only the splits that are needed, checked, hashed and compared with earlier runs."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from resolved import load, resolved_task

from embedmark.runner.common.errors import OutputError, UserError
from embedmark.runner.config.schema import TaskConfig
from embedmark.runner.data.load import Loaded
from embedmark.runner.data.memory import check_against_recorded_hashes
from embedmark.tasks.base import Rows

ROWS = [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]


def task(folder: Path, **changes: Any) -> TaskConfig:
    values = {
        "name": "Mine",
        "type": "classification",
        "dataset": {"files": str(folder), "revision": "1"},
        "languages": ["eng-Latn"],
        "main_metric": "accuracy",
    }
    return TaskConfig(**{**values, **changes})


STS = {"type": "sts", "main_metric": "cosine_spearman"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder / "test.jsonl", ROWS)
    write(folder / "train.jsonl", ROWS * 2)
    return folder


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_rows_come_transformed_and_hashed(data: Path) -> None:
    mine = task(
        data,
        transforms=[{"class_encode": "label"}, {"rename": {"text": "sentence"}}],
        settings={"input_column": "sentence"},
    )
    loaded = load(mine, "default", ["train", "test"])
    test = loaded.splits["test"]
    assert isinstance(test, Rows)
    assert list(test["sentence"]) == ["a", "b"]
    assert list(test["label"]) == [0, 1]
    assert set(loaded.hashes) == {"train", "test"}
    assert loaded.hashes["test"] != loaded.hashes["train"]
    assert load(mine, "default", ["test"]).hashes["test"] == loaded.hashes["test"]


def test_splits_that_nobody_needs_are_not_read(data: Path) -> None:
    (data / "train.jsonl").write_text("broken", encoding="utf-8")
    assert set(load(task(data), "default", ["test"]).splits) == {"test"}
    joined = task(data, transforms=[{"concatenate": {"from": ["train", "test"], "into": "test"}}])
    with pytest.raises(UserError, match=r"train\.jsonl"):
        load(joined, "default", ["test"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"settings": {"label_column": "labels"}},
            "no column 'labels'; the columns are.*Did you mean 'label'.*settings",
        ),
        ({"settings": {"input_column": "txt"}}, "no column 'txt'"),
        ({"transforms": [{"filter": {"column": "label", "in": ["z"]}}]}, "subset 'default', split 'test' is empty"),
        ({"transforms": [{"take": 1, "splits": ["tets"]}]}, "there is no split 'tets'.*Did you mean 'test'"),
        ({"transforms": [{"take": "x"}]}, r"task Mine: transforms, step 1 \(take\)"),
        ({"transforms": [{"map_splits": {"dev": "test"}}]}, "no split 'test' after the transforms"),
        ({"transforms": [{"add": {"text": 1}}]}, "column 'text' holds whole numbers, expected text"),
        (
            {"transforms": [{"add": {"text": None}}]},
            r"2 of 2 rows have no value in 'text', the first is row 0.*- filter:",
        ),
        ({"type": "retrieval"}, "no qrels for subset 'default'"),
        ({**STS, "settings": {"columns": ["text", "text"], "score_column": "label"}}, "expected a number"),
    ],
)
def test_data_that_cannot_be_scored_is_explained(data: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load(task(data, **changes), "default", ["test"])


def test_retrieval_texts_are_checked(data: Path) -> None:
    write(data / "corpus.jsonl", [{"id": "1", "text": None}, {"id": "2", "text": "b"}])
    write(data / "queries.jsonl", [{"id": "5", "text": "q"}])
    write(data / "qrels.jsonl", [{"query-id": "5", "corpus-id": "2", "score": 1}])
    with pytest.raises(UserError, match="corpus: 1 of 2 rows have no value in 'text'"):
        load(task(data, type="retrieval", main_metric="ndcg_at_10"), "default", ["test"])


def test_package_data_needs_a_layout_for_retrieval() -> None:
    emoji = {"package": "emoji", "version": "2.16.0", "reader": "emoji_names"}
    with pytest.raises(UserError, match="add `to_retrieval`"):
        load(task(Path(), type="retrieval", main_metric="ndcg_at_10", dataset=emoji), "default", ["test"])


def remembered(data: Path, outputs: Path, **changes: Any) -> tuple[Loaded, Path]:
    mine = task(data, **changes)
    loaded = load(mine, "default", ["test"])
    return loaded, check_against_recorded_hashes(loaded, resolved_task(mine), "default", outputs / "data")


def test_other_rows_under_the_same_revision_are_an_error_that_names_both_hashes(data: Path, tmp_path: Path) -> None:
    before, path = remembered(data, tmp_path)
    remembered(data, tmp_path)
    write(data / "test.jsonl", ROWS[:1])
    after = load(task(data), "default", ["test"])
    with pytest.raises(UserError, match=rf"hash {after.hashes['test']}, before {before.hashes['test']}.*{path.name}"):
        remembered(data, tmp_path)
    assert before.hashes["test"] in path.read_text(encoding="utf-8")


def test_other_transforms_are_remembered_apart(data: Path, tmp_path: Path) -> None:
    remembered(data, tmp_path)
    _, path = remembered(data, tmp_path, transforms=[{"take": 1}])
    assert len(json.loads(path.read_text(encoding="utf-8"))) == 2


def test_a_broken_memory_is_said_and_kept(data: Path, tmp_path: Path) -> None:
    _, path = remembered(data, tmp_path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="hashes of earlier runs cannot be read"):
        remembered(data, tmp_path)
    assert path.read_text(encoding="utf-8") == "{"


def test_a_folder_that_cannot_be_written_is_said(data: Path, tmp_path: Path) -> None:
    (tmp_path / "data-file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot be kept"):
        remembered(data, tmp_path / "data-file")


def _remember_many(data: Path, outputs: Path, number: int) -> None:
    for step in range(5):
        remembered(data, outputs, transforms=[{"add": {"n": number * 100 + step}}])


def test_several_processes_remember_together(data: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_remember_many, args=(data, tmp_path, number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    _, path = remembered(data, tmp_path)
    assert len(json.loads(path.read_text(encoding="utf-8"))) == 16
    assert not list(path.parent.glob("*.tmp"))


def test_importing_the_package_is_light() -> None:
    import subprocess
    import sys

    heavy = ("datasets", "torch", "pandas")
    code = f"import sys, embedmark.runner.data.load; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
