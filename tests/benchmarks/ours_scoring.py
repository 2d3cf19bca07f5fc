"""Our side of scoring.py: one task of a type, from rows and vectors to metrics, timed."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from embedmark.runner.data.table import Table
from embedmark.tasks.base import Embeddings, RetrievalRows, Rows, TaskContext, TaskData
from embedmark.tasks.types import task_types


def score(case: dict[str, Any], vectors: NDArray[np.float32]) -> tuple[float, float, dict[str, float]]:
    """Wall and CPU seconds of `items` and `evaluate`, and the metrics."""
    kind = task_types()[case["type"]]
    task = kind.bind(kind.settings(**case["settings"]), TaskContext("Benchmark", case["type"]), case["main_metric"])
    data = TaskData(splits(case["data"]))
    start = clocks()
    sets = task.items(data)
    choosing = clocks() - start
    embeddings = Embeddings({texts.name: vectors[[int(text) for text in texts.items]] for texts in sets})
    start = clocks()
    scores = task.evaluate(embeddings, data)
    wall, cpu = choosing + clocks() - start
    return float(wall), float(cpu), {name: float(value) for name, value in scores.values.items()}


def clocks() -> NDArray[np.float64]:
    """Wall and CPU time."""
    return np.array([time.perf_counter(), time.process_time()])


def splits(data: dict[str, Any]) -> dict[str, Rows | RetrievalRows]:
    if "corpus" not in data:
        return {split: Table.of(columns).rows() for split, columns in data.items()}
    corpus, queries = (Table.of(data[name]).rows() for name in ("corpus", "queries"))
    return {"test": RetrievalRows(corpus, queries, data["qrels"], data.get("top_ranked"))}
