"""Speed and electricity are what records say, summed; what they do not say is unknown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sample_records import identity, record
from small_boards import small_outputs

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.leaderboard.bench import bench
from embedmark.runner.leaderboard.costs import Cost, cost, cost_columns
from embedmark.runner.leaderboard.scores import all_scores
from embedmark.runner.results.collect import Kept
from embedmark.runner.results.record import Record, Timing

HARDWARE = {"processor": "Example CPU", "cores": 8}


def kept(folder: Path, name: str, encoded: int, seconds: float, hardware: Any = HARDWARE, **more: Any) -> Kept:
    """A record in a folder that tells of its machine."""
    (folder / name).mkdir()
    (folder / name / "environment.json").write_text(json.dumps({"hardware": hardware}), encoding="utf-8")
    values = identity(task=name)
    timing = Timing(encode_s=seconds, texts_encoded=encoded, texts_reused=5)
    return Kept(record(values, timing=timing, **more), folder / name, values)


def test_texts_a_second_over_all_records(tmp_path: Path) -> None:
    found = cost([kept(tmp_path, "A", 100, 1.0), kept(tmp_path, "B", 500, 2.0)])
    assert found == Cost(speed=200.0, machines=("Example CPU, 8 cores",))


def test_texts_that_were_found_in_the_store_say_nothing_of_speed(tmp_path: Path) -> None:
    assert cost([kept(tmp_path, "A", 0, 0.0)]) == Cost()
    assert cost([kept(tmp_path, "B", 0, 0.5), kept(tmp_path, "C", 10, 1.0)]).speed == 10.0


def test_electricity_is_of_the_records_that_have_it(tmp_path: Path) -> None:
    some = [
        kept(tmp_path, "A", 1000, 1.0, energy_kwh=0.002, energy_source="measured"),
        kept(tmp_path, "B", 3000, 1.0, energy_kwh=0.002, energy_source="estimated"),
        kept(tmp_path, "C", 9000, 1.0),
    ]
    found = cost(some)
    assert (found.energy, found.estimated) == (1.0, True)
    assert (cost(some[:1]).energy, cost(some[:1]).estimated) == (2.0, False)
    assert cost(some[2:]).energy is None


def test_a_record_counts_once(tmp_path: Path) -> None:
    one = kept(tmp_path, "A", 7, 2.0, energy_kwh=0.7)
    assert cost([one, one]) == cost([one])


def test_rates_have_four_digits(tmp_path: Path) -> None:
    assert cost([kept(tmp_path, "A", 100_000, 7.0)]).speed == 14290.0


def test_machines_are_named_once_with_their_accelerators(tmp_path: Path) -> None:
    gpu = {**HARDWARE, "accelerators": ["Example GPU", "Example GPU"]}
    some = [kept(tmp_path, name, 1, 1.0, gpu) for name in "AB"] + [kept(tmp_path, "C", 1, 1.0, {"processor": "Old"})]
    assert cost(some).machines == ("Example CPU, 8 cores; Example GPU; Example GPU", "Old")


@pytest.mark.parametrize("hardware", [None, [], {"processor": 3}, {"cores": 2}])
def test_where_a_folder_does_not_tell_its_record_does(tmp_path: Path, hardware: Any) -> None:
    assert cost([kept(tmp_path, "A", 1, 1.0, hardware)]).machines == ("test",)


def test_a_folder_without_an_environment(tmp_path: Path) -> None:
    one = kept(tmp_path, "A", 1, 1.0)
    (one.folder / "environment.json").unlink()
    assert cost([one]).machines == ("test",)


def test_columns_of_a_board(tmp_path: Path) -> None:
    scores = all_scores(small_outputs(tmp_path), Catalogue.of([tmp_path]), ["Small"])
    made = bench(scores, "Small")
    assert made is not None
    assert made.made is not None
    told = cost_columns(made.matrix, made.made)
    n = len(made.matrix.models)
    assert told == {"speed": [None] * n, "energy": [None] * n, "estimated": [0] * n, "machines": [[]] * n}
    (model,) = made.made.columns
    timed = {label: replace(cell, records=tuple(map(_timed, cell.records))) for label, cell in model.cells.items()}
    told = cost_columns(made.matrix, replace(made.made, columns=(replace(model, cells=timed),)))
    row = made.matrix.models.index("org/a")
    assert [value for value in told["speed"] if value is not None] == [told["speed"][row]] == [25.0]
    assert told["energy"][row] == 20.0
    json.dumps(told, allow_nan=False)


def _timed(kept: Kept) -> Kept:
    assert isinstance(kept.facts, Record)
    changed = {"timing": Timing(encode_s=2.0, texts_encoded=50), "energy_kwh": 0.001, "energy_source": "measured"}
    return replace(kept, facts=kept.facts.model_copy(update=changed))
