"""How failures are told while a run works: one line an error, and one for all that fail alike."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embedmark.runner.common.text import shortened

if TYPE_CHECKING:
    from embedmark.runner.results.record import Failure, JobFacts

NAMED = 5
"""How many of those that failed alike are named."""

_EXPLAINED = ("embedmark.models.", "embedmark.tasks.", "embedmark.runner.")
"""Where the errors are from whose messages say all: others, a KeyError say, are told with their class."""


@dataclass
class _Kind:
    """An error: the job that had it first, and those that had it after."""

    first: JobFacts
    more: list[JobFacts] = field(default_factory=list)


class Failures:
    """The failures of a run, equal errors folded into one."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}

    def line(self, name: str, failure: Failure) -> str | None:
        """What to say of a failure now; None when an equal one was told before."""
        said = one_line(failure.message).removeprefix(f"task {failure.job.task}: ")
        if not said or not failure.error_class.startswith(_EXPLAINED):
            said = one_line(f"{failure.error_class}: {said}".removesuffix(": "))
        kind = _signature(said, failure.job)
        if kind in self._kinds:
            self._kinds[kind].more.append(failure.job)
            return None
        self._kinds[kind] = _Kind(failure.job)
        return f"{name}: failed: {said}"

    def rest(self) -> list[str]:
        """A line for each error that others had too."""
        return [_rest(kind) for kind in self._kinds.values() if kind.more]


def one_line(text: str) -> str:
    """The first line that is not empty, cut to what a message may have."""
    return shortened(next((line.strip() for line in text.splitlines() if line.strip()), ""))


def _signature(said: str, job: JobFacts) -> str:
    """What is equal in the errors of one kind: all but the job's own names, and numbers."""
    for name in sorted({job.task, job.subset, job.split}, key=len, reverse=True):
        if name:
            said = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "*", said)
    return re.sub(r"\d+", "0", said)


def _rest(kind: _Kind) -> str:
    count = len(kind.more)
    if {job.task for job in kind.more} == {kind.first.task}:
        subsets = len({job.subset for job in (kind.first, *kind.more)}) == count + 1
        what, names = ("subset" if subsets else "job"), [job.subset if subsets else job.name for job in kind.more]
        where = f"{kind.first.task}: "
    else:
        what, where, names = "job", f"{kind.first.name}: ", [job.name for job in kind.more]
    named = ", ".join(names[:NAMED]) + (", …" if count > NAMED else "")
    return one_line(f"{where}… and {count} more {what}{'' if count == 1 else 's'} failed alike: {named}")
