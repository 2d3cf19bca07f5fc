"""`report --forecast`, `benchmark lite` and `execution.order=informative`, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from planned_records import measure
from sample_records import identity, record
from small_project import small_project

from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.compose import settings_from
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import make_plan
from embedmark.runner.ranking.forecast import known, model_families
from embedmark.runner.ranking.informative import informative
from embedmark.runner.ranking.matrix import published
from embedmark.runner.ranking.times import task_times
from embedmark.runner.results.collect import Kept
from embedmark.runner.results.record import Timing


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    small_project(tmp_path / "project")
    return tmp_path


def test_families_of_models_are_those_of_an_owner_or_a_base() -> None:
    catalogue = Catalogue.of([])
    matrix = published(catalogue.benchmark("mteb_eng_v2"), catalogue, revisions="joined")
    names = [name for name, there in zip(matrix.models, matrix.complete, strict=True) if there]
    sizes = np.bincount(model_families(names))
    assert (len(names), len(sizes), sizes.max()) == (183, 55, 44)


def test_a_published_model_is_forecast_near_its_mean(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nine tasks of a model whose published mean is known, recorded under another name."""
    catalogue = Catalogue.of([])
    matrix = published(catalogue.benchmark("mteb_eng_v2"), catalogue, revisions="joined")
    row = matrix.models.index("intfloat/e5-base-v2")
    for column in range(0, 41, 5):
        task = matrix.tasks[column]
        score = float(matrix.values[row, column])
        asked = next(task_ for task_ in catalogue.benchmark("mteb_eng_v2").tasks if task_.name == task)
        words = json.dumps(asked.model_dump(mode="json", exclude_defaults=True)).replace('"', "")
        measure(place / "project", "model=tiny", f"tasks=[{words}]", score=score)
    assert main(["report", "--forecast", "--benchmark", "mteb_eng_v2", "--config-dir", "project"]) == 0
    assert "9/41" in capsys.readouterr().out
    (one,) = json.loads(Path("outputs/report/forecast.json").read_text())["models"]
    truth = float(matrix.values[row].mean())
    assert one["estimate"]["low"] <= truth <= one["estimate"]["high"]
    assert one["estimate"]["mean"] == pytest.approx(truth, abs=0.015)
    assert len(one["next_tasks"]) == 3


def test_lite_writes_a_benchmark_that_plans(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "lite", "mteb_eng_v2", "--share", "15", "--out", "mine"]) == 0
    out = capsys.readouterr().out
    assert "6 tasks of 41, 15 % of the time" in out
    assert "Spearman 0.9" in out
    made = yaml.safe_load(Path("mine/benchmark/mteb_eng_v2_lite.yaml").read_text())
    assert len(made["tasks"]) == 6
    catalogue = Catalogue.of([Path("mine")])
    whole = {task.name: task for task in catalogue.benchmark("mteb_eng_v2").tasks}
    assert all(whole[task.name] == task for task in catalogue.benchmark("mteb_eng_v2_lite").tasks)
    assert main(["benchmark", "lite", "mteb_eng_v2", "--share", "15", "--out", "mine"]) == 2
    assert "--force" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["benchmark", "lite", "mteb_eng_v2"], "--minutes N, or --share"),
        (["benchmark", "lite", "mteb_eng_v2", "--share", "-1"], "above 0"),
        (["benchmark", "lite", "mteb_eng_v2", "--minutes", "nan"], "above 0"),
        (["benchmark", "lite", "mteb_eng_v2", "--minutes", "5"], "no task was timed"),
        (["benchmark", "lite", "mteb_eng_v2", "--share", "1"], "no task fits"),
        (["benchmark", "lite", "quickstart", "--share", "50"], "a forecast needs 20"),
        (["report", "--forecast"], "--benchmark NAME"),
        (["report", "--forecast", "--benchmark", "mteb_eng_v2"], "no results"),
    ],
)
def test_what_cannot_be_told(arguments: list[str], words: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_an_informative_order_moves_jobs_and_nothing_else(place: Path) -> None:
    settings, catalogue = settings_from(["model=tiny", "benchmark=mteb_eng_v2"], [place / "project"])
    plan = make_plan(settings, catalogue, default_pins())
    ordered, why_not = informative(plan, settings, catalogue, place / "outputs")
    assert why_not is None
    assert ordered.jobs != plan.jobs
    assert {job.fingerprint for job in ordered.jobs} == {job.fingerprint for job in plan.jobs}
    first = ordered.jobs[0].task.name
    learnt = known(published(catalogue.benchmark("mteb_eng_v2"), catalogue, revisions="joined"), "")
    spread = learnt.prior.scores[:, learnt.tasks.index(first)]
    assert np.corrcoef(spread, learnt.prior.means)[0, 1] > 0.8


def test_a_run_keeps_the_usual_order_and_says_why(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "model=tiny", "tasks=[Likeness,Pairs]", "execution.order=informative"]
    assert main([*arguments, "--config-dir", "project"]) == 0
    assert "order=informative needs a benchmark" in capsys.readouterr().out
    assert len(list(Path("outputs/jobs").glob("*/result.json"))) == 2


def test_times_of_others_are_brought_to_a_models_speed() -> None:
    seconds = {("slow", "A"): 10.0, ("slow", "B"): 40.0, ("fast", "A"): 1.0, ("fast", "C"): 3.0, ("fast", "D"): 0.0}
    records = [timed(model, task, taken) for (model, task), taken in seconds.items()]
    assert task_times(records, "slow") == {"A": 10, "B": 40, "C": 30}
    assert task_times(records, "fast") == {"A": 1, "B": 4, "C": 3}
    assert task_times(records, "new") == {"A": 5.5, "B": 40, "C": 3}


def timed(model: str, task: str, seconds: float) -> Kept:
    kept = record(identity())
    timing = Timing(encode_s=seconds, texts_encoded=int(seconds > 0))
    job = kept.job.model_copy(update={"model": model, "task": task})
    return Kept(kept.model_copy(update={"job": job, "timing": timing}), Path(), {})
