"""What a run shows: bars on a terminal, lines elsewhere, and never a lost line."""

from __future__ import annotations

import io
import logging
import re

import pytest
from rich.console import Console
from sample_records import failure, identity, record

from embedmark.runner.display import progress
from embedmark.runner.display.progress import Progress, SilentProgress, display

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def a_run(shown: Progress) -> None:
    """Everything that a run loop says, in its order."""
    values = identity("STS12")
    shown.planned("org/model: 2 tasks, 2 jobs: 2 to do", 2)
    shown.phase("data", 2, "jobs")
    shown.advance(2)
    shown.phase("encode", None, "tokens")
    shown.update(50, 100)
    logging.getLogger("somewhere").warning("a strange [thing]")
    logging.getLogger("somewhere").info("not for the screen")
    shown.job_done("STS12", record(values, 0.5))
    shown.job_done("STS13", None)
    shown.job_failed("STS14", failure(values, "no column 'label'\nand more"))
    shown.message("a [message] " + "long " * 40 + "end")


def test_lines_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    with display(stream) as shown:
        a_run(shown)
    lines = stream.getvalue().splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)
    assert [line[9:] for line in lines] == [
        "org/model: 2 tasks, 2 jobs: 2 to do",
        "warning: a strange [thing]",
        "STS12: cosine_spearman 50.00",
        "STS13: done by another process",
        "STS14: failed: ValueError: no column 'label'",
        "a [message] " + "long " * 40 + "end",
    ]


def test_bars_on_a_terminal_and_no_line_is_lost() -> None:
    stream = Terminal()
    with display(stream) as shown:
        a_run(shown)
        print("printed by a library")
    text = CONTROL.sub("", stream.getvalue()).replace("\r", "\n")
    for line in (
        "2 jobs: 2 to do",
        "a strange [thing]",
        "✓ STS12: cosine_spearman 50.00",
        "✗ STS14",
        "printed by a lib",
    ):
        assert text.count(line) == 1, line
    assert "not for the screen" not in text
    assert "jobs (1 failed)" in text
    assert "encode" in text
    assert "\x1b[?25h" in stream.getvalue(), "the cursor is shown again"


def test_a_phase_of_unknown_length_goes_when_the_next_one_comes() -> None:
    stream = Terminal()
    with display(stream) as shown:
        shown.phase("model", None, "")
        before = stream.tell()
        shown.phase("encode", None, "tokens")
        shown.update(50, 100)
        shown.phase("data", 2, "jobs")
        shown.message("the last frame")
    frames = CONTROL.sub("", stream.getvalue())
    assert "model" in frames[: before + 1]
    last = frames[frames.index("the last frame") :]
    assert "encode" in last
    assert "data" in last
    assert "model" not in last
    assert "?" not in frames, "nobody knows of how much"


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("NO_COLOR", "1"), ("TERM", "dumb")])
def test_lines_where_bars_are_not_wanted(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    stream = Terminal()
    with display(stream) as shown:
        a_run(shown)
    assert not CONTROL.search(stream.getvalue())
    assert len(stream.getvalue().splitlines()) == 6


def test_a_long_phase_says_how_far_it_is_now_and_then(clock: list[float]) -> None:
    stream = io.StringIO()
    with display(stream) as shown:
        shown.phase("encode", None, "tokens")
        for step in range(100):
            clock[0] += 1
            shown.update(step, 100)
    lines = [line[9:] for line in stream.getvalue().splitlines()]
    assert len(lines) == 10
    assert lines[0] == "encode: 1/100 tokens, about 198 s left", "as soon as something is done"
    assert lines[1] == "encode: 11/100 tokens, about 97 s left"


def interrupted() -> None:
    with display(io.StringIO()):
        raise KeyboardInterrupt


def test_logging_is_as_it_was_afterwards() -> None:
    before = list(logging.getLogger().handlers)
    with display(io.StringIO()):
        assert len(logging.getLogger().handlers) == len(before) + 1
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert logging.getLogger().handlers == before


def test_a_log_line_that_cannot_be_formatted_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with display(io.StringIO()):
        line = logging.LogRecord("somewhere", logging.WARNING, "file.py", 1, "%d", ("not a number",), None)
        logging.getLogger().handlers[-1].handle(line)
    assert "not a number" in capsys.readouterr().err


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    a_run(SilentProgress())
    assert capsys.readouterr().out == ""


def test_a_narrow_terminal_wraps_nothing_away() -> None:
    stream = Terminal()
    console = Console(file=stream, width=20, force_terminal=True)
    progress.PlainProgress(console).message("word " * 20 + "end")
    assert stream.getvalue().split()[-1] == "end"
