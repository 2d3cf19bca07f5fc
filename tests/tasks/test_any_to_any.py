"""Retrieval of texts, images and both against the reference implementation, on reference/any2any.json's facts."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from captioned import ENCODERS, Item, caption_in, png

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Composite, Embeddings, Image, ItemSet, RetrievalRows, Rows, TaskContext, TaskData
from embedmark.tasks.columns import parts_taken
from embedmark.tasks.retrieval import settings
from embedmark.tasks.retrieval.ranking import Ranking
from embedmark.tasks.retrieval.retrieval import Retrieval

CASES = json.loads((Path(__file__).parent / "reference" / "any2any.json").read_text(encoding="utf-8"))
CONTEXT = TaskContext(name="Facts", type="Any2AnyRetrieval")
LAST_BIT = ("nauc_",)
"""What is not rounded, and so may differ in the last bits of a sum."""


def table(columns: dict[str, Sequence[Any]]) -> Rows:
    return Rows({name: [png(value) for value in of] if name == "image" else of for name, of in columns.items()})


def task(case: dict[str, Any]) -> tuple[Retrieval, TaskData]:
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in case["settings"].items()}
    data = case["data"]
    rows = RetrievalRows(table(data["corpus"]), table(data["queries"]), data["qrels"], data.get("top_ranked"))
    return Retrieval(settings.RetrievalSettings(**given), CONTEXT, "accuracy"), TaskData({"test": rows})


def parts(item_set: ItemSet, takes: Sequence[Any]) -> list[Item]:
    """What the model is given of each item: text and caption."""
    items, modality = parts_taken(item_set.name, item_set.items, item_set.modality, frozenset(takes))
    found: list[Item] = []
    for item in items:
        each = item.parts if isinstance(item, Composite) else (item,)
        texts, images = ([part for part in each if isinstance(part, kind)] for kind in (str, Image))
        assert len(each) == len(modality.split("+"))
        found.append((texts[0] if texts else None, caption_in(images[0].data) if images else None))  # type: ignore[arg-type, union-attr]
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_equals_the_reference(case: dict[str, Any]) -> None:
    bound, data = task(case)
    sets = bound.items(data)
    assert {found.modality for found in sets} == {
        case["settings"]["query_modality"],
        case["settings"]["document_modality"],
    }
    given = {str(found.side): parts(found, case["takes"]) for found in sets}
    if not case["name"].startswith("Mock"):  # whose pictures stand for those that had these hashes
        assert {side: [list(item) for item in items] for side, items in given.items()} == case["given"]
    vectors = ENCODERS[case["vectors"]]
    embeddings = Embeddings({found.name: vectors(given[str(found.side)]) for found in sets}, case["similarity"])
    values = bound.evaluate(embeddings, data).values
    expected = {name: math.nan if value is None else value for name, value in case["scores"].items()}
    assert set(values) == set(expected)
    for name, value in expected.items():
        allowed = 1e-9 if name.startswith(LAST_BIT) else 0
        assert values[name] == pytest.approx(value, abs=allowed, rel=0, nan_ok=True), name


def test_metrics_of_single_datasets_say_what_they_need() -> None:
    taxa, gains = (next(case for case in CASES if case["name"] == name) for name in ("i2t, taxa", "i2t, RAVENEA"))
    bound, data = task({**taxa, "data": {**taxa["data"], "corpus": without(taxa["data"]["corpus"], "taxon")}})
    ranking = Ranking.of({query: {} for query in taxa["data"]["queries"]["id"]})
    with pytest.raises(DataError, match="no column 'taxon' in the corpus"):
        bound.score(ranking, data)
    judged = {query: dict.fromkeys(documents, 2) for query, documents in gains["data"]["qrels"].items()}
    bound, data = task({**gains, "data": {**gains["data"], "qrels": judged}})
    with pytest.raises(DataError, match=r"has the judgment 2; expected one of RAVENEA's gains, \[0, 1, 3, 7"):
        bound.score(Ranking.of({query: {} for query in judged}), data)


def without(columns: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in columns.items() if key != name}
