"""The ranking of a benchmark: each model's place, between which places it may stand, and whom it is told apart from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.ranking.matrix import ScoreMatrix
from embedmark.runner.ranking.rules import By, Rule, rule_of
from embedmark.runner.stats import missing, ranks, separation

LeftOut: TypeAlias = Literal["task", "family", "type"]

FEWEST_TASKS = 8
"""A model with fewer is not ranked: what it lacks cannot be told from what it has."""

REPLICATES = 40
"""How many times what is missing is filled in; each serves as many draws."""


@dataclass(frozen=True)
class Place:
    """A model in a ranking.

    Args:
        row: Its row of the matrix.
        rank: Its place among all by the rule; None where the rule gives it none.
        low: The best place on tasks like these; None where the rank is None, tasks are missing, or families too few.
        high: The worst place; None likewise.
        group: The number of its group, from 0, among models without a missing task; None likewise.
        mean: Over all tasks; None where it lacks some.
        mean_type: The mean over types of the mean over tasks; None likewise.
        n_tasks: How many tasks it has.
        first: The chance to be first on tasks like these; None where there is no interval.
        may_be_first: Whether it is in the set that holds the best with a chance of 95 %; None likewise, and where that
            was not asked for.
        complete: Its place if all models had all tasks, by the median of what is filled in, and between which places
            that lies; None where it lacks no task, or has too few.
        moved: The group of tasks without which it moves most, and by how many places down; None where none was asked
            for.
    """

    row: int
    rank: int | None
    low: int | None
    high: int | None
    group: int | None
    mean: float | None
    mean_type: float | None
    n_tasks: int
    first: float | None = None
    may_be_first: bool | None = None
    complete: tuple[int, int, int] | None = None
    moved: tuple[str, int] | None = None


@dataclass(frozen=True)
class Board:
    """A ranking of all models of a matrix.

    Args:
        matrix: What was ranked.
        by: The rule.
        places: By rank; those without one last, by their place if all were complete, then those with most tasks.
        n_families: Of the tasks.
        leaders: Of each group the row of its leader.
        alike: Whether no two models of the first group are told apart.
        level: Of the intervals.
        draws: Of families of tasks.
        unscored: Tasks of which no model has a score, which are left out.
    """

    matrix: ScoreMatrix
    by: By
    places: tuple[Place, ...]
    n_families: int
    leaders: tuple[int, ...]
    alike: bool
    level: float
    draws: int
    unscored: tuple[str, ...]


def board(
    matrix: ScoreMatrix,
    families: NDArray[np.integer],
    by: By = "borda",
    left_out: LeftOut | None = None,
    draws: int = ranks.DRAWS,
    level: float = ranks.LEVEL,
    best: bool = True,
) -> Board:
    """Rank the models of a matrix.

    Args:
        matrix: The scores.
        families: (T,) the number of each task's family, from 0.
        by: "borda" as the field has it (points of all models, nothing for a missing task), "mean" over tasks or "type"
            over types, both of complete models alone.
        left_out: Also how far each model moves without a task, a family or a type.
        draws: How many draws of families intervals are made of.
        level: Of the intervals.
        best: Also which models may be first.
    """
    scored = np.asarray(~np.isnan(matrix.values).all(axis=0))
    unscored = tuple(task for task, there in zip(matrix.tasks, scored, strict=True) if not there)
    matrix, families = matrix.narrowed(np.flatnonzero(scored)), _numbered(families[scored])
    ranked_rows = np.arange(len(matrix.models)) if by == "borda" else np.flatnonzero(matrix.complete)
    rule = rule_of(ranked_rows, matrix.values[ranked_rows], matrix.types, by)
    n_families = len(np.unique(families))
    enough_families = n_families >= separation.FEWEST_FAMILIES
    rank = ranks.places(rule.total)
    order = rule.models[np.argsort(rank, kind="stable")]
    rank_of = dict(zip(rule.models.tolist(), rank.tolist(), strict=True))
    told = enough_families and len(rule.models) > 1
    found = _uncertain(rule, families, draws, level, best) if told else {}
    told_apart = _groups(rule, order[matrix.complete[order]], families) if told else _NONE
    group_of = told_apart.of
    completed = _completed(matrix, families, by, draws, level) if enough_families else {}
    moved = _moved(rule, families, matrix, left_out) if left_out else {}
    has = (~np.isnan(matrix.values)).sum(axis=1)
    fewest = min(FEWEST_TASKS, len(matrix.tasks))
    places = []
    for row in range(len(matrix.models)):
        ranked = row in rank_of and int(has[row]) >= fewest
        certain = found.get(row) if ranked and bool(matrix.complete[row]) else None
        places.append(
            Place(
                row,
                rank_of[row] if ranked else None,
                certain[0] if certain else None,
                certain[1] if certain else None,
                group_of.get(row) if ranked else None,
                *_means(matrix, row),
                int(has[row]),
                certain[2] if certain else None,
                certain[3] if certain else None,
                completed.get(row),
                moved.get(row) if ranked else None,
            )
        )
    places.sort(key=lambda place: _order(place, matrix))
    return Board(
        matrix, by, tuple(places), n_families, told_apart.leaders, told_apart.alike, level, draws, unscored
    )  # fmt: skip


def _numbered(families: NDArray[np.integer]) -> NDArray[np.intp]:
    """The same families by the order of their first tasks, so that none without a task is drawn."""
    _, first, of = np.unique(families, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[of], dtype=np.intp)


def _order(place: Place, matrix: ScoreMatrix) -> tuple[bool, int, bool, int, int, str]:
    """Those with a rank by it, then those with one if all were complete, then those with most tasks."""
    middle = 0 if place.rank is not None or place.complete is None else place.complete[0]
    return (
        place.rank is None, place.rank or 0, place.complete is None, middle, -place.n_tasks, matrix.models[place.row]
    )  # fmt: skip


def _uncertain(
    rule: Rule, families: NDArray[np.integer], draws: int, level: float, best: bool
) -> dict[int, tuple[int, int, float, bool | None]]:
    counts = ranks.rank_counts(rule.totals(rule.weights(draws, families)))
    low, high = counts.interval(level)
    may: list[bool | None] = [None] * len(rule.models)
    if best:
        may = separation.may_be_first(rule.values, families).tolist()
    told = zip(low.tolist(), high.tolist(), counts.first.tolist(), may, strict=True)
    return dict(zip(rule.models.tolist(), told, strict=True))


@dataclass(frozen=True)
class _Groups:
    """Model → its group; who leads each; whether no two of the first are told apart."""

    of: dict[int, int]
    leaders: tuple[int, ...]
    alike: bool


_NONE = _Groups({}, (), False)


def _groups(rule: Rule, order: NDArray[np.intp], families: NDArray[np.integer]) -> _Groups:
    """Put models without a missing task, by rank, into groups."""
    rows = np.searchsorted(rule.models, order)
    separated = separation.pairwise(rule.values[rows], families).separated
    of = separation.groups(np.arange(len(order)), separated)
    found = dict(zip(order.tolist(), of.tolist(), strict=True))
    leaders: dict[int, int] = {}
    for model in order.tolist():
        leaders.setdefault(found[model], model)
    first = np.flatnonzero(of == 0)
    return _Groups(found, tuple(leaders.values()), not separated[np.ix_(first, first)].any())


def _completed(
    matrix: ScoreMatrix, families: NDArray[np.integer], by: By, draws: int, level: float
) -> dict[int, tuple[int, int, int]]:
    """The place of each model that lacks tasks, if all that have enough had all: median and interval."""
    has = (~np.isnan(matrix.values)).sum(axis=1)
    enough = np.flatnonzero(has >= min(FEWEST_TASKS, len(matrix.tasks)))
    wanted = enough[~matrix.complete[enough]]
    if not len(wanted) or len(enough) < 2 * missing.FACTORS or np.isnan(matrix.values[enough]).all(axis=0).any():
        return {}
    scores = matrix.values[enough]
    filled = missing.drawn(scores, missing.fit(scores), np.arange(len(enough)), REPLICATES)
    weights: NDArray[np.floating] | None = None
    total = np.zeros((len(enough), len(enough)), dtype=np.int64)
    for number, one in enumerate(filled):
        rule = rule_of(enough, one, matrix.types, by)
        weights = rule.weights(draws, families) if weights is None else weights
        total += ranks.rank_counts(rule.totals(weights[number::REPLICATES])).counts
    found = ranks.RankCounts(total)
    low, high = found.interval(level)
    middle, _ = found.interval(0.0)
    place = {int(model): at for at, model in enumerate(enough)}
    return {
        int(model): (int(middle[place[int(model)]]), int(low[place[int(model)]]), int(high[place[int(model)]]))
        for model in wanted
    }


def _moved(
    rule: Rule, families: NDArray[np.integer], matrix: ScoreMatrix, left_out: LeftOut
) -> dict[int, tuple[str, int]]:
    names, groups = _left_out(families, matrix, left_out)
    if len(names) < 2:
        return {}
    before = ranks.places(rule.total)
    moved = np.array([ranks.places(rule.of(groups != group)) for group in np.unique(groups)]) - before
    most = np.abs(moved).argmax(axis=0)
    found = [(names[group], int(moved[group, at])) for at, group in enumerate(most)]
    return {int(model): one for model, one in zip(rule.models, found, strict=True) if one[1]}


def _left_out(
    families: NDArray[np.integer], matrix: ScoreMatrix, left_out: LeftOut
) -> tuple[list[str], NDArray[np.integer]]:
    if left_out == "task":
        return list(matrix.tasks), np.arange(len(matrix.tasks))
    if left_out == "type":
        names, of = np.unique(np.array(matrix.types), return_inverse=True)
        return names.tolist(), of
    numbers, of = np.unique(families, return_inverse=True)
    first = [matrix.tasks[int(np.flatnonzero(families == number)[0])] for number in numbers]
    return first, of


def _means(matrix: ScoreMatrix, row: int) -> tuple[float | None, float | None]:
    if not matrix.complete[row]:
        return None, None
    values, types = matrix.values[row], np.array(matrix.types)
    of_types = [values[types == kind].mean() for kind in dict.fromkeys(matrix.types)]
    return float(values.mean()), float(np.mean(of_types))
