"""What a rule found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "look", "info"]
"""error: cannot be right, or was wrong wherever it was judged. warning: most likely wrong. look: somebody should.
info: odd, and no fault of a number."""

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "look", "info")


@dataclass(frozen=True)
class About:
    """What a finding is about: a score, all of a model's or all of a task's. None is all of them.

    Args:
        model: As the scores name it.
        revision: The one of the model that was looked at.
        task: Its name.
        split: Of the task.
        subset: Of the task.
    """

    model: str | None = None
    revision: str | None = None
    task: str | None = None
    split: str | None = None
    subset: str | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found.

    Args:
        severity: How certain it is that something is wrong.
        rule: Its name, as docs/lint.md has it.
        where: The file, or the model and the task.
        evidence: What was found, with the numbers.
        facts: The same for programs.
        about: What it is about, each score that it names; empty for files.
    """

    severity: Severity
    rule: str
    where: str
    evidence: str
    facts: dict[str, Any] = field(default_factory=dict, compare=False)
    about: tuple[About, ...] = field(default=(), compare=False)
