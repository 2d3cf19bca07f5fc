"""`leaderboard show`: a benchmark in the terminal as its page has it, and as a build of fewer tasks would have it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from planned_records import measure
from small_project import small_project

from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.leaderboard.bench import Bench, bench
from embedmark.runner.leaderboard.scores import AllScores, all_scores
from embedmark.runner.leaderboard.show import Shown, shown
from embedmark.runner.leaderboard.subsets import needed

BENCHMARK = "MTEB(Europe, v1)"


@pytest.fixture(scope="module")
def scores() -> AllScores:
    return all_scores(None, Catalogue.of([]), [BENCHMARK])


@pytest.fixture(scope="module")
def whole(scores: AllScores) -> Bench:
    made = bench(scores, BENCHMARK)
    assert made is not None
    return made


def built(folder: Path, tasks: list[dict[str, object]]) -> Bench:
    """The same benchmark with other tasks, built from a file."""
    (folder / "benchmark").mkdir()
    (folder / "benchmark/narrowed.yaml").write_text(yaml.safe_dump({"name": "Narrowed", "tasks": tasks}))
    made = bench(all_scores(None, Catalogue.of([folder]), ["Narrowed"]), "Narrowed")
    assert made is not None
    return made


def places(made: Shown | Bench) -> list[tuple[object, ...]]:
    return [
        (made.board.matrix.models[one.row], one.rank, one.low, one.high, one.group, one.mean)
        for one in made.board.places
    ]


@pytest.mark.parametrize(("key", "value"), [("type", "Classification"), ("domain", "Legal"), ("type", "sts")])
def test_tasks_that_are_kept_are_those_of_a_narrowed_benchmark(
    key: str, value: str, scores: AllScores, whole: Bench, tmp_path: Path
) -> None:
    found = shown(scores, whole, {key: [value]}, top=1000)
    kept = {*found.board.matrix.tasks}
    assert 0 < len(kept) < len(whole.matrix.tasks)
    asked = [task.model_dump(mode="json", exclude_defaults=True) for task in whole.config.tasks if task.name in kept]
    narrowed = built(tmp_path, asked)
    assert places(found) == places(narrowed)
    assert found.facts.of == len(whole.matrix.tasks)
    assert found.facts.models == len(narrowed.matrix.models)
    assert found.facts.absent == len(whole.matrix.models) - len(narrowed.matrix.models)


def test_a_language_keeps_its_subsets(scores: AllScores, whole: Bench, tmp_path: Path) -> None:
    found = shown(scores, whole, {"lang": ["German"]}, top=1000)
    asked: list[dict[str, object]] = []
    for task in whole.config.tasks:
        of_task = scores.catalogue.task(task.name).subsets
        subsets = [name for name in (task.subsets or of_task) if needed(of_task[name]) <= {"deu"}]
        if subsets:
            told = task.model_dump(mode="json", exclude_defaults=True)
            asked.append({**told, **({} if subsets == list(task.subsets or of_task) else {"subsets": subsets})})
    narrowed = built(tmp_path, asked)
    assert {*found.board.matrix.tasks} == {*narrowed.matrix.tasks}
    assert places(found) == places(narrowed)
    assert found.facts.kept == ("German",)


def test_tasks_by_name_and_without(scores: AllScores, whole: Bench) -> None:
    first, *rest = whole.matrix.tasks
    dropped = shown(scores, whole, {"drop": [first]}, top=3)
    assert dropped.board.matrix.tasks == tuple(rest)
    assert dropped.facts.kept == (f"without {first}",)
    assert shown(scores, whole, {"task": [first.upper()]}, top=3).board.matrix.tasks == (first,)
    assert shown(scores, whole, {"task": list(rest[:5])}, top=3).facts.kept == ("5 chosen tasks",)


def test_nothing_asked_is_the_page(scores: AllScores, whole: Bench) -> None:
    found = shown(scores, whole, {}, top=4)
    assert found.board is whole.board
    assert len(found.places) == 4
    assert found.facts.shown == 4


def test_in_the_terminal_with_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small_project(tmp_path / "project")
    measure(tmp_path / "project", "model=tiny", "benchmark=mteb_eng_v2", score=0.1)
    capsys.readouterr()
    command = ["leaderboard", "show", "benchmark=MTEB(eng, v2)", "--top", "3", "--config-dir", "project"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert out.startswith("325 models on 41 tasks. Of the 184 with all of them, the first five cannot be told apart.")
    assert "jcorners/ingot-8b-r3" in out
    assert "test/tiny (measured here)" in out
    assert main([*command, "type=Summarization"]) == 0
    out = capsys.readouterr().out
    assert "1 task of 41 (Summarization). One task cannot decide who is better" in out
    assert "98 %" not in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "say which, as in benchmark=mteb_eng_v2"),
        (["benchmark=mteb_eng_v9"], "mteb_eng_v2"),
        (["mteb_eng_v2"], "expected KEY=VALUE"),
        (["benchmark=mteb_eng_v2", "typ=STS"], "no key 'typ'. Did you mean 'type'?"),
        (["benchmark=mteb_eng_v2", "type=Retreival"], "type=Retreival: this benchmark has none such. Did you mean"),
        (["benchmark=mteb_eng_v2", "lang=klingon"], "lang=klingon"),
        (["benchmark=mteb_eng_v2", "type=STS", "task=ArguAna"], "no model has a score on such a task"),
        (["benchmark=mteb_eng_v2", "--top", "-1"], "--top: found -1"),
        (["benchmark=mteb_eng_v2", "--out", "x"], "leaderboard show: --out, which belongs to `leaderboard build`"),
        (["benchmark=mteb_eng_v2", "--port", "8000"], "--port, which belongs to `leaderboard serve`"),
        (["benchmark=mteb_eng_v2", "type=", "--top", "3"], "expected KEY=VALUE"),
    ],
)
def test_mistakes(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["leaderboard", "show", *words]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err
