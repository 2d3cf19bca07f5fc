"""A claim scored anew, and why its scores are not those on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import UserError
from embedmark.runner.encode.engine import Request, encode
from embedmark.runner.encode.store import MemoryStore
from embedmark.runner.execute.evidence import sides_of
from embedmark.runner.execute.jobs import Prepared, embeddings, score, search
from embedmark.runner.execute.model import OpenModel
from embedmark.runner.results.collect import Kept
from embedmark.runner.results.evidence import Side
from embedmark.runner.results.inspection import ITEMS
from embedmark.runner.results.items import n_items, read_items
from embedmark.runner.results.record import Record
from embedmark.runner.verify.stages import numbers_apart
from embedmark.runner.verify.verdict import SCORE, far
from embedmark.tasks.base import Scores, SimilarityName
from embedmark.tasks.retrieval.ranking import Ranking
from embedmark.tasks.retrieval.retrieval import Retrieval

_FLIPS = {"classification", "multilabel_classification", "zeroshot_classification"}
"""Types whose scores move by whole items where a vector moves by its last digit."""


@dataclass(frozen=True)
class Rerun:
    """What a whole run of a claim gave.

    Args:
        scores: All of them.
        sides: What its vectors are; empty for models without.
        others: What the claim does not say, in words → the scores with it; empty where the claim's are right.
    """

    scores: Scores
    sides: Mapping[str, Side] = field(default_factory=dict)
    others: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def run_again(prepared: Prepared, model: OpenModel, asked: Sequence[Request], record: Record) -> Rerun:
    """Encode and score a whole job, with nothing from a store.

    Args:
        prepared: The job and its data.
        model: Opened anew.
        asked: One request an item set; none for a model that searches.
        record: What is checked; where its scores are others, other ways of scoring are tried.
    """
    if model.encoder is None:
        assert model.searcher is not None
        return Rerun(search(prepared, model.searcher)[0])
    encoding = encode(model.encoder, asked, MemoryStore(), postprocess=model.postprocess)
    sides, _ = sides_of(prepared, asked, encoding, model.postprocess, model.encoder)
    scores, _ = score(prepared, asked, encoding, model.similarity)
    if not _off(record.scores, scores.values, SCORE):
        return Rerun(scores, sides)
    others: dict[str, Mapping[str, float]] = {}
    for other in get_args(SimilarityName):
        if other != model.similarity:
            others[f"similarity: {other}"] = score(prepared, asked, encoding, other)[0].values
    if isinstance(prepared.task, Retrieval):
        ranking = prepared.task.rank(embeddings(prepared, asked, encoding, model.similarity), prepared.data)
        others["tie rule: equal scores in the other order"] = prepared.task.score(
            _retied(ranking), prepared.data
        ).values
    return Rerun(scores, sides, others)


def _retied(ranking: Ranking) -> Ranking:
    """The same hits with equal scores the other way round."""
    orders = [np.lexsort((-np.arange(len(scores)), -scores)) for _, _, scores in ranking]
    return Ranking.join(
        ranking.query_ids,
        ranking.document_ids,
        [documents[order] for (_, documents, _), order in zip(ranking, orders, strict=True)],
        [scores[order] for (_, _, scores), order in zip(ranking, orders, strict=True)],
    )


def cause_of_scores(kept: Kept, record: Record, rerun: Rerun, allowed: float, libraries: str) -> str | None:
    """Say why scores on record are not those of a rerun from equal vectors; None where they are.

    Args:
        kept: The record, with its identity and folder.
        record: The same, read.
        rerun: What the claim gives.
        allowed: How far scores may be apart: more than `SCORE` where vectors are by their last digits.
        libraries: Which libraries have another version here, in words; empty where none has.
    """
    values = rerun.scores.values
    if (cause := numbers_apart(record.scores, values)) is not None:
        return cause
    off = _off(record.scores, values, allowed)
    if not off:
        return None
    name = record.main_metric if record.main_metric in off else min(off)
    numbers = f"{name} {record.scores[name]} on record, {values[name]} by the claim"
    return f"{_cause(kept, record, rerun, libraries)}; {numbers}"


def one_item(kept: Kept, record: Record) -> float:
    """Return what one item makes of a score that moves by items; 0 for others."""
    if kept.identity["task"]["type"] not in _FLIPS:
        return 0.0
    known = n_items(kept.folder, record.main_metric) or max((side.n for side in record.sides.values()), default=0)
    return 1 / known if known else 0.0


def _off(kept: Mapping[str, float], again: Mapping[str, float], allowed: float) -> list[str]:
    return [name for name, value in kept.items() if name not in again or far(value, again[name], allowed)]


def _cause(kept: Kept, record: Record, rerun: Rerun, libraries: str) -> str:
    apart = _arrays_apart(kept, rerun.scores)
    fitting = [words for words, scores in rerun.others.items() if not _off(record.scores, scores, SCORE)]
    first = f", first in {apart[0]}" if apart else ""
    causes = {
        "edited score: all items are equal": apart == [],
        f"{' or '.join(fitting)} gives the scores on record": bool(fitting),
        "draws: other rows were drawn from equal data (seed)": bool(apart and "drawn" in apart),
        f"library or hardware: equal vectors are scored otherwise{libraries}": bool(libraries),
        "edited score, protocol or settings of the task: vectors are equal, items were not kept": apart is None,
        f"protocol or settings of the task: equal vectors are scored otherwise{first}": True,
    }
    return next(cause for cause, holds in causes.items() if holds)


def _arrays_apart(kept: Kept, again: Scores) -> list[str] | None:
    """The arrays of items.npz that a run of the claim makes otherwise; None where the record has none."""
    if not (kept.folder / ITEMS).is_file():
        return None
    try:
        found = read_items(kept.folder / ITEMS)
    except UserError:
        return None
    return sorted(name for name in found if name in again.items and not _same(found[name], again.items[name]))


def _same(kept: NDArray[Any], again: NDArray[Any]) -> bool:
    if kept.shape != again.shape:
        return False
    if kept.dtype.kind == "f" or again.dtype.kind == "f":
        return bool(np.allclose(kept, again, rtol=0, atol=SCORE, equal_nan=True))
    return bool((kept == again).all())
