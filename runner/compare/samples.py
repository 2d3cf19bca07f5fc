"""What statistics see of a report's cell: the sample of each record that its score is the mean of, with its weight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from embedmark.runner.common.errors import UserError
from embedmark.runner.report.aggregate import Aggregate, Cell, Column
from embedmark.runner.report.rows import TaskRow
from embedmark.runner.report.versions import Slot, slot_of
from embedmark.runner.results.collect import Kept
from embedmark.runner.results.inspection import ITEMS
from embedmark.runner.results.items import read_items
from embedmark.runner.results.record import Record
from embedmark.runner.stats.checked_items import NoSampleError
from embedmark.runner.stats.intervals import Interval, NoInterval, interval
from embedmark.runner.stats.of_items import sample_of
from embedmark.runner.stats.sample import Sample

_CLOSE = 2e-5
"""Records round some means to five digits."""

LOWER_IS_BETTER = frozenset({"mse", "mae", "rmse"})
"""Main metrics of which less is better: `gain` turns them round."""

Place = tuple[str, Slot]
"""A task and its split and subset: what two models' records of one cell are paired by."""


@dataclass(frozen=True)
class Weighted:
    """A record, and its share in the score of a cell."""

    weight: float
    kept: Kept

    @property
    def place(self) -> Place:
        """Which task, split and subset it is of."""
        return self.kept.facts.job.task, slot_of(self.kept)


def shared_rows(made: Aggregate, columns: Sequence[Column]) -> list[TaskRow]:
    """Find a row of each task that all columns have a score of: the version that means count, or else another one."""
    found: dict[str, TaskRow] = {}
    for row in sorted(made.tasks, key=lambda row: not row.in_mean):
        if all(column.cells[row.label].status == "done" for column in columns):
            found.setdefault(row.name, row)
    return [row for row in made.tasks if found.get(row.name) is row]


def weighted(row: TaskRow, cell: Cell) -> list[Weighted]:
    """List the records of a cell that is done, with weights that sum to 1."""
    by_place = {(kept.facts.job.task, slot_of(kept)): kept for kept in cell.records}
    return [Weighted(weight, by_place[place]) for weight, place in _shares(row, 1.0)]


def _shares(row: TaskRow, whole: float) -> Iterator[tuple[float, Place]]:
    for member in row.members:
        yield from _shares(member, whole / len(row.members))
    for slot in row.slots:
        yield whole / len(row.slots), (row.name, slot)


def sample(kept: Kept) -> Sample:
    """Read the sample of a record.

    Raises:
        NoSampleError: It has no items, or they do not say how the score varies.
    """
    assert isinstance(kept.facts, Record)
    path = kept.folder.absolute() / ITEMS
    if not path.is_file():  # a pipe would be waited for
        raise NoSampleError("no items are kept (execution.items=false, or a task type that gives none)")
    kind = str(kept.identity.get("task", {}).get("type", ""))
    made = _sample(path, kind, kept.facts.main_metric)
    if isinstance(made, str):
        raise NoSampleError(made)
    if abs(made.score - kept.facts.main_score) > _CLOSE:
        raise NoSampleError(f"its items give {made.score:.6f}, the record says {kept.facts.main_score:.6f}")
    return made


def gain(kept: Kept) -> Sample:
    """Read the sample of a record so that more is better, whatever its metric; for differences, not for scores.

    Raises:
        NoSampleError: As `sample`.
    """
    assert isinstance(kept.facts, Record)
    found = sample(kept)
    return found.turned() if kept.facts.main_metric in LOWER_IS_BETTER else found


@lru_cache(maxsize=4096)
def _sample(path: Path, kind: str, main_metric: str) -> Sample | str:
    """The sample, or why there is none; each is read once by a command, also where many models are compared."""
    try:
        return sample_of(kind, main_metric, read_items(path))
    except (NoSampleError, UserError) as error:
        return str(error)


def interval_of(row: TaskRow, cell: Cell, level: float) -> Interval | NoInterval:
    """Compute the interval of a cell that is done."""
    try:
        return interval([(one.weight, sample(one.kept)) for one in weighted(row, cell)], level)
    except NoSampleError as error:
        return NoInterval(str(error))
