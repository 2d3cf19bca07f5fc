"""Published scores as a matrix: which cells count, of which revision, and one's own beside them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from loopback import shared_folder
from planned_records import measure

from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import SHIPPED, Catalogue
from embedmark.runner.config.identity import Pin
from embedmark.runner.config.yaml_files import read_yaml
from embedmark.runner.exchange import snapshot
from embedmark.runner.exchange.names import present_model
from embedmark.runner.exchange.task_scores import scores_of_tasks
from embedmark.runner.ranking.matrix import ScoreMatrix, published, with_own
from embedmark.runner.report.report import Options, report
from embedmark.runner.report.rows import TaskRow, rows_asked, rows_of_benchmark, wanted_tasks
from embedmark.runner.resolve import Pins

REFERENCE = shared_folder() / "facts" / "results" / "reference_scores_eng_v2.csv"
ENGLISH = "MTEB(eng, v2)"


def cells(*rows: tuple[str, str, str, str, float]) -> pl.LazyFrame:
    """Scores on the split test: model, revision, task, subset, score."""
    columns = ("model", "revision", "task", "subset", "main_score")
    return pl.LazyFrame(rows, schema=columns, orient="row").with_columns(split=pl.lit("test"))


def task(name: str, *subsets: str, members: tuple[TaskRow, ...] = ()) -> TaskRow:
    return TaskRow(name, "STS", tuple(("test", subset) for subset in subsets), members)


def test_a_score_is_the_mean_over_all_that_the_task_needs_or_none() -> None:
    tasks = [task("A", "en", "de"), task("Both", members=(task("A", "en"), task("B", "en")))]
    found = scores_of_tasks(
        cells(
            ("whole", "r", "A", "en", 0.2), ("whole", "r", "A", "de", 0.4), ("whole", "r", "A", "fr", 0.9),
            ("whole", "r", "B", "en", 0.6), ("part", "r", "A", "en", 0.2), ("part", "r", "A", "de", float("nan")),
        ),
        tasks,
        {},
    )  # fmt: skip
    assert found["whole"].scores == pytest.approx({"A": 0.3, "Both": 0.4})
    assert "part" not in found


SEVERAL = cells(
    ("m", "card", "A", "en", 0.1), ("m", "card", "B", "en", 0.1), ("m", "card", "C", "en", 0.1),
    ("m", "named", "A", "en", 0.2), ("m", "other", "A", "en", 0.3), ("m", "other", "B", "en", 0.3),
)  # fmt: skip
THREE = [task(name, "en") for name in "ABC"]


def test_one_revision_counts_and_several_are_only_joined_when_asked_for() -> None:
    assert scores_of_tasks(SEVERAL, THREE, {"m": "named"})["m"].scores == {"A": 0.2}
    most = scores_of_tasks(SEVERAL, THREE, {"m": "unseen"})["m"]
    assert (most.revisions, most.scores) == (("card",), {"A": 0.1, "B": 0.1, "C": 0.1})
    joined = scores_of_tasks(SEVERAL, THREE, {"m": "named"}, "joined")["m"]
    assert (joined.revisions, joined.scores) == (("named", "card"), {"A": 0.2, "B": 0.1, "C": 0.1})


def test_scores_of_no_told_revision_are_the_last_to_be_joined() -> None:
    frame = SEVERAL.with_columns(pl.col("revision").replace({"card": "external"}))
    joined = scores_of_tasks(frame, THREE, {"m": "named"}, "joined")["m"]
    assert (joined.revisions, joined.scores) == (("named", "other", "external"), {"A": 0.2, "B": 0.3, "C": 0.1})


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(quiet=True)


@pytest.fixture(scope="module")
def english(catalogue: Catalogue) -> ScoreMatrix:
    return published(catalogue.benchmark(ENGLISH), catalogue, revisions="joined")


def test_the_snapshot_of_a_benchmark(english: ScoreMatrix, catalogue: Catalogue) -> None:
    assert english.values.shape == (len(english.models), 41)
    assert (english.complete.sum(), len(english.models)) == (183, 324)
    one = published(catalogue.benchmark(ENGLISH), catalogue)
    assert all(len(revisions) == 1 for revisions in one.revisions)
    assert one.complete.sum() == 103
    both = ~np.isnan(one.values)
    kept = [english.models.index(model) for model in one.models]
    assert np.array_equal(one.values[both], english.values[kept][both])


@pytest.mark.skipif(not REFERENCE.is_file(), reason="no scores of the reference (../shared/facts)")
def test_scores_are_those_that_the_reference_reads_out(english: ScoreMatrix) -> None:
    """321 of its 10,362 are in files of old layouts, which the snapshot is not made of: of nine models none is."""
    with REFERENCE.open(encoding="utf-8") as file:
        rows = {
            (present_model(row["model_name"]), row["task_name"]): float(row["score"]) for row in csv.DictReader(file)
        }
    found = {
        (model, name): english.values[row, column]
        for row, model in enumerate(english.models)
        for column, name in enumerate(english.tasks)
        if not np.isnan(english.values[row, column])
    }
    assert len(rows) == 10_362
    assert len(found) == 10_041
    assert not found.keys() - rows.keys()
    assert max(abs(score - rows[cell]) for cell, score in found.items()) < 1e-5


def test_the_catalogue_that_ships_names_the_revisions_of_the_metadata(catalogue: Catalogue) -> None:
    known = snapshot.revisions()
    differing = [
        entry.path.name
        for name, entry in catalogue.models.items()
        if name in known and entry.path.is_relative_to(SHIPPED)
        and read_yaml(Path(entry.path)).get("revision", known[name]) != known[name]
    ]  # fmt: skip
    assert not differing


def test_ones_own_scores_stand_in_for_what_is_published_of_the_model(
    english: ScoreMatrix, catalogue: Catalogue, tmp_path: Path
) -> None:
    measure(tmp_path, "model=minilm", "tasks=[STSBenchmark,STS14]", score=0.99, outputs=tmp_path / "outputs")
    made = report(tmp_path / "outputs", catalogue, Options(ENGLISH))
    joined = with_own(english, made)
    name = "sentence-transformers/all-MiniLM-L6-v2"
    assert english.models.count(name) == joined.models.count(name) == 1
    assert (joined.models[-1], joined.own[-1], sum(joined.own)) == (name, True, 1)
    assert len(joined.revisions[-1]) == 1
    told = {task: score for task, score in zip(joined.tasks, joined.values[-1], strict=True) if not np.isnan(score)}
    assert told == {"STSBenchmark": 0.99, "STS14": 0.99}
    assert np.array_equal(joined.values[0], english.values[0], equal_nan=True)


def test_ones_own_scores_of_other_subsets_are_none_of_the_benchmarks(
    english: ScoreMatrix, catalogue: Catalogue, tmp_path: Path
) -> None:
    measure(tmp_path, "model=minilm", "tasks=[STS17,STS14]", score=0.99, outputs=tmp_path / "outputs")
    for options, missing in ((Options(), ["STS17"]), (Options(ENGLISH), [])):
        joined = with_own(english, report(tmp_path / "outputs", catalogue, options))
        own = dict(zip(joined.tasks, joined.values[-1], strict=True))
        assert [task for task in ("STS14", "STS17") if np.isnan(own[task])] == missing


def test_imported_scores_of_a_cell_count_once(catalogue: Catalogue, tmp_path: Path) -> None:
    for version, score in (("1.9.0", 0.1), ("1.38.0", 0.2)):
        folder = tmp_path / version / "org__model" / ("a" * 40)
        folder.mkdir(parents=True)
        row = {"hf_subset": "default", "languages": ["eng-Latn"], "main_score": score}
        told = {"dataset_revision": "b" * 40, "task_name": "STS12", "mteb_version": version, "scores": {"test": [row]}}
        (folder / "STS12.json").write_text(json.dumps(told))
        assert main(["import", str(tmp_path / version), "--outputs", str(tmp_path / "outputs")]) == 0
    found = published(catalogue.benchmark(ENGLISH), catalogue, tmp_path / "outputs")
    assert found.models == ("org/model",)
    assert found.values[0, found.tasks.index("STS12")] == 0.2


def test_a_file_of_ones_own_names_the_revision_that_counts(catalogue: Catalogue, tmp_path: Path) -> None:
    name = "thenlper/gte-base"
    by_metadata = published(catalogue.benchmark(ENGLISH), catalogue)
    (tmp_path / "model").mkdir()
    values = {"name": name, "loader": "sentence_transformer", "revision": "external"}
    (tmp_path / "model" / "gte.yaml").write_text(json.dumps(values))
    own = Catalogue((tmp_path, SHIPPED), quiet=True)
    by_file = published(own.benchmark(ENGLISH), own)
    assert by_metadata.revisions[by_metadata.models.index(name)] == ("c078288308d8dee004ab72c6191778064285ec0c",)
    assert by_file.revisions[by_file.models.index(name)] == ("external",)


@pytest.mark.parametrize("benchmark", [ENGLISH, "MTEB(eng, v1)", "MTEB(Medical, v1)"])
def test_rows_are_those_of_a_report(benchmark: str, catalogue: Catalogue) -> None:
    asked = catalogue.benchmark(benchmark)
    unpinned = Pins(lambda *_: Pin(), lambda _: Pin())
    reported = rows_of_benchmark(wanted_tasks(asked, catalogue, unpinned), ())
    assert list(map(shape, rows_asked(asked, catalogue))) == list(map(shape, reported))


def shape(row: TaskRow) -> tuple[object, ...]:
    return row.name, row.type, row.slots, tuple(map(shape, row.members))
