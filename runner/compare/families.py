"""The family of each row of a report, in numbers; a task that no config knows is one of its own."""

from __future__ import annotations

from collections.abc import Sequence

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.ranking.families import families


def family_numbers(tasks: Sequence[str], catalogue: Catalogue) -> list[int]:
    """Number the families of tasks; equal numbers belong together."""
    known = list(dict.fromkeys(task for task in tasks if catalogue.has("task", task)))
    of = dict(zip(known, families(known, catalogue).of.tolist(), strict=True)) if known else {}
    others = {task: len(tasks) + place for place, task in enumerate(dict.fromkeys(tasks)) if task not in of}
    return [of[task] if task in of else others[task] for task in tasks]
