"""Which models of the results a board does not show, and why: shown and left out together are all models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from embedmark.runner.common.groups import grouped
from embedmark.runner.leaderboard.bench import Bench
from embedmark.runner.leaderboard.columns import Shown
from embedmark.runner.report.rows import leaves

NO_SCORE = "has no score of any of its tasks"
NOT_WHOLE = "has scores of some splits or subsets, and no whole task"
UNDEFINED = "has scores, and none of them is defined"
RECORDS = "has records here, none of them of a whole task as the benchmark asks for it today"
NOT_ASKED = "has scores of tasks that no benchmark of this build asks for"
NOT_ITSELF = "has scores of variants of it, or of other metrics than the main one, alone"
REASONS = (NO_SCORE, NOT_WHOLE, RECORDS, UNDEFINED, NOT_ASKED, NOT_ITSELF)


def left_out(shown: Shown) -> dict[str, Any]:
    """Say of every board which models of the results are not on it.

    Args:
        shown: All boards.

    Returns:
        `models` (name and slug of all in the results), `reasons`, `nowhere` (those on no board, with the reason),
        `boards` (each with how many it shows, and the models of each reason), `unscored` (benchmarks that nobody has a
        score of), `problems` (records that cannot be read, in words) and `failures` (jobs that failed).
    """
    places = {name: place for place, name in enumerate(shown.models)}
    boards = []
    anywhere: set[str] = set()
    told: dict[str, str] = {}
    for board in shown.boards:
        names = {*board.matrix.names}
        anywhere |= names
        out = list(_reasons(board, shown))
        told = {name: why for name, why in out if why != NO_SCORE} | told
        boards.append(
            {
                "name": board.config.name,
                "slug": shown.slugs.benchmarks[board.config.name],
                "shown": len(names),
                "out": _by_reason(out, places),
            }
        )
    nowhere = [(name, told.get(name) or _why(name, shown)) for name in shown.models if name not in anywhere]
    there = {board.config.name for board in shown.boards}
    collected = shown.scores.collected
    return {
        "models": [[name, shown.slugs.models[name]] for name in shown.models],
        "reasons": list(REASONS),
        "shown": len(anywhere),
        "nowhere": _by_reason(nowhere, places),
        "boards": boards,
        "unscored": sorted(name for name in shown.scores.benchmarks if name not in there),
        "problems": sorted(collected.problems),
        "failures": sorted([kept.facts.job.model, kept.facts.job.name] for kept in collected.failures),
    }


def _reasons(board: Bench, shown: Shown) -> Iterator[tuple[str, str]]:
    """The models that a board does not show, each with the reason."""
    there, parts = {*board.matrix.names}, {*board.parts_alone}
    tasks = {leaf.name for leaf in leaves(board.matrix.asked)}
    own = {kept.facts.job.model for kept in shown.scores.collected.records if kept.facts.job.task in tasks}
    for name in shown.models:
        if name not in there:
            yield name, NOT_WHOLE if name in parts else RECORDS if name in own else NO_SCORE


def _by_reason(found: Sequence[tuple[str, str]], places: dict[str, int]) -> list[list[Any]]:
    """The numbers of models by the number of the reason, in the order of reasons."""
    of = grouped((REASONS.index(why), places[name]) for name, why in found)
    return [[why, of[why]] for why in sorted(of)]


def _why(name: str, shown: Shown) -> str:
    if name in shown.defined:
        return NOT_ASKED
    return UNDEFINED if shown.unread.get(name, True) else NOT_ITSELF
