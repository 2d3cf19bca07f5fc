"""A benchmark in the terminal, as its page has it: the same sentence, places and groups from the same functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.text import shortened
from embedmark.runner.leaderboard.bench import DRAWS, MISSING, Bench, Whole
from embedmark.runner.leaderboard.languages import display_names
from embedmark.runner.leaderboard.scores import AllScores
from embedmark.runner.leaderboard.subsets import subsets_of
from embedmark.runner.ranking.board import Board, Place, board
from embedmark.runner.ranking.families import families
from embedmark.runner.ranking.matrix import ScoreMatrix
from embedmark.runner.ranking.sentence import Facts, facts_of
from embedmark.runner.stats.ranks import SCALE

T = TypeVar("T")

KEYS = ("type", "lang", "domain", "modality", "task", "drop")
"""What tasks are chosen by, as in the address of a page; `drop` leaves tasks out."""

_NAMED = 3
"""So many tasks are named in the sentence, and more are counted."""


@dataclass(frozen=True)
class Shown:
    """What is shown of a benchmark.

    Args:
        board: The ranking on the tasks that are kept.
        places: Those of its places that are shown.
        zero_shot: Of each row of its matrix the percent of the tasks that the model was not trained on; None where
            nobody knows.
        facts: What the sentence is made of.
    """

    board: Board
    places: Sequence[Place]
    zero_shot: Sequence[int | None]
    facts: Facts


def shown(scores: AllScores, made: Bench, asked: Mapping[str, Sequence[str]], top: int) -> Shown:
    """Rank models on the tasks that are asked for, with all models that have a score on these.

    Args:
        scores: All there are.
        made: The benchmark.
        asked: By key of `KEYS` what is kept, as it was typed; any one of several values will do, and all keys count.
        top: How many places are shown; one's own are shown wherever they stand.

    Raises:
        UserError: A value is not known, or keeps nothing that anybody has a score of.
    """
    found = _found(scores, made, asked)
    ranked, zero_shot, absent = made.board, [*made.zero_shot[: len(made.matrix.models)]], 0
    if found:
        matrix = _narrowed(scores, made, found)
        if not len(matrix.models):
            said = " ".join(f"{key}={','.join(values)}" for key, values in asked.items())
            raise UserError(f"{said}: no model has a score on such a task of {made.config.name}; leave one out")
        ranked = board(matrix, families(matrix.tasks, scores.catalogue).of, made.board.by, draws=DRAWS)
        zero_shot = [scores.training.share(name, matrix.tasks) for name in matrix.names]
        absent = max(0, len(made.matrix.models) - len(matrix.models))
    kept = [place for at, place in enumerate(ranked.places) if at < top or ranked.matrix.own[place.row]]
    facts = facts_of(ranked, zero_shot, len(kept), _words(found), len(made.matrix.tasks), absent)
    return Shown(ranked, kept, zero_shot, facts)


def _narrowed(scores: AllScores, made: Bench, found: Mapping[str, Sequence[str]]) -> ScoreMatrix:
    """The tasks that are kept, and the models that have any of them, also of parts of tasks alone."""
    names = (*made.matrix.models, *made.parts_alone)
    columns = _columns(scores, made, found.get("lang"))
    places = [
        place for place in sorted(columns) if _keeps(scores, made, found, place) and (columns[place] != MISSING).any()
    ]
    values = np.array([columns[place] for place in places], dtype=np.int64).reshape(len(places), len(names)).T
    whole = made.matrix.narrowed(places)
    rows = np.flatnonzero((values != MISSING).any(axis=1)).tolist()
    more = len(made.parts_alone)
    kept = values[rows]
    return replace(
        whole,
        models=_chosen(names, rows),
        names=_chosen((*whole.names, *made.parts_alone), rows),
        revisions=_chosen((*whole.revisions, *[()] * more), rows),
        own=_chosen((*whole.own, *[False] * more), rows),
        values=np.where(kept == MISSING, np.nan, kept / SCALE),
    )


def _chosen(column: Sequence[T], rows: Sequence[int]) -> tuple[T, ...]:
    return tuple(column[row] for row in rows)


def _columns(scores: AllScores, made: Bench, languages: Sequence[str] | None) -> Mapping[int, Whole]:
    """Place of each task that is kept → what every model has, in millionths; of its subsets in some languages."""
    if languages is not None:
        return subsets_of(scores, made).narrowed(frozenset(languages))
    return dict(enumerate(made.whole))


def _keeps(scores: AllScores, made: Bench, found: Mapping[str, Sequence[str]], place: int) -> bool:
    name = made.matrix.tasks[place]
    about = scores.catalogue.task(name).about
    has = {
        "type": {made.matrix.types[place]},
        "task": {name},
        "domain": {*about.domains},
        "modality": {*about.modalities},
    }
    return name not in found.get("drop", ()) and all(has[key] & {*found[key]} for key in has if key in found)


def _found(scores: AllScores, made: Bench, asked: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The same values as they are known here. Raises UserError."""
    return {key: [_meant(key, value, _known(scores, made, key)) for value in values] for key, values in asked.items()}


def _known(scores: AllScores, made: Bench, key: str) -> dict[str, str]:
    """What may be typed of a key → what it means."""
    tasks = made.matrix.tasks
    if key == "lang":
        codes = subsets_of(scores, made).languages
        return {**{name: code for code, name in display_names(codes).items()}, **{code: code for code in codes}}
    if key in ("domain", "modality"):
        about = [scores.catalogue.task(task).about for task in tasks]
        return {one: one for each in about for one in sorted(each.domains if key == "domain" else each.modalities)}
    return {value: value for value in (made.matrix.types if key == "type" else tasks)}


def _meant(key: str, value: str, known: Mapping[str, str]) -> str:
    found = {name.casefold(): meant for name, meant in known.items()}.get(value.casefold())
    if found is None:
        listed = ", ".join(sorted({*known.values()}))
        raise UserError(
            f"{key}={shortened(value, 80)}: this benchmark has none such.{nearest(value, known)} It has "
            f"{shortened(listed, 300) or 'nothing to choose from'}."
        )
    return found


def _words(found: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What is kept, as the sentence says it."""
    words: list[str] = []
    for key in ("type", "lang", "domain", "modality"):
        values = found.get(key, ())
        words += values if key != "lang" else [display_names(values)[code] for code in values]
    if tasks := found.get("task"):
        words.append(", ".join(tasks) if len(tasks) <= _NAMED else f"{len(tasks)} chosen tasks")
    if drop := found.get("drop"):
        words.append(f"without {', '.join(drop) if len(drop) <= _NAMED else f'{len(drop)} tasks'}")
    return tuple(words)
