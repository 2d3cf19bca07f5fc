"""Where every score of a board comes from: revisions of model and data, version, file, and who vouches for it.

What nobody stated stays unknown, and pages say so in words; who measured a published score is never guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.exchange.task_scores import UNNAMED, Leaf, defined, leaf_of
from embedmark.runner.export.chosen import record_of
from embedmark.runner.leaderboard.own_records import OwnRecords
from embedmark.runner.report.rows import TaskRow, leaves

if TYPE_CHECKING:
    import polars as pl

    from embedmark.runner.leaderboard.bench import Bench
    from embedmark.runner.ranking.matrix import ScoreMatrix
    from embedmark.runner.report.aggregate import Aggregate
    from embedmark.runner.results.collect import Kept

_PARTS = ("dataset_revision", "mteb_version", "origin", "source")


@dataclass(frozen=True)
class Source:
    """What is known of where a score comes from. None among several is what a part of it does not state.

    Args:
        datasets: Revisions of the data.
        versions: Of the code that measured.
        origins: snapshot, published, self-reported or embedmark.
        files: Those that it was imported from; of the snapshot none.
    """

    datasets: tuple[str | None, ...] = ()
    versions: tuple[str | None, ...] = ()
    origins: tuple[str | None, ...] = ()
    files: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Sources:
    """Where published scores come from, by model, revision and task.

    Args:
        known: All different sources.
        whole: Task, model and revision → the source of all its splits and subsets, where it is the same.
        parts: Else of each split and subset.
    """

    known: Sequence[Source]
    whole: Mapping[tuple[str, str, str], int]
    parts: Mapping[tuple[str, str, str], Mapping[tuple[str, str], int]]

    @classmethod
    def of(cls, cells: pl.DataFrame) -> Sources:
        """Look through published scores.

        Args:
            cells: As `ranking.matrix.cells` gives them.
        """
        import polars as pl

        coded, known = _coded(cells)
        groups = ("task", "model", "revision")
        found = coded.group_by(groups).agg(pl.col("code").min().alias("low"), pl.col("code").max().alias("high"))
        same = found.filter(pl.col("low") == pl.col("high"))
        named = same.select(pl.col(groups).cast(pl.String), "low")
        rest = coded.join(found.filter(pl.col("low") != pl.col("high")), on=list(groups), how="semi")
        parts: dict[tuple[str, str, str], dict[tuple[str, str], int]] = {}
        for task, model, revision, split, subset, code in rest.select(
            pl.col(*groups, "split", "subset").cast(pl.String), "code"
        ).iter_rows():
            parts.setdefault((task, model, revision), {})[split, subset] = code
        whole = {(task, model, revision): code for task, model, revision, code in named.iter_rows()}
        return cls(known, whole, parts)

    def source(self, model: str, revision: str, row: TaskRow) -> Source:
        """Say where a score of a task comes from: all that its splits, subsets and members come from."""
        code = self.whole.get((row.name, model, revision))
        if code is not None:
            return self.known[code]
        codes = dict.fromkeys(code for leaf in leaves([row]) for code in self._codes(model, revision, leaf_of(leaf)))
        found = [self.known[code] for code in codes]
        if len(found) == 1:
            return found[0]
        return Source(
            _together(one.datasets for one in found),
            _together(one.versions for one in found),
            _together(one.origins for one in found),
            _together(one.files for one in found),
        )

    def _codes(self, model: str, revision: str, leaf: Leaf) -> Iterator[int]:
        name, slots = leaf
        code = self.whole.get((name, model, revision))
        if code is not None:
            yield code
            return
        of_parts = self.parts.get((name, model, revision), {})
        yield from (of_parts[slot] for slot in slots if slot in of_parts)


def dataset_revision(columns: Collection[str]) -> pl.Expr:
    """Read the revision of the data of published scores, or the text in its place.

    Args:
        columns: Those that the scores have.

    Returns:
        Texts; null where none is stated: result files whose revision was unset say `None`.
    """
    import polars as pl

    there = [name for name in ("dataset_revision", "revision_text") if name in columns]
    text = pl.coalesce(pl.col(there).cast(pl.String))
    return pl.when(~text.is_in(["", "None"])).then(text)


def _together(parts: Iterator[tuple[str | None, ...]]) -> tuple[str | None, ...]:
    """Everything that is stated, sorted, and None last where some is not."""
    found = {value for part in parts for value in part}
    return tuple(sorted(found, key=lambda value: (value is None, value or "")))


def _coded(cells: pl.DataFrame) -> tuple[pl.DataFrame, list[Source]]:
    """The scores with a number for all that says where each comes from, and what the numbers mean."""
    import polars as pl

    there = defined(cells.lazy())
    told = {
        "dataset_revision": dataset_revision(cells.columns).cast(pl.Categorical),
        "mteb_version": pl.col("mteb_version").cast(pl.Categorical),
        "origin": pl.lit("snapshot").cast(pl.Categorical),
        "source": pl.lit(None, pl.String).cast(pl.Categorical),
    }
    if "source" in cells.columns:
        told |= {name: pl.col(name).cast(pl.Categorical) for name in ("origin", "source")}
    numbers = [column.to_physical().alias(f"{name}_number") for name, column in told.items()]
    frame = there.select(
        *(pl.col(name).cast(pl.Categorical) for name in ("task", "split", "subset", "model", "revision")), *numbers
    )
    coded = frame.collect()
    names = [f"{name}_number" for name in _PARTS]
    keys = coded.select(names).unique(maintain_order=False).sort(names)
    keys = keys.with_row_index("code")
    words = _words(there.select(column.alias(name) for name, column in told.items()).collect())
    known = [
        Source(
            *(
                ((words[name][number],) if number is not None else (None,))
                for name, number in zip(_PARTS, row, strict=True)
            )
        )
        for row in keys.select(names).iter_rows()
    ]
    return coded.join(keys, on=names, how="left", nulls_equal=True).drop(names), known


def _words(frame: pl.DataFrame) -> dict[str, dict[int, str]]:
    """Of each column the text that each number stands for."""
    import polars as pl

    found: dict[str, dict[int, str]] = {}
    for name in _PARTS:
        values = frame[name].unique().drop_nulls()
        found[name] = dict(zip(values.to_physical().to_list(), values.cast(pl.String).to_list(), strict=True))
    return found


@dataclass
class _Values:
    """Different values, each by its number in the order in which they come."""

    numbers: dict[Hashable, int]

    def number(self, value: Hashable) -> int:
        return self.numbers.setdefault(value, len(self.numbers))

    @property
    def listed(self) -> list[Any]:
        return [list(value) if isinstance(value, tuple) else value for value in self.numbers]


def record_file(made: Bench, sources: Sources, own: OwnRecords, choices: Mapping[str, str]) -> dict[str, Any]:
    """Say of every score of a board where it comes from: the content of d/<slug>.src.js.

    Rows of numbers stand for values that are listed once; a row that has one value everywhere is that number alone.
    Where there is no score, a row has what it has most often, which takes the least room.

    Args:
        made: The board.
        sources: Of the published scores.
        own: Of one's own.
        choices: Task → what its file is called on the command line.

    Returns:
        `revisions` and `model` (by model: of each task its revision), `data`, `version`, `origin` (by task: of each
        model), `folder` and `name` (the file that it was imported from), `jobs` and `own` (task, model, its jobs),
        `choices` (by task). Of a score of which nothing is stated there is null.
    """
    matrix = made.matrix
    n_models, n_tasks = len(matrix.models), len(matrix.tasks)
    there = ~np.isnan(matrix.values)
    lists = {name: _Values({}) for name in ("model", "data", "version", "origin", "folder", "name")}
    cells: dict[str, list[list[int | None]]] = {name: [[None] * n_models for _ in range(n_tasks)] for name in lists}
    for task, row in enumerate(matrix.asked):
        for model in np.flatnonzero(there[:, task]).tolist():
            if matrix.own[model]:
                continue
            name = matrix.names[model]
            revision = matrix.of[name, row.name]
            for part, value in _told(revision, sources.source(name, revision, row)):
                cells[part][task][model] = lists[part].number(value)
    jobs, mine = _own_cells(made, own)
    by_model = [list(column) for column in zip(*cells.pop("model"), strict=True)]
    published = there & ~np.array(matrix.own)[:, None]
    return {
        "revisions": lists.pop("model").listed,
        "model": [_packed(row, scored) for row, scored in zip(by_model, published, strict=True)],
        **{
            part: {
                "list": values.listed,
                "cells": [_packed(row, scored) for row, scored in zip(cells[part], published.T, strict=True)],
            }
            for part, values in lists.items()
        },
        "jobs": jobs,
        "own": mine,
        "choices": [choices.get(task) for task in matrix.tasks],
    }


def _told(revision: str, source: Source) -> Iterator[tuple[str, Hashable]]:
    yield "model", None if revision in UNNAMED else revision
    yield "data", source.datasets
    yield "version", source.versions
    yield "origin", source.origins
    told = [file.rpartition("/") for file in source.files if file is not None]
    if told:
        yield "folder", tuple(folder for folder, _, _ in told)
        yield "name", tuple(name for _, _, name in told)


def _packed(row: Sequence[int | None], scored: NDArray[np.bool_]) -> list[int | None] | int | None:
    """A row as a number alone, where all that it has are the same; else its commonest one fills what has no score."""
    counts = Counter(number for number in row if number is not None)
    if len(counts) < 2:
        return next(iter(counts), None)
    most = min(counts, key=lambda number: (-counts[number], number))
    return [number if there else most for number, there in zip(row, scored, strict=True)]


def _own_cells(made: Bench, own: OwnRecords) -> tuple[list[dict[str, Any]], list[list[Any]]]:
    """The records of one's own scores, and of which task and model each is."""
    jobs: dict[str, tuple[int, dict[str, Any]]] = {}
    found = []
    for task, model, records in own_cells(made.matrix, made.made):
        numbers = []
        for kept in records:
            place = jobs.setdefault(kept.facts.fingerprint, (len(jobs), own.details(kept)))
            numbers.append(place[0])
        found.append([task, model, numbers])
    return [details for _, details in jobs.values()], found


def own_cells(matrix: ScoreMatrix, made: Aggregate | None) -> Iterator[tuple[int, int, Sequence[Kept]]]:
    """Yield task, model and records of each of one's own scores, by their places in a matrix.

    Args:
        matrix: The scores of a board.
        made: What of one's own is in it.
    """
    if made is None:
        return
    labels = {row.name: row.label for row in made.tasks if row.in_mean}
    columns = {column.label: column for column in made.columns}
    for task, name in enumerate(matrix.tasks):
        for model in np.flatnonzero(~np.isnan(matrix.values[:, task])).tolist():
            if matrix.own[model]:
                yield task, model, columns[matrix.models[model]].cells[labels[name]].records


def states(made: Bench, own: OwnRecords) -> dict[str, list[list[int]]]:
    """Name the scores that are no plain imports, by task and model.

    Returns:
        `own`: measured here; `signed`: of these, those whose records all bear a signature that holds; `service`: those
        that nobody can check, since a service made them.
    """
    found: dict[str, list[list[int]]] = {"own": [], "signed": [], "service": []}
    for task, model, records in own_cells(made.matrix, made.made):
        found["own"].append([task, model])
        if records and all(map(own.signed, records)):
            found["signed"].append([task, model])
        if any(record_of(kept).service for kept in records):
            found["service"].append([task, model])
    return found
