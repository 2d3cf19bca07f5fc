"""Which tasks models were trained on: as the field's leaderboard counts it, from the configs that ship and metadata."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from loopback import shared_folder

from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import SHIPPED, Catalogue
from embedmark.runner.exchange import snapshot
from embedmark.runner.ranking.matrix import ScoreMatrix
from embedmark.runner.ranking.zeroshot import Source, State, TrainingData, training_data, without_trained
from embedmark.runner.report.rows import TaskRow

BOARD = shared_folder() / "facts" / "results" / "reference_board_eng_v2.csv"
ENGLISH = "MTEB(eng, v2)"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(quiet=True)


@pytest.fixture(scope="module")
def data(catalogue: Catalogue) -> TrainingData:
    return training_data(catalogue)


@pytest.fixture(scope="module")
def tasks(catalogue: Catalogue) -> list[str]:
    return [task.name for task in catalogue.benchmark(ENGLISH).tasks]


@pytest.mark.skipif(not BOARD.is_file(), reason="no leaderboard of the reference (../shared/facts)")
def test_the_leaderboards_column(data: TrainingData, tasks: list[str]) -> None:
    with BOARD.open(encoding="utf-8") as file:
        board = {row["Model"]: int(row["Zero-shot"]) for row in csv.DictReader(file)}
    shares = {model: data.share(model, tasks) for model in board}
    assert len(board) == 317
    assert {model: -1 if share is None else share for model, share in shares.items()} == board


@pytest.mark.parametrize(
    ("model", "share", "why"),
    [
        ("intfloat/e5-mistral-7b-instruct", 95, "named itself: 2 of 41"),
        ("Qwen/Qwen3-Embedding-8B", 95, "through adapted_from: by names alone 100"),
        ("infgrad/Jasper-Token-Compression-600M", 48, "through superseded_by: without it 53"),
        ("sdadas/mmlw-e5-large", 95, "through its base: without it 100"),
        ("sergeyzh/LaBSE-ru-turbo", 100, "[]: trained on none of these"),
        ("jinaai/jina-embeddings-v5-text-small", None, "null: nobody knows"),
        ("nobody/nothing", None, "no file, no metadata"),
    ],
)
def test_models(model: str, share: int | None, why: str, data: TrainingData, tasks: list[str]) -> None:
    assert data.share(model, tasks) == share, why


def test_a_model_goes_by_its_old_name_and_by_its_folders(data: TrainingData) -> None:
    assert data.knows("voyageai/voyage-3.5")
    assert data.knows("openai/text-embedding-3-small_(embed_dim=512)")


GRAPH = {"new": ["old"], "old": ["new", "older"], "older": ["old"]}
TOLD: Mapping[str, Sequence[str] | None] = {
    "own": ["old"], "none": [], "unknown": None, "tuned": ["other"], "of unknown": ["other"], "circle": ["other"],
    "hidden": None,
}  # fmt: skip
BASES = {"tuned": "own", "of unknown": "unknown", "circle": "circle", "hidden": "own"}
SMALL = TrainingData(TOLD, BASES, GRAPH)


def test_what_is_reached() -> None:
    assert SMALL.trained("own") == {name: Source("old", "own") for name in ("new", "old", "older")}
    assert SMALL.trained("tuned") == {**(SMALL.trained("own") or {}), "other": Source("other", "tuned")}
    for model in ("of unknown", "circle"):
        assert SMALL.trained(model) == {"other": Source("other", model)}
    assert SMALL.trained("none") == {}
    assert SMALL.trained("unknown") is SMALL.trained("hidden") is None


def test_states_and_a_matrix_without_what_was_trained_on() -> None:
    models, tasks = ("own", "none", "unknown"), ("new", "other")
    states = SMALL.states(models, tasks)
    assert states.tolist() == [
        [State.TRAINED, State.ZERO_SHOT], [State.ZERO_SHOT, State.ZERO_SHOT], [State.UNKNOWN, State.UNKNOWN],
    ]  # fmt: skip
    labels = ("own (float16)", "none", "unknown")
    asked = (TaskRow("new", "STS"), TaskRow("other", "STS"))
    matrix = ScoreMatrix(labels, models, tasks, ("STS",) * 2, np.ones((3, 2)), ((),) * 3, (True, False, False), asked)
    clean = without_trained(matrix, SMALL)
    assert np.isnan(clean.values).tolist() == [[True, False], [False, False], [False, False]]
    assert (clean.models, matrix.values.sum()) == (labels, 6)


NAMES = st.sampled_from("abcdef")


@given(edges=st.lists(st.tuples(NAMES, NAMES), max_size=8), told=st.sets(NAMES), more=st.sets(NAMES))
def test_laws(edges: list[tuple[str, str]], told: set[str], more: set[str]) -> None:
    """What was trained on is closed under the graph, and grows with what is told."""
    near: dict[str, list[str]] = {}
    for one, other in edges:
        near.setdefault(one, []).append(other)
        near.setdefault(other, []).append(one)
    found = TrainingData({"m": sorted(told), "n": sorted(told | more)}, {}, near)
    trained, wider = found.trained("m"), found.trained("n")
    assert trained is not None
    assert wider is not None
    assert told <= trained.keys() <= wider.keys()
    assert all((one in trained) == (other in trained) for one, other in edges)


def test_files_of_ones_own_say_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "task").mkdir()
    tuned = {
        "name": "mine/tuned", "loader": "sentence_transformer", "source": {"hub": "mine/tuned"}, "revision": "a" * 40,
        "about": {"training_datasets": ["SupportTickets"], "adapted_from": "intfloat/e5-mistral-7b-instruct"},
    }  # fmt: skip
    task = {
        "name": "SupportTickets", "type": "sts", "dataset": {"files": "/tickets"}, "languages": ["eng-Latn"],
        "main_metric": "cosine_spearman", "about": {"superseded_by": "STS12"},
    }  # fmt: skip
    (tmp_path / "model" / "tuned.yaml").write_text(yaml.safe_dump(tuned))
    (tmp_path / "model" / "broken.yaml").write_text(yaml.safe_dump({"name": "mine/broken", "abuot": {}}))
    (tmp_path / "task" / "tickets.yaml").write_text(yaml.safe_dump(task))
    assert main(["show", "tuned", "--benchmark", ENGLISH, "--config-dir", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "mine/tuned: 92 % of MTEB(eng, v2) is zero-shot; trained on 3 of 41 tasks:",
        "  FEVERHardNegatives     told of intfloat/e5-mistral-7b-instruct: FEVERHardNegatives",
        "  HotpotQAHardNegatives  told of intfloat/e5-mistral-7b-instruct: HotpotQAHardNegatives",
        "  STS12                  told: SupportTickets",
    ]
    assert "warning: left out" in printed.err
    assert "broken.yaml: abuot" in printed.err


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "AITeamVN/Vietnamese_Embedding", "--benchmark", ENGLISH]) == 0
    assert "is not known: nobody tells what it was trained on" in capsys.readouterr().out
    assert main(["show", "minilm", "--benchmark", ENGLISH]) == 0
    assert "100 % of MTEB(eng, v2) is zero-shot; trained on 0 of 41 tasks\n" in capsys.readouterr().out
    assert main(["show", "nobody/nothing", "--benchmark", ENGLISH]) == 2
    assert "no model 'nobody/nothing'" in capsys.readouterr().err


def test_files_that_ship_say_what_the_metadata_says(catalogue: Catalogue) -> None:
    """So that reading them all is not needed: 538 models and 1,339 tasks take a second."""
    models = {row["name"]: row for row in snapshot.models().iter_rows(named=True)}
    for name, entry in catalogue.models.items():
        if name in models and entry.path.is_relative_to(SHIPPED):
            about = catalogue.values("model", name)[1].get("about", {})
            told, known = about.get("training_datasets"), models[name]["training_datasets"]
            assert (None if told is None else sorted(told)) == (None if known is None else sorted(known)), name
            assert about.get("adapted_from") == models[name]["adapted_from"], name
    tasks = {row["name"]: row for row in snapshot.tasks().iter_rows(named=True)}
    for name in catalogue.tasks:
        if name in tasks:
            about = catalogue.values("task", name)[1].get("about", {})
            assert about.get("adapted_from", []) == tasks[name]["adapted_from"], name
            assert about.get("superseded_by") == tasks[name]["superseded_by"], name
