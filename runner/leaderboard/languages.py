"""Languages of a benchmark: what a page can choose, the scores of their subsets, and which model is best in each.

A page that chooses languages computes scores anew from the subsets that these keep (see `subsets.py`), so that what it
shows is what a build of the benchmark cut to these subsets would show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.groups import grouped
from embedmark.runner.leaderboard.bench import MISSING, Bench, Whole
from embedmark.runner.leaderboard.data_files import script
from embedmark.runner.leaderboard.fairness import fairness
from embedmark.runner.leaderboard.resources import resource_class, source
from embedmark.runner.leaderboard.scores import AllScores
from embedmark.runner.leaderboard.subsets import Subset, Subsets, TaskSubsets, subsets_of
from embedmark.runner.ranking.board import FEWEST_TASKS
from embedmark.runner.ranking.families import families_of_keys
from embedmark.runner.stats import ranks, separation

_POINT = 100
"""Millionths in a hundredth of a point, which means over tasks are given in."""

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SPELT = {"+": "plus", "#": "sharp", ".": "dot", **{str(digit): word for digit, word in enumerate(_DIGITS)}}

_RESERVED = frozenset({"src", "languages", "fairness"})
"""What other data files of a benchmark end in."""


@dataclass(frozen=True)
class Languages:
    """What a page needs to choose languages.

    Args:
        listed: The languages that can be chosen: code, name, how many tasks they keep, the file with their subsets, and
            that with subsets which are kept with others alone, if there are any, with their sizes. `languageFiles` of a
            board.
        files: Key → a data file, as a page reads it.
    """

    listed: Sequence[Mapping[str, Any]]
    files: Mapping[str, bytes]


def languages_of(scores: AllScores, made: Bench, slug: str) -> Languages:
    """Make what a page needs to choose languages.

    Args:
        scores: All there are.
        made: The benchmark.
        slug: Its name in addresses.

    Returns:
        Nothing to choose where every language keeps all of the benchmark.
    """
    subsets = subsets_of(scores, made)
    if all(_keeps_all(subsets, code) for code in subsets.languages):
        return Languages((), {})
    names = display_names(subsets.languages)
    shared = _shared_tasks(subsets)
    content: dict[str, Any] = {
        f"d/{slug}.languages": _overview(subsets, made, names),
        f"d/{slug}.fairness": {**fairness(subsets), "names": [*names.values()]},
    }
    keys = {code: f"d/{slug}.{ending(code)}" for code in subsets.languages}
    for code, key in keys.items():
        content[key] = {"code": code, "tasks": _own_tasks(subsets, code)}
        if code in shared:
            content[f"{key}pairs"] = {"code": code, "tasks": shared[code]}
    files = {key: script(key, value) for key, value in content.items()}
    listed = []
    for code, n_tasks in subsets.languages.items():
        key, pairs = keys[code], f"{keys[code]}pairs"
        of_pairs = {"pairs": pairs, "pairsBytes": len(files[pairs])} if pairs in files else {"pairs": None}
        of_own = {"key": key, "bytes": len(files[key])}
        listed.append({"code": code, "name": names[code], "tasks": n_tasks, **of_own, **of_pairs})
    return Languages(listed, files)


def ending(code: str) -> str:
    """Return what the names of a language's data files end in, of a-z alone: deu, pythoncode."""
    spelt = "".join(_SPELT.get(letter, letter) for letter in code.lower())
    plain = re.sub("[^a-z]", "", spelt)
    return f"{plain}language" if plain in _RESERVED else plain


def display_names(codes: Iterable[str]) -> dict[str, str]:
    """Name languages as readers know them, from the registry of language tags; two of one name with their codes."""
    found = {code: _display_name(code) for code in codes}
    told = [*found.values()]
    return {code: f"{name} ({code})" if told.count(name) > 1 else name for code, name in found.items()}


_PROGRAMMING = {
    "php": "PHP", "sql": "SQL", "javascript": "JavaScript", "typescript": "TypeScript", "html": "HTML", "css": "CSS",
}  # fmt: skip
"""Programming languages that are not written as names are."""


def _display_name(code: str) -> str:
    programming = code.removesuffix("-Code")
    if programming == code:
        return _registry().get(code, code)
    return _PROGRAMMING.get(programming, programming.capitalize())


@cache
def _registry() -> Mapping[str, str]:
    from langcodes.data_dicts import LANGUAGE_ALPHA3
    from langcodes.registry_parser import parse_registry

    entries = parse_registry()  # type: ignore[no-untyped-call]
    languages = (entry for entry in entries if entry.get("Type") == "language")
    names = {entry["Subtag"]: re.sub(r" \(.*\)", "", entry["Description"][0]) for entry in languages}
    return {**names, **{long: names[short] for short, long in LANGUAGE_ALPHA3.items() if short in names}}


def _keeps_all(subsets: Subsets, code: str) -> bool:
    return all(len(task.kept({code})) == len(task.subsets) for task in subsets.tasks)


def _own_tasks(subsets: Subsets, code: str) -> list[dict[str, Any]]:
    """The tasks of which a language alone keeps something."""
    kept = ((task, task.kept({code})) for task in subsets.tasks)
    return [_task(task, numbers) for task, numbers in kept if numbers]


def _shared_tasks(subsets: Subsets) -> dict[str, list[dict[str, Any]]]:
    """The tasks of which languages keep something with others alone: those of each that is the first of its fellows."""
    offered = {*subsets.languages}
    found: dict[str, list[dict[str, Any]]] = {}
    for task in subsets.tasks:
        wanted = (needs for needs in task.by_needs if len(needs) > 1 and needs <= offered)
        for code, of in grouped((min(needs), needs) for needs in wanted).items():
            numbers = sorted(number for needs in of for number in task.by_needs[needs])
            spoken = [sorted(task.subsets[number].needs) for number in numbers]
            found.setdefault(code, []).append({**_task(task, numbers), "needs": spoken})
    return found


def _task(task: TaskSubsets, numbers: Sequence[int]) -> dict[str, Any]:
    """Some of a task's subsets. scores: null where the task is kept whole or not at all, whose scores the board has."""
    found: dict[str, Any] = {
        "task": task.task,
        "of": len(task.subsets),
        "subsets": [task.subsets[number].name for number in numbers],
        "splits": _splits([task.subsets[number] for number in numbers]),
        "scores": None,
    }
    if task.divided:
        found["scores"] = [_column(task.rows.get(number)) for number in numbers]
        others = [
            [other.model, other.place, [other.sums.get(number) for number in numbers]]
            for other in task.others
            if not other.sums.keys().isdisjoint(numbers)
        ]
        if others:
            found["others"] = others
    return found


def _splits(subsets: Sequence[Subset]) -> list[list[str]]:
    """The splits of each subset; once where they are the same of all."""
    found = [list(subset.splits) for subset in subsets]
    return found[:1] if all(one == found[0] for one in found) else found


def _column(row: Whole | None) -> list[int | None] | None:
    """A score a model, with null where it is missing, which a list ends without."""
    if row is None:
        return None
    there = np.flatnonzero(row != MISSING)
    values = row[: there[-1] + 1].astype(object)
    values[row[: there[-1] + 1] == MISSING] = None
    return list(values)


def _overview(subsets: Subsets, made: Bench, names: Mapping[str, str]) -> dict[str, Any]:
    """Of each language its best model, how many cannot be told from that, and the mean of every model."""
    codes = list(subsets.languages)
    rows = []
    for code in codes:
        narrowed = subsets.narrowed({code})
        families = families_of_keys([made.keys[task] for task in narrowed])
        rows.append((len(narrowed), _best(np.array([*narrowed.values()]), families), _means(narrowed)))
    return {
        "source": source(),
        "codes": codes,
        "names": [names[code] for code in codes],
        "class": [resource_class(code) for code in codes],
        "tasks": [n for n, _, _ in rows],
        "best": [best for _, (best, _), _ in rows],
        "group": [group for _, (_, group), _ in rows],
        "mean": [mean for _, _, (mean, _) in rows],
        "n": [n for _, _, (_, n) in rows],
    }


def _best(scores: Whole, of: NDArray[np.integer]) -> tuple[list[int], int | None]:
    """The models that are first by the rule of the board, and how many are in the group of the first.

    Args:
        scores: (n_tasks, n_models) millionths.
        of: (n_tasks) the number of each task's family.
    """
    values = np.where(scores == MISSING, np.nan, scores / ranks.SCALE).T
    there = np.flatnonzero((~np.isnan(values)).any(axis=1))
    points = ranks.points2(values[there])
    total = points.sum(axis=1)
    has = (~np.isnan(values[there])).sum(axis=1)
    ranked = has >= min(FEWEST_TASKS, len(scores))
    best = there[ranked & (total == total[ranked].max(initial=-1))]
    complete = np.flatnonzero(has == len(scores))
    if len(np.unique(of)) < separation.FEWEST_FAMILIES or not len(complete):
        return best.tolist(), None
    order = complete[np.argsort(ranks.places(total[complete]), kind="stable")]
    separated = separation.pairwise(points[order].astype(np.float64), of).separated
    groups = separation.groups(np.arange(len(order)), separated)
    return best.tolist(), int((groups == 0).sum())


def _means(narrowed: Mapping[int, Whole]) -> tuple[list[int | None], list[int]]:
    """Of each model the mean over the tasks that it has, in hundredths of a point, and how many these are."""
    scores = np.array([*narrowed.values()])
    there = scores != MISSING
    n = there.sum(axis=0)
    total = np.where(there, scores, 0).sum(axis=0)
    means = np.rint(total / np.maximum(n, 1) / _POINT).astype(int)
    return [int(mean) if many else None for mean, many in zip(means, n, strict=True)], n.tolist()
