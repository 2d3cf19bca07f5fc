"""The errors that a user can mend, told so that they can."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

from runner.text import shortened

OK, FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses: all done; a job failed; a mistake in what was asked for; stopped from the keyboard."""

DISK_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
NOT_WRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM}
"""Why the system refuses to write."""


class UserError(Exception):
    """A mistake in a config, a dataset, a model or a file, or a machine that lacks something. Exit status 2.

    The message names the file and key, what was found, what was expected and how to mend it.
    """


class OutputError(UserError):
    """Outputs or store cannot be written (disk full, read-only): no job could end well, so the run stops."""


class JobError(Exception):
    """One job that could not be done although its config was right. Exit status 1; other jobs go on."""


def message_of(error: BaseException) -> str:
    """What an error says; one that cannot say it (its `__str__` fails) is known by its class."""
    try:
        return str(error)
    except Exception as another:  # a class of somebody else's
        return f"{type(error).__name__}, whose message cannot be had ({type(another).__name__})"


_LONGEST = 120
"""Characters of a name that may be taken for another."""


def nearest(wrong: str, known: Iterable[str]) -> str:
    """A closing phrase that names the most similar known names, or nothing when none is similar."""
    if len(wrong) > _LONGEST:
        return ""
    names = list(known)
    folded = {name.casefold(): name for name in names}
    close = [folded[match] for match in difflib.get_close_matches(wrong.casefold(), folded, n=3, cutoff=0.6)]
    if not close:
        return ""
    return " Did you mean " + " or ".join(repr(shortened(name, _LONGEST)) for name in close) + "?"
