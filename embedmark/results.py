"""What was measured, for Python programs: scores as a frame, means as reports compute them."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedmark.runner.common.text import visible
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.plan import Plan
from embedmark.runner.report.aggregate import Aggregate, Column, aggregate
from embedmark.runner.report.older import present_model
from embedmark.runner.report.rows import rows_on_record
from embedmark.runner.report.tables import cell_text, headline, notes, percent, tables
from embedmark.runner.results.collect import Collected, collect, frame
from embedmark.runner.results.record import Failure, Record

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console, ConsoleOptions, RenderResult

_WIDTH = 100


@dataclass(frozen=True)
class Results:
    """Records and failures of jobs, and what they amount to.

    Args:
        collected: What was read, each record with its folder and identity.
        report: Models × tasks with means, as `python -m runner report` computes them.
        outputs: The folder that it was read from; None where nothing was kept.
        stopped: Why the run ended before its last job; None where it did not.
    """

    collected: Collected
    report: Aggregate
    outputs: Path | None = None
    stopped: str | None = None

    @classmethod
    def of(cls, plan: Plan, outputs: Path, catalogue: Catalogue, *, kept: bool, stopped: str | None) -> Results:
        """Read what became of a plan's jobs."""
        wanted = {job.fingerprint for job in plan.jobs}
        found = collect(outputs)
        collected = Collected(
            tuple(one for one in found.records if one.facts.fingerprint in wanted),
            tuple(one for one in found.failures if one.facts.fingerprint in wanted),
            (),
        )
        return cls(collected, _aggregate(collected, catalogue), outputs if kept else None, stopped)

    @classmethod
    def read(cls, outputs: Path, catalogue: Catalogue) -> Results:
        """Read all of an outputs folder. Raises OutputError."""
        collected = collect(outputs)
        return cls(collected, _aggregate(collected, catalogue), outputs)

    @property
    def records(self) -> tuple[Record, ...]:
        """Each job that is done."""
        return tuple(one.facts for one in self.collected.records if isinstance(one.facts, Record))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Each job that could not be done."""
        return tuple(one.facts for one in self.collected.failures if isinstance(one.facts, Failure))

    @property
    def is_kept(self) -> bool:
        """Whether the records are in an outputs folder, where a later call finds them."""
        return self.outputs is not None

    @property
    def scores(self) -> pl.DataFrame:
        """All scores, a row a metric; see `embedmark.runner.results.collect.frame` for the columns."""
        return frame(self.collected)

    @property
    def mean_task(self) -> float | None:
        """The mean over tasks of the only model; None where a task has no score.

        Raises:
            ValueError: There are several models.
        """
        return self._only().mean_task

    @property
    def mean_task_type(self) -> float | None:
        """The mean over types of tasks of the only model. Raises ValueError as `mean_task` does."""
        return self._only().mean_type

    def to_dict(self) -> dict[str, Any]:
        """Give records and failures as JSON has them, with the means of each model."""
        return {
            "models": {
                column.label: {"mean_task": column.mean_task, "mean_task_type": column.mean_type}
                for column in self.report.columns
            },
            "records": [record.model_dump(mode="json", by_alias=True) for record in self.records],
            "failures": [failure.model_dump(mode="json", by_alias=True) for failure in self.failures],
            "outputs": None if self.outputs is None else str(self.outputs),
            "stopped": self.stopped,
        }

    def _only(self) -> Column:
        if len(self.report.columns) != 1:
            raise ValueError(f"there are {len(self.report.columns)} models; see `report` for the means of each")
        return self.report.columns[0]

    def _notes(self) -> Iterator[str]:
        yield from notes(self.report)
        for failure in self.failures:
            yield f"{failure.job.name}: failed: {failure.error_class}: {failure.message}"
        if self.stopped:
            yield f"stopped: {self.stopped}"
        if not self.is_kept:
            yield "not kept: nothing tells this object from others; give identity=... to keep vectors and records"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Show the tables of a report; what a terminal would obey is written as escapes."""
        from rich.console import Group
        from rich.segment import Segment
        from rich.text import Text

        said = [Text(note, style="dim") for note in self._notes()]
        shown = Group(Text(headline(self.report), style="bold"), *tables(self.report, options.max_width), *said)
        for segment in console.render(shown, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)

    def __repr__(self) -> str:
        """Show the tables of a report as plain text."""
        from io import StringIO

        from rich.console import Console

        out = StringIO()
        Console(file=out, width=_WIDTH, color_system=None, force_jupyter=False).print(self)
        return out.getvalue().rstrip()

    def _repr_html_(self) -> str:
        """Show a table in a notebook; everything that a stranger may have named is escaped."""
        heads = ["task", *(column.label for column in self.report.columns)]
        rows = [
            [task.label, *(cell_text(column.cells[task.label]) for column in self.report.columns)]
            for task in self.report.tasks
        ]
        rows.append(["Mean (Task)", *(percent(column.mean_task) for column in self.report.columns)])
        rows.append(["Mean (TaskType)", *(percent(column.mean_type) for column in self.report.columns)])
        body = "".join(f"<tr>{_cells(row, 'td')}</tr>" for row in rows)
        said = "".join(f"<li>{html.escape(visible(note))}</li>" for note in self._notes())
        return f"<table><thead><tr>{_cells(heads, 'th')}</tr></thead><tbody>{body}</tbody></table><ul>{said}</ul>"


def _cells(texts: list[str], tag: str) -> str:
    return "".join(f"<{tag}>{html.escape(visible(text))}</{tag}>" for text in texts)


def _aggregate(collected: Collected, catalogue: Catalogue) -> Aggregate:
    present: partial[Mapping[str, Any] | None] = partial(present_model, catalogue=catalogue)
    return aggregate(collected, rows_on_record(collected.records), "", present)
