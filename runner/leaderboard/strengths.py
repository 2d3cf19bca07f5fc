"""Where a model stands out: types of task on which it is told apart from models of its own group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.groups import grouped
from embedmark.runner.leaderboard.bench import Bench
from embedmark.runner.ranking.families import families_of_keys
from embedmark.runner.stats import separation

FEWEST_TASKS = 6
"""Of a type; fewer decide nothing."""


def strengths(made: Bench) -> dict[int, list[dict[str, Any]]]:
    """Compare the models of each group of a board, type by type, by the paired test over families of tasks.

    Returns:
        The matrix's row of a model → types on which it is told apart from more than half of its group's others, all in
        one direction: `type`, `ahead` (or behind), `n` others, `of` how many.
    """
    matrix = made.matrix
    groups = grouped((place.group, place.row) for place in made.board.places if place.group is not None)
    types = np.array(matrix.types)
    found: dict[int, list[dict[str, Any]]] = {}
    for kind in dict.fromkeys(matrix.types):
        columns = np.flatnonzero(types == kind)
        families = families_of_keys([made.keys[column] for column in columns.tolist()])
        if len(columns) < FEWEST_TASKS or len({*families.tolist()}) < separation.FEWEST_FAMILIES:
            continue
        if len(columns) == len(types):
            continue  # the group itself says it
        for rows in groups.values():
            if len(rows) > 1:
                _of_group(rows, kind, matrix.values[np.ix_(np.array(rows), columns)], families, found)
    return found


def _of_group(
    rows: Sequence[int],
    kind: str,
    values: NDArray[np.float64],
    families: NDArray[np.integer],
    found: dict[int, list[dict[str, Any]]],
) -> None:
    test = separation.pairwise(values, families)
    others = len(rows) - 1
    for ahead in (True, False):
        told = test.separated & (test.statistic > 0 if ahead else test.statistic < 0)
        for row, n in zip(rows, told.sum(axis=1).tolist(), strict=True):
            if 2 * n > others:
                found.setdefault(row, []).append({"type": kind, "ahead": ahead, "n": n, "of": others})
