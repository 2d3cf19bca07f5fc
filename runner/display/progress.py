"""What a run shows while it works: a live display on a terminal, timestamped lines anywhere else."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.text import Text

from embedmark.runner.common.terminal import open_console
from embedmark.runner.common.text import visible
from embedmark.runner.display.failures import Failures
from embedmark.runner.display.transfers import transfers_to

if TYPE_CHECKING:
    from embedmark.runner.results.record import Failure, Record

LINE_SECONDS = 10.0
"""How often a phase says how far it is where there is no terminal."""


class Progress(Protocol):
    """What the run loop tells of itself."""

    def planned(self, headline: str, jobs: int) -> None:
        """The plan in one line, and how many jobs it has left."""
        ...

    def phase(self, name: str, total: int | None, unit: str) -> None:
        """A new phase with that many steps of a unit; None where `update` will say, or nobody can: then without one."""
        ...

    def advance(self, steps: int) -> None:
        """Steps of the phase that are done now."""
        ...

    def update(self, done: int, total: int) -> None:
        """How far the phase is in all."""
        ...

    def transfer(self, key: int, name: str, done: float, total: float | None, unit: str) -> None:
        """How far a library is with something of its own, a download (unit "B", bytes) most of the time."""
        ...

    def transferred(self, key: int) -> None:
        """That is over."""
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

    def close(self) -> None:
        """Nothing comes after this."""
        ...


def _scored(name: str, record: Record | None) -> str:
    if record is None:
        return f"{name}: done by another process"
    return f"{name}: {record.main_metric} {100 * record.main_score:.2f}"


def amount(done: float, total: float | None, unit: str) -> str:
    """How much of how much, as in "12.3k/1.2M tokens" or "1.2/3.4 GB"."""
    if not unit and total is None:
        return ""
    if unit in {"jobs", ""}:
        counts = f"{done:.0f}/{'?' if total is None else f'{total:.0f}'}"
        return f"{counts} {unit}".rstrip()
    if unit == "B":
        power = _power(total or done)
        name = ("B", "kB", "MB", "GB", "TB")[power]
        parts = [f"{value / 1000**power:.{1 if power else 0}f}" for value in (done, total) if value is not None]
        return f"{'/'.join(parts)} {name}"
    return f"{'/'.join(_short(value) for value in (done, total) if value is not None)} {unit}"


def _short(value: float) -> str:
    power = _power(value)
    return f"{value / 1000**power:.1f}{('', 'k', 'M', 'G', 'T')[power]}" if power else f"{value:.0f}"


def _power(value: float) -> int:
    power = 0
    while power < 4 and value >= 999.95 * 1000**power:
        power += 1
    return power


class PlainProgress:
    """Lines with the time of day, for logs, pipes and CI."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._failures = Failures()
        self._name, self._unit, self._done, self._total = "", "", 0, 0
        self._started = self._said = self._transferred = time.monotonic()
        self._silent = True

    def planned(self, headline: str, jobs: int) -> None:  # noqa: ARG002
        """See Progress."""
        self.message(headline)

    def phase(self, name: str, total: int | None, unit: str) -> None:
        """See Progress."""
        self._name, self._unit, self._done, self._total = name, unit, 0, total or 0
        self._started = self._said = time.monotonic()
        self._silent = True

    def advance(self, steps: int) -> None:
        """See Progress."""
        self.update(self._done + steps, self._total)

    def update(self, done: int, total: int) -> None:
        """See Progress."""
        self._done, self._total = done, total
        if not 0 < done < total:
            return
        now = time.monotonic()
        left = (now - self._started) * (total - done) / done
        if now - self._said >= LINE_SECONDS or (self._silent and left >= LINE_SECONDS):
            self._said, self._silent = now, False
            self.message(f"{self._name}: {amount(done, total, self._unit)}, about {left:.0f} s left")

    def transfer(self, key: int, name: str, done: float, total: float | None, unit: str) -> None:  # noqa: ARG002
        """See Progress."""
        if (now := time.monotonic()) - self._transferred >= LINE_SECONDS:
            self._transferred = now
            self.message(f"{name}: {amount(done, total, unit)}")

    def transferred(self, key: int) -> None:
        """See Progress."""

    def job_done(self, name: str, record: Record | None) -> None:
        """See Progress."""
        self.message(_scored(name, record))

    def job_failed(self, name: str, failure: Failure) -> None:
        """See Progress."""
        if line := self._failures.line(name, failure):
            self.message(line)

    def message(self, text: str) -> None:
        """See Progress."""
        _print(self._console, f"{time.strftime('%H:%M:%S')} {visible(text)}", wrapped=False)

    def close(self) -> None:
        """See Progress."""
        for line in self._failures.rest():
            self.message(line)


class LiveProgress:
    """Bars that stay at the bottom of the terminal while lines scroll above them."""

    def __init__(self, console: Console, bars: Bars) -> None:
        self._console, self._bars = console, bars
        self._failures = Failures()
        self._jobs: TaskID | None = None
        self._phases: dict[str, TaskID] = {}
        self._transfers: dict[int, TaskID] = {}
        self._phase: TaskID | None = None
        self._endless: str | None = None
        self._failed = 0

    def planned(self, headline: str, jobs: int) -> None:
        """See Progress."""
        _print(self._console, visible(headline), "bold")
        if jobs:
            self._jobs = self._bars.add_task("jobs", total=jobs, unit="jobs")

    def phase(self, name: str, total: int | None, unit: str) -> None:
        """See Progress."""
        if self._endless is not None:
            self._bars.remove_task(self._phases.pop(self._endless))
        self._endless = None if unit else name
        if name in self._phases:
            self._bars.reset(self._phases[name], total=total)
        else:
            self._phases[name] = self._bars.add_task(name, total=total, unit=unit)
        self._phase = self._phases[name]

    def advance(self, steps: int) -> None:
        """See Progress."""
        if self._phase is not None:
            self._bars.advance(self._phase, steps)

    def update(self, done: int, total: int) -> None:
        """See Progress."""
        if self._phase is not None:
            self._bars.update(self._phase, completed=done, total=total)

    def transfer(self, key: int, name: str, done: float, total: float | None, unit: str) -> None:
        """See Progress."""
        if key not in self._transfers:
            self._transfers[key] = self._bars.add_task(visible(name), total=total, unit=unit)
        self._bars.update(self._transfers[key], completed=done, total=total, description=visible(name))

    def transferred(self, key: int) -> None:
        """See Progress."""
        if key in self._transfers:
            self._bars.remove_task(self._transfers.pop(key))

    def job_done(self, name: str, record: Record | None) -> None:
        """See Progress."""
        _print(self._console, f"✓ {visible(_scored(name, record))}", "green")
        self._count()

    def job_failed(self, name: str, failure: Failure) -> None:
        """See Progress."""
        self._failed += 1
        if line := self._failures.line(name, failure):
            _print(self._console, f"✗ {visible(line)}", "red")
        self._count()

    def message(self, text: str) -> None:
        """See Progress."""
        _print(self._console, visible(text), "dim")

    def close(self) -> None:
        """See Progress."""
        for line in self._failures.rest():
            _print(self._console, f"✗ {visible(line)}", "red")

    def _count(self) -> None:
        if self._jobs is not None:
            self._bars.advance(self._jobs, 1)
            if self._failed:
                self._bars.update(self._jobs, description=f"jobs ({self._failed} failed)")


class SilentProgress:
    """Nothing at all, for those who call the run loop from their own code."""

    def planned(self, headline: str, jobs: int) -> None:
        """See Progress."""

    def phase(self, name: str, total: int | None, unit: str) -> None:
        """See Progress."""

    def advance(self, steps: int) -> None:
        """See Progress."""

    def update(self, done: int, total: int) -> None:
        """See Progress."""

    def transfer(self, key: int, name: str, done: float, total: float | None, unit: str) -> None:
        """See Progress."""

    def transferred(self, key: int) -> None:
        """See Progress."""

    def job_done(self, name: str, record: Record | None) -> None:
        """See Progress."""

    def job_failed(self, name: str, failure: Failure) -> None:
        """See Progress."""

    def message(self, text: str) -> None:
        """See Progress."""

    def close(self) -> None:
        """See Progress."""


def _print(console: Console, text: str, style: str | None = None, *, wrapped: bool = True) -> None:
    """A line. Where nobody reads any more (a closed pipe), the run goes on without."""
    try:
        console.print(text, style=style, highlight=False, markup=False, soft_wrap=not wrapped)
    except OSError:
        console.quiet = True


class _Amount(ProgressColumn):
    """How much of how much."""

    def render(self, task: Task) -> Text:
        return Text(amount(task.completed, task.total, str(task.fields.get("unit", ""))))


class _TimeLeft(ProgressColumn):
    """About how long it takes yet: known as soon as a first part is done."""

    def render(self, task: Task) -> Text:
        if not task.completed or task.total is None or task.elapsed is None or task.finished:
            return Text("")
        left = int(task.elapsed * (task.total - task.completed) / task.completed)
        hours, minutes, seconds = left // 3600, left // 60 % 60, left % 60
        return Text(f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left")


class _LogLines(logging.Handler):
    """Warnings and worse as lines of the display, which alone may write to the terminal while bars are on it."""

    _PLACE = re.compile(r"^\S+:\d+: (?=\w+: )")
    """Where in the code of a library Python's own warnings were raised."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.WARNING)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        try:
            lines = record.getMessage().strip().splitlines() or [""]
            self._progress.message(f"{record.levelname.lower()}: {self._PLACE.sub('', lines[0])}")
        except Exception:  # what logging.Handler asks of its kind: a log line never stops the program
            self.handleError(record)


@contextmanager
def display(stream: IO[str] | None = None) -> Iterator[Progress]:
    """The display that suits a stream, by default standard output: live on a terminal, unless CI or NO_COLOR is set."""
    console = open_console(stream)
    with ExitStack() as opened:
        progress: Progress
        if not console.is_terminal or console.is_dumb_terminal or {"CI", "NO_COLOR"} & set(os.environ):
            progress = PlainProgress(console)
        else:
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                _Amount(),
                TimeElapsedColumn(),
                _TimeLeft(),
            )
            bars = Bars(*columns, console=console, transient=True, refresh_per_second=5)
            progress = LiveProgress(console, opened.enter_context(bars))
        opened.callback(progress.close)
        opened.enter_context(_logging_to(progress))
        opened.enter_context(transfers_to(progress))
        yield progress


@contextmanager
def _logging_to(progress: Progress) -> Iterator[None]:
    handler = _LogLines(progress)
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        logging.getLogger().removeHandler(handler)
