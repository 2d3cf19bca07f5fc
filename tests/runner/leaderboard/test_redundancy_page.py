"""Which tasks say the same: Spearman's correlation of places in the page against scipy."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from embedmark import runner

PAGE = Path(runner.__file__).parent / "leaderboard" / "page"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="no node; the page's browser tests run the same file")


def redundancy(folder: Path, scores: list[list[int | None]]) -> Any:
    """What the page finds in the scores of tasks."""
    (folder / "redundancy.mjs").write_text((PAGE / "redundancy.js").read_text())
    (folder / "ask.mjs").write_text("""
import { redundancy } from "./redundancy.mjs";
const found = redundancy(JSON.parse(process.argv[2]));
console.log(JSON.stringify(found && { ...found, nearest: [...found.nearest] }));
""")
    assert NODE is not None
    command = [NODE, str(folder / "ask.mjs"), json.dumps(scores)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def columns(models: int, tasks: int) -> list[list[int | None]]:
    """Scores with ties, of tasks that share what a model is able to, each with noise of its own."""
    random = np.random.default_rng(3)
    able = random.normal(size=models)
    noise = np.geomspace(0.05, 2, tasks)
    return [[round(float(one) * 12) for one in able + scale * random.normal(size=models)] for scale in noise]


def test_correlations_are_those_of_scipy(tmp_path: Path) -> None:
    scores = columns(60, 8)
    expected = spearmanr(np.array(scores, dtype=float).T).statistic
    found = redundancy(tmp_path, scores)
    assert (found["models"], found["tasks"], found["left"]) == (60, [*range(8)], [])
    np.fill_diagonal(expected, -2)
    for task, nearest in found["nearest"]:
        assert nearest["correlation"] == pytest.approx(expected[task].max(), abs=1e-12)
        assert expected[task][nearest["column"]] == pytest.approx(expected[task].max(), abs=1e-12)
    alike = {(a, b) for a in range(8) for b in range(a + 1, 8) if expected[a, b] > 0.95}
    assert {(pair["a"], pair["b"]) for pair in found["pairs"]} == alike != set()


def test_a_task_that_few_have_is_left_out_and_does_not_take_the_models_with_it(tmp_path: Path) -> None:
    scores = columns(60, 12)
    scores[4] = [score if model < 20 else None for model, score in enumerate(scores[4])]
    scores[7][59] = None
    found = redundancy(tmp_path, scores)
    assert (found["models"], found["left"]) == (59, [4])


def test_a_column_of_equal_scores_is_like_no_other(tmp_path: Path) -> None:
    found = redundancy(tmp_path, [[5] * 30, [*range(30)], [*range(30)]])
    assert dict(found["nearest"])[0]["correlation"] == 0
    assert [(pair["a"], pair["b"]) for pair in found["pairs"]] == [(1, 2)]


def test_few_models_or_one_task_are_not_compared(tmp_path: Path) -> None:
    assert redundancy(tmp_path, columns(19, 6)) is None
    assert redundancy(tmp_path, columns(60, 1)) is None
