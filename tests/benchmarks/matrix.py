"""How long it takes until a benchmark's published scores, families of tasks and training data are there.

    python tests/benchmarks/matrix.py "MTEB(eng, v2)" "MTEB(Multilingual, v2)"

Seconds of wall time of a catalogue that has read nothing yet, and in brackets of one that has, on two threads.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("POLARS_MAX_THREADS", "2")

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.ranking.families import families
from embedmark.runner.ranking.matrix import published
from embedmark.runner.ranking.zeroshot import training_data


def seconds(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(name: str) -> str:
    """One line about a benchmark."""
    catalogue = Catalogue(quiet=True)
    benchmark = catalogue.benchmark(name)
    tasks = list(dict.fromkeys(task.name for task in benchmark.tasks))
    parts: dict[str, Callable[[], object]] = {
        "matrix": lambda: published(benchmark, catalogue, revisions="joined"),
        "families": lambda: families(tasks, catalogue),
        "training data": lambda: training_data(catalogue),
    }
    return f"{name}: " + ", ".join(f"{part} {seconds(work):.2f} ({seconds(work):.2f})" for part, work in parts.items())


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(measure(argument))
