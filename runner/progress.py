"""What a run shows while it works: a live display on a terminal, timestamped lines anywhere else."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

if TYPE_CHECKING:
    from runner.results.record import Failure, Record

LINE_SECONDS = 10.0
"""How often a phase says how far it is where there is no terminal."""


class Progress(Protocol):
    """What the run loop tells of itself."""

    def planned(self, headline: str, jobs: int) -> None:
        """The plan in one line, and how many jobs it has left."""
        ...

    def phase(self, name: str, total: int | None) -> None:
        """A new phase with that many steps; None where `update` will say."""
        ...

    def advance(self, steps: int) -> None:
        """Steps of the phase that are done now."""
        ...

    def update(self, done: int, total: int) -> None:
        """How far the phase is in all."""
        ...

    def job_done(self, name: str, record: Record | None) -> None:
        """A job is on record; None where another process did it."""
        ...

    def job_failed(self, name: str, failure: Failure) -> None:
        """A job could not be done."""
        ...

    def message(self, text: str) -> None:
        """Anything else that is worth a line."""
        ...


def _scored(name: str, record: Record | None) -> str:
    if record is None:
        return f"{name}: done by another process"
    return f"{name}: {record.main_metric} {100 * record.main_score:.2f}"


def _failed(name: str, failure: Failure) -> str:
    return f"{name}: failed: {failure.message.splitlines()[0] if failure.message else failure.error_class}"


class PlainProgress:
    """Lines with the time of day, for logs, pipes and CI."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._name, self._done, self._total = "", 0, 0
        self._started = self._said = 0.0

    def planned(self, headline: str, jobs: int) -> None:  # noqa: ARG002
        """See Progress."""
        self.message(headline)

    def phase(self, name: str, total: int | None) -> None:
        """See Progress."""
        self._name, self._done, self._total = name, 0, total or 0
        self._started = self._said = time.monotonic()

    def advance(self, steps: int) -> None:
        """See Progress."""
        self.update(self._done + steps, self._total)

    def update(self, done: int, total: int) -> None:
        """See Progress."""
        self._done, self._total = done, total
        now = time.monotonic()
        if now - self._said >= LINE_SECONDS and 0 < done < total:
            self._said = now
            left = (now - self._started) * (total - done) / done
            self.message(f"{self._name}: {done / total:.0%}, about {left:.0f} s left")

    def job_done(self, name: str, record: Record | None) -> None:
        """See Progress."""
        self.message(_scored(name, record))

    def job_failed(self, name: str, failure: Failure) -> None:
        """See Progress."""
        self.message(_failed(name, failure))

    def message(self, text: str) -> None:
        """See Progress."""
        self._console.print(f"{time.strftime('%H:%M:%S')} {text}", highlight=False, markup=False, soft_wrap=True)


class LiveProgress:
    """Bars that stay at the bottom of the terminal while lines scroll above them."""

    def __init__(self, console: Console, bars: Bars) -> None:
        self._console, self._bars = console, bars
        self._jobs: TaskID | None = None
        self._phases: dict[str, TaskID] = {}
        self._phase: TaskID | None = None
        self._failed = 0

    def planned(self, headline: str, jobs: int) -> None:
        """See Progress."""
        self._console.print(headline, style="bold", highlight=False, markup=False)
        if jobs:
            self._jobs = self._bars.add_task("jobs", total=jobs)

    def phase(self, name: str, total: int | None) -> None:
        """See Progress."""
        if name in self._phases:
            self._bars.reset(self._phases[name], total=total)
        else:
            self._phases[name] = self._bars.add_task(name, total=total)
        self._phase = self._phases[name]

    def advance(self, steps: int) -> None:
        """See Progress."""
        if self._phase is not None:
            self._bars.advance(self._phase, steps)

    def update(self, done: int, total: int) -> None:
        """See Progress."""
        if self._phase is not None:
            self._bars.update(self._phase, completed=done, total=total)

    def job_done(self, name: str, record: Record | None) -> None:
        """See Progress."""
        self._line(f"✓ {_scored(name, record)}", "green")

    def job_failed(self, name: str, failure: Failure) -> None:
        """See Progress."""
        self._failed += 1
        self._line(f"✗ {_failed(name, failure)}", "red")

    def message(self, text: str) -> None:
        """See Progress."""
        self._console.print(text, style="dim", highlight=False, markup=False)

    def _line(self, text: str, style: str) -> None:
        self._console.print(text, style=style, highlight=False, markup=False)
        if self._jobs is not None:
            self._bars.advance(self._jobs, 1)
            if self._failed:
                self._bars.update(self._jobs, description=f"jobs ({self._failed} failed)")


class SilentProgress:
    """Nothing at all, for those who call the run loop from their own code."""

    def planned(self, headline: str, jobs: int) -> None:
        """See Progress."""

    def phase(self, name: str, total: int | None) -> None:
        """See Progress."""

    def advance(self, steps: int) -> None:
        """See Progress."""

    def update(self, done: int, total: int) -> None:
        """See Progress."""

    def job_done(self, name: str, record: Record | None) -> None:
        """See Progress."""

    def job_failed(self, name: str, failure: Failure) -> None:
        """See Progress."""

    def message(self, text: str) -> None:
        """See Progress."""


class _LogLines(logging.Handler):
    """Warnings and worse as lines of the display, which alone may write to the terminal while bars are on it."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.WARNING)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._progress.message(f"{record.levelname.lower()}: {self.format(record)}")
        except Exception:  # what logging.Handler asks of its kind: a log line never stops the program
            self.handleError(record)


@contextmanager
def display(stream: IO[str] | None = None) -> Iterator[Progress]:
    """The display that suits a stream, by default standard output: live on a terminal, unless CI or NO_COLOR is set."""
    console = Console(file=stream or sys.stdout)
    if not console.is_terminal or console.is_dumb_terminal or {"CI", "NO_COLOR"} & set(os.environ):
        with _logging_to(plain := PlainProgress(console)):
            yield plain
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    bars = Bars(*columns, console=console, transient=True, refresh_per_second=5)
    with bars, _logging_to(live := LiveProgress(console, bars)):
        yield live


@contextmanager
def _logging_to(progress: Progress) -> Iterator[None]:
    handler = _LogLines(progress)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
