"""A training run: the score of each checkpoint with its interval, and from where on no later one can be told apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from embedmark.runner.common.errors import UserError
from embedmark.runner.compare.comparison import Asked
from embedmark.runner.compare.samples import gain, sample, shared_rows, weighted
from embedmark.runner.report.aggregate import Aggregate, Column
from embedmark.runner.report.rows import TaskRow
from embedmark.runner.results.collect import Kept
from embedmark.runner.stats.checked_items import NoSampleError
from embedmark.runner.stats.intervals import Interval, NoInterval, interval
from embedmark.runner.stats.paired import Paired, compare, holm, verdict
from embedmark.runner.stats.sample import DifferentUnitsError, Sample

FEWEST = 2

Parts = list[tuple[float, Sample]]


@dataclass(frozen=True)
class Point:
    """One checkpoint.

    Args:
        label: Its label in the report.
        step: What it is drawn over: the last number in its name or revision, else its place by time.
        score: The mean over the tasks.
        interval: Of that mean, these tasks with new items.
        change: How much better it is than the one before, on the same items; None for the first.
    """

    label: str
    step: float
    score: float
    interval: Interval | NoInterval
    change: Paired | NoInterval | None


@dataclass(frozen=True)
class Curve:
    """A training run.

    Args:
        tasks: The tasks that all checkpoints have.
        points: By step.
        is_numbered: Whether steps are numbers in names; else places in the order of time.
        told_until: The place of the first checkpoint than which no later one is shown to be better; None where the
            last is better than all before it, or nothing can be tested.
    """

    tasks: tuple[str, ...]
    points: tuple[Point, ...]
    is_numbered: bool
    told_until: int | None


def curve(made: Aggregate, columns: Sequence[Column], asked: Asked) -> Curve:
    """Compare checkpoints over the tasks that all of them have.

    Raises:
        UserError: There are fewer than two, or no task that all have.
    """
    if len(columns) < FEWEST:
        raise UserError(f"found {len(columns)} checkpoint on record; a curve needs two at least")
    ordered, steps, is_numbered = _ordered(columns)
    rows = shared_rows(made, ordered)
    if not rows:
        raise UserError(f"the {len(columns)} checkpoints have no task in common")
    parts, gains = ([_parts(rows, column, read) for column in ordered] for read in (sample, gain))
    points = []
    for place, column in enumerate(ordered):
        scores = [column.cells[row.label].score or 0.0 for row in rows]
        change = None if place == 0 else _change(gains[place], gains[place - 1], asked)
        found = parts[place]
        made_interval = NoInterval(found) if isinstance(found, str) else interval(found, asked.level)
        points.append(Point(column.label, steps[place], sum(scores) / len(scores), made_interval, change))
    told = _told_until(gains, asked)
    return Curve(tuple(row.label for row in rows), tuple(points), is_numbered, told)


def _ordered(columns: Sequence[Column]) -> tuple[list[Column], list[float], bool]:
    for name in (_in_revision, _in_name):
        numbers = [name(column) for column in columns]
        if None not in numbers and len(set(numbers)) == len(numbers):
            pairs = sorted(zip(numbers, columns, strict=True), key=lambda pair: pair[0] or 0)
            return [column for _, column in pairs], [float(number or 0) for number, _ in pairs], True
    ordered = sorted(columns, key=_when)
    return ordered, [float(place) for place in range(1, len(ordered) + 1)], False


def _in_name(column: Column) -> int | None:
    found = re.findall(r"\d+", column.model.rpartition("/")[2])
    return int(found[-1]) if found else None


def _in_revision(column: Column) -> int | None:
    found = re.search(r"(?:step|checkpoint|ckpt|epoch)\D{0,3}(\d+)", column.revision or "")
    return int(found[1]) if found else None


def _when(column: Column) -> tuple[datetime, str]:
    return min(kept.when for cell in column.cells.values() for kept in cell.records), column.label


def _parts(rows: Sequence[TaskRow], column: Column, read: Callable[[Kept], Sample]) -> Parts | str:
    try:
        return [
            (one.weight / len(rows), read(one.kept)) for row in rows for one in weighted(row, column.cells[row.label])
        ]
    except NoSampleError as error:
        return str(error)


def _change(later: Parts | str, earlier: Parts | str, asked: Asked) -> Paired | NoInterval:
    if isinstance(later, str) or isinstance(earlier, str):
        return NoInterval(later if isinstance(later, str) else str(earlier))
    try:
        pairs = [(weight, a, b) for (weight, a), (_, b) in zip(later, earlier, strict=True)]
        return compare(pairs, asked.level, asked.test)
    except DifferentUnitsError as error:
        return NoInterval(str(error))


def _told_until(parts: Sequence[Parts | str], asked: Asked) -> int | None:
    """The first checkpoint than which no later one is better, with Holm over the later ones."""
    for place in range(len(parts) - 1):
        later = [_change(other, parts[place], asked) for other in parts[place + 1 :]]
        tests = [found for found in later if isinstance(found, Paired)]
        if len(tests) < len(later):
            return None
        adjusted = holm([found.p for found in tests])
        verdicts = [verdict(found.difference, p, 1 - asked.level) for found, p in zip(tests, adjusted, strict=True)]
        if "better" not in verdicts:
            return place
    return None
