"""A ranking as a table on a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from embedmark.runner.common.groups import grouped
from embedmark.runner.common.terminal import plain_table
from embedmark.runner.common.text import visible
from embedmark.runner.config.schema import BenchmarkConfig
from embedmark.runner.ranking.board import FEWEST_TASKS, Board, Place
from embedmark.runner.ranking.sentence import Facts, sentence

_COVERS = {"borda": (98, 89), "mean": (97, 84), "type": (96, 83)}
"""In how many of a hundred sets of tasks like those of MTEB(eng, v2) a 98 % interval holds the rank, on average over
models and for the hardest one: as tests/benchmarks/ranks.py measures."""


def print_board(
    board: Board, shown: Sequence[Place], zero_shot: Sequence[int | None], facts: Facts, console: Console
) -> None:
    """Print what a ranking can and cannot decide, some of its places, and what its columns mean.

    Args:
        board: The ranking.
        shown: Some of its places.
        zero_shot: Of each row of the matrix the percent of the tasks that the model was not trained on; None where
            nobody knows.
        facts: What the sentence is made of.
        console: Where it is printed.
    """
    said = Text.assemble(*((visible(part.text), "bold" if part.bold else "") for part in sentence(facts)))
    console.print(said, highlight=False, soft_wrap=True)
    table = plain_table("rank")
    told, completed, moved = _columns(board, shown)
    if told:
        table.add_column(f"{100 * board.level:g} %", no_wrap=True)
        table.add_column("group", justify="right", no_wrap=True)
        table.add_column("first", justify="right", no_wrap=True)
    if completed:
        table.add_column("if all were complete", no_wrap=True)
    table.add_column("model", overflow="fold")
    table.add_column("tasks", justify="right", no_wrap=True)
    for name in ("mean", "by type", "zero-shot"):
        table.add_column(name, justify="right", no_wrap=True)
    if moved:
        table.add_column("moves most without", overflow="fold")
    for place in shown:
        cells = _cells(board, place, told=told, completed=completed)
        cells.append("unknown" if (share := zero_shot[place.row]) is None else f"{share} %")
        if moved:
            cells.append(Text(f"{place.moved[0]}: {place.moved[1]:+d}" if place.moved else "does not move"))
        table.add_row(*cells)
    console.print(table)
    console.print()
    for line in _foot(board, shown, told=told, completed=completed):
        console.print(line, highlight=False, markup=False, soft_wrap=True, style="dim")


def _columns(board: Board, shown: Sequence[Place]) -> tuple[bool, bool, bool]:
    return (
        bool(board.leaders),
        any(place.complete for place in shown),
        any(place.moved for place in shown),
    )


def _cells(board: Board, place: Place, *, told: bool, completed: bool) -> list[Text | str]:
    n_tasks = len(board.matrix.tasks)
    name = board.matrix.models[place.row]
    own = board.matrix.own[place.row]
    cells: list[Text | str] = [str(place.rank) if place.rank is not None else "–"]
    if told:
        cells += [
            f"{place.low} – {place.high}" if place.low is not None else "–",
            str(place.group + 1) if place.group is not None else "",
            _percent(place.first),
        ]
    if completed:
        cells.append("{} ({} – {})".format(*place.complete) if place.complete else "")
    cells += [Text(f"{name} (measured here)" if own else name, "bold" if own else ""), f"{place.n_tasks}/{n_tasks}"]
    cells += ["–" if mean is None else f"{100 * mean:.2f}" for mean in (place.mean, place.mean_type)]
    return cells


def _percent(share: float | None) -> str:
    if share is None:
        return ""
    return "" if share == 0 else "< 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def _foot(board: Board, shown: Sequence[Place], *, told: bool, completed: bool) -> list[str]:
    lines = []
    mean, hardest = _COVERS[board.by]
    if told:
        lines += [
            f"{100 * board.level:g} %: where it would stand on tasks like these ({board.n_families} families drawn "
            f"{board.draws:,} times); covers {mean} % on average, {hardest} % for the hardest model.",
            "group: not told apart from the first of the group, by the paired test over families. Never equal. "
            "Models that lack tasks have none.",
            "first: the chance to be first on tasks like these.",
        ]
    if completed:
        lines.append(
            "if all were complete: the median place and its interval with what is missing filled in from the other "
            + ("scores. The rank itself counts a missing task as nothing." if board.by == "borda" else "scores.")
        )
    out = [place for place in shown if place.rank is None]
    if out:
        words = f"fewer than {FEWEST_TASKS} tasks" if board.by == "borda" else "tasks are missing"
        lines.append(f"–: not ranked, since {words}.")
    if board.unscored:
        lines.append(f"left out, since no model has a score: {', '.join(board.unscored)}")
    return lines


def outside(benchmark: BenchmarkConfig) -> list[str]:
    """Say which tasks of a benchmark are not in the catalogue, the reasons once each."""
    reasons = grouped((reason, task) for task, reason in benchmark.awaits.items())
    return [f"not in the catalogue: {', '.join(tasks)}: {reason}" for reason, tasks in reasons.items()]


def board_json(board: Board, zero_shot: Sequence[int | None]) -> dict[str, Any]:
    """Every place, with means as they are on record; null where there is none."""
    matrix = board.matrix
    return {
        "schema": 1,
        "by": board.by,
        "level": board.level,
        "draws": board.draws,
        "tasks": list(matrix.tasks),
        "n_families": board.n_families,
        "unscored": list(board.unscored),
        "leaders": [matrix.models[row] for row in board.leaders],
        "models": [
            {**asdict(place), "model": matrix.models[place.row], "own": matrix.own[place.row],
             "zero_shot": zero_shot[place.row], "revisions": list(matrix.revisions[place.row])}
            for place in board.places
        ],
    }  # fmt: skip
