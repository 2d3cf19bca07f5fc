"""What the page says of models against one another, and of each type, is what the commands say."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_in_node import built_data, in_page, needs_node

from embedmark.runner.compare.comparison import Asked, Comparison, with_overall
from embedmark.runner.compare.families import family_numbers
from embedmark.runner.compare.published import compare_rows
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.leaderboard.site import build
from embedmark.runner.ranking.matrix import ScoreMatrix, published
from embedmark.runner.stats.means import MeanOfTasks, mean_of_tasks
from embedmark.runner.stats.paired import holm

pytestmark = needs_node

CATALOGUE = Catalogue()
NAME = "MTEB(eng, v2)"
ASKED = Asked()
FEWEST = 6

COMPARE = """\
import { initial } from "./address.js";
import { pairsOf } from "./pairs.js";
import { standing } from "./standing.js";
const made = standing(given.board, { ...initial(), task: given.board.tasks.name });
const at = (label) => given.board.models.label.indexOf(label);
const row = ({ type, p, verdict, test: { n, families, difference, low, high } }) => (
  { type, p, verdict, n, families, difference, low, high });
const found = given.sets.map((set) => pairsOf(made, set.map(at)).map(({ all, types }) => (
  { all: row(all), types: types.map(row) })));
"""

LEADERS = """\
import { initial } from "./address.js";
import { leadersOf } from "./leaders.js";
import { standing } from "./standing.js";
const { board } = given;
const whole = standing(board, { ...initial(), task: board.tasks.name });
const found = whole.types.map(({ of, tasks }) => {
  const leaders = leadersOf(board, whole, tasks);
  const filtered = standing(board, { ...initial(), type: [of] });
  const plain = ({ rank, group, mean }) => [rank, group, mean].map((column) => Array.from(column));
  return { of, enough: [leaders.enough, filtered.enough], leaders: plain(leaders), filtered: plain(filtered) };
});
"""


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The benchmark as its page has it."""
    folder = tmp_path_factory.mktemp("site")
    build(None, folder, CATALOGUE, [NAME])
    return next(data for data in built_data(folder).values() if data.get("name") == NAME)


@pytest.fixture(scope="module")
def matrix() -> ScoreMatrix:
    """The benchmark as `compare --benchmark` has it."""
    return published(CATALOGUE.benchmark(NAME), CATALOGUE, None, "joined")


def chosen(matrix: ScoreMatrix, n: int) -> list[list[str]]:
    """Sets of two to five models, of which each two share a task."""
    generator = random.Random(5)
    has = ~np.isnan(matrix.values)
    found: list[list[str]] = []
    while len(found) < n:
        rows = generator.sample(range(len(matrix.models)), generator.randint(2, 5))
        if all((has[a] & has[b]).any() for a, b in combinations(rows, 2)):
            found.append([matrix.models[row] for row in rows])
    return found


def test_verdicts_are_those_of_compare(board: Any, matrix: ScoreMatrix, tmp_path: Path) -> None:
    sets = chosen(matrix, 150)
    verdicts: list[str] = []
    for names, pairs in zip(sets, in_page(tmp_path, COMPARE, {"board": board, "sets": sets}), strict=True):
        rows = [matrix.models.index(name) for name in names]
        expected = with_overall([compare_rows(matrix, a, b) for a, b in combinations(rows, 2)], CATALOGUE, ASKED)
        for pair, one in zip(pairs, expected, strict=True):
            same_overall(pair["all"], one)
            verdicts.append(pair["all"]["verdict"])
        same_types(pairs, expected, matrix)
    kinds = {"better", "worse", "cannot tell", "too few tasks", "too few families"}
    assert {verdict for verdict in verdicts if verdicts.count(verdict) > 3} == kinds


def same_overall(row: dict[str, Any], expected: Comparison) -> None:
    """All tasks: the same verdict, unless there are too few families for one on a page."""
    overall = expected.overall
    assert row["n"] == len(expected.tasks)
    assert row["families"] == (overall.n_families if overall else 1)
    if overall is None or overall.n_families < FEWEST:
        assert row["verdict"].startswith("too few")
        assert row["p"] is None
        return
    assert row["verdict"] == overall.like_these, expected
    assert row["p"] == pytest.approx(overall.p_like_these, rel=1e-3, abs=1e-300)
    same_numbers(row, overall.mean)


def same_numbers(row: dict[str, Any], mean: MeanOfTasks) -> None:
    """Difference and interval, in points of scores to a millionth."""
    assert mean.like_these is not None
    numbers = [row["difference"], row["low"], row["high"]]
    assert numbers == pytest.approx([100 * mean.mean, *(100 * end for end in mean.like_these)], abs=3e-4)


def same_types(pairs: list[dict[str, Any]], expected: list[Comparison], matrix: ScoreMatrix) -> None:
    """Each type: the test of its tasks alone, adjusted for all rows of types."""
    tests: list[tuple[dict[str, Any], MeanOfTasks]] = []
    for pair, one in zip(pairs, expected, strict=True):
        for row in pair["types"]:
            tasks = [task for task in one.tasks if task.type == row["type"]]
            assert row["n"] == len(tasks) > 0
            numbers = family_numbers([task.name for task in tasks], CATALOGUE)
            assert row["families"] == len(set(numbers))
            if row["families"] < FEWEST:
                assert row["verdict"].startswith("too few")
                continue
            tests.append((row, mean_of_tasks([task.difference for task in tasks], numbers, [None] * len(tasks))))
    adjusted = holm([mean.p_tasks or 0.0 for _, mean in tests])
    for (row, mean), p in zip(tests, adjusted, strict=True):
        assert row["p"] == pytest.approx(p, rel=1e-3)
        same_numbers(row, mean)
        told = "cannot tell" if p > 1 - ASKED.level else "better" if mean.mean > 0 else "worse"
        assert row["verdict"] == told


def test_leaders_of_a_type_are_those_of_the_filter(board: Any, tmp_path: Path) -> None:
    found = in_page(tmp_path, LEADERS, {"board": board})
    assert len(found) == 7
    for one in found:
        assert one["enough"][0] == one["enough"][1], one["of"]
        assert one["leaders"] == one["filtered"], one["of"]
    assert sum(one["enough"][0] for one in found) == 3
