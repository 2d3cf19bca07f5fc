"""The sentence that says what a ranking can and cannot decide: what it must say, and the same in Python and script."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from embedmark.runner import leaderboard
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.ranking.board import Board, board
from embedmark.runner.ranking.families import families
from embedmark.runner.ranking.matrix import ScoreMatrix, published
from embedmark.runner.ranking.rules import By
from embedmark.runner.ranking.sentence import Facts, Missed, facts_of, plain, sentence
from embedmark.runner.ranking.zeroshot import training_data
from embedmark.runner.report.rows import TaskRow

NODE = shutil.which("node")
SCRIPT = Path(leaderboard.__file__).with_name("page") / "words.js"

USUAL = Facts(models=333, tasks=41, of=41, families=36, complete=183, first=3, alike=True)


def said(facts: Facts) -> str:
    return plain(sentence(facts))


def test_the_first_that_cannot_be_told_apart_come_first() -> None:
    assert said(USUAL).startswith(
        "333 models on 41 tasks. Of the 183 with all of them, the first three cannot be told apart."
    )
    bold = "".join(part.text for part in sentence(USUAL) if part.bold)
    assert "cannot be told apart" in bold
    assert "lack" not in bold


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"complete": 333}, "tasks. The first three cannot be told apart."),
        ({"complete": 333, "first": 1}, "The first is told apart from the second."),
        ({"complete": 333, "alike": False}, "The next two cannot be told apart from the first."),
        ({"complete": 333, "first": 14}, "The first 14 cannot be told apart."),
        ({"complete": 333, "first": 333}, "None can be told apart."),
        ({"complete": 333, "first": 333, "alike": False}, "None can be told apart from the first."),
        ({"complete": 1, "first": 0}, "Only one model has all of these tasks, so nobody can be told apart."),
        ({"complete": 0, "first": 0}, "No model has all of these tasks, so nobody can be told apart."),
        ({"tasks": 4, "families": 4}, "4 tasks of 41. Four tasks cannot decide who is better: with fewer than six "),
        ({"tasks": 1, "families": 1}, "One task cannot decide who is better"),
        ({"families": 3}, "41 tasks from three sources of data cannot decide who is better"),
        ({"unknown": 71}, "150 lack tasks, 71 do not say what they were trained on; all are shown."),
        ({"unranked": 53}, "150 lack tasks (53 too many for a rank); all are shown."),
        ({"unranked": 150}, "150 lack tasks and have no rank; all are shown."),
        ({"tasks": 19, "kept": ("Retrieval", "STS")}, "333 models on 19 tasks of 41 (Retrieval, STS). "),
        ({"absent": 16}, " 16 other models have none of these tasks."),
        ({"shown": 45, "filters": ("open weights", "up to 500 M")},
         "150 lack tasks; 45 are shown: open weights, up to 500 M; ranks are among all."),
        ({"excluded": ("lint", "revisions")},
         "Scores with a finding and scores on other revisions of the data are taken as missing."),
        ({"by": "type"}, "41 tasks, ranked by the mean over types. "),
        ({"models": 1, "complete": 1}, "1 model on 41 tasks. It is the only one, so there is nobody to tell it from."),
        ({"models": 0, "complete": 0}, "No model has a score on these tasks."),
    ],
)  # fmt: skip
def test_what_it_says(more: dict[str, object], words: str) -> None:
    assert words in said(replace(USUAL, **more))  # type: ignore[arg-type]


def test_a_task_that_many_lack_alone_is_offered_to_be_left_out() -> None:
    facts = replace(USUAL, complete=9, first=1, missed=Missed("FloresBitextMining", 163, 18))
    assert "163 lack only FloresBitextMining, which 18 have: leave it out." in said(facts)
    assert [part.leaves for part in sentence(facts) if part.leaves] == ["FloresBitextMining"]
    assert "leave it out" not in said(replace(facts, complete=163))


@pytest.mark.parametrize("few", [0, 1, 2, 3, 4, 5])
def test_fewer_than_six_never_have_a_verdict(few: int) -> None:
    generator = np.random.default_rng(few)
    for facts in generated(generator, 300):
        told = said(replace(facts, tasks=max(few, facts.tasks), families=few))
        assert "told apart" not in told


def matrix(values: np.ndarray) -> ScoreMatrix:
    models = tuple(f"m{row}" for row in range(len(values)))
    tasks = tuple(f"T{column}" for column in range(values.shape[1]))
    asked = tuple(TaskRow(name, "STS") for name in tasks)
    return ScoreMatrix(
        models, models, tasks, ("STS",) * len(tasks), values, ((),) * len(models), (False,) * len(models), asked
    )  # fmt: skip


def ranked(values: np.ndarray, by: By = "borda") -> Board:
    return board(matrix(values), np.arange(values.shape[1]), by, draws=50)


def test_facts_of_a_ranking() -> None:
    generator = np.random.default_rng(3)
    values = 0.5 + generator.normal(0, 0.02, (12, 10))
    values[0] += 0.3
    values[4:9, 3] = np.nan
    values[9, 1:] = np.nan
    found = facts_of(ranked(values), [None, 50] * 6)
    assert (found.models, found.tasks, found.of, found.families, found.complete) == (12, 10, 10, 10, 6)
    assert found.first == 1
    assert found.missed == Missed("T3", 5, 6)
    assert (found.unranked, found.unknown) == (1, 6)


def test_alike_is_of_all_pairs_and_not_of_the_leader_alone() -> None:
    """Of two that cannot be told from the first, one can be told from the other."""
    steady = np.linspace(0.4, 0.6, 12)
    values = np.array([steady + np.tile([0.2, -0.15], 6), steady, steady - 0.01])
    made = ranked(values, "mean")
    assert [place.group for place in made.places] == [0, 0, 0]
    assert not made.alike
    assert "None can be told apart from the first." in said(facts_of(made, [0, 0, 0]))


@pytest.mark.parametrize("benchmark", ["mteb_eng_v2", "mteb_multilingual_v2"])
def test_the_sentence_of_the_published_scores(benchmark: str) -> None:
    catalogue = Catalogue.of([])
    scores = published(catalogue.benchmark(benchmark), catalogue, revisions="joined")
    made = board(scores, families(scores.tasks, catalogue).of, draws=10)
    data = training_data(catalogue)
    facts = facts_of(made, [data.share(name, scores.tasks) for name in scores.names])
    leaders = [place.row for place in made.places if place.group == 0]
    assert facts.first == len(leaders)
    assert facts.complete == int((~np.isnan(made.matrix.values)).all(axis=1).sum())
    assert f"{facts.models} models on {facts.tasks} tasks" in said(facts)


def generated(generator: np.random.Generator, n: int) -> list[Facts]:
    """Facts of all kinds, small numbers most often; also names that strangers chose."""

    def number() -> int:
        return int(generator.integers(0, generator.choice([2, 4, 12, 400])))

    def some(of: tuple[str, ...]) -> tuple[str, ...]:
        return of[: generator.integers(0, len(of) + 1)]

    names = ("Retrieval", "Tâche «1»", "<b>", "a\u202eb", "𝒳")

    def one() -> Facts:
        models = number()
        complete = min(number(), models) if generator.integers(4) else models
        return Facts(
            models=models, tasks=number(), of=number(), families=number(), complete=complete,
            first=min(number(), complete),
            alike=bool(generator.integers(2)), unranked=number(), unknown=number(), absent=number(),
            missed=Missed(str(generator.choice(names)), number(), number()) if generator.integers(2) else None,
            kept=some(names), excluded=some(("lint", "revisions")),
            shown=number() if generator.integers(2) else None, filters=some(names),
            by=generator.choice(["borda", "borda", "mean", "type"]),
        )  # fmt: skip

    return [one() for _ in range(n)]


@pytest.mark.skipif(NODE is None, reason="no node; the browser tests run the same file")
def test_the_script_says_the_same_to_the_character(tmp_path: Path) -> None:
    facts = generated(np.random.default_rng(14), 6000)
    (tmp_path / "words.mjs").write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "facts.json").write_text(json.dumps([asdict(one) for one in facts]), encoding="utf-8")
    (tmp_path / "say.mjs").write_text("""
import { readFileSync } from "node:fs";
import { sentence } from "./words.mjs";
console.log(JSON.stringify(JSON.parse(readFileSync(process.argv[2], "utf8")).map(sentence)));
""")
    assert NODE is not None
    done = subprocess.run([NODE, "say.mjs", "facts.json"], cwd=tmp_path, capture_output=True, check=True)
    found = json.loads(done.stdout.decode("utf-8"))
    assert len(found) == len(facts)
    for each, parts in zip(facts, found, strict=True):
        assert parts == [asdict(part) for part in sentence(each)], each
