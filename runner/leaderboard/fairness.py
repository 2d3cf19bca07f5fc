"""How evenly a model serves languages: its worst one, its spread over them, and its gap between high and low resource.

Languages are compared on the same tasks alone: a score of a task in a language is taken for the sum of what the task
gives and what the language gives, fitted by least squares (a two-way layout without repetitions). What a language gives
is its effect, in points above or below the mean over the model's languages. A task in one language says nothing here.

- Worst: the language of the least effect. Its standard error is that of the fit; the interval is widened for the choice
  of one of n languages (Bonferroni: Student's t at 1 - 0.05 / n, of the fit's degrees of freedom).
- Spread: the standard deviation of the effects over languages; its interval leaves out one language at a time
  (jackknife of its logarithm, Student's t of n - 1 degrees of freedom).
- Gap: the mean effect of languages of high resource less that of low resource, with Welch's interval over languages.

Below six languages, on either side where there are two, no interval is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.special import stdtrit

from embedmark.runner.leaderboard.bench import MISSING
from embedmark.runner.leaderboard.resources import resource_class, side, source
from embedmark.runner.leaderboard.subsets import FEWEST_TASKS, Subsets
from embedmark.runner.stats.ranks import SCALE

Floats: TypeAlias = NDArray[np.float64]
Cells: TypeAlias = NDArray[np.bool_]

LEVEL = 0.95

FEWEST_LANGUAGES = 6

_POINTS = 100 / SCALE


@dataclass(frozen=True)
class Fit:
    """What languages give, of models that have the same cells.

    Args:
        languages: (L) which of all they are.
        effects: (n_models, L) points, of mean 0.
        errors: (n_models, L) the standard errors; infinite without degrees of freedom.
        freedom: The degrees of freedom of what is left over.
        tasks: How many count.
    """

    languages: NDArray[np.intp]
    effects: Floats
    errors: Floats
    freedom: int
    tasks: int


def fairness(subsets: Subsets) -> dict[str, Any]:
    """Measure every model that has at least two languages of the same tasks.

    Returns:
        Columns by language (codes, class) and by model: its effects in hundredths of a point, what is worst, spread and
        gap with their intervals, and what these are made of.
    """
    codes = list(subsets.languages)
    scores = _by_language(subsets)
    fits = _fits(scores)
    sides = np.array([side(code) or "" for code in codes])
    made = [
        (model, fit.languages, fit.effects[at], fit.errors[at], fit)
        for models, fit in fits
        for at, model in enumerate(models)
    ]
    made.sort(key=lambda one: one[0])
    return {
        "source": source(),
        "codes": codes,
        "class": [resource_class(code) for code in codes],
        "models": [int(model) for model, *_ in made],
        "effects": [_row(languages, effects, len(codes)) for _, languages, effects, _, _ in made],
        "languages": [len(languages) for _, languages, *_ in made],
        "tasks": [fit.tasks for *_, fit in made],
        "worst": [_worst(languages, effects, errors, fit.freedom) for _, languages, effects, errors, fit in made],
        "spread": [_rounded(spread(effects)) for _, _, effects, _, _ in made],
        "gap": [_gap(effects, sides[languages]) for _, languages, effects, _, _ in made],
    }


def spread(effects: Floats) -> tuple[float, float | None, float | None]:
    """Return the standard deviation of effects over languages, and its interval."""
    n = len(effects)
    whole = float(np.std(effects, ddof=1))
    if n < FEWEST_LANGUAGES or whole == 0:
        return whole, None, None
    squares = (effects - effects.mean()) ** 2
    left_out = (squares.sum() - squares * n / (n - 1)) / (n - 2)
    if left_out.min() <= 1e-12 * whole**2:
        return whole, None, None
    pseudo = n * np.log(whole) - (n - 1) * np.log(left_out) / 2
    error = float(np.std(pseudo, ddof=1)) / n**0.5
    reach = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * error
    return whole, whole * float(np.exp(-reach)), whole * float(np.exp(reach))


def gap(high: Floats, low: Floats) -> tuple[float, float | None, float | None]:
    """Return the mean effect of some languages less that of others, and its interval; Welch's."""
    difference = float(high.mean() - low.mean())
    if min(len(high), len(low)) < FEWEST_LANGUAGES:
        return difference, None, None
    parts = [float(np.var(side, ddof=1)) / len(side) for side in (high, low)]
    variance = sum(parts)
    if variance == 0:
        return difference, difference, difference
    freedom = variance**2 / sum(part**2 / (len(side) - 1) for part, side in zip(parts, (high, low), strict=True))
    reach = float(stdtrit(freedom, (1 + LEVEL) / 2)) * variance**0.5
    return difference, difference - reach, difference + reach


def _by_language(subsets: Subsets) -> Floats:
    """(n_tasks, n_languages, n_models) points of tasks, narrowed to a language each; NaN where there are none."""
    found = np.full((len(subsets.tasks), len(subsets.languages), subsets.n_models), np.nan)
    for at, code in enumerate(subsets.languages):
        for task, scores in subsets.narrowed({code}).items():
            found[task, at] = np.where(scores == MISSING, np.nan, scores * _POINTS)
    several: Cells = (~np.isnan(found).all(axis=2)).sum(axis=1) > 1
    return np.asarray(found[several], dtype=np.float64)


def _fits(scores: Floats) -> list[tuple[list[int], Fit]]:
    """Fit models that have the same cells together."""
    there = ~np.isnan(scores)
    groups: dict[bytes, list[int]] = {}
    for model in range(scores.shape[2]):
        groups.setdefault(there[:, :, model].tobytes(), []).append(model)
    found = []
    for models in groups.values():
        made = fitted(scores[:, :, models], there[:, :, models[0]])
        if made is not None:
            found.append((models, made))
    return found


def fitted(scores: Floats, there: Cells) -> Fit | None:
    """Fit the effects of languages.

    Args:
        scores: (n_tasks, n_languages, n_models) points.
        there: (n_tasks, n_languages) the cells that all of the models have.

    Returns:
        None where there are not two languages that can be compared.
    """
    tasks, languages = _connected(there)
    if len(languages) < 2:
        return None
    cells = there[np.ix_(tasks, languages)]
    values = np.where(cells[:, :, None], scores[np.ix_(tasks, languages)], 0.0)
    of_task = cells.sum(axis=1)
    # Tasks are eliminated: what is left has a row a language, and is sure but for what all languages share.
    weight = cells / of_task[:, None]
    left = np.diag(cells.sum(axis=0).astype(float)) - cells.T.astype(float) @ weight
    right = values.sum(axis=0) - np.einsum("tl,tm->lm", weight, values.sum(axis=1))
    n = len(languages)
    inverse = np.linalg.inv(left + 1.0 / n) - 1.0 / n
    effects = inverse @ right
    of_tasks = (values - np.where(cells[:, :, None], effects[None], 0.0)).sum(axis=1) / of_task[:, None]
    over = np.where(cells[:, :, None], values - of_tasks[:, None] - effects[None], 0.0)
    freedom = int(cells.sum()) - len(tasks) - n + 1
    variance = (over**2).sum(axis=(0, 1)) / freedom if freedom > 0 else np.full(scores.shape[2], np.inf)
    errors = np.sqrt(variance[:, None] * np.diag(inverse)[None])
    return Fit(languages, effects.T, errors, freedom, len(tasks))


def _connected(there: Cells) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The most languages of enough tasks that can be compared with one another, through tasks of several of them."""
    kept = there.copy()
    while True:
        kept[kept.sum(axis=1) < 2] = False
        few = kept.any(axis=0) & (kept.sum(axis=0) < FEWEST_TASKS)
        if not few.any():
            break
        kept[:, few] = False
    languages = np.flatnonzero(kept.any(axis=0))
    if not len(languages):
        return languages, languages
    meet = kept[:, languages].T.astype(int) @ kept[:, languages].astype(int) > 0
    _, part = connected_components(meet, directed=False)
    languages = languages[part == np.bincount(part).argmax()]
    return np.flatnonzero(kept[:, languages].any(axis=1)), languages


def _row(languages: NDArray[np.intp], effects: Floats, n: int) -> list[int | None]:
    found: list[int | None] = [None] * n
    for language, effect in zip(languages, effects, strict=True):
        found[int(language)] = round(float(effect) * 100)
    return found


def _worst(languages: NDArray[np.intp], effects: Floats, errors: Floats, freedom: int) -> list[int | None]:
    at = int(effects.argmin())
    low = high = None
    if len(languages) >= FEWEST_LANGUAGES and freedom > 0:
        reach = float(stdtrit(freedom, 1 - (1 - LEVEL) / 2 / len(languages))) * float(errors[at])
        low, high = effects[at] - reach, effects[at] + reach
    return [int(languages[at]), *_rounded((float(effects[at]), low, high))]


def _gap(effects: Floats, sides: NDArray[np.str_]) -> list[int | None] | None:
    high, low = effects[sides == "high"], effects[sides == "low"]
    if not len(high) or not len(low):
        return None
    return [*_rounded(gap(high, low)), len(high), len(low)]


def _rounded(values: Sequence[float | None]) -> list[int | None]:
    return [None if value is None else round(float(value) * 100) for value in values]
