"""Every error that embedmark raises on purpose, in one tree:

EmbedmarkError
├── UserError              a mistake in a config, dataset, model or file; exit status 2
├── OutputError            outputs or the store cannot be read or written, which ends a run; exit status 2
├── JobError               one job failed although its config was right; exit status 1
├── DataError              (a ValueError) rows that a task type cannot score
├── ModelError             (a ValueError) a model that cannot be loaded, or that returned invalid vectors
├── TableError             (a ValueError) a table that lacks what was asked of it
├── PatternError           (a ValueError) a regular expression that cannot be used
├── DamagedShardError      a file of the embedding store that is not what was written
├── CorruptFileError       (an OSError) a download that is not what the hub announced
└── IrregularFileError     (an OSError) a pipe, a socket or a device in the place of a file

UserError, OutputError and JobError are ready for the user: the message names the file and the key, what was found, what
was expected, the nearest name and the way out. The others are raised where neither file nor key is known; the runner
catches them, adds both, and raises one of the first three. One that reaches the user as it is, is a fault of ours.
"""

from __future__ import annotations

OK, FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses: all done; a job failed; a mistake in what was asked for; stopped from the keyboard."""


class EmbedmarkError(Exception):
    """The root: catch it to catch every error below."""


class UserError(EmbedmarkError):
    """A mistake in a config, a dataset, a model or a file, or a machine that lacks something. Exit status 2."""


class OutputError(EmbedmarkError):
    """Outputs or store cannot be written (disk full, read-only): no job could end well, so the run stops.

    Exit status 2. It is no UserError, so that whoever gives one job up for a mistake in its config does not go on here.
    """


class JobError(EmbedmarkError):
    """A job failed for a reason outside its config (network, hub). Exit status 1; other jobs go on."""


class DataError(EmbedmarkError, ValueError):
    """Data that a protocol cannot score: a missing column, an empty split, a label without rows.

    The message says what was found and what was expected; the runner adds the task, its file and the dataset.
    """


class ModelError(EmbedmarkError, ValueError):
    """A model that cannot be loaded, or that returned something other than finite vectors of one width.

    The message says what was found and what was expected; the runner adds the model and its file. It is a ValueError
    because validators of pydantic schemas raise it: pydantic gives the place in the config to a ValueError alone.
    """


class TableError(EmbedmarkError, ValueError):
    """A table that does not have what was asked of it. The message names what was found and what was expected."""


class PatternError(EmbedmarkError, ValueError):
    """A regular expression that cannot be used. The message says why."""


class DamagedShardError(EmbedmarkError):
    """A shard of the embedding store whose file is not what was written."""


class CorruptFileError(EmbedmarkError, OSError):
    """A downloaded file whose content is not what the hub announced. Trying again may help, as with other OSErrors."""


class IrregularFileError(EmbedmarkError, OSError):
    """A pipe, a socket or a device in the place of a file: reading it might not end."""


def message_of(error: BaseException) -> str:
    """Return what an error says; one that cannot say it (its `__str__` fails) is known by its class."""
    try:
        return str(error)
    except Exception as another:  # a class of somebody else's
        return f"{type(error).__name__}, whose message cannot be had ({type(another).__name__})"
