"""Which subsets a choice of languages keeps, and what every model has of them.

A subset is kept where all of its languages but English are chosen, and one in English alone where English is. So a
translation between German and English counts as German, and one between German and French where both are chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import polars as pl

from embedmark.runner.common.groups import grouped
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.exchange.task_scores import SCALE, defined, in_millionths
from embedmark.runner.leaderboard.bench import MISSING, Bench, Whole
from embedmark.runner.leaderboard.scores import AllScores
from embedmark.runner.report.aggregate import Column
from embedmark.runner.report.rows import TaskRow, leaves
from embedmark.runner.results.record import Record

ENGLISH = "eng"

FEWEST_TASKS = 3
"""A language of fewer tasks can be chosen nowhere: its places would be those of one or two tasks."""


def code_of(language: str) -> str:
    """Return what a language is called in filters: eng-Latn as eng, whatever its script; python-Code as it is."""
    return language if language.endswith("-Code") else language.partition("-")[0]


def needed(languages: Iterable[str]) -> frozenset[str]:
    """Say which languages have to be chosen so that a subset in these is kept."""
    codes = frozenset(map(code_of, languages))
    return codes - {ENGLISH} or codes


@dataclass(frozen=True)
class Subset:
    """A subset of a task, of the splits that the benchmark asks for.

    Args:
        name: What its task calls it.
        splits: The mean over these is what counts.
        needs: The languages that have to be chosen.
    """

    name: str
    splits: tuple[str, ...]
    needs: frozenset[str]


@dataclass(frozen=True)
class Other:
    """What a model has of a task under a further revision.

    Args:
        model: Its place on the board.
        place: The place of the revision among the model's, from 0; the one that counts first has the least.
        sums: Number of the subset → the sum of its scores over splits, in millionths.
    """

    model: int
    place: int
    sums: Mapping[int, int]


@dataclass(frozen=True)
class TaskSubsets:
    """A task's subsets.

    Args:
        task: Its place on the board.
        subsets: Those of the benchmark; one alone where they cannot be told apart, as of a task that is the mean of
            others.
        rows: Number of the subset → (n_models) the sum of scores over splits, in millionths, or MISSING. Of each model
            under the first revision that has any of the task. Subsets that nobody has are left out.
        others: What models have under further revisions, by model and place.
    """

    task: int
    subsets: tuple[Subset, ...]
    rows: Mapping[int, Whole] = field(default_factory=dict)
    others: tuple[Other, ...] = ()

    @cached_property
    def by_needs(self) -> Mapping[frozenset[str], Sequence[int]]:
        """Numbers of the subsets that need the same languages."""
        return grouped((subset.needs, number) for number, subset in enumerate(self.subsets))

    @property
    def divided(self) -> bool:
        """Whether some languages keep a part of the task."""
        return len(self.by_needs) > 1

    def kept(self, chosen: Set[str]) -> list[int]:
        """Numbers of the subsets that a choice of languages keeps."""
        if len(chosen) == 1:
            return [*self.by_needs.get(frozenset(chosen), ())]
        return sorted(number for needs, numbers in self.by_needs.items() if needs <= chosen for number in numbers)

    def scores(self, kept: Sequence[int], n_models: int) -> Whole:
        """Compute the score of the task from some of its subsets.

        Returns:
            (n_models) millionths, of the first revision that has all of them; MISSING where none has.
        """
        n = sum(len(self.subsets[number].splits) for number in kept)
        found = np.full(n_models, MISSING, dtype=np.int64)
        if all(number in self.rows for number in kept):
            rows = np.array([self.rows[number] for number in kept])
            there = (rows != MISSING).all(axis=0)
            found[there] = _mean(rows[:, there].sum(axis=0), n)
        for other in self.others:
            if found[other.model] == MISSING and all(number in other.sums for number in kept):
                found[other.model] = _mean(np.int64(sum(other.sums[number] for number in kept)), n)
        return found


def _mean(total: Whole | np.int64, n: int) -> Whole:
    """As `mean_of_whole`."""
    return np.asarray((2 * total + n) // (2 * n), dtype=np.int64)


@dataclass(frozen=True)
class Subsets:
    """The subsets of a benchmark's tasks.

    Args:
        tasks: Those of the board, in its order.
        n_models: Of the board, with those that have parts of tasks alone.
        whole: (n_tasks, n_models) the scores of whole tasks in millionths, or MISSING.
        languages: Those that may be chosen, with the number of tasks that they keep, by code.
    """

    tasks: tuple[TaskSubsets, ...]
    n_models: int
    whole: Whole
    languages: Mapping[str, int]

    def narrowed(self, chosen: Set[str]) -> dict[int, Whole]:
        """Compute the scores of all tasks of which a choice of languages keeps anything that anybody has."""
        found: dict[int, Whole] = {}
        for task in self.tasks:
            kept = task.kept(chosen)
            if kept:
                of_all = len(kept) == len(task.subsets)
                scores = self.whole[task.task] if of_all else task.scores(kept, self.n_models)
                if (scores != MISSING).any():
                    found[task.task] = scores
        return found


def subsets_of(scores: AllScores, made: Bench) -> Subsets:
    """Collect the subsets of a benchmark, and what every model of its board has of them."""
    names = [*made.matrix.models, *made.parts_alone]
    tasks = [_divided(place, row, scores.catalogue) for place, row in enumerate(made.matrix.asked)]
    offered = _offered(tasks)
    divided = {task.task: task for task in tasks if task.divided and any(task.kept(offered))}
    if divided:
        sums = pl.concat([_published(scores, made, divided, offered), _own(made, divided, offered)])
        filled = _filled(divided, sums, len(names))
        tasks = [filled.get(task.task, task) for task in tasks]
    return Subsets(tuple(tasks), len(names), made.whole, _told(tasks, offered))


def _divided(place: int, row: TaskRow, catalogue: Catalogue) -> TaskSubsets:
    """A task's subsets and what they need; of a task that is the mean of others one, for all of them."""
    if row.members:
        spoken = [needed(catalogue.task(one.name).subsets[name]) for one in leaves([row]) for _, name in one.slots]
        return TaskSubsets(place, (Subset("", (), frozenset().union(*spoken)),))
    languages = catalogue.task(row.name).subsets
    splits = grouped((name, split) for split, name in row.slots)
    return TaskSubsets(place, tuple(Subset(name, tuple(of), needed(languages[name])) for name, of in splits.items()))


def _offered(tasks: Iterable[TaskSubsets]) -> frozenset[str]:
    """The languages that keep something of enough tasks by themselves."""
    counted = Counter(code for task in tasks for needs in task.by_needs if len(needs) == 1 for code in needs)
    return frozenset(code for code, n in counted.items() if n >= FEWEST_TASKS)


def _told(tasks: Iterable[TaskSubsets], offered: Set[str]) -> dict[str, int]:
    """The languages that keep enough tasks of which anybody has a part, and of how many."""
    counts: Counter[str] = Counter()
    for task in tasks:
        numbers = task.rows if task.divided else range(len(task.subsets))
        alone = {task.subsets[number].needs for number in numbers if len(task.subsets[number].needs) == 1}
        counts.update({code for needs in alone for code in needs} & offered)
    return {code: n for code, n in sorted(counts.items()) if n >= FEWEST_TASKS}


_SUMS = {"model": pl.Int32, "place": pl.Int32, "task": pl.Int32, "subset": pl.Int32, "sum": pl.Int64}


def _published(
    scores: AllScores, made: Bench, divided: Mapping[int, TaskSubsets], offered: Set[str]
) -> pl.DataFrame:  # fmt: skip
    """The sums over splits of the published scores of subsets that some choice of languages keeps."""
    keys = {name: scores.cells.schema[name] for name in ("task", "split", "subset", "revision")}
    asked = pl.DataFrame(
        [
            (made.matrix.tasks[task.task], split, subset.name, task.task, number, len(subset.splits))
            for task in divided.values()
            for number, subset in enumerate(task.subsets)
            if subset.needs <= offered
            for split in subset.splits
        ],
        schema={"task": pl.String, "split": pl.String, "subset": pl.String, "at": pl.Int32, "number": pl.Int32,
                "n": pl.UInt32},
        orient="row",
    ).with_columns(pl.col(name).cast(keys[name]) for name in ("task", "split", "subset"))  # fmt: skip
    named = (*(name for name, own in zip(made.matrix.models, made.matrix.own, strict=True) if not own),)
    places = {name: place for place, name in enumerate([*made.matrix.models, *made.parts_alone])}
    revisions = pl.DataFrame(
        [
            (model, revision, places[model], number)
            for model in (*named, *made.parts_alone)
            for number, revision in enumerate(scores.leaf_scores.order(model, scores.preferred.get(model)))
        ],
        schema={"model": pl.String, "revision": pl.String, "row": pl.Int32, "place": pl.Int32},
        orient="row",
    ).with_columns(pl.col("revision").cast(keys["revision"]))
    return (
        defined(scores.cells.lazy())
        .select("model", "revision", "task", "split", "subset", in_millionths().alias("whole"))
        .join(asked.lazy(), on=["task", "split", "subset"])
        .join(revisions.lazy(), on=["model", "revision"])
        .group_by("row", "place", "at", "number", "n")
        .agg(pl.col("whole").sum().alias("sum"), pl.len())
        .filter(pl.col("len") == pl.col("n"))
        .select(
            pl.col("row").alias("model"), "place", pl.col("at").alias("task"), pl.col("number").alias("subset"), "sum"
        )
        .collect()
        .cast(_SUMS)  # type: ignore[arg-type]
    )


def _own(made: Bench, divided: Mapping[int, TaskSubsets], offered: Set[str]) -> pl.DataFrame:
    """The same of one's own records."""
    found: list[tuple[int, int, int, int, int]] = []
    if made.made is not None:
        columns = {column.label: column for column in made.made.columns}
        labels = {row.name: row.label for row in made.made.tasks if row.in_mean}
        rows = [place for place, own in enumerate(made.matrix.own) if own]
        found = [
            (place, 0, task.task, number, total)
            for place in rows
            for task in divided.values()
            for number, total in _own_sums(
                task, columns[made.matrix.models[place]], labels[made.matrix.tasks[task.task]]
            )
            if task.subsets[number].needs <= offered
        ]
    return pl.DataFrame(found, schema=_SUMS, orient="row")


def _own_sums(task: TaskSubsets, column: Column, label: str) -> Iterator[tuple[int, int]]:
    of_slots = {
        (kept.facts.job.split, kept.facts.job.subset): round(kept.facts.main_score * SCALE)
        for kept in column.cells[label].records
        if isinstance(kept.facts, Record) and not np.isnan(kept.facts.main_score)
    }
    for number, subset in enumerate(task.subsets):
        found = [of_slots[split, subset.name] for split in subset.splits if (split, subset.name) in of_slots]
        if len(found) == len(subset.splits):
            yield number, sum(found)


def _filled(divided: Mapping[int, TaskSubsets], sums: pl.DataFrame, n_models: int) -> dict[int, TaskSubsets]:
    """The same tasks, with what models have of them."""
    first = sums.group_by("task", "model").agg(pl.col("place").min().alias("first"))
    told = sums.join(first, on=["task", "model"]).sort("task", "subset", "model", "place")
    rows = _rows(told.filter(pl.col("place") == pl.col("first")), n_models)
    further = told.filter(pl.col("place") > pl.col("first")).select("task", "model", "place", "subset", "sum")
    others = grouped((row[:3], row[3:]) for row in further.sort("task", "model", "place", "subset").iter_rows())
    of_tasks = grouped((task, Other(model, place, dict(found))) for (task, model, place), found in others.items())
    return {
        place: TaskSubsets(place, task.subsets, rows.get(place, {}), tuple(of_tasks.get(place, ())))
        for place, task in divided.items()
    }


def _rows(told: pl.DataFrame, n_models: int) -> dict[int, dict[int, Whole]]:
    """Task → number of the subset → the sums of all models. told: by task and subset."""
    task, subset, model, total = (told[name].to_numpy() for name in ("task", "subset", "model", "sum"))
    starts = np.flatnonzero(np.diff(task, prepend=-1) | np.diff(subset, prepend=-1))
    found: dict[int, dict[int, Whole]] = {}
    for start, end in pairwise([*starts, len(task)]):
        row = np.full(n_models, MISSING, dtype=np.int64)
        row[model[start:end]] = total[start:end]
        found.setdefault(int(task[start]), {})[int(subset[start])] = row
    return found
