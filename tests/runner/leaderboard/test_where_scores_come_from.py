"""Every score of a board leads to its record: revisions of model and data, version, file, and who vouches for it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from small_boards import DATA, OTHER_DATA, small_outputs, small_shown

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.leaderboard.bench import Bench, bench
from embedmark.runner.leaderboard.columns import Shown, choices
from embedmark.runner.leaderboard.data_revisions import other_data
from embedmark.runner.leaderboard.own_records import UNCHECKED, OwnRecords
from embedmark.runner.leaderboard.records import Sources, record_file, states
from embedmark.runner.leaderboard.scores import all_scores
from embedmark.runner.provenance import signing
from embedmark.runner.provenance.ssh import Signers
from embedmark.runner.results.inspection import SIGNATURE, inspect, scan


def board_of(shown: Shown, name: str) -> Bench:
    return next(board for board in shown.boards if board.config.name == name)


def value(found: dict[str, Any], part: str, task: int, model: int) -> Any:
    """A cell of one of the file's parts, as a page reads it."""
    row = found[part]["cells"][task]
    number = row[model] if isinstance(row, list) else row
    return None if number is None else found[part]["list"][number]


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    return small_shown(tmp_path)


def small_file(shown: Shown) -> tuple[Bench, dict[str, Any]]:
    made = board_of(shown, "Small")
    return made, record_file(made, shown.sources, shown.own, choices(shown.scores.catalogue))


def test_a_published_score_names_revisions_versions_and_file(shown: Shown) -> None:
    made, found = small_file(shown)
    model, task = made.matrix.models.index("org/x"), made.matrix.tasks.index("Topics")
    assert value(found, "data", task, model) == [DATA, OTHER_DATA]
    assert value(found, "version", task, model) == ["1.2.0", "2.1.0"]
    assert value(found, "origin", task, model) == ["published"]
    assert value(found, "folder", task, model) == ["results/org__x/r"]
    assert value(found, "name", task, model) == ["Topics.json"]
    assert found["revisions"] == ["r" * 40]
    assert found["choices"][task] == "topics"


def test_what_has_no_score_takes_the_least_room() -> None:
    scores = all_scores(None, Catalogue(quiet=True), ["MTEB(eng, v1)"])
    made = bench(scores, "MTEB(eng, v1)")
    assert made is not None
    found = record_file(made, Sources.of(scores.cells), OwnRecords.of([]), {})
    rows = [row for row in found["data"]["cells"] if isinstance(row, list)]
    assert rows
    assert all(number is not None for row in rows for number in row)
    assert np.isnan(made.matrix.values).any()


def test_what_nobody_stated_is_null(shown: Shown) -> None:
    made, found = small_file(shown)
    model, task = made.matrix.models.index("org/x"), made.matrix.tasks.index("Likeness")
    assert value(found, "data", task, model) == [None]
    assert value(found, "version", task, model) == [None]


def test_ones_own_score_leads_to_its_jobs(shown: Shown) -> None:
    made, found = small_file(shown)
    model, task = made.matrix.models.index("org/a"), made.matrix.tasks.index("Topics")
    (numbers,) = (jobs for at, row, jobs in found["own"] if (at, row) == (task, model))
    jobs = [found["jobs"][number] for number in numbers]
    assert [(job["subset"], job["score"]) for job in jobs] == [("en", 750_000), ("de", 750_000)]
    there = {kept.facts.fingerprint for kept in shown.scores.collected.records}
    assert {job["job"] for job in jobs} < there
    assert (jobs[0]["embedmark"], jobs[0]["date"], jobs[0]["model"]) == ("0.1.0", "2026-01-01", "a" * 40)
    assert (jobs[0]["dtype"], jobs[0]["prompts"], jobs[0]["signed"]) == (None, [], None)


def test_columns_of_several_revisions_of_the_data_are_named(shown: Shown) -> None:
    made = board_of(shown, "Small")
    assert [made.matrix.tasks[task] for task in other_data(made, shown.sources)] == ["Topics"]


def test_every_cell_of_shipped_boards_leads_to_a_record() -> None:
    catalogue = Catalogue(quiet=True)
    scores = all_scores(None, catalogue, ["MTEB(eng, v2)", "CoIR"])
    sources, own = Sources.of(scores.cells), OwnRecords.of(())
    for name in scores.benchmarks:
        made = bench(scores, name)
        assert made is not None
        found = json.loads(json.dumps(record_file(made, sources, own, choices(catalogue))))
        for model, task in np.argwhere(~np.isnan(made.matrix.values)).tolist():
            assert value(found, "origin", task, model) == ["snapshot"]
            assert value(found, "data", task, model)
            assert value(found, "version", task, model)
        assert all(len(row) == len(made.matrix.models) for row in found["data"]["cells"] if isinstance(row, list))
    arguana = scores.cells.filter(pl.col("task").cast(pl.String) == "ArguAna")["dataset_revision"].cast(pl.String)
    assert "None" in arguana.unique().to_list()
    assert "None" not in json.dumps(sources.known, default=vars)


def test_signatures_are_named_where_they_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen")
    outputs = small_outputs(tmp_path)
    folders = sorted(scan(outputs))
    import subprocess

    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for found in folders[:2]:
        signing.sign(inspect(found), key)
    assert (folders[0].path / SIGNATURE).is_file()
    public = (tmp_path / "key.pub").read_text().split()
    signers = tmp_path / "allowed_signers"
    signers.write_text(f"anna@example.org {public[0]} {public[1]}\n")
    unchecked = small_shown(tmp_path)
    words = {job["signed"] for job in small_file(unchecked)[1]["jobs"]}
    assert words == {None, UNCHECKED}
    assert states(board_of(unchecked, "Small"), unchecked.own)["signed"] == []
    checked = small_shown(tmp_path, Signers(signers))
    words = {job["signed"] for job in small_file(checked)[1]["jobs"]}
    assert words == {None, "signed by anna@example.org"}
    board = board_of(checked, "Small")
    told = states(board, checked.own)
    assert len(told["own"]) == 2
    assert [board.matrix.tasks[task] for task, _ in told["signed"]] == ["Likeness"]
    assert told["service"] == []
