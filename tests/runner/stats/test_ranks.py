"""Ranks: the field's rule to the digit, intervals in whole numbers, and the same in JavaScript."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from loopback import shared_folder
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits

from embedmark.runner.stats import ranks, separation
from embedmark.runner.stats.means import mean_of_tasks
from embedmark.runner.stats.missing import drawn, fit

RESULTS = shared_folder() / "facts" / "results"
published = pytest.mark.skipif(not RESULTS.is_dir(), reason="no published results (../shared/facts)")
NODE = shutil.which("node")

SCORES = arrays(np.float64, (7, 5), elements=st.sampled_from([0.1, 0.2, 0.2000001, 0.25, 0.3, 0.9, float("nan")]))


def published_scores() -> tuple[list[str], np.ndarray]:
    with (RESULTS / "reference_scores_eng_v2.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    models, tasks = (sorted({row[name] for row in rows}) for name in ("model_name", "task_name"))
    values = np.full((len(models), len(tasks)), np.nan)
    for row in rows:
        values[models.index(row["model_name"]), tasks.index(row["task_name"])] = float(row["score"])
    return models, values


@published
def test_borda_ranks_equal_the_reference() -> None:
    models, scores = published_scores()
    place = dict(zip(models, ranks.places(ranks.points2(scores).sum(axis=1)).tolist(), strict=True))
    with (RESULTS / "reference_board_eng_v2.csv").open(encoding="utf-8") as file:
        board = list(csv.DictReader(file))
    equal = [
        place.get(f"{row['Model']} ({row['_experiment_id']})", place.get(row["Model"])) == int(row["Rank (Borda)"])
        for row in board
    ]
    assert (sum(equal), len(equal)) == (317, 317)


@given(SCORES)
def test_points_are_twice_the_models_less_the_average_rank(scores: np.ndarray) -> None:
    found = ranks.points2(scores)
    for task in range(scores.shape[1]):
        there = ~np.isnan(scores[:, task])
        rounded = np.rint(scores[there, task] * 1e6)
        assert found[there, task].tolist() == (2 * (7 - rankdata(-rounded))).tolist()
        assert not found[~there, task].any()


def test_equal_totals_share_the_better_place() -> None:
    assert ranks.places(np.array([5, 9, 5, 1])).tolist() == [2, 1, 2, 4]


@given(SCORES, st.permutations(range(7)))
@settings(max_examples=30)
def test_the_order_of_models_changes_nothing(scores: np.ndarray, order: list[int]) -> None:
    low, high = intervals(scores)
    low_of, high_of = intervals(scores[order])
    assert (low[order].tolist(), high[order].tolist()) == (low_of.tolist(), high_of.tolist())


def intervals(scores: np.ndarray, families: list[int] | None = None, draws: int = 200) -> tuple[Any, Any]:
    counts = ranks.draw_counts(draws, np.array(families or range(scores.shape[1])))
    return ranks.rank_counts(ranks.totals_of(counts, ranks.points2(scores))).interval(0.95)


def test_counts_of_places_are_those_of_each_draw() -> None:
    scores = np.random.default_rng(0).random((12, 9)).round(1)
    totals = ranks.totals_of(ranks.draw_counts(50, np.arange(9)), ranks.points2(scores))
    found = ranks.rank_counts(totals)
    expected = np.array([ranks.places(row) for row in totals])
    for model in range(12):
        assert found.counts[model].tolist() == np.bincount(expected[:, model] - 1, minlength=12).tolist()
    ordered = np.sort(expected, axis=0)
    low, high = found.interval(0.9)
    assert (low.tolist(), high.tolist()) == (ordered[1].tolist(), ordered[47].tolist())


def test_tasks_of_a_family_are_drawn_together() -> None:
    counts = ranks.draw_counts(100, np.array([0, 1, 1, 2]))
    assert (counts[:, 1] == counts[:, 2]).all()
    assert (counts[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert (ranks.draw_counts(10, np.array([0, 1, 1, 2])) == counts[:10]).all()


def test_threads_change_no_bit() -> None:
    points = ranks.points2(np.random.default_rng(1).random((90, 40)))
    counts = ranks.draw_counts(500, np.arange(40))
    with threadpool_limits(1):
        one = ranks.totals_of(counts, points)
    assert (one == ranks.totals_of(counts, points)).all()
    assert (one == counts.astype(np.int64) @ points.T).all()


def test_pairs_have_the_test_of_the_mean_difference() -> None:
    values = np.random.default_rng(2).random((6, 12))
    families = np.array([0, 0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 8])
    found = separation.pairwise(values, families)
    for a in range(6):
        for b in range(a):
            mean = mean_of_tasks(values[a] - values[b], families, [None] * 12)
            assert mean.p_tasks is not None
            assert found.statistic[a, b] == pytest.approx(mean.mean / mean.spread.se)
            assert found.separated[a, b] == (mean.p_tasks < 0.05)


def test_a_group_ends_at_the_first_that_is_told_from_its_leader() -> None:
    apart = np.zeros((5, 5), dtype=bool)
    apart[0, 2] = apart[2, 0] = apart[2, 4] = apart[4, 2] = True
    assert separation.groups(np.arange(5), apart).tolist() == [0, 0, 1, 1, 2]


def test_the_best_may_be_first_and_a_far_one_may_not() -> None:
    generator = np.random.default_rng(3)
    values = np.array([0.0, 0.0, -5.0])[:, None] + generator.normal(size=(3, 30))
    assert separation.may_be_first(values, np.arange(30)).tolist() == [True, True, False]


def test_missing_scores_are_filled_in_near_the_truth() -> None:
    generator = np.random.default_rng(4)
    truth = generator.normal(0.6, 0.1, (80, 1)) + generator.normal(0, 0.1, 20) + generator.normal(0, 0.01, (80, 20))
    scores = np.where(generator.random((80, 20)) < 0.2, np.nan, truth)
    made = drawn(scores, fit(scores, factors=2), np.arange(80), 50)
    lacks = np.isnan(scores)
    assert np.abs(made.mean(axis=0) - truth)[lacks].mean() < 0.015
    inside = (np.quantile(made, 0.05, axis=0) < truth) & (truth < np.quantile(made, 0.95, axis=0))
    assert 0.8 < inside[lacks].mean() < 0.98
    assert (made[:, ~lacks] == truth[~lacks]).all()


VECTORS = Path(__file__).with_name("rank_vectors.json")
"""What Python and JavaScript both must give, bit for bit."""


def cases() -> list[dict[str, Any]]:
    generator = np.random.default_rng(11)
    made = []
    for models, tasks, families in ((3, 7, 7), (24, 12, 9), (61, 17, 17)):
        scores = generator.random((models, tasks)).round(2)
        scores[generator.random((models, tasks)) < 0.15] = np.nan
        made.append(
            {
                "scores": scores,
                "families": np.append(np.arange(families), generator.integers(0, families, tasks - families)),
            }
        )
    return made


def expected(scores: np.ndarray, families: np.ndarray) -> dict[str, Any]:
    points = ranks.points2(scores)
    found = ranks.rank_counts(ranks.totals_of(ranks.draw_counts(1000, families), points))
    low, high = found.interval(0.95)
    places = ranks.places(points.sum(axis=1))
    order = np.argsort(places, kind="stable")
    pairs = separation.pairwise(points.astype(np.float64), families)
    return {
        "points": points.T.tolist(), "places": places.tolist(), "low": low.tolist(), "high": high.tolist(),
        "first": found.first.tolist(), "groups": separation.groups(order, pairs.separated).tolist(),
        "critical": pairs.critical,
    }  # fmt: skip


def test_vectors_are_what_the_rule_gives() -> None:
    kept = json.loads(VECTORS.read_text())
    assert len(kept) == len(cases())
    for one, case in zip(kept, cases(), strict=True):
        found = expected(**case)
        assert found.pop("critical") == pytest.approx(one["expected"].pop("critical"), rel=1e-12)
        assert found == one["expected"]


@pytest.mark.skipif(NODE is None, reason="no node; the page's browser test runs the same file")
def test_javascript_gives_the_same_bits(tmp_path: Path) -> None:
    script = Path(ranks.__file__).with_name("ranks.js").resolve()
    (tmp_path / "ranks.mjs").write_text(script.read_text())
    (tmp_path / "check.mjs").write_text("""
import { readFileSync } from "node:fs";
import * as R from "./ranks.mjs";
const found = JSON.parse(readFileSync(process.argv[2], "utf8")).map(({ scores, families, expected }) => {
  const points = scores.map(R.points2);
  const totals = points[0].map((_, model) => points.reduce((sum, ofTask) => sum + ofTask[model], 0));
  const places = R.places(totals);
  const order = Array.from(places.keys()).sort((a, b) => places[a] - places[b] || a - b);
  const errors = R.familyErrors(points, families);
  const { low, high, first } = R.rankIntervals(points, families, { draws: 1000, level: 0.95 });
  // Totals that do not fit in 32 bits with a model's number are counted otherwise; the places are the same.
  const wide = points.map((ofTask) => Float64Array.from(ofTask, (value) => value * 2 ** 21));
  const large = R.rankIntervals(wide, families, { draws: 1000, level: 0.95 });
  for (const model of places.keys()) {
    const same = large.low[model] === low[model] && large.high[model] === high[model];
    if (!same || large.first[model] !== first[model]) throw new Error(`model ${model} of ${places.length}`);
  }
  const groups = R.groups(order, (a, b) => Math.abs(R.statistic(errors, a, b)) > expected.critical);
  const plain = { points: points.map((p) => Array.from(p)), places, low, high, first, groups };
  return Object.fromEntries(Object.entries(plain).map(([name, values]) => [name, Array.from(values)]));
});
console.log(JSON.stringify(found));
""")
    assert NODE is not None
    done = subprocess.run([NODE, tmp_path / "check.mjs", VECTORS], capture_output=True, text=True, check=True)
    for found, kept in zip(json.loads(done.stdout), json.loads(VECTORS.read_text()), strict=True):
        kept["expected"].pop("critical")
        assert found == kept["expected"]


def write_vectors() -> None:
    """`python -c "import test_ranks; test_ranks.write_vectors()"` in this folder, after a change of the rule."""
    kept = []
    for case in cases():
        whole = np.rint(case["scores"] * 1e6).T
        columns = [[None if np.isnan(value) else int(value) for value in column] for column in whole]
        kept.append({"scores": columns, "families": case["families"].tolist(), "expected": expected(**case)})
    VECTORS.write_text(json.dumps(kept) + "\n")
