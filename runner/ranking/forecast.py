"""What an unfinished model will come to, learnt from published models that have all tasks; and a smaller benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from embedmark.runner.common.errors import UserError
from embedmark.runner.exchange import snapshot
from embedmark.runner.exchange.names import present_model
from embedmark.runner.ranking.matrix import ScoreMatrix
from embedmark.runner.stats import choice, missing, predict, ranks, separation

Floats = NDArray[np.float64]

_ENOUGH, _MOST_LACKING = 100, 0.1
"""Where fewer published models have all tasks, those that lack no more than this share are learnt from as well, filled
in as far as is known."""


@dataclass(frozen=True)
class Known:
    """What is learnt from.

    Args:
        prior: Published models with all tasks that any model has.
        columns: (T,) which columns of the matrix these tasks are.
        tasks: Their names.
    """

    prior: predict.Prior
    columns: NDArray[np.int64]
    tasks: tuple[str, ...]


@dataclass(frozen=True)
class Forecast:
    """One model of one's own.

    Args:
        model: Its label.
        n_done: How many of the tasks it has.
        n_tasks: How many there are.
        estimate: Of its mean over all of them; None where it has all, or none.
        mean: Over those that it has; None where it has none.
        next_tasks: Those that would tell most, best first.
    """

    model: str
    n_done: int
    n_tasks: int
    estimate: predict.Estimate | None
    mean: float | None
    next_tasks: tuple[str, ...]


def known(matrix: ScoreMatrix, benchmark: str) -> Known:
    """Collect what can be learnt from.

    Raises:
        UserError: Too few models, or families of them, have all tasks.
    """
    published = ~np.array(matrix.own, dtype=bool)
    columns = np.flatnonzero(~np.isnan(matrix.values[published]).all(axis=0))
    scores = matrix.values[np.ix_(np.flatnonzero(published), columns)]
    names = [name for name, own in zip(matrix.names, matrix.own, strict=True) if not own]
    lacking = np.isnan(scores).mean(axis=1) if len(columns) else np.ones(len(names))
    enough = lacking == 0 if (lacking == 0).sum() >= _ENOUGH else lacking <= _MOST_LACKING
    kept = _filled(scores[enough])
    families = model_families([name for name, there in zip(names, enough, strict=True) if there])
    prior = predict.Prior(kept, families)
    if not prior.is_enough:
        raise UserError(
            f"{benchmark}: {len(kept)} published models of {len(set(families.tolist()))} families have its tasks; a "
            f"forecast needs {predict.FEWEST_MODELS} of {predict.FEWEST_FAMILIES} families"
        )
    return Known(prior, columns, tuple(matrix.tasks[column] for column in columns))


def _filled(scores: Floats) -> Floats:
    if not np.isnan(scores).any():
        return scores
    factors, filled = missing.fit(scores), scores.copy()
    for row in np.flatnonzero(np.isnan(scores).any(axis=1)):
        filled[row, np.isnan(scores[row])] = factors.conditional(scores[row])[0]
    return filled


def model_families(names: Sequence[str]) -> NDArray[np.int64]:
    """Number the families of models: those of one owner, and those adapted from one another."""
    base = {present_model(row["name"]): row["adapted_from"] for row in snapshot.models().iter_rows(named=True)}
    above: dict[str, str] = {}

    def root(name: str) -> str:
        while above.setdefault(name, name) != name:
            name = above[name]
        return name

    for name in names:
        above[root(name)] = root(f"{name.partition('/')[0]}/")
        if (from_whom := base.get(name)) and present_model(from_whom) in names:
            above[root(present_model(from_whom))] = root(name)
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(root(name), len(numbers)) for name in names], dtype=np.int64)


def forecasts(matrix: ScoreMatrix, learnt: Known, seconds: Floats | None = None, shown: int = 3) -> list[Forecast]:
    """Forecast the models of one's own.

    Args:
        matrix: Published scores and one's own.
        learnt: Of the same matrix.
        seconds: (T,) what each task takes, to order those that are left by; None where that is not known.
        shown: How many of these are named.
    """
    return [
        _forecast(matrix.models[row], matrix.values[row, learnt.columns], learnt, seconds, shown)
        for row, own in enumerate(matrix.own)
        if own
    ]


def _forecast(model: str, scores: Floats, learnt: Known, seconds: Floats | None, shown: int) -> Forecast:
    there = np.flatnonzero(~np.isnan(scores))
    n_tasks = len(scores)
    left = choice.chosen_tasks(learnt.prior.scores, min(shown, n_tasks - len(there)), seconds, done=there)
    named = tuple(learnt.tasks[int(task)] for task in left)
    mean = float(scores[there].mean()) if len(there) else None
    if not len(there) or len(there) == n_tasks:
        return Forecast(model, len(there), n_tasks, None, mean, named)
    chooser = _chooser(learnt.prior, there, seconds)
    if chooser is None:
        made = predict.cautious_estimate(learnt.prior, there, scores[there])
    else:
        made = predict.estimate(learnt.prior, there, scores[there], chooser=chooser)
    return Forecast(model, len(there), n_tasks, made, mean, named)


def _chooser(prior: predict.Prior, done: NDArray[np.int64], seconds: Floats | None) -> predict.Chooser | None:
    """How the tasks that are done were chosen, where they are those that would be chosen first."""
    for chooser in (predict.Chooser(), predict.Chooser(seconds)):
        if set(chooser.tasks(prior, len(done)).tolist()) == set(done.tolist()):
            return chooser
    return None


@dataclass(frozen=True)
class Lite:
    """A smaller benchmark, and what it is worth for models of families that had no say in the choice.

    Args:
        tasks: In the order of choice.
        share: Of what all tasks take.
        half_width: Mean half width of the 90 % interval of the whole benchmark's mean.
        coverage: Share of held-out models whose mean it holds.
        spearman: Of predicted and true means.
        rank_error: Median places by which the predicted mean is off.
        kept: Share of the pairs of models that the whole benchmark separates and whose predicted means differ by more
            than both half widths together.
    """

    tasks: tuple[str, ...]
    share: float
    half_width: float
    coverage: float
    spearman: float
    rank_error: float
    kept: float


def lite(learnt: Known, families: NDArray[np.integer], seconds: Floats, budget: float) -> Lite:
    """Choose tasks for a budget, and measure the choice on held-out families of models.

    Args:
        learnt: What is learnt from.
        families: (T,) the number of each task's family.
        seconds: (T,) what each task takes, in any unit.
        budget: In the same.

    Raises:
        UserError: No task fits into the budget.
    """
    prior = learnt.prior
    chosen = choice.chosen_tasks(prior.scores, len(learnt.tasks), seconds, budget)
    if not len(chosen):
        least = int(np.argmin(seconds))
        raise UserError(f"no task fits into the budget; the shortest is {learnt.tasks[least]}")
    predicted, half = held_out(prior, predict.Chooser(seconds, budget), len(chosen))
    truth = prior.means
    off = ranks.places(np.rint(predicted * 1e9).astype(np.int64)) - ranks.places(np.rint(truth * 1e9).astype(np.int64))
    whole = np.triu(separation.pairwise(prior.scores, families).separated, 1)
    apart = np.abs(predicted[:, None] - predicted) > half[:, None] + half
    return Lite(
        tuple(learnt.tasks[int(task)] for task in chosen),
        float(seconds[chosen].sum() / seconds.sum()),
        float(half.mean()),
        float((np.abs(predicted - truth) <= half).mean()),
        float(spearmanr(predicted, truth).statistic),
        float(np.median(np.abs(off))),
        float(apart[whole].mean()) if whole.any() else 0.0,
    )


def held_out(prior: predict.Prior, chooser: predict.Chooser, n: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Predict each model from others: tasks, fit and interval are all made without its family.

    Returns:
        (N,) predicted means and (N,) half widths of their intervals.
    """
    predicted, half = np.zeros(len(prior.scores)), np.zeros(len(prior.scores))
    for held in predict.folds(prior.families, seed):
        if not held.any():
            continue
        rest = prior.without(held)
        tasks = chooser.tasks(rest, n)
        predicted[held], scale = predict.predictions(rest.scores, tasks, prior.scores[np.ix_(held, tasks)])
        half[held] = predict.quantile(*predict.errors(rest, tasks, chooser, seed + 1), predict.LEVEL) * scale
    return predicted, half


def seconds_of(tasks: Sequence[str], told: Mapping[str, float]) -> Floats:
    """What each task takes, by name; of those that nothing is known of the median of the others."""
    known_ones = [told[task] for task in tasks if task in told]
    middle = float(np.median(known_ones)) if known_ones else 1.0
    return np.array([max(told.get(task, middle), 1e-3) for task in tasks])
