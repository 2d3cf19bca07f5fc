"""What a ranking can and cannot decide, in words: the same on the terminal, in the built page and in its script.

`runner/leaderboard/page/words.js` says the same to the character, and a test holds both together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embedmark.runner.ranking.board import Board
from embedmark.runner.ranking.rules import By
from embedmark.runner.stats.separation import FEWEST_FAMILIES

_ORDERS = {"borda": "Borda", "mean": "the mean over tasks", "type": "the mean over types"}

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

_EXCLUDED = {"lint": "scores with a finding", "revisions": "scores on other revisions of the data"}


@dataclass(frozen=True)
class Missed:
    """A task that many models lack, and nothing else.

    Args:
        task: Its name.
        lack: How many models lack this one alone.
        have: How many have it.
    """

    task: str
    lack: int
    have: int


@dataclass(frozen=True)
class Facts:
    """What the sentence is made of.

    Args:
        models: How many have a score on the tasks that are kept.
        tasks: How many are kept.
        of: How many tasks of the benchmark have any score.
        families: Of the tasks that are kept.
        complete: How many models have all of these tasks.
        first: How many are in the first group; 0 where there are no groups.
        alike: Whether no two of the first group are told apart.
        unranked: How many have too few tasks for a rank.
        unknown: Of how many nobody tells what they were trained on.
        absent: How many other models of the benchmark have no score on the tasks that are kept.
        missed: The task that most models lack alone.
        kept: By what the tasks were chosen, in words; none where all are kept.
        excluded: "lint", "revisions": which scores are taken as missing.
        shown: How many models are shown; None for all.
        filters: By what the models that are shown were chosen, in words.
        by: The rule of the ranking.
    """

    models: int
    tasks: int
    of: int
    families: int
    complete: int
    first: int
    alike: bool
    unranked: int = 0
    unknown: int = 0
    absent: int = 0
    missed: Missed | None = None
    kept: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    shown: int | None = None
    filters: tuple[str, ...] = ()
    by: By = "borda"


@dataclass(frozen=True)
class Part:
    """A part of the sentence.

    Args:
        text: What it says, with the blanks at its ends.
        bold: Whether it is what should be read first.
        leaves: Where it offers to leave a task out, the task's name.
    """

    text: str
    bold: bool = False
    leaves: str | None = None


def sentence(facts: Facts) -> tuple[Part, ...]:
    """Say what a ranking can and cannot decide, whom it lacks and whom it hides."""
    if not facts.models:
        return (Part("No model has a score on these tasks.", True),)
    parts = [*_head(facts), Part(_verdict(facts), True), *_missed(facts)]
    parts += [Part(f" {clause}") for clause in (_excluded(facts), _absent(facts), _lacking(facts)) if clause]
    return tuple(parts)


def plain(parts: Sequence[Part]) -> str:
    """Return the sentence as a text, without what a page alone can offer."""
    return "".join(part.text for part in parts)


def facts_of(
    board: Board,
    zero_shot: Sequence[int | None],
    shown: int | None = None,
    kept: tuple[str, ...] = (),
    all_tasks: int | None = None,
    absent: int = 0,
) -> Facts:
    """Collect the facts of a ranking.

    Args:
        board: The ranking.
        zero_shot: Of each row of its matrix the percent of the tasks that the model was not trained on; None where
            nobody knows.
        shown: How many models are shown; None for all.
        kept: By what the tasks were chosen, in words.
        all_tasks: How many tasks with a score the benchmark has; None where all are ranked.
        absent: How many other models of the benchmark have no score on the tasks that are kept.
    """
    there = ~np.isnan(board.matrix.values)
    some = np.asarray(there.any(axis=1))
    first = [place.group for place in board.places].count(0)
    return Facts(
        models=int(some.sum()),
        tasks=len(board.matrix.tasks),
        of=len(board.matrix.tasks) if all_tasks is None else all_tasks,
        families=board.n_families,
        complete=int(board.matrix.complete.sum()) if len(board.matrix.tasks) else 0,
        first=first,
        alike=board.alike,
        unranked=sum(place.rank is None and bool(some[place.row]) for place in board.places),
        unknown=sum(bool(here) and share is None for here, share in zip(some, zero_shot, strict=True)),
        absent=absent,
        missed=_most_missed(board),
        kept=kept,
        shown=shown if shown is not None and shown < some.sum() else None,
        by=board.by,
    )


def _most_missed(board: Board) -> Missed | None:
    """The task that most models lack alone; of several the first."""
    there = ~np.isnan(board.matrix.values)
    only = ~there[there.sum(axis=1) == there.shape[1] - 1]
    if not len(only):
        return None
    lack = only.sum(axis=0)
    task = int(lack.argmax())
    return Missed(board.matrix.tasks[task], int(lack[task]), int(there[:, task].sum()))


def _head(facts: Facts) -> list[Part]:
    parts = [Part(_count(facts.models, "model"), True), Part(" on "), Part(_count(facts.tasks, "task"), True)]
    rest = f" of {facts.of}" if facts.tasks < facts.of else ""
    rest += f" ({', '.join(facts.kept)})" if facts.kept else ""
    rest += f", ranked by {_ORDERS[facts.by]}" if facts.by != "borda" else ""
    return [*parts, Part(f"{rest}. ")]


def _verdict(facts: Facts) -> str:
    if facts.models == 1:
        return "It is the only one, so there is nobody to tell it from."
    if facts.families < FEWEST_FAMILIES:
        what = _begun(_words(facts.tasks, "task"))
        if facts.tasks >= FEWEST_FAMILIES:
            what += f" from {_words(facts.families, 'source')} of data"
        return (
            f"{what} cannot decide who is better: with fewer than {_SMALL[FEWEST_FAMILIES]} there is no interval, "
            "no group and no verdict."
        )
    if facts.complete < 2 or not facts.first:
        has = "Only one model has" if facts.complete == 1 else "No model has" if not facts.complete else "Too few have"
        return f"{has} all of these tasks, so nobody can be told apart."
    among = f"Of the {facts.complete} with all of them, " if facts.complete < facts.models else ""
    return among + _first(facts) if among else _begun(_first(facts))


def _first(facts: Facts) -> str:
    if facts.first == 1:
        return "the first is told apart from the second."
    if facts.first == facts.complete > 2:
        return "none can be told apart." if facts.alike else "none can be told apart from the first."
    if facts.alike:
        return f"the first {_number(facts.first)} cannot be told apart."
    return f"the next {_number(facts.first - 1)} cannot be told apart from the first."


def _missed(facts: Facts) -> list[Part]:
    """A task is offered to be left out where that more than doubles the models that can be told apart."""
    missed = facts.missed
    if missed is None or missed.lack <= facts.complete or facts.tasks < 2:
        return []
    have = "has" if missed.have == 1 else "have"
    lack = "lacks" if missed.lack == 1 else "lack"
    return [
        Part(f" {_begun(_number(missed.lack))} {lack} only {missed.task}, which {_number(missed.have)} {have}: "),
        Part("leave it out", leaves=missed.task),
        Part("."),
    ]


def _excluded(facts: Facts) -> str:
    if not facts.excluded:
        return ""
    return f"{_begun(' and '.join(_EXCLUDED[one] for one in facts.excluded))} are taken as missing."


def _absent(facts: Facts) -> str:
    if not facts.absent:
        return ""
    return (
        f"{_begun(_words(facts.absent, 'other model'))} {'has' if facts.absent == 1 else 'have'} none of these tasks."
    )


def _lacking(facts: Facts) -> str:
    """Who lacks tasks, who says nothing of training data, and whom of all that a reader sees."""
    lacking, clauses = facts.models - facts.complete, []
    if lacking:
        clauses.append(f"{_number(lacking)} {'lacks' if lacking == 1 else 'lack'} tasks")
        if facts.unranked == lacking:
            clauses[0] += f" and {'has' if lacking == 1 else 'have'} no rank"
        elif facts.unranked:
            clauses[0] += f" ({_number(facts.unranked)} too many for a rank)"
    if facts.unknown:
        clauses.append(
            f"{_number(facts.unknown)} {'does' if facts.unknown == 1 else 'do'} not say what "
            f"{'it was' if facts.unknown == 1 else 'they were'} trained on"
        )
    if facts.shown is None:
        return f"{_begun(', '.join(clauses))}; all are shown." if clauses else ""
    shown = f"{_number(facts.shown) if facts.shown else 'none'} {'is' if facts.shown < 2 else 'are'} shown"
    if facts.filters:
        shown += f": {', '.join(facts.filters)}; ranks are among all"
    return f"{_begun('; '.join([', '.join(clauses), shown] if clauses else [shown]))}."


def _number(number: int) -> str:
    return _SMALL[number] if number < len(_SMALL) else str(number)


def _words(number: int, noun: str) -> str:
    return f"{_number(number)} {noun}{'' if number == 1 else 's'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]
