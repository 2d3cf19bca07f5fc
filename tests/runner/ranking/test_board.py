"""`report --ranks`: the field's ranks, what they leave open, and one's own models among the published ones."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from planned_records import measure
from small_project import small_project

from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.ranking.board import Board, board
from embedmark.runner.ranking.families import families
from embedmark.runner.ranking.matrix import ScoreMatrix, published
from embedmark.runner.report.rows import TaskRow
from embedmark.runner.stats import ranks, separation

SUMMARIES = Path(__file__).parents[2] / "facts/summaries"
"""The reference's own summary of the published scores that ship; tests/benchmarks/summary_parity.py made them."""

TWINS = {f"jinaai/jina-embeddings-v5-{kind}-{size}" for kind in ("omni", "text") for size in ("nano", "small")}
"""Two pairs of equal scores: ties here, where scores are rounded to a millionth; there a mean's last bit decides."""


@pytest.mark.parametrize("benchmark", ["mteb_eng_v2", "mteb_multilingual_v2"])
def test_ranks_and_means_equal_the_references_summary(benchmark: str) -> None:
    catalogue = Catalogue.of([])
    matrix = published(catalogue.benchmark(benchmark), catalogue)
    made = board(matrix, families(matrix.tasks, catalogue).of, draws=10)
    with (SUMMARIES / f"{benchmark}.csv").open(encoding="utf-8") as file:
        expected = {row["Model"]: row for row in csv.DictReader(file)}
    assert set(expected) == set(matrix.models)
    by_rule = ranks.places(ranks.points2(made.matrix.values).sum(axis=1)).tolist()
    differing = set()
    for place in made.places:
        model = matrix.models[place.row]
        row = expected[model]
        rank = by_rule[place.row]
        assert place.rank in (rank, None)
        if rank != int(row["Rank (Borda)"]):
            differing.add(model)
        if place.mean is not None:
            assert place.mean == pytest.approx(float(row["Mean (Task)"]), abs=5e-7)
            assert place.mean_type == pytest.approx(float(row["Mean (TaskType)"]), abs=5e-7)
    assert differing <= TWINS


@pytest.mark.parametrize("benchmark", ["mieb_eng", "mieb_multilingual", "mieb_lite", "mieb_img"])
def test_benchmarks_of_images_are_ranked_by_types_as_the_reference_does(benchmark: str) -> None:
    """It ranks models that lack tasks as well, after all others and in no order: here they have no rank."""
    catalogue = Catalogue.of([])
    config = catalogue.benchmark(benchmark)
    matrix = published(config, catalogue)
    made = board(matrix, families(matrix.tasks, catalogue).of, config.ranked_by, draws=10)
    with (SUMMARIES / f"{benchmark}.csv").open(encoding="utf-8") as file:
        expected = {row["Model"]: row for row in csv.DictReader(file)}
    assert set(expected) == set(matrix.models)
    means = {matrix.models[place.row]: (place.rank, place.mean_type) for place in made.places}
    for model, row in expected.items():
        rank, mean = means[model]
        if not row["Mean (TaskType)"]:
            assert (rank, mean) == (None, None)
        else:
            assert (rank, mean) == (int(row["Rank"]), pytest.approx(float(row["Mean (TaskType)"]), abs=5e-7))
    assert sum(rank is not None for rank, _ in means.values()) > 30


def scores(n_models: int = 40, n_tasks: int = 20, seed: int = 0) -> ScoreMatrix:
    """Models that get worse by steps of a hundredth, on tasks of four types."""
    generator = np.random.default_rng(seed)
    values = 0.8 - 0.01 * np.arange(n_models)[:, None] + generator.normal(0, 0.02, (n_models, n_tasks))
    models = tuple(f"m{row:02}" for row in range(n_models))
    tasks = tuple(f"T{column}" for column in range(n_tasks))
    types = tuple(f"Type{column % 4}" for column in range(n_tasks))
    asked = tuple(TaskRow(name, kind) for name, kind in zip(tasks, types, strict=True))
    return ScoreMatrix(models, models, tasks, types, values, ((),) * n_models, (False,) * n_models, asked)


def of(matrix: ScoreMatrix, **more: object) -> Board:
    return board(matrix, np.arange(len(matrix.tasks)), draws=400, **more)  # type: ignore[arg-type]


def test_places_lie_within_their_intervals() -> None:
    for by in ("borda", "mean", "type"):
        made = of(scores(), by=by)
        assert [made.matrix.models[place.row] for place in made.places[:2]] == ["m00", "m01"]
        for place in made.places:
            assert place.rank is not None
            assert place.low is not None
            assert place.high is not None
            assert place.low <= place.rank <= place.high
        assert made.places[0].first == max(place.first or 0 for place in made.places)


def test_an_incomplete_model_has_two_ranks() -> None:
    """The field counts a missing task as nothing; what it would be with all tasks is another number."""
    matrix = scores()
    matrix.values[3, :8] = np.nan
    made = of(matrix)
    place = next(place for place in made.places if place.row == 3)
    assert place.rank is not None
    assert place.rank > 15
    assert place.complete is not None
    middle, low, high = place.complete
    assert low <= 4 <= high
    assert low <= middle <= high
    assert (place.low, place.high, place.group, place.mean) == (None, None, None, None)


@pytest.mark.parametrize("by", ["mean", "type"])
def test_a_model_without_a_mean_has_a_place_if_all_were_complete(by: str) -> None:
    matrix = scores()
    matrix.values[3, :8] = np.nan
    made = of(matrix, by=by)
    place = next(place for place in made.places if place.row == 3)
    assert place.rank is None
    assert place.complete is not None
    middle, low, high = place.complete
    assert low <= 4 <= high
    assert low <= middle <= high <= 15


def test_a_missing_task_makes_no_groups() -> None:
    """That a missing task counts as nothing must not say whom a model is told apart from."""
    lacking = scores()
    lacking.values[0, :5] = np.nan
    made = of(lacking)
    groups = {place.row: place.group for place in made.places}
    assert groups.pop(0) is None
    assert made.leaders[0] == 1
    whole = ranks.points2(lacking.values)[1:]
    order = np.argsort(-whole.sum(axis=1), kind="stable")
    apart = separation.pairwise(whole[order].astype(np.float64), np.arange(20)).separated
    assert [groups[int(row) + 1] for row in order] == separation.groups(np.arange(39), apart).tolist()


def test_with_fewer_than_eight_tasks_a_model_is_not_ranked() -> None:
    matrix = scores()
    matrix.values[0, 7:] = np.nan
    place = of(matrix).places[-1]
    assert (place.row, place.rank, place.complete, place.n_tasks) == (0, None, None, 7)


def test_five_families_decide_nothing() -> None:
    made = board(scores(), np.arange(20) % 5, draws=50)
    assert made.leaders == ()
    assert all(place.rank is not None and place.low is None and place.group is None for place in made.places)


def test_what_a_model_moves_without_a_type() -> None:
    matrix = scores()
    matrix.values[10, ::4] = 0.99
    made = of(matrix, left_out="type")
    place = next(place for place in made.places if place.row == 10)
    assert place.moved is not None
    name, down = place.moved
    assert name == "Type0"
    assert down > 0


def test_a_task_without_any_score_is_left_out() -> None:
    matrix = scores()
    matrix.values[:, 5] = np.nan
    made = of(matrix)
    assert made.unscored == ("T5",)
    assert made.places[0].n_tasks == 19
    assert made.places[0].low is not None


def test_a_task_that_nobody_has_moves_nothing() -> None:
    """Nor does its family, of which there would be a draw."""
    matrix = scores()
    families = np.array([3, 0, 0, 1, 1, *range(4, 19)])
    empty = np.full((len(matrix.models), 1), np.nan)
    more = ScoreMatrix(
        matrix.models, matrix.names, ("Empty", *matrix.tasks), ("Type0", *matrix.types),
        np.concatenate([empty, matrix.values], axis=1), matrix.revisions, matrix.own,
        (TaskRow("Empty", "Type0"), *matrix.asked),
    )  # fmt: skip
    made = board(more, np.array([2, *families]), draws=400)
    assert made.unscored == ("Empty",)
    assert made.places == board(matrix, families, draws=400).places


def test_own_models_are_shown_wherever_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small_project(tmp_path / "project")
    measure(tmp_path / "project", "model=tiny", "benchmark=mteb_eng_v2", score=0.1)
    capsys.readouterr()
    arguments = ["report", "--ranks", "--benchmark", "mteb_eng_v2", "--top", "3", "--config-dir", "project"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "325 models on 41 tasks. Of the 184 with all of them, the first five cannot be told apart." in out
    assert "test/tiny (measured here)" in out
    found = json.loads(Path("outputs/report/ranks.json").read_text())
    (own,) = [place for place in found["models"] if place["own"]]
    assert own["n_tasks"] == 41
    assert own["mean"] == pytest.approx(0.1)
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_options_of_ranks_alone_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--leave-out", "type"]) == 2
    assert "give --ranks" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ([], "give --benchmark NAME"),
        (["--benchmark", "mteb_eng_v9"], "mteb_eng_v2"),
        (["--benchmark", "mteb_eng_v2", "--top", "0"], "--top: found 0"),
    ],
)
def test_what_cannot_be_ranked(
    more: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "--ranks", *more]) == 2
    assert words in capsys.readouterr().err
