"""What services are told of the texts of published models equals what the reference tells them, by recorded facts.

Written by tests/benchmarks/reference/record_services.py: the input type that mteb 2.26.24 gives for each task and side.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from resolved import resolved_task

from embedmark.models.base import EncodeContext
from embedmark.models.loaders import find_loader
from embedmark.models.spec import ModelSpec
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.execute.jobs import context_of

FACTS: dict[str, dict[str, str | None]] = json.loads(
    (Path(__file__).parents[1] / "facts" / "reference_input_types.json").read_text(encoding="utf-8")
)
RENAMED = {"SIMILARITY": "SEMANTIC_SIMILARITY"}
"""The reference's name for a task type that Google calls otherwise."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.mark.parametrize("name", FACTS)
def test_equal_to_the_reference(name: str, catalogue: Catalogue) -> None:
    config = catalogue.model(name)
    loader = find_loader(config.loader)
    assert loader is not None
    outline = loader.outline(ModelSpec(name, None, loader=config.loader, parameters=config.parameters))
    assert outline is not None
    ours = {}
    for key in FACTS[name]:
        task, _, side = key.rpartition("-") if key.endswith(("-query", "-document")) else (key, "", None)
        context = context_of(resolved_task(catalogue.task(task)), "default", "test", ())
        variant = outline.variant(EncodeContext(context, side))  # type: ignore[arg-type]
        assert variant.prompt == ""
        ours[key] = dict(variant.parameters).popitem()[1] if variant.parameters else None
    assert ours == {key: RENAMED.get(kind or "", kind) for key, kind in FACTS[name].items()}
