"""One look at all sources serves every board."""

from __future__ import annotations

import time
from pathlib import Path

from small_boards import small_outputs

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.leaderboard.bench import bench
from embedmark.runner.leaderboard.facts import Facts
from embedmark.runner.leaderboard.model_facts import COLUMNS
from embedmark.runner.leaderboard.scores import all_scores


def test_every_model_of_the_results_has_a_row(tmp_path: Path) -> None:
    scores = all_scores(small_outputs(tmp_path), Catalogue.of([tmp_path]), ["Small"])
    facts = Facts.of(scores)
    assert {"org/a", "org/x", "org/z"} <= set(facts.rows)
    told = facts.models(["org/x", "org/a"])
    assert tuple(told) == COLUMNS
    assert told["file"] == [None, "a"]
    assert facts.group(scores.benchmarks["Small"]) == "mine"


def test_facts_of_the_field_take_little_time() -> None:
    catalogue = Catalogue(quiet=True)
    scores = all_scores(None, catalogue, ["MTEB(eng, v2)"])
    made = bench(scores, "MTEB(eng, v2)")
    assert made is not None

    def seconds() -> float:
        started = time.process_time()
        facts = Facts.of(scores)
        facts.models(made.matrix.names)
        facts.findings(made.matrix, None)
        facts.costs(made.matrix, None)
        return time.process_time() - started

    assert min(seconds() for _ in range(3)) < 0.5


def test_the_license_of_a_known_model_is_in_its_place() -> None:
    scores = all_scores(None, Catalogue(quiet=True), ["MTEB(eng, v2)"])
    made = bench(scores, "MTEB(eng, v2)")
    assert made is not None
    told = Facts.of(scores).models(made.matrix.names)
    row = made.matrix.names.index("BAAI/bge-m3")
    assert (told["licence"][row], told["dim"][row], told["tokens"][row]) == ("mit", 1024, 8192)
