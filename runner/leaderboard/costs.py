"""What one's own records say of speed and electricity, and on which machine that was."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from embedmark.runner.common.errors import UserError
from embedmark.runner.ranking.matrix import ScoreMatrix
from embedmark.runner.report.aggregate import Aggregate
from embedmark.runner.results.collect import Kept
from embedmark.runner.results.inspection import ENVIRONMENT
from embedmark.runner.results.record import Record, read_object

DIGITS = 4
"""How many of a rate are kept: a second run differs in the third."""


@dataclass(frozen=True)
class Cost:
    """What some records of a model took. None is what they do not tell.

    Args:
        speed: Distinct texts (or images) that were encoded a second.
        energy: Watt hours for a thousand of them, scoring included.
        estimated: Whether that is not measured by meters, or not all of it.
        machines: Where: processors and accelerators, each machine once.
    """

    speed: float | None = None
    energy: float | None = None
    estimated: bool = False
    machines: tuple[str, ...] = ()


def cost(kept_ones: Iterable[Kept]) -> Cost:
    """Sum what records took.

    Args:
        kept_ones: Records whose texts were all found in the store say nothing: encoding them took no time.
    """
    # A task that is asked for twice, alone and in another, has its records twice.
    once = {kept.folder: kept for kept in kept_ones}
    told = [
        (kept, kept.facts)
        for kept in once.values()
        if isinstance(kept.facts, Record) and kept.facts.timing.texts_encoded and kept.facts.timing.encode_s
    ]
    if not told:
        return Cost()
    seconds = math.fsum(record.timing.encode_s for _, record in told)
    metered = [record for _, record in told if record.energy_kwh is not None]
    kwh = math.fsum(record.energy_kwh or 0.0 for record in metered)
    return Cost(
        speed=_rounded(sum(record.timing.texts_encoded for _, record in told) / seconds),
        energy=_rounded(1e6 * kwh / sum(record.timing.texts_encoded for record in metered)) if metered else None,
        estimated=any(record.energy_source == "estimated" for record in metered),
        machines=tuple(sorted({_machine(kept, record) for kept, record in told})),
    )


def cost_columns(matrix: ScoreMatrix, made: Aggregate | None, more: int = 0) -> dict[str, list[Any]]:
    """Lay out costs as columns of a benchmark's models: speed, energy, estimated, machines; published ones have none.

    Args:
        matrix: The benchmark's scores.
        made: What of one's own is in it.
        more: How many models follow that are not in the matrix.
    """
    own = {} if made is None else {column.label: column for column in made.columns}
    found = [
        cost(kept for cell in own[label].cells.values() for kept in cell.records) if mine else Cost()
        for label, mine in zip(matrix.models, matrix.own, strict=True)
    ] + [Cost()] * more
    return {
        "speed": [one.speed for one in found],
        "energy": [one.energy for one in found],
        "estimated": [int(one.estimated) for one in found],
        "machines": [list(one.machines) for one in found],
    }


def _machine(kept: Kept, record: Record) -> str:
    """By its processor and accelerators; else by its record's line, where its folder does not tell."""
    try:
        hardware = read_object(kept.folder / ENVIRONMENT).get("hardware")
    except UserError:
        return record.platform
    if not isinstance(hardware, dict) or not isinstance(hardware.get("processor"), str):
        return record.platform
    accelerators = hardware.get("accelerators")
    words = [hardware["processor"], *(accelerators if isinstance(accelerators, list) else ())]
    cores = hardware.get("cores")
    if isinstance(cores, int):
        words[0] = f"{words[0]}, {cores} cores" if cores != 1 else f"{words[0]}, 1 core"
    return "; ".join(map(str, words))


def _rounded(rate: float) -> float:
    return float(f"{rate:.{DIGITS}g}")
