"""Every config that ships can be read, is valid and is called by a name of its own."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from runner.config.catalogue import SHIPPED, Catalogue, read_config, read_task, read_yaml
from runner.config.schema import BenchmarkConfig, HubDataset, ModelConfig, TaskConfig, TaskGroup
from runner.data.transforms import parse
from tools.catalogue import pages, tasks


@pytest.fixture(scope="module")
def shipped_tasks() -> dict[Path, TaskConfig]:
    return {path: read_task(path) for path in sorted((SHIPPED / "task").rglob("*.yaml"))}


@pytest.fixture(scope="module")
def shipped_benchmarks() -> dict[Path, BenchmarkConfig]:
    return {path: read_config(path, BenchmarkConfig) for path in sorted((SHIPPED / "benchmark").rglob("*.yaml"))}


@pytest.fixture(scope="module")
def shipped_models() -> dict[Path, ModelConfig]:
    """Models, without the short names that stand for another file."""
    paths = sorted((SHIPPED / "model").rglob("*.yaml"))
    return {path: read_config(path, ModelConfig) for path in paths if "name" in read_yaml(path)}


def test_tasks_are_valid_together_with_their_settings_and_transforms(shipped_tasks: dict[Path, TaskConfig]) -> None:
    assert len(shipped_tasks) >= 1307
    for path, task in shipped_tasks.items():
        parse(task.transforms)
        assert task.type == path.parent.name or path.parent.name == "quickstart", path


def test_names_are_unique(
    shipped_tasks: dict[Path, TaskConfig],
    shipped_benchmarks: dict[Path, BenchmarkConfig],
    shipped_models: dict[Path, ModelConfig],
) -> None:
    for configs in (shipped_tasks, shipped_benchmarks, shipped_models):
        counts = Counter(config.name for config in configs.values())
        assert [name for name, count in counts.items() if count > 1] == []
    aliases = Counter(alias for benchmark in shipped_benchmarks.values() for alias in benchmark.aliases)
    assert [alias for alias, count in aliases.items() if count > 1] == []


def test_first_line_names_a_task() -> None:
    for path in (SHIPPED / "task").rglob("*.yaml"):
        with path.open(encoding="utf-8") as lines:
            assert re.match(r"name: \S", next(lines)), path


def test_benchmarks_hold_tasks_with_the_subsets_and_splits_they_ask_for(
    shipped_tasks: dict[Path, TaskConfig], shipped_benchmarks: dict[Path, BenchmarkConfig]
) -> None:
    known = {task.name: task for task in shipped_tasks.values()}
    for path, benchmark in shipped_benchmarks.items():
        assert benchmark.tasks, path
        for task in benchmark.tasks:
            assert task.name in known, (path, task.name)
            assert set(task.subsets or ()) <= set(known[task.name].subsets), (path, task.name)


def test_aggregates_are_made_of_tasks_that_exist(shipped_tasks: dict[Path, TaskConfig]) -> None:
    known = {task.name for task in shipped_tasks.values()}
    aggregates = [task for task in shipped_tasks.values() if isinstance(task.dataset, TaskGroup)]
    assert {task.name for task in aggregates} >= {"CQADupstackRetrieval"}
    for task in aggregates:
        assert isinstance(task.dataset, TaskGroup)
        assert set(task.dataset.tasks) <= known, task.name


def test_datasets_of_the_hub_are_pinned(shipped_tasks: dict[Path, TaskConfig]) -> None:
    loose = [
        task.name
        for task in shipped_tasks.values()
        if isinstance(task.dataset, HubDataset) and not task.dataset.revision
    ]
    assert loose == []


def test_pairs_stand_for_every_ordered_pair(shipped_tasks: dict[Path, TaskConfig]) -> None:
    flores = next(task for task in shipped_tasks.values() if task.name == "FloresBitextMining")
    assert len(flores.subsets) == 204 * 203
    assert flores.subsets["deu_Latn-ace_Arab"] == ("deu-Latn", "ace-Arab")


def test_a_page_says_what_it_was_given(tmp_path: Path) -> None:
    values = {
        "name": "Ä: b # c",
        "revision": "1e10",
        "empty": [],
        "long": [f"entry {n}" for n in range(60)],
        "nested": {"date": ["2019-01-01", "2020-01-01"], "no": ["no", None, True], "text": "a\nb: 'c' " * 40},
    }
    assert pages.write(tmp_path / "page.yaml", values)
    assert pages.read(tmp_path / "page.yaml") == values
    assert not pages.write(tmp_path / "page.yaml", values)


def test_a_file_is_called_like_its_task() -> None:
    facts = [
        {"name": name, "kind": "AbsTaskClassification", "type": "Classification"}
        for name in ("Banking77Classification", "Banking77Classification.v2", "News", "NewsClassification")
    ]
    assert tasks.choices(facts) == {
        "Banking77Classification": "classification/banking77",
        "Banking77Classification.v2": "classification/banking77_v2",
        "News": "classification/news",
        "NewsClassification": "classification/newsclassification",
    }


def test_the_readme_counts_right() -> None:
    catalogue = Catalogue()
    n_tasks, n_benchmarks, n_models = (
        len(found) for found in (catalogue.tasks, catalogue.benchmarks, catalogue.models)
    )
    told = f"{n_tasks:,} text tasks, {n_benchmarks} benchmarks and {n_models} models"
    assert told in (SHIPPED.parent / "README.md").read_text(encoding="utf-8")
