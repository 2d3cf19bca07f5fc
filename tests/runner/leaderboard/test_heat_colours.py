"""The steps of colour of a cell: by place within its column, on a log scale."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedmark import runner

PAGE = Path(runner.__file__).parent / "leaderboard" / "page"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="no node; the page's browser tests run the same file")


def asked(folder: Path, expression: str, given: Any = None) -> Any:
    """What an expression of heat.js gives, `given` being its data."""
    (folder / "heat.mjs").write_text((PAGE / "heat.js").read_text())
    (folder / "ask.mjs").write_text(
        'import { heat, columnPlaces, STEPS } from "./heat.mjs";\n'
        "const given = JSON.parse(process.argv[2]);\n"
        f"console.log(JSON.stringify({expression}));\n"
    )
    assert NODE is not None
    command = [NODE, str(folder / "ask.mjs"), json.dumps(given)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_each_step_is_twice_as_many_places_where_there_are_many_models(tmp_path: Path) -> None:
    steps = asked(tmp_path, "Array.from({length: 400}, (_, at) => heat(at + 1, 400))")
    firsts = {step: steps.index(step) + 1 for step in range(7)}
    assert firsts == {6: 1, 5: 2, 4: 4, 3: 8, 2: 16, 1: 32, 0: 64}
    assert steps == sorted(steps, reverse=True)


def test_the_best_is_darkest_and_the_last_is_ground_however_few_models_there_are(tmp_path: Path) -> None:
    ends = asked(tmp_path, "Array.from({length: 70}, (_, n) => [heat(1, n + 2), heat(n + 2, n + 2)])")
    assert ends == [[6, 0]] * 70
    assert asked(tmp_path, "[heat(3, 27), heat(9, 27)]") == [4, 2]


def test_one_model_alone_and_no_place_have_no_colour(tmp_path: Path) -> None:
    assert asked(tmp_path, "[heat(1, 1), heat(0, 50), heat(0, 0)]") == [0, 0, 0]


def test_equal_scores_share_the_better_place_and_missing_ones_have_none(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).integers(-50, 50, 200)
    scores = [None if value % 7 == 0 else int(value) for value in numbers]
    there = [score for score in scores if score is not None]
    expected = [0 if score is None else 1 + sum(other > score for other in there) for score in scores]
    found = asked(tmp_path, "(({place, n}) => ({place: [...place], n}))(columnPlaces(given))", scores)
    assert found == {"place": expected, "n": len(there)}
    assert asked(tmp_path, "[...columnPlaces([NaN, 2.5, 7.25]).place]") == [0, 2, 1]
