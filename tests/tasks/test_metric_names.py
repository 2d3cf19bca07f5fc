"""The names of metrics that plans know are those that are computed."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from runner.config.catalogue import Catalogue, check_settings
from runner.data.transforms import parse
from tasks.metrics import metric_names
from tasks.settings import ArrangementSettings
from tasks.types import task_types

FOLDER = Path(__file__).parent / "reference"


def _facts(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def _settings(kind: str, values: dict[str, Any]) -> Any:
    return task_types()[kind].settings(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


@pytest.mark.parametrize("case", _facts("retrieval"), ids=lambda case: case["name"])
def test_of_rankings_the_names_are_exactly_those_computed(case: dict[str, Any]) -> None:
    """tests/tasks/test_retrieval.py asserts that these are what is computed."""
    assert metric_names("retrieval", _settings("retrieval", case["settings"])) == set(case["scores"])


def test_of_other_types_the_names_are_exactly_those_computed() -> None:
    computed: dict[str, set[str]] = defaultdict(set)
    for case in [*_facts("labels")["cases"], *_facts("pairs")["cases"]]:
        for scores in case["expected"].values():
            computed[case["type"]] |= {name for name, value in scores.items() if isinstance(value, float | int)}
    assert len(computed) >= 9
    for kind, names in computed.items():
        known = metric_names(kind, None)
        assert known is not None
        assert names - {"main_score"} == known, kind


def test_every_built_in_type_has_names() -> None:
    for kind in task_types():
        values = {"k_values": (1, 10)} if task_types()[kind].retrieval_layout else {}
        settings = task_types()[kind].settings(**values) if values else None
        assert metric_names(kind, settings), kind
    assert metric_names("of another package", ArrangementSettings()) is None


def test_every_shipped_main_metric_and_step_is_known() -> None:
    catalogue = Catalogue()
    for name in catalogue.tasks:
        task = catalogue.task(name)
        known = metric_names(task.type, check_settings(task, name))
        assert known is None or task.main_metric in known, name
        parse(task.transforms)  # which planning trusts for what is shipped
