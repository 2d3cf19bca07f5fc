"""Which scores of a task are of other data than most: a column of several revisions compares what is not the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from embedmark.runner.export.chosen import record_of
from embedmark.runner.leaderboard.bench import Bench
from embedmark.runner.leaderboard.records import Sources, own_cells
from embedmark.runner.report.rows import leaves


def other_data(made: Bench, sources: Sources) -> dict[int, list[int]]:
    """Find the scores that are of other data than most of their column.

    Args:
        made: A benchmark with its scores, published and one's own.
        sources: Where the published ones come from.

    Returns:
        Column → the rows whose score is, in order; columns of one revision are left out. A score that states none is
        not among them. Of revisions that as many models have, the first by name counts as most.
    """
    mine: dict[tuple[int, str], dict[int, set[str]]] = {}
    for column, row, records in own_cells(made.matrix, made.made):
        for record in map(record_of, records):
            if record.dataset.revision is not None:
                mine.setdefault((column, record.job.task), {}).setdefault(row, set()).add(record.dataset.revision)
    found: dict[int, list[int]] = {}
    for column in range(len(made.matrix.tasks)):
        apart = {row for of_rows in _stated(made, sources, column, mine) for row in _apart(of_rows)}
        if apart:
            found[column] = sorted(apart)
    return found


def _stated(
    made: Bench, sources: Sources, column: int, mine: Mapping[tuple[int, str], Mapping[int, set[str]]]
) -> Iterator[dict[int, set[str]]]:
    """Of each task that a column is made of: row → the revisions of its data."""
    matrix, asked = made.matrix, made.matrix.asked[column]
    scored = [row for row in np.flatnonzero(~np.isnan(matrix.values[:, column])).tolist() if not matrix.own[row]]
    for leaf in leaves([asked]):
        of_rows = dict(mine.get((column, leaf.name), {}))
        for row in scored:
            name = matrix.names[row]
            told = sources.source(name, matrix.of[name, asked.name], leaf).datasets
            if stated := {revision for revision in told if revision is not None}:
                of_rows[row] = stated
        yield of_rows


def _apart(of_rows: Mapping[int, set[str]]) -> Iterator[int]:
    counts = Counter(revision for revisions in of_rows.values() for revision in revisions)
    if len(counts) > 1:
        most = min(counts, key=lambda revision: (-counts[revision], revision))
        yield from (row for row, revisions in of_rows.items() if revisions != {most})
