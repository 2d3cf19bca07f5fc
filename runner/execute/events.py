"""What a worker tells while it works: plain values, which can go through a pipe to another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from embedmark.runner.results.record import Failure, Record


@dataclass(frozen=True)
class Phase:
    """A new phase with that many steps of a unit; None where `Measured` will say, or nobody can: then without one."""

    name: str
    total: int | None
    unit: str


@dataclass(frozen=True)
class Advanced:
    """Steps of the phase that are done now."""

    steps: int = 1


@dataclass(frozen=True)
class Measured:
    """How far the phase is in all."""

    done: int
    total: int


@dataclass(frozen=True)
class Said:
    """Anything else that is worth a line."""

    text: str


@dataclass(frozen=True)
class Done:
    """A job is on record. record: None where it was before this worker could claim it."""

    fingerprint: str
    record: Record | None


@dataclass(frozen=True)
class Failed:
    """A job could not be done, which is on record."""

    fingerprint: str
    failure: Failure


Event: TypeAlias = Phase | Advanced | Measured | Said | Done | Failed

Tell: TypeAlias = Callable[[Event], None]
