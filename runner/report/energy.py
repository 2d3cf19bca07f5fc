"""What the records of a report took of electricity, in one line."""

from __future__ import annotations

import math
from collections.abc import Iterable

from embedmark.runner.results.record import Record


def energy_line(records: Iterable[Record]) -> str:
    """Sum energy and CO2, and say of how many records and what is estimated; empty where nothing was asked for."""
    found = list(records)
    told = [record for record in found if record.energy_kwh is not None]
    if not told:
        return ""
    kwh = math.fsum(record.energy_kwh or 0.0 for record in told)
    grams = 1000 * math.fsum(record.co2_kg or 0.0 for record in told)
    estimated = sum(record.energy_source == "estimated" for record in told)
    how = f"; {estimated} estimated from the processor's load" if estimated else ""
    return f"energy: {kwh:.3g} kWh, {grams:.3g} g CO2 of {len(told)} of {len(found)} records{how}"
