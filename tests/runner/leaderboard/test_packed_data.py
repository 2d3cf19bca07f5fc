"""What is packed is opened again to the number, by the page as by these tests."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from packed_boards import unpacked
from page_in_node import in_page, needs_node

from embedmark.runner.leaderboard.packed import packed


def board(scores: list[list[int | None]], **more: Any) -> dict[str, Any]:
    n = len(scores[0])
    names = [f"org/m{number}" for number in range(n)]
    labels = [f"{name} (dim)" if number % 3 == 0 else name for number, name in enumerate(names)]
    marks = {"lint": [[0, 0]], "revisions": [[0, 1], [1, 0], [1, 1]]}
    return {
        "name": "Small", "models": {"name": names, "label": labels, "size": [1] * n}, "scores": scores,
        "findings": {"text": ["a", "b"], "at": [[0, 0, 1], [0, 0, 0]]}, "marks": marks, **more,
    }  # fmt: skip


def some(seed: int, tasks: int, models: int, low: int, high: int) -> list[list[int | None]]:
    drawn = random.Random(seed)
    steps = [drawn.choice([1, 10]) for _ in range(tasks)]
    return [
        [None if drawn.random() < 0.4 else drawn.randint(low, high) // step * step for _ in range(models)]
        for step in steps
    ]


CASES = {
    "of the field": some(1, 9, 40, -70_000, 1_000_000),
    "none": [[None, None], [None, None]],
    "one": [[0, None], [None, None]],
    "equal": [[500_000, 500_000], [500_000, 500_000]],
    "negative": some(2, 3, 7, -1_000_000, -1),
    "seconds": some(3, 2, 11, 0, 10**13),
    "seven models": some(4, 5, 7, 0, 1_000_000),
}


@pytest.mark.parametrize("scores", CASES.values(), ids=CASES)
def test_nothing_is_lost(scores: list[list[int | None]]) -> None:
    given = board(scores)
    assert unpacked(json.loads(json.dumps(packed(given)))) == given


@needs_node
def test_the_page_opens_the_same(tmp_path: Path) -> None:
    given = [board(scores) for scores in CASES.values()]
    script = 'import { unpacked } from "./packed.js";\nconst found = given.map(unpacked);'
    assert in_page(tmp_path, script, [packed(one) for one in given]) == given


@needs_node
def test_other_files_are_left_as_they_are(tmp_path: Path) -> None:
    given = [{"scores": [[1, None]]}, [1, 2], {}]
    script = 'import { unpacked } from "./packed.js";\nconst found = given.map(unpacked);'
    assert in_page(tmp_path, script, given) == given


def test_it_takes_less_room() -> None:
    given = board(some(5, 100, 300, 0, 1_000_000))

    def size(value: Any) -> int:
        return len(gzip.compress(json.dumps(value, separators=(",", ":")).encode(), 9))

    assert size(packed(given)) < 0.8 * size(given)
