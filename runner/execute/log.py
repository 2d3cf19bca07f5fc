"""What is logged while a job is worked on, for the log.txt in its folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from runner.text import for_files


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The line, without the passwords of addresses: a proxy's or a mirror's may stand in the environment."""
        return for_files(super().format(record))


LOG_LINE = _Line("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")


class JobLog(logging.Handler):
    """Keeps log lines; those logged under `listening` are this job's."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging for each record."""
        self.lines.append(LOG_LINE.format(record))

    @property
    def text(self) -> str:
        """The file's content."""
        return "".join(f"{line}\n" for line in self.lines)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Keep what is logged meanwhile."""
        root = logging.getLogger()
        root.addHandler(self)
        try:
            yield
        finally:
            root.removeHandler(self)
