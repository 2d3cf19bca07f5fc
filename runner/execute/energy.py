"""What jobs take of electricity, and the CO2 of that: by codecarbon, where it is asked for, without a network.

A processor without a meter that may be read (RAPL) is estimated from its load; the record says which.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Self

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.config.schema import Execution

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Source = Literal["measured", "estimated"]


@dataclass(frozen=True)
class Used:
    """Electricity in kWh, and CO2 in kg."""

    kwh: float = 0.0
    kg: float = 0.0

    def __add__(self, other: Used) -> Used:
        return Used(self.kwh + other.kwh, self.kg + other.kg)

    def share(self, part: float) -> Used:
        """Return a part of it, from 0 to 1."""
        return Used(self.kwh * part, self.kg * part)


@dataclass
class Interval:
    """What was used while a block ran; known when it has ended."""

    used: Used = field(default_factory=Used)

    def shares(self, sizes: Sequence[float]) -> list[Used]:
        """Share it by size, or equally where nothing has one. The shares sum up to the whole."""
        whole = sum(sizes)
        return [self.used.share(size / whole if whole else 1 / len(sizes)) for size in sizes]


class Meter:
    """Reads what this process uses, one interval at a time.

    Args:
        country: Whose electricity it is, by its three letters, as in FRA.

    Raises:
        UserError: The package codecarbon is not installed, or does not know the country.
    """

    def __init__(self, country: str) -> None:
        try:
            codecarbon: Any = import_module("codecarbon")
            countries: Any = import_module("codecarbon.input").DataSource()
        except ImportError:
            raise UserError(
                "execution.co2: needs the package codecarbon: pip install 'embedmark[co2]', or leave co2 out"
            ) from None
        known: dict[str, Any] = countries.get_global_energy_mix_data()
        if country not in known:  # it would take the world's mean
            raise UserError(
                f"execution.country: found {country!r}; codecarbon knows no such country.{nearest(country, known)}"
            )
        logging.getLogger("codecarbon").setLevel(logging.ERROR)
        self._tracker: Any = codecarbon.OfflineEmissionsTracker(
            country_iso_code=country, save_to_file=False, tracking_mode="process", allow_multiple_runs=True,
            log_level="error",
        )  # fmt: skip
        # The first interval takes two seconds, to find the hardware.
        with self.interval():
            pass

    @classmethod
    def of(cls, execution: Execution) -> Self | None:
        """Make the meter that a run asks for; None where it asks for none. Raises as the class does."""
        if not execution.co2:
            return None
        if execution.country is None:
            raise UserError(
                "execution.country: not given; co2 needs whose electricity it is, as in execution.country=FRA"
            )
        return cls(execution.country)

    @property
    def source(self) -> Source:
        """Whether every processor has a meter that was read."""
        return source_of(self._tracker._hardware)

    @contextmanager
    def interval(self) -> Iterator[Interval]:
        """Read what a block uses, also where an error ends it. Intervals do not nest."""
        found = Interval()
        self._tracker.start_task()
        try:
            yield found
        finally:
            data = self._tracker.stop_task()
            found.used = Used(float(data.energy_consumed), float(data.emissions))


def source_of(hardware: Sequence[Any]) -> Source:
    """Say whether every processor among codecarbon's hardware has a meter that was read.

    Memory has none anywhere and is estimated by its size; graphics cards are known by their meters alone.
    """
    processors = [part for part in hardware if type(part).__name__ not in _NO_PROCESSORS]
    measured = [getattr(part, "_mode", type(part).__name__) in _METERS for part in processors]
    return "measured" if measured and all(measured) else "estimated"


_NO_PROCESSORS = {"RAM", "GPU"}
_METERS = {"intel_rapl", "intel_power_gadget", "windows_emi", "AppleSiliconChip", "Raspberry"}
"""codecarbon's names for ways to read a processor's meter: modes of its CPU, and classes that have but one."""
