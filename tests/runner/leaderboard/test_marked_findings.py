"""What lint finds is marked where it is: in the score that is shown, in a column or in a row, and nowhere else."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from planned_records import measure
from small_boards import published, small_outputs

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange import snapshot, store
from embedmark.runner.leaderboard import findings as module
from embedmark.runner.leaderboard.bench import Bench, bench
from embedmark.runner.leaderboard.findings import Row, by_score, findings, published_findings
from embedmark.runner.leaderboard.scores import AllScores, all_scores
from embedmark.runner.lint import lint
from embedmark.runner.lint.frame import SCHEMA, frame
from embedmark.runner.lint.lint import lint_scores


def row(**values: str | None) -> Row:
    return {**dict.fromkeys(SCHEMA), "severity": "warning", "rule": "zero", "where": "there", "evidence": "0", **values}


def board(scores: AllScores, name: str = "Small") -> Bench:
    made = bench(scores, name)
    assert made is not None
    return made


@pytest.fixture
def scores(tmp_path: Path) -> AllScores:
    return all_scores(small_outputs(tmp_path), Catalogue.of([tmp_path]), ["Small", "Tiny"])


def marks(scores: AllScores, one: Row, name: str = "Small") -> list[tuple[str, str, str]]:
    made = board(scores, name)
    found = findings([one], made.matrix, None)
    assert not found.tasks + found.models
    return [(made.matrix.tasks[task], made.matrix.names[model], found.text[text]) for task, model, text in found.scores]


X = {"model": "org/x", "revision": "r" * 40, "task": "Topics", "split": "test"}


def test_a_score_is_marked_where_its_subset_counts(scores: AllScores) -> None:
    assert marks(scores, row(**X, subset="de")) == [("Topics", "org/x", "test, de: zero: 0")]
    assert marks(scores, row(**X, subset="de"), "Tiny") == []
    assert marks(scores, row(**X, subset="en"), "Tiny") == [("Topics", "org/x", "zero: 0")]


def test_all_subsets_of_a_task_are_one_mark(scores: AllScores) -> None:
    assert marks(scores, row(**X)) == [("Topics", "org/x", "test: zero: 0")]


def test_what_is_of_another_revision_or_model_or_split_marks_nothing(scores: AllScores) -> None:
    assert marks(scores, row(**{**X, "revision": "s" * 40})) == []
    assert marks(scores, row(**{**X, "model": "org/nobody"})) == []
    assert marks(scores, row(**{**X, "split": "dev"})) == []
    assert marks(scores, row(**{**X, "task": "Elsewhere"})) == []


def test_ones_own_score_is_not_what_was_published(scores: AllScores) -> None:
    assert "org/a" in board(scores).matrix.names
    assert marks(scores, row(**{**X, "model": "org/a", "task": "Likeness"})) == []


def test_a_task_at_the_floor_is_so_on_the_board_too(scores: AllScores) -> None:
    assert marks(scores, row(**{**X, "task": "Likeness", "split": None}, rule="floor")) == []
    low = board(scores).matrix
    values = low.values.copy()
    values[low.names.index("org/x"), low.tasks.index("Likeness")] = 0.01
    found = findings([row(**{**X, "task": "Likeness", "split": None}, rule="floor")], replace(low, values=values))
    assert len(found.scores) == 1


def test_columns_and_rows_are_marked_as_a_whole(scores: AllScores) -> None:
    made = board(scores)
    some = [
        row(task="Topics", rule="group", evidence="higher"),
        row(model="org/x", rule="twins", where="org/x org/y", evidence="equal"),
        row(model="org/y", rule="twins", where="org/x org/y", evidence="equal"),
        row(task="Elsewhere", rule="group"),
    ]
    found = findings(some, made.matrix, None)
    assert [(made.matrix.tasks[task], found.text[text]) for task, text in found.tasks] == [("Topics", "group: higher")]
    told = [(made.matrix.names[model], found.text[text]) for model, text in found.models]
    assert told == [("org/x", "twins: org/x org/y: equal")]
    assert found.scores == []
    assert len(found.text) == 2


def test_ones_own_records_are_looked_at_by_the_rules_over_a_row(tmp_path: Path) -> None:
    outputs = small_outputs(tmp_path)
    measure(tmp_path, "model=a", "task=topics", score=1.5, outputs=outputs)
    made = board(all_scores(outputs, Catalogue.of([tmp_path]), ["Small"]))
    found = findings([], made.matrix, made.made)
    where = {(made.matrix.tasks[task], made.matrix.models[model]) for task, model, _ in found.scores}
    assert where == {("Topics", "org/a")}
    assert {found.text[text] for *_, text in found.scores} == {
        "test, de: share: accuracy 1.5 is no share", "test, en: share: accuracy 1.5 is no share",
    }  # fmt: skip


def test_texts_of_a_page_of_a_model_or_task() -> None:
    some = [row(**X, subset="de"), row(**X, rule="floor"), row(task="Topics"), row(model="org/x")]
    assert by_score(some) == {
        ("org/x", "Topics"): ["test: de: zero: 0", "test: floor: 0"],
        ("", "Topics"): ["zero: 0"],
        ("org/x", ""): ["there: zero: 0"],
    }


def impossible(outputs: Path) -> None:
    rows = [published("org/x", "Likeness", 7.0), published("org/x", "Topics", 0.5, subset="en")]
    store.add(outputs, pl.DataFrame(rows, schema=store.schema()))


def told(rows: list[Row]) -> list[tuple[Any, ...]]:
    return [(one["severity"], one["rule"], one["model"], one["task"], one["revision"]) for one in rows]


def test_imported_scores_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    impossible(tmp_path)
    looked: list[int] = []
    monkeypatch.setattr(lint, "lint_scores", lambda frame: looked.append(frame.height) or lint_scores(frame))
    first = published_findings(tmp_path)
    assert told(first) == [("error", "range", "org/x", "Likeness", "r" * 40)]
    assert published_findings(tmp_path) == first
    assert looked == [2]
    store.add(tmp_path, pl.DataFrame([published("org/y", "Likeness", -3.0)], schema=store.schema()))
    assert len(published_findings(tmp_path)) == 2
    assert looked == [2, 3]


def test_a_damaged_file_of_findings_is_made_anew(tmp_path: Path) -> None:
    impossible(tmp_path)
    (tmp_path / "imported" / "findings.parquet").write_bytes(b"PAR1 is not one")
    assert len(published_findings(tmp_path)) == 1


def test_a_folder_that_may_not_be_written_is_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impossible(tmp_path)

    def refuse(path: Path, content: bytes, *, durable: bool) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(module, "write_atomically", refuse)
    assert len(published_findings(tmp_path)) == 1
    assert not (tmp_path / "imported" / "findings.parquet").exists()


def test_damaged_scores_are_named(tmp_path: Path) -> None:
    (tmp_path / "imported").mkdir()
    (tmp_path / "imported" / "scores.parquet").write_bytes(b"no")
    with pytest.raises(UserError, match=r"scores\.parquet: cannot be read as Parquet"):
        published_findings(tmp_path)


def test_models_are_named_as_today_and_notes_are_left_out() -> None:
    shipped = snapshot.findings()
    assert shipped.schema == pl.Schema(SCHEMA)
    found = published_findings(None)
    assert len(found) == shipped.filter(pl.col("severity") != "info").height > 100
    assert {one["model"] for one in found if one["rule"] == "twins"} >= {"mongodb/voyage-2", "mongodb/voyage-large-2"}


@pytest.mark.slow
def test_what_ships_is_what_lint_finds() -> None:
    found, shipped = frame(lint_scores(snapshot.scores().collect())), snapshot.findings()
    where = ["severity", "rule", "where", "model", "revision", "task", "split", "subset"]
    assert found.select(where).equals(shipped.select(where))


def test_every_mark_of_the_field_is_in_a_score_that_there_is() -> None:
    made = board(all_scores(None, Catalogue(quiet=True), ["MTEB(eng, v2)"]), "MTEB(eng, v2)")
    found = findings(published_findings(None), made.matrix)
    assert found.scores
    assert found.tasks
    assert found.models
    for task, model, text in found.scores:
        assert np.isfinite(made.matrix.values[model, task]), found.text[text]
    assert sorted({*range(len(found.text))}) == sorted(
        {text for *_, text in [*found.scores, *found.tasks, *found.models]}
    )
