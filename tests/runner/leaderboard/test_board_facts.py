"""One look at all sources serves every board."""

from __future__ import annotations

import json
import time
from pathlib import Path

from planned_records import measure
from small_boards import small_outputs

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.leaderboard.bench import Bench, bench
from embedmark.runner.leaderboard.facts import Facts
from embedmark.runner.leaderboard.model_facts import COLUMNS, ModelFact
from embedmark.runner.leaderboard.records import Sources
from embedmark.runner.leaderboard.scores import AllScores, all_scores


def board(scores: AllScores, name: str = "Small") -> Bench:
    made = bench(scores, name)
    assert made is not None
    return made


def names(made: Bench) -> set[str]:
    return {*made.matrix.names, *made.parts_alone}


def test_every_model_of_the_results_has_its_facts(tmp_path: Path) -> None:
    scores = all_scores(small_outputs(tmp_path), Catalogue.of([tmp_path]), ["Small"])
    made = board(scores)
    facts = Facts.of(scores, ["org/a", "org/x", "org/y", "org/z"])
    told = facts.columns(made)
    here = [name for name in COLUMNS if name != "terms"]
    assert tuple(told) == (*here, "speed", "energy", "estimated", "machines")
    assert {len(column) for column in told.values()} == {len(made.matrix.names) + len(made.parts_alone)}
    assert told["file"][made.matrix.names.index("org/a")] == "a"
    assert facts.models["org/z"] == ModelFact()


def test_a_variant_of_ones_own_has_its_own_dimensions(tmp_path: Path) -> None:
    outputs = small_outputs(tmp_path)
    measure(tmp_path, "model=a", "model.truncate_dim=64", "model.max_tokens=128", "task=likeness", outputs=outputs)
    scores = all_scores(outputs, Catalogue.of([tmp_path]), ["Small"])
    made = board(scores)
    told = Facts.of(scores, names(made)).columns(made)
    found = dict(zip(made.matrix.models, zip(told["dim"], told["tokens"], strict=False), strict=False))
    assert sorted(found[label] for label in found if label.startswith("org/a ("))[0] == (64, 128)
    assert found["org/x"] == (None, None)


def test_marks_are_those_of_findings_and_revisions(tmp_path: Path) -> None:
    outputs = small_outputs(tmp_path)
    measure(tmp_path, "model=a", "task=topics", score=1.5, outputs=outputs)
    scores = all_scores(outputs, Catalogue.of([tmp_path]), ["Small"])
    made = board(scores)
    sources = Sources.of(scores.cells)
    told = json.loads(json.dumps(Facts.of(scores, []).marks(made, sources)))
    task = made.matrix.tasks.index
    model = made.matrix.models.index
    assert told["marks"]["lint"] == [[task("Topics"), model("org/a")]]
    assert [at[:2] for at in told["findings"]["at"]] == told["marks"]["lint"] * 2, "two subsets, one score"
    assert told["several"] == [task("Topics")]
    assert told["marks"]["revisions"] == [[task("Topics"), model("org/x")]]


def test_facts_of_the_field_take_little_time() -> None:
    scores = all_scores(None, Catalogue(quiet=True), ["MTEB(eng, v2)"])
    made = board(scores, "MTEB(eng, v2)")
    told = Facts.of(scores, names(made)).columns(made)
    row = made.matrix.names.index("BAAI/bge-m3")
    assert (told["licence"][row], told["dim"][row], told["tokens"][row]) == ("mit", 1024, 8192)

    def seconds() -> float:
        started = time.process_time()
        Facts.of(scores, names(made)).columns(made)
        return time.process_time() - started

    assert min(seconds() for _ in range(3)) < 0.3
