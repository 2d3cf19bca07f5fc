"""Data and weights that change between the plan and their use: the job fails and says so, and nothing is kept of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from small_project import small_project, task

from embedmark.runner.cli.main import main
from embedmark.runner.common import folder
from embedmark.runner.encode.store import VerifiedStore
from embedmark.runner.execute import jobs, model, worker

Change = Callable[[Path], object]
Runs = list[tuple[dict[str, Any], dict[str, str]]]


@pytest.fixture(scope="module")
def plain_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(plain_project: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "project"
    shutil.copytree(plain_project, copy)
    for file in ("model/tiny.yaml", *(f"task/{name}.yaml" for name in ("topics", "search", "likeness"))):
        values = yaml.safe_load((copy / file).read_text())
        if "source" in values:
            values["source"] = {"path": str(copy / "weights")}
        else:
            values["dataset"] = {"files": str(copy / "data" / values["name"].lower())}
        (copy / file).write_text(yaml.safe_dump(values))
    return copy


def run(project: Path, outputs: Path, *tasks: str) -> int:
    return main(["run", "--config-dir", str(project), "model=tiny", f"outputs={outputs}", f"tasks=[{','.join(tasks)}]"])


def kept(outputs: Path) -> dict[str, Any]:
    """Scores by task."""
    records = [json.loads(path.read_text()) for path in outputs.glob("jobs/*/result.json")]
    return {record["job"]["task"]: record["scores"] for record in records}


def failures(outputs: Path) -> dict[str, str]:
    found = [json.loads(path.read_text()) for path in outputs.glob("jobs/*/failure.json")]
    return {failure["job"]["task"]: failure["message"] for failure in found}


def before(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, change: Callable[[], object]) -> None:
    """Change something right before a function is called the first time."""
    real = getattr(place, name)
    left = [change]

    def changed_first(*args: Any, **kwargs: Any) -> Any:
        if left:
            left.pop()()
        return real(*args, **kwargs)

    monkeypatch.setattr(place, name, changed_first)


def _swap_labels(topics: Path) -> None:
    path = topics / "test.jsonl"
    path.write_text(path.read_text().replace('"label": 0', '"label": 1'))


def _link(topics: Path) -> None:
    shutil.move(topics / "test.jsonl", topics.parent / "elsewhere.jsonl")
    with (topics.parent / "elsewhere.jsonl").open("a") as file:
        file.write('{"text": "a b", "label": 1}\n')
    (topics / "test.jsonl").symlink_to(topics.parent / "elsewhere.jsonl")


ROWS_CHANGE: dict[str, Change] = {
    "a label": _swap_labels,
    "a row more": lambda topics: (topics / "train.jsonl").open("a").write('{"text": "a", "label": 0}\n'),
    "a table more": lambda topics: (topics / "dev.jsonl").write_text("{}\n"),
    "a table less": lambda topics: (topics / "spare.jsonl").unlink(),
    "a table in a new folder": lambda topics: shutil.copytree(topics, topics / "default"),
    "another kind": lambda topics: (topics / "spare.jsonl").rename(topics / "spare.csv"),
    "a link": _link,
}


@pytest.fixture(scope="module")
def changed(plain_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Scores and failures of two runs of a task for each change, which is made in the first between plan and load."""
    copy, outputs = tmp_path_factory.mktemp("changed") / "project", tmp_path_factory.mktemp("outputs")
    shutil.copytree(plain_project, copy)
    names = {f"T{number}": change for number, change in enumerate(ROWS_CHANGE)}
    for name in names:
        shutil.copytree(copy / "data" / "topics", copy / "data" / name.lower())
        (copy / "data" / name.lower() / "spare.jsonl").write_text("{}\n")
        task(copy, name, "classification", "accuracy", settings={"n_experiments": 2})
    real, left = jobs.load, dict(names)

    def changed_first(config: Any, *args: Any, **kwargs: Any) -> Any:
        if config.name in left:
            ROWS_CHANGE[left.pop(config.name)](copy / "data" / config.name.lower())
        return real(config, *args, **kwargs)

    runs = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "load", changed_first)
        for status in (1, 0):
            assert run(copy, outputs, "Likeness", *names) == status
            runs.append((kept(outputs), failures(outputs)))
    return runs


@pytest.mark.parametrize("number", range(len(ROWS_CHANGE)), ids=list(ROWS_CHANGE))
def test_rows_that_change_after_the_plan(changed: Runs, number: int) -> None:
    (scores, failed), (scores_after, _) = changed
    assert "Likeness" in scores
    assert f"T{number}" not in scores
    assert "has changed since this job was planned" in failed[f"T{number}"]
    assert f"T{number}" in scores_after


def test_rows_that_change_while_they_are_read_count_as_they_were_read(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = project / "data" / "topics"
    assert run(project, tmp_path / "calm", "Topics") == 0
    real = folder.read

    def read_then_change(path: Path) -> tuple[bytes, str]:
        found = real(path)
        if path.name == "test.jsonl":
            path.write_text('{"text": "a", "label": 0}\n')
        return found

    monkeypatch.setattr(folder, "read", read_then_change)
    assert run(project, tmp_path / "changed", "Topics") == 0
    assert kept(tmp_path / "changed") == kept(tmp_path / "calm")
    assert (topics / "test.jsonl").read_text().count("\n") == 1


def _other_numbers(weights: Path) -> None:
    """Other weights of the same size, in place, as a mapped file would show them."""
    (path,) = weights.rglob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-64:] = np.random.default_rng(1).normal(size=16).astype("<f4").tobytes()
    with path.open("r+b") as file:
        file.write(content)


def _replaced(weights: Path) -> None:
    (path,) = weights.rglob("*.safetensors")
    shutil.copy(path, path.with_name("new"))
    _other_numbers(weights)
    path.with_name("new").replace(path.with_name("spare"))


MOMENTS: dict[str, tuple[Any, str]] = {
    "before they are fetched": (model, "fetch"),
    "before they are loaded": (model, "_load"),
    "before the store is opened": (model, "_open_store"),
    "before vectors are stored": (VerifiedStore, "add"),
    "before scores are computed": (worker, "score"),
}


@pytest.fixture(scope="module")
def undisturbed(plain_project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The scores of a run in which nothing changes."""
    outputs = tmp_path_factory.mktemp("undisturbed")
    assert run(plain_project, outputs, "Search") == 0
    return kept(outputs)


@pytest.mark.parametrize(
    ("moment", "change"),
    [*((moment, _other_numbers) for moment in MOMENTS), ("before vectors are stored", _replaced)],
)
def test_weights_that_change_after_the_plan(
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    undisturbed: dict[str, Any],
    moment: str,
    change: Change,
) -> None:
    weights, outputs = project / "weights", tmp_path / "outputs"
    shutil.copytree(weights, tmp_path / "as they were")
    with monkeypatch.context() as patched:
        place, name = MOMENTS[moment]
        before(patched, place, name, lambda: change(weights))
        assert run(project, outputs, "Search") == 1
    assert kept(outputs) == {}
    assert "have changed since this job was planned" in failures(outputs)["Search"]
    shutil.rmtree(weights)
    shutil.copytree(tmp_path / "as they were", weights)
    assert run(project, outputs, "Search") == 0
    assert kept(outputs) == undisturbed


@pytest.mark.parametrize(("place", "name"), [(model, "fetch"), (model, "_load")], ids=["fetch", "load"])
def test_a_link_that_leads_elsewhere_for_a_moment(
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    undisturbed: dict[str, Any],
    place: Any,
    name: str,
) -> None:
    """It is back when the files are compared with the plan; what was loaded counts."""
    weights, real = project / "weights", getattr(place, name)
    shutil.copytree(weights, tmp_path / "others")
    _other_numbers(tmp_path / "others")
    weights.rename(tmp_path / "planned")
    weights.symlink_to(tmp_path / "planned")

    def lead(to: str) -> None:
        weights.unlink()
        weights.symlink_to(tmp_path / to)

    def elsewhere_for_a_moment(*args: Any, **kwargs: Any) -> Any:
        lead("others")
        try:
            return real(*args, **kwargs)
        finally:
            lead("planned")

    monkeypatch.setattr(place, name, elsewhere_for_a_moment)
    run(project, tmp_path / "outputs", "Search")
    assert kept(tmp_path / "outputs") in ({}, undisturbed)
