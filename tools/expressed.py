"""Counts the tasks that the reference prepares in Python of their own, and how many of them are files here.

    python -m tools.expressed --facts FOLDER

FOLDER holds tasks.jsonl, whose `own_code` names the methods that a task overrides. A task is expressed when its file
says everything, so that it does not await anything (`awaits`).
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import TaskConfig


def main() -> None:
    """Print a line a method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=Path, required=True, help="folder with tasks.jsonl")
    catalogue = Catalogue()
    for (method, what), names in own_code(parser.parse_args().facts).items():
        tasks = [catalogue.task(name) for name in names]
        awaiting = [task.name for task in tasks if task.awaits]
        told = ", ".join(f"{kind} {n}" for kind, n in ways(tasks).items())
        print(f"{method}: {len(tasks) - len(awaiting)} of {len(tasks)} tasks of {what} ({told})", *awaiting)


def own_code(facts: Path) -> dict[tuple[str, str], list[str]]:
    """(Method, texts or images) → the tasks that override it."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    with (facts / "tasks.jsonl").open(encoding="utf-8") as lines:
        for task in map(json.loads, lines):
            if set(task["modalities"]) <= {"text", "image"}:
                what = "images" if "image" in task["modalities"] else "texts"
                for method in task.get("own_code", ()):
                    found[method, what].append(task["name"])
    return found


def ways(tasks: list[TaskConfig]) -> dict[str, int]:
    """How many are expressed by what."""
    counts = {"transforms": 0, "layout": 0, "neither": 0}
    for task in tasks:
        if not task.awaits:
            layout = getattr(task.dataset, "layout", None)
            counts["transforms" if task.transforms else "layout" if layout else "neither"] += 1
    return counts


if __name__ == "__main__":
    main()
