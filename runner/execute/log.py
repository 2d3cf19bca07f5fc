"""What happened to a job, line by line, for the log.txt in its folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from embedmark.runner.common.text import for_files


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The line, without the passwords of addresses: a proxy's or a mirror's may stand in the environment."""
        return for_files(super().format(record))


LOG_LINE = _Line("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")

LOGGERS = (
    "embedmark", "py.warnings", "bm25s", "datasets", "huggingface_hub", "model2vec", "sentence_transformers", "sklearn",
)  # fmt: skip
"""What is listened to: our own code, Python's warnings where they are logged, and the libraries that jobs use.

Not the root logger, which belongs to the program around: with a handler there, `logging.basicConfig` does nothing.
"""


class JobLog:
    """Keeps what is said of the job, and what is logged under `listening`."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str, level: int = logging.INFO) -> None:
        """Add a line of our own."""
        self.lines.append(LOG_LINE.format(logging.LogRecord("runner", level, "", 0, text, None, None)))

    @property
    def text(self) -> str:
        """The file's content."""
        return "".join(f"{line}\n" for line in self.lines)


_listening: ContextVar[tuple[JobLog, ...]] = ContextVar("listening", default=())
"""The logs of the jobs that are worked on: each thread has its own."""


class _ToJobs(logging.Handler):
    """Hands each record to the jobs of the thread that made it."""

    def emit(self, record: logging.LogRecord) -> None:
        for log in _listening.get():
            log.lines.append(LOG_LINE.format(record))


_HANDLER = _ToJobs()


def listen_to(*names: str) -> None:
    """Let jobs hear these loggers from now on. A logger that was named before is not heard twice."""
    for name in names:
        logging.getLogger(name).addHandler(_HANDLER)


@contextmanager
def listening(*logs: JobLog) -> Iterator[None]:
    """Let these jobs, and no others, keep what the current thread logs meanwhile, see `listen_to`."""
    before = _listening.set(logs)
    try:
        yield
    finally:
        _listening.reset(before)
