"""The names of metrics that plans know are those that are computed."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.checks import check_settings
from embedmark.runner.data.transforms.parsing import parse
from embedmark.tasks.types import task_types

FOLDER = Path(__file__).parent / "reference"


def _facts(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def _settings(kind: str, values: dict[str, Any]) -> Any:
    return task_types()[kind].settings(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


@pytest.mark.parametrize("case", _facts("retrieval"), ids=lambda case: case["name"])
def test_of_rankings_the_names_are_exactly_those_computed(case: dict[str, Any]) -> None:
    """tests/tasks/test_retrieval.py asserts that these are what is computed."""
    assert _settings("retrieval", case["settings"]).metrics() == set(case["scores"])


def test_of_other_types_the_names_are_exactly_those_computed() -> None:
    computed: dict[str, set[str]] = defaultdict(set)
    for case in [*_facts("labels")["cases"], *_facts("pairs")["cases"]]:
        for scores in case["expected"].values():
            computed[case["type"]] |= {name for name, value in scores.items() if isinstance(value, float | int)}
    assert len(computed) >= 9
    for kind, names in computed.items():
        assert names - {"main_score"} == _settings(kind, {}).metrics(), kind


def test_every_shipped_main_metric_and_step_is_known() -> None:
    catalogue = Catalogue()
    for name in catalogue.tasks:
        task = catalogue.task(name)
        assert task.main_metric in check_settings(task, name, task_types()[task.type]).metrics(), name
        parse(task.transforms)  # which planning trusts for what is shipped
