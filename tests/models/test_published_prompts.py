"""The prompts and encode arguments of published models equal those that the reference gives, by recorded facts.

Written by tests/benchmarks/reference/record_prompts.py: what mteb 2.26.24 puts before the texts of each task and side.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from resolved import resolved_task
from tiny_models import tiny_bert

from embedmark.models.base import EncodeContext
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.sentence_transformer import load
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.execute.jobs import context_of
from embedmark.runner.execute.model import instructions

FACTS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "facts" / "reference_prompts.json").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("tiny"))


def test_families_types_and_sides_are_covered(catalogue: Catalogue) -> None:
    assert len(FACTS) >= 25
    for given in FACTS.values():
        tasks = {key.removesuffix("-query").removesuffix("-document") for key in given}
        assert {resolved_task(catalogue.task(name)).label for name in tasks} >= {
            "BitextMining",
            "Classification",
            "Clustering",
            "MultilabelClassification",
            "PairClassification",
            "Reranking",
            "Retrieval",
            "STS",
            "Summarization",
        }


@pytest.mark.parametrize("name", FACTS)
def test_equal_to_the_reference(name: str, catalogue: Catalogue, checkpoint: Path) -> None:
    config = catalogue.model(name)
    encode = {key: value for key, value in config.parameters.items() if key == "encode"}
    spec = ModelSpec(name, checkpoint, prompts=config.prompts, instructions=instructions(config.instructions))
    encoder = load(ModelSpec(**{**vars(spec), "parameters": encode, "device": "cpu"}))
    ours = {}
    for key in FACTS[name]:
        task, _, side = key.rpartition("-") if key.endswith(("-query", "-document")) else (key, "", None)
        config_of_task = catalogue.task(task)
        variant = encoder.variant(EncodeContext(context_of(resolved_task(config_of_task), "default", "test", ()), side))  # type: ignore[arg-type]
        ours[key] = [variant.prompt, dict(variant.parameters)] if variant.parameters else variant.prompt
    assert ours == FACTS[name]
