"""What happened to a job, line by line, for the log.txt in its folder."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runner.text import for_files


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The line, without the passwords of addresses: a proxy's or a mirror's may stand in the environment."""
        return for_files(super().format(record))


LOG_LINE = _Line("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")


class JobLog(logging.Handler):
    """Keeps what is said of the job, and what libraries log under `listening` in the same thread."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._thread: int | None = None

    def say(self, text: str, level: int = logging.INFO) -> None:
        """Add a line of our own."""
        self.lines.append(LOG_LINE.format(logging.LogRecord("runner", level, "", 0, text, None, None)))

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging for each record; those of other threads are of other jobs."""
        if record.thread == self._thread:
            self.lines.append(LOG_LINE.format(record))

    @property
    def text(self) -> str:
        """The file's content."""
        return "".join(f"{line}\n" for line in self.lines)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Keep what this thread logs meanwhile."""
        root = logging.getLogger()
        self._thread = threading.get_ident()
        root.addHandler(self)
        try:
            yield
        finally:
            root.removeHandler(self)
