"""What was found of a model when it was opened, kept beside its vectors: enough to score with these alone.

It holds for the same packages, machine and settings only. Where any of these is another, the model is opened again, so
that what a record says of its model is what opening it would have said.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from embedmark.models.base import ContextualEncoder, Encoder, SketchedEncoder, takes
from embedmark.runner.common.files import read_regular, write_atomically
from embedmark.runner.config.identity import fingerprint_of_plain
from embedmark.runner.config.schema import Execution
from embedmark.runner.encode.store import OPENED
from embedmark.runner.results.environment import surroundings, told_by_torch
from embedmark.tasks.base import Modality, SimilarityName

log = logging.getLogger(__name__)

LAYOUT = 3


@dataclass(frozen=True)
class Opening:
    """What opening an encoder told.

    Args:
        running: What decides the last digits of its vectors.
        dtype: The number format of its weights, if it has any.
        similarity: Its own, None where the config gave one.
        modalities: What it takes.
        sketch: What its loader needs to know of the weights, see SketchedEncoder; None where it says nothing.
        environment: What torch told of the machine, see runner/results/environment.py.
        probes: What it makes of texts that are the same for all, as `Probes` dumps it; None where it is not asked.
    """

    running: Mapping[str, Any]
    dtype: str | None
    similarity: SimilarityName | None
    modalities: tuple[Modality, ...]
    sketch: Mapping[str, Any] | None
    environment: Mapping[str, Mapping[str, Any]]
    probes: Mapping[str, Any] | None = None


def opening_of(encoder: Encoder, dtype: str | None, configured: SimilarityName | None) -> Opening | None:
    """What an open encoder tells; None for one in two stages, which has to read a sample first.

    Args:
        encoder: The model.
        dtype: The number format of its weights.
        configured: The similarity that the config gives.
    """
    if isinstance(encoder, ContextualEncoder):
        return None
    sketch = encoder.sketch if isinstance(encoder, SketchedEncoder) else None
    similarity = None if configured else encoder.similarity
    taken = tuple(sorted(takes(encoder)))
    return Opening(plain_facts(encoder.facts), dtype, similarity, taken, sketch, told_by_torch())


def plain_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a model says of itself, as JSON keeps it."""
    return cast("dict[str, Any]", json.loads(json.dumps(dict(facts), default=str)))


def remember(folder: Path, execution: Execution, opening: Opening) -> None:
    """Keep an opening with a model's vectors. Where that cannot be, the next run opens the model, too."""
    content = {"layout": LAYOUT, "under": _circumstances(execution), "found": asdict(opening)}
    try:
        if folder.is_dir():
            write_atomically(folder / OPENED, json.dumps(content, indent=2) + "\n", durable=False)
    except (OSError, TypeError, ValueError) as error:
        log.info("%s was not written: %s", folder / OPENED, error)


def remembered(folder: Path, execution: Execution) -> Opening | None:
    """What an earlier run found under the same circumstances."""
    try:
        content = json.loads(read_regular(folder / OPENED))
        if content["layout"] == LAYOUT and content["under"] == _circumstances(execution):
            return Opening(**content["found"])
    except FileNotFoundError:
        pass
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        log.info("%s cannot be read (%s); the model is opened again", folder / OPENED, error)
    return None


def _circumstances(execution: Execution) -> str:
    """A hash of all that opening may depend on beside the model's identity."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    visible = {name: os.environ[name] for name in sorted(os.environ) if name.endswith("VISIBLE_DEVICES")}
    settings = {"device": execution.device, "threads": execution.threads}
    return fingerprint_of_plain({
        "surroundings": surroundings(), "devices": _devices(), "visible": visible, "cores": cores, **settings
    })  # fmt: skip


def _devices() -> list[str]:
    """What accelerators the system says there are, without asking a driver's library; and the version of NVIDIA's."""
    nodes = [path.name for pattern in ("nvidia[0-9]*", "kfd", "accel*") for path in Path("/dev").glob(pattern)]
    pci = [path.parent for path in Path("/sys/bus/pci/devices").glob("*/class") if _says(path).startswith(_COMPUTES)]
    models = [f"{folder.name} {_says(folder / 'vendor')} {_says(folder / 'device')}" for folder in pci]
    return sorted([*nodes, *models, _says(Path("/proc/driver/nvidia/version"))])


_COMPUTES = ("0x03", "0x12")
"""Classes of PCI devices: what displays, graphics processors among them, and what accelerates."""


def _says(path: Path) -> str:
    """A file of the system; empty where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
