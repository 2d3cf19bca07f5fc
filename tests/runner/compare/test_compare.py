"""`compare` and `report --intervals`, as a user calls them."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from small_project import WORDS, small_project, table, task

from embedmark.runner.cli.main import main
from embedmark.runner.common.terminal import open_console
from embedmark.runner.compare.comparison import Asked, Comparison, TaskComparison
from embedmark.runner.compare.scores import _within
from embedmark.runner.compare.show import print_comparison
from embedmark.runner.results.items import npz, read_items
from embedmark.runner.results.record import read_record
from embedmark.runner.stats.means import mean_of_tasks
from embedmark.runner.stats.paired import Paired
from embedmark.runner.stats.spread import Spread

FIRST, OTHER = "tiny", "tiny@truncate_dim=1"
DIMENSIONS = {100: 1, 200: 1, 300: 7, 400: 8}


def finding(folder: Path, n: int = 60) -> None:
    """Task Find: each of n queries is the text of one document, which 8 dimensions tell apart and one does not."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 6)) for _ in range(n)]
    table(folder, "find/corpus", test=[{"_id": f"d{i}", "title": "", "text": text} for i, text in enumerate(texts)])
    table(folder, "find/queries", test=[{"_id": f"q{i}", "text": text} for i, text in enumerate(texts)])
    table(folder, "find/qrels", test=[{"query-id": f"q{i}", "corpus-id": f"d{i}", "score": 1} for i in range(n)])
    task(folder, "Find", "retrieval", "ndcg_at_10")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outputs of one model at 8 dimensions and at 1, and of four checkpoints."""
    folder = tmp_path_factory.mktemp("compare")
    project = small_project(folder / "project")
    finding(project)
    (project / "benchmark").mkdir()
    (project / "benchmark/small.yaml").write_text("name: small\ntasks: [Find, Pairs, Likeness, Topics]\n")
    for step, dim in DIMENSIONS.items():
        config = {"name": f"test/run-{step}", "source": {"path": str(project / "weights")}, "truncate_dim": dim}
        (project / f"model/run_{step}.yaml").write_text(yaml.safe_dump(config))
    asked = ["run", f"outputs={folder / 'outputs'}", "--config-dir", str(project)]
    for more in ([], ["model.truncate_dim=1"]):
        assert main([*asked, "model=tiny", "tasks=[Find,Pairs,Likeness,Topics,Groups,Twins,Search]", *more]) == 0
    for step in DIMENSIONS:
        assert main([*asked, f"model=run_{step}", "tasks=[Find]"]) == 0
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    return tmp_path


def compare(*args: str) -> int:
    return main(["compare", *args, "--config-dir", "project"])


def told(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, Any]:
    capsys.readouterr()
    assert compare(*args, "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def records(model: str, task: str) -> Iterator[Path]:
    for path in Path("outputs/jobs").glob(f"{task}--*/result.json"):
        if read_record(path).job.model == model:
            yield path.parent


def test_one_model_under_two_settings(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, FIRST, OTHER)
    (pair,) = found["comparisons"]
    by_task = {task["task"]: task for task in pair["tasks"]}
    assert set(by_task) == {"Find", "Pairs", "Likeness", "Topics", "Groups", "Twins", "Search"}
    assert by_task["Find"]["verdict"] == "better"
    assert by_task["Find"]["p"] == 6 * by_task["Find"]["paired"]["p"] > 0, "Holm over six tests"
    assert by_task["Groups"]["no_test"] == "2 repetitions, documents held fixed: too few"
    scores = [read_record(path / "result.json").main_score for path in records("test/tiny", "Find")]
    assert abs(by_task["Find"]["difference"]) == pytest.approx(abs(scores[0] - scores[1]), abs=2e-5)
    assert pair["overall"]["mean"]["mean"] == pytest.approx(np.mean([task["difference"] for task in pair["tasks"]]))


def test_swapping_turns_signs_and_verdicts(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ((one,), (other,)) = (told(capsys, *names)["comparisons"] for names in ((FIRST, OTHER), (OTHER, FIRST)))
    turned = {"better": "worse", "worse": "better", "cannot tell": "cannot tell"}
    for a, b in zip(one["tasks"], other["tasks"], strict=True):
        assert a["difference"] == pytest.approx(-b["difference"])
        assert a["verdict"] == turned.get(b["verdict"])


def test_a_single_name_is_all_of_its_variants(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pair,) = told(capsys, "tiny")["comparisons"]
    assert {pair["a"], pair["b"]} == {"test/tiny", "test/tiny (truncate_dim=1)"}


def test_statuses_for_a_pipeline(place: Path) -> None:
    only = ("--task", "Find")
    assert compare(FIRST, OTHER, *only, "--fail-if", "worse") == 0
    assert compare(OTHER, FIRST, *only, "--fail-if", "worse") == 1
    assert compare(OTHER, FIRST, *only) == 0
    assert compare(OTHER, FIRST, "--fail-if", "any-worse") == 1


def test_words_of_what_cannot_be_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(FIRST, OTHER, "--task", "Likeness") == 0
    out = capsys.readouterr().out
    assert "cannot tell" in out
    assert "same 30 pairs (correlation" in out
    assert 'Cannot tell is not "equal": anything from' in out
    assert "This test would have seen a difference of" in out


def test_pictures_hold_no_script(place: Path) -> None:
    forest, run = place / "forest.svg", place / "run.svg"
    assert compare(FIRST, OTHER, "--svg", str(forest)) == 0
    assert compare("run-*", "--over", "revision", "--svg", str(run)) == 0
    for path in (forest, run):
        assert "script" not in ElementTree.parse(path).getroot().tag
        assert "<script" not in path.read_text()


def test_a_run_is_drawn_in_the_order_of_its_steps(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points = told(capsys, "run-*", "--over", "revision")["curve"]["points"]
    assert [point["step"] for point in points] == [100, 200, 300, 400]
    assert points[0]["change"] is None
    assert points[1]["change"]["difference"] == pytest.approx(points[1]["score"] - points[0]["score"], abs=2e-5)
    assert compare("run-*", "--over", "revision") == 0
    assert "Cannot tell after step 300" in capsys.readouterr().out


def test_a_report_with_intervals(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--intervals", "--model", "tiny"]) == 0
    assert "60 queries" in capsys.readouterr().out
    models = json.loads(Path("outputs/report/intervals.json").read_text())["models"]
    for model in models:
        for one in model["tasks"]:
            found = one["interval"]
            assert found is not None or one["task"] == "Groups", one
            assert found is None or found["low"] <= one["score"] <= found["high"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["tiny@none", "run-100"], "no variant 'tiny@none'"),
        (["nobody", "run-100"], "no results of 'nobody'"),
        (["run-100", "run-100"], "named twice"),
        (["run-100"], "only one"),
        (["run-100", "run-200", "--task", "Nothing"], "--task Nothing"),
        (["run-100", "run-200", "--published"], "--benchmark NAME"),
        (["run-100", "--over", "revision"], "a curve needs two"),
    ],
)
def test_what_cannot_be_compared(names: list[str], words: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(*names) == 2
    assert words in capsys.readouterr().err


@pytest.fixture
def copied(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path / "place")
    monkeypatch.chdir(tmp_path / "place")
    return tmp_path / "place"


def test_other_data_is_an_error(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finding(copied / "project", 59)
    for path in records("test/run-100", "Find"):
        shutil.rmtree(path)
    assert (
        main(["run", "model=run_100", "tasks=[Find]", f"outputs={copied / 'outputs'}", "--config-dir", "project"]) == 0
    )
    assert compare("run-100", "run-200") == 2
    err = capsys.readouterr().err
    assert "were measured on different versions of Find" in err
    assert "why " in err


def rewritten(folder: Path, items: dict[str, Any]) -> None:
    """With the sums of the folder, as one would who wants it unseen."""
    old = hashlib.sha256((folder / "items.npz").read_bytes()).hexdigest()
    content = npz(items)
    (folder / "items.npz").write_bytes(content)
    sums = (folder / "SHA256SUMS").read_text()
    (folder / "SHA256SUMS").write_text(sums.replace(old, hashlib.sha256(content).hexdigest()))


def _resummed(folder: Path, name: str, text: str) -> None:
    sums = (folder / "SHA256SUMS").read_text()
    old = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_text(sums.replace(old, hashlib.sha256(text.encode()).hexdigest()))
    (folder / name).write_text(text)


def test_items_of_another_score_give_no_verdict(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder,) = records("test/run-100", "Find")
    items = read_items(folder / "items.npz")
    rewritten(folder, {**items, "ndcg_at_10": items["ndcg_at_10"] / 2})
    (pair,) = told(capsys, "run-100", "run-200")["comparisons"]
    assert pair["tasks"][0]["verdict"] is None
    assert "the record says" in pair["tasks"][0]["no_test"]


def test_without_items_there_is_a_reason(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder,) = records("test/run-100", "Find")
    (folder / "items.npz").unlink()
    sums = (folder / "SHA256SUMS").read_text().splitlines(keepends=True)
    (folder / "SHA256SUMS").write_text("".join(line for line in sums if "items.npz" not in line))
    (pair,) = told(capsys, "run-100", "run-200")["comparisons"]
    assert pair["tasks"][0]["no_test"] == "no items are kept (execution.items=false, or a task type that gives none)"


def test_units_are_matched_by_identity(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rows of one record in another order are the same rows."""
    expected = told(capsys, "run-100", "run-200")["comparisons"][0]["tasks"][0]["paired"]
    (folder,) = records("test/run-100", "Find")
    items = read_items(folder / "items.npz")
    order = np.random.default_rng(0).permutation(60)
    rewritten(folder, {name: values[order] for name, values in items.items()})
    found = told(capsys, "run-100", "run-200")["comparisons"][0]["tasks"][0]["paired"]
    assert found["p"] == pytest.approx(expected["p"])
    assert found["low"] == pytest.approx(expected["low"])


def test_published_scores_say_what_they_cost(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "ingot-8b-r3", "Seed1.5-Embedding", "--benchmark", "mteb_eng_v2", "--outputs", str(place))
    (pair,) = found["comparisons"]
    mean = pair["overall"]["mean"]
    assert len(pair["tasks"]) == 41
    assert pair["overall"]["n_families"] == 36
    assert mean["mean"] == pytest.approx(0.0122, abs=5e-5)
    assert mean["like_these"] == pytest.approx([-0.0034, 0.0277], abs=1e-4)
    assert pair["overall"]["like_these"] == "cannot tell"
    assert pair["overall"]["families_needed"] == 112
    assert mean["as_it_is"] is None
    assert any("carry no items" in note for note in found["notes"])


def test_a_plain_name_is_the_variant_of_the_present_config(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pair,) = told(capsys, "tiny", "tiny@truncate_dim=1", "--task", "Find")["comparisons"]
    assert (pair["a"], pair["b"]) == ("test/tiny", "test/tiny (truncate_dim=1)")
    path = copied / "project/model/tiny.yaml"
    path.write_text(path.read_text() + "truncate_dim: 1\n")
    (pair,) = told(capsys, "tiny", "run-100", "--task", "Find")["comparisons"]
    assert pair["a"] == "test/tiny (truncate_dim=1)"


def test_verdicts_over_all_tasks_are_adjusted_for_all_pairs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "model=tiny", "model.truncate_dim=3", "tasks=[Find,Pairs]", "--config-dir", "project"]) == 0
    names = (FIRST, OTHER, "tiny@truncate_dim=3")
    pairs = told(capsys, *names, "--task", "Find", "--task", "Pairs")["comparisons"]
    raw = sorted(pair["overall"]["mean"]["p_items"] for pair in pairs)
    adjusted = sorted(pair["overall"]["p_as_it_is"] for pair in pairs)
    assert adjusted[0] == pytest.approx(min(3 * raw[0], 1))
    assert adjusted[-1] == pytest.approx(max(raw[-1], min(2 * raw[1], 1), adjusted[0]))


def test_less_is_better_is_turned_round_as_a_whole(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for model, error in (("run-100", 0.3), ("run-200", 0.1)):
        (folder,) = records(f"test/{model}", "Find")
        items = read_items(folder / "items.npz")
        values = error + np.linspace(0, 0.1, 60) * (1 + error)
        rewritten(folder, {"_unit": np.sort(items["_unit"]), "mse": values})
        record = read_record(folder / "result.json")
        score = float(values.mean())
        changed = record.model_copy(update={"main_metric": "mse", "main_score": score, "scores": {"mse": score}})
        _resummed(folder, "result.json", changed.to_json())
    (pair,) = told(capsys, "run-100", "run-200")["comparisons"]
    (task,) = pair["tasks"]
    assert task["metric"] == "mse"
    assert task["difference"] == pytest.approx(task["paired"]["difference"])
    assert task["paired"]["low"] <= task["difference"] <= task["paired"]["high"] < 0
    assert task["verdict"] == "worse"


@pytest.mark.parametrize("width", [80, 60, 20])
def test_a_narrow_terminal_shows_names_and_numbers(width: int) -> None:
    text = io.StringIO()
    found = Paired(0.01, -0.02, 0.04, 0.5, Spread(0.01, 99, 100, 100, 1), 0.5, 0.02, "100 rows")
    task = TaskComparison(
        "TweetSentimentExtractionClassification",
        "TweetSentimentExtractionClassification",
        "Classification",
        "f1",
        0.5,
        0.49,
        found,
        1.0,
        "cannot tell",
    )
    print_comparison(Comparison("a" * 60, "b" * 60, (task,), None, ()), Asked(), open_console(text, width=width))
    out = text.getvalue()
    assert "TweetSent" in out
    assert "[−2.00, +4.00]" in out
    assert "cannot tell" in out
    assert "…" not in out


def test_one_family_has_no_spread_and_json_no_nan(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tasks = ("--task", "ArXivHierarchicalClusteringP2P", "--task", "ArXivHierarchicalClusteringS2S")
    asked = ("ingot-8b-r3", "Seed1.5-Embedding", "--benchmark", "mteb_eng_v2", "--outputs", str(place), *tasks)
    (pair,) = told(capsys, *asked)["comparisons"]
    assert pair["overall"]["mean"]["spread"]["se"] is None
    assert compare(*asked) == 0
    assert "no verdict: 1 family of tasks" in capsys.readouterr().out


def test_a_mean_of_shares_has_no_interval_beyond_them() -> None:
    """Three families far apart: t has two degrees of freedom, and its ends lie where no mean can."""
    scores = [0.9, 0.99, 0.2]
    wide = mean_of_tasks(scores, [0, 1, 2], [None] * 3)
    assert wide.like_these is not None
    assert wide.like_these[0] < 0
    assert wide.like_these[1] > 1
    assert _within(wide, scores).like_these == (0, 1)
    assert _within(wide, [*scores, -0.1]).like_these == wide.like_these
