"""What stands between a command and its user: whatever happens, one line in words and an exit status, no traceback.

A mistake of the user's ends with 2, a job that failed or a fault of ours with 1, Ctrl-C with 130; that a reader of our
output has seen enough is no error at all.
"""

from __future__ import annotations

import errno
import os
import select
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO

from embedmark.runner.common.errors import FAILED, INTERRUPTED, OK, USER_ERROR, JobError, OutputError, UserError
from embedmark.runner.common.files import DISK_FULL
from embedmark.runner.common.text import complain, for_files, shortened, without_passwords

_FULL = {*DISK_FULL, errno.EROFS}


def guarded(command: Callable[[], int], arguments: Sequence[str]) -> int:
    """The exit status of a command. Nothing that it raises goes further. arguments: those it was given."""
    _never_raise_on_characters()
    try:
        return _guarded(command, arguments)
    except KeyboardInterrupt:  # a second one: polars raises its own, and Python another a moment later
        return _stopped()


def _guarded(command: Callable[[], int], arguments: Sequence[str]) -> int:
    try:
        status = command()
        _flush()
    except KeyboardInterrupt:
        return _stopped()
    except SystemExit as left:
        return _of_exit(left)
    except (UserError, OutputError) as error:
        _say(f"error: {error}")
        return USER_ERROR
    except JobError as error:
        _say(f"failed: {error}")
        return FAILED
    except Exception as error:
        return _unexpected(error, arguments)
    return status


def _stopped() -> int:
    _say("stopped; what is done is kept, and the same command goes on from there")
    return INTERRUPTED


def check_arguments(arguments: Sequence[str]) -> None:
    """Refuse arguments that no file and no config could hold. Raises UserError."""
    for argument in arguments:
        if "\0" in argument or any("\ud800" <= character <= "\udfff" for character in argument):
            raise UserError(f"{shortened(argument, 80)!r}: holds bytes that are no text in UTF-8; write it anew")
        if argument.startswith("-") and argument.endswith("=--"):
            raise UserError(f"{shortened(argument, 80)!r}: expected a value after the =")
        if without_passwords(argument) != argument:
            raise UserError(
                f"{shortened(without_passwords(argument), 80)!r}: gave an address with a user or password in it; leave "
                "`user:password@` out, since a run's command line is kept: a key belongs in an environment variable"
            )


def _of_exit(left: SystemExit) -> int:
    if isinstance(left.code, str):
        _say(f"failed: {left.code}")
        return FAILED
    return OK if left.code is None else left.code


def _unexpected(error: Exception, arguments: Sequence[str]) -> int:
    if isinstance(error, OSError) and (broken := _output_error(error)) is not None:
        _close_output()
        if isinstance(broken, BrokenPipeError):
            return OK
        _say(f"failed: standard output cannot be written: {broken.strerror}")
        return FAILED
    if isinstance(error, OSError) and error.filename is None and error.errno in _FULL:
        _close_output()
        _say(f"failed: what standard output or results are written to: {error.strerror}")
        return FAILED
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        _say(f"error: {shortened(str(error.filename), 300)}: {error.strerror}")
        return USER_ERROR
    details = _details(error, arguments)
    if isinstance(error, MemoryError):
        _say(f"failed: there was not enough memory; what is done is kept.{details}")
        return FAILED
    if isinstance(error, RecursionError):
        what = "something that was read is nested too deeply, or refers to itself"
    else:
        what = f"{type(error).__name__}: {shortened(' '.join(str(error).split()), 200)}"
    _say(f"failed: {what}. This is a fault of embedmark; please report it.{details}")
    return FAILED


def _details(error: Exception, arguments: Sequence[str]) -> str:
    """A sentence that names the file with the traceback."""
    text = f"embedmark {' '.join(map(repr, arguments))}\n\n{''.join(traceback.format_exception(error))}"
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix="embedmark-fault-", suffix=".txt", delete=False
        ) as file:
            file.write(for_files(text))
    except OSError:
        return ""
    return f" Details: {file.name}"


# -- standard output and error, which may be closed, full, or in another encoding --------------------------------------


def _say(message: str) -> None:
    """The message, where standard error can be written."""
    with suppress(OSError, ValueError):
        complain(message)


def _never_raise_on_characters() -> None:
    """What an encoding lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and getattr(stream, "errors", "") == "strict":
            with suppress(OSError, ValueError):
                reconfigure(errors="backslashreplace")


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _output_error(error: OSError) -> OSError | None:
    """Why standard output cannot be written, if that is what an error is about: a pipe's reader may have gone."""
    try:
        _flush()
        gone = isinstance(error, BrokenPipeError) and _without_reader(sys.stdout.fileno())
    except (ValueError, AttributeError):  # a stream without a descriptor raises an error of both kinds
        return None
    except OSError as flushing:
        return flushing
    return error if gone else None


def _without_reader(descriptor: int) -> bool:
    """Whether a pipe has no reader any more; sockets break in the same way."""
    if not hasattr(select, "poll"):
        return True
    asked = select.poll()
    asked.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in asked.poll(0))


def _close_output() -> None:
    """Let what is left go nowhere: Python would complain of it at the end."""
    with suppress(OSError, ValueError, AttributeError):
        stream: TextIO = sys.stdout
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
