"""A board's data as its file has it: what takes most room in fewer letters; page/packed.js opens it again.

Scores are numbers of several digits, which nothing shortens but leaving out what is not there and writing bytes in
place of digits: browsers turn base64 into numbers without a loop. What can be told from the rest is left out.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

_TENTH = 10
"""Most published scores have five digits, which millionths end with a 0."""

_BITS = 16
_LARGEST = 2**24
"""Numbers are two bytes and one above them."""


def packed(board: Mapping[str, Any]) -> dict[str, Any]:
    """Pack a board.

    Args:
        board: With scores, the columns of models, findings and marks.

    Returns:
        The same, with `packed` in the place of `scores`, unless some are too large; without labels that are the model's
        name; and without marks of findings, those of revisions by task.
    """
    models = board["models"]
    labels = [None if label == name else label for label, name in zip(models["label"], models["name"], strict=True)]
    by_task: dict[int, list[int]] = {}
    for task, model in board["marks"]["revisions"]:
        by_task.setdefault(task, []).append(model)
    scores = _packed(board["scores"])
    return {
        **{key: value for key, value in board.items() if scores is None or key != "scores"},
        "models": {**models, "label": labels},
        "marks": {"revisions": list(by_task.items())},
        "packed": scores,
    }


def _packed(scores: Sequence[Sequence[int | None]]) -> dict[str, Any] | None:
    """Pack (n_tasks, n_models) scores.

    Returns:
        `runs`: of each task how many models have no score, how many then have one, and so on. `steps`: of each task
        what all its scores are multiples of. `low`: what is to be added to each number, task by task; `rest`: its last
        two bytes, the last one first; `high`: the byte above. None where a number has more.
    """
    steps = [_TENTH if all((score or 0) % _TENTH == 0 for score in column) else 1 for column in scores]
    told = [score // step for column, step in zip(scores, steps, strict=True) for score in column if score is not None]
    low = min(told, default=0)
    if max(told, default=0) - low >= _LARGEST:
        return None
    numbers = np.array(told, dtype=np.int64) - low
    return {
        "runs": [list(_runs(column)) for column in scores],
        "steps": steps,
        "low": low,
        "rest": _text((numbers % 2**_BITS).astype("<u2").tobytes()),
        "high": _text((numbers >> _BITS).astype(np.uint8).tobytes()),
    }


def _runs(column: Sequence[int | None]) -> Iterator[int]:
    if column and column[0] is not None:
        yield 0
    for _, same in groupby(column, key=lambda score: score is None):
        yield sum(1 for _ in same)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
