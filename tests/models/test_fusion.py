"""Several models' hits put together: known values on three documents, ties, and members that find nothing."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedmark.models.lexical.fusion import Fusion, load
from embedmark.models.spec import ModelSpec
from embedmark.runner.common.errors import DataError, ModelError
from embedmark.tasks.base import TaskContext
from embedmark.tasks.retrieval.ranking import Hits, Lookup

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / ".venv-reference" / "bin" / "python"
FUSE = ROOT / "tests" / "benchmarks" / "reference" / "fuse.py"
CONTEXT = TaskContext("Search", "Retrieval", ("eng-Latn",))


@dataclass
class Finder:
    """Finds what it is told to: document → score, for every query."""

    scores: Mapping[str, float]
    facts: Mapping[str, Any] = field(default_factory=lambda: {"device": "cpu"})
    asked: list[int] = field(default_factory=list)

    def search(self, lookup: Lookup, context: TaskContext) -> Sequence[Hits]:
        self.asked.append(lookup.k)
        places = np.array([lookup.document_ids.index(document) for document in self.scores], dtype=np.int64)
        return [(places, np.array(list(self.scores.values()), dtype=np.float32))] * len(lookup.queries)


FIRST = Finder({"d0": 0.9, "d1": 0.5, "d2": 0.1})
SECOND = Finder({"d2": 7.0, "d0": 3.0})
NOTHING = Finder({})


def fusion(*members: Finder, **parameters: Any) -> Fusion:
    return load(ModelSpec("hybrid", None, loader="fusion", members=members, parameters=parameters))


def hits(fused: Fusion, k: int = 3) -> dict[str, float]:
    documents = ["d0", "d1", "d2"]
    lookup = Lookup(["q"], ["?"], documents, ["a", "b", "c"], None, k)
    return lookup.ranking(fused.search(lookup, CONTEXT)).hits(0)


def test_reciprocal_ranks_by_hand() -> None:
    found = hits(fusion(FIRST, SECOND, weights=[1, 1]))
    assert found == pytest.approx({"d0": 1 / 61 + 1 / 62, "d2": 1 / 63 + 1 / 61, "d1": 1 / 62}, abs=1e-15)
    assert list(found) == ["d0", "d2", "d1"]
    assert hits(fusion(FIRST, SECOND)) == pytest.approx({name: score / 2 for name, score in found.items()})
    steep = hits(fusion(FIRST, SECOND, weights=[1, 1], k=0))
    assert steep == pytest.approx({"d0": 1 + 1 / 2, "d2": 1 / 3 + 1, "d1": 1 / 2})


def test_scaled_scores_by_hand() -> None:
    found = hits(fusion(FIRST, SECOND, method="weighted", weights=[0.3, 0.7]))
    assert found == pytest.approx({"d2": 0.7, "d0": 0.3, "d1": 0.15})
    assert list(found) == ["d2", "d0", "d1"]


def test_scores_scaled_by_their_distribution_by_hand() -> None:
    found = hits(fusion(Finder({"d0": 3, "d1": 2, "d2": 1}), NOTHING, method="dbsf", weights=[1, 1]))
    from_mean = 1 / (6 * (2 / 3) ** 0.5)
    assert found == pytest.approx({"d0": 0.5 + from_mean, "d1": 0.5, "d2": 0.5 - from_mean})


def test_a_weight_decides_whom_to_believe() -> None:
    opposed = Finder({"d0": 1, "d1": 2, "d2": 3})
    assert list(hits(fusion(FIRST, opposed, weights=[1, 0]))) == ["d0", "d1", "d2"]
    assert list(hits(fusion(FIRST, opposed, weights=[0, 1]))) == ["d2", "d1", "d0"]


def test_ties_of_members_and_of_their_sum_go_to_the_larger_id() -> None:
    tied = Finder({"d0": 1, "d1": 1})
    assert hits(fusion(tied, NOTHING, weights=[1, 1])) == pytest.approx({"d1": 1 / 61, "d0": 1 / 62})
    swapped = fusion(Finder({"d0": 2, "d1": 1}), Finder({"d1": 2, "d0": 1}))
    found = hits(swapped)
    assert found["d0"] == found["d1"]
    assert list(found) == ["d1", "d0"]


@pytest.mark.parametrize("method", ["weighted", "dbsf"])
def test_equal_scores_have_half_of_the_points(method: str) -> None:
    assert hits(fusion(Finder({"d0": 4, "d1": 4}), NOTHING, method=method, weights=[1, 1])) == {"d1": 0.5, "d0": 0.5}


@pytest.mark.parametrize("method", ["rrf", "weighted", "dbsf"])
def test_a_member_that_finds_nothing_changes_no_order(method: str) -> None:
    assert list(hits(fusion(FIRST, NOTHING, method=method))) == ["d0", "d1", "d2"]
    assert hits(fusion(NOTHING, NOTHING, method=method)) == {}


def test_members_are_asked_for_more_than_the_task_wants() -> None:
    member = Finder({"d0": 1})
    hits(fusion(member, NOTHING))
    hits(fusion(member, NOTHING, depth=7))
    hits(fusion(member, NOTHING, depth=2), k=5)
    assert member.asked == [100, 7, 5]


def test_a_members_scores_that_are_no_numbers_are_told() -> None:
    with pytest.raises(DataError, match="'q' has a document whose score is not a finite number"):
        hits(fusion(FIRST, Finder({"d0": np.nan})))


def test_facts_are_those_of_the_members() -> None:
    assert fusion(FIRST, SECOND).facts == {"members": [{"device": "cpu"}, {"device": "cpu"}]}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "rff"}, "method: found 'rff'; expected rrf, weighted or dbsf. Did you mean 'rrf'"),
        ({"wieghts": [1, 1]}, "no parameter 'wieghts'.*Did you mean 'weights'"),
        ({"weights": [1]}, "weights: found 1 for 2 members"),
        ({"weights": [1, "a"]}, "expected a list of numbers"),
        ({"weights": 0.3}, "expected a list of numbers"),
        ({"k": -1}, "k: found -1; expected a whole number"),
        ({"k": 10, "method": "weighted"}, "k: method weighted has no use for it"),
        ({"depth": 0.5}, "depth: found 0.5"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        fusion(FIRST, SECOND, **parameters)


@pytest.mark.reference
def test_hits_are_fused_as_the_reference_fuses_them() -> None:
    """Random lists with many ties, live."""
    rng = random.Random(0)
    documents = [f"d{number}" for number in range(40)]

    def found() -> dict[str, float]:
        drawn = rng.sample(documents, rng.randint(0, len(documents)))
        return {document: rng.choice([rng.randint(0, 3), rng.randint(0, 64) / 64]) for document in drawn}

    cases = [{"hits": [found(), found()], "weights": [rng.random(), rng.random()]} for _ in range(200)]
    done = subprocess.run([REFERENCE, FUSE], input=json.dumps(cases), capture_output=True, text=True, check=True)
    lookup = Lookup(["q"], ["?"], documents, documents, None, 1000)
    for case, expected in zip(cases, json.loads(done.stdout), strict=True):
        for method, scores in expected.items():
            fused = fusion(*map(Finder, case["hits"]), method=method, weights=case["weights"])  # type: ignore[arg-type]
            mine = lookup.ranking(fused.search(lookup, CONTEXT)).hits(0)
            assert mine == pytest.approx(scores, abs=1e-12)
            assert list(mine) == sorted(scores, key=lambda document: (scores[document], document))[::-1]


def test_what_a_hybrid_has_no_use_for_is_refused() -> None:
    with pytest.raises(ModelError, match="prompts: the fusion loader has no use for it"):
        load(ModelSpec("hybrid", None, loader="fusion", members=(FIRST, SECOND), prompts={"query": "q"}))
