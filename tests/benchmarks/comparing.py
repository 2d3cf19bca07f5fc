"""How long `compare` and `report --intervals` take on many records with items, and what the start of them imports.

    PYTHONPATH=.:tests python tests/benchmarks/comparing.py [--models 20] [--items 1000] [--runs 3] [--profile]

Records of 41 tasks, of the types that MTEB(eng, v2) has in their numbers there, are written without running a model;
each has the items that its score is computed from. Two models are compared, then all of them pair by pair, then the
report is printed with intervals. Each is a process from start to end. `--keep FOLDER` writes the records there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import planned_records
from numpy.typing import NDArray
from planned_records import config, planned
from small_project import table, task

from embedmark.runner.plan import Job
from embedmark.tasks.item_arrays import main_score_of, units

Arrays = dict[str, NDArray[Any]]

TYPES = {
    "retrieval": (10, "ndcg_at_10"),
    "reranking": (2, "map_at_1000"),
    "classification": (8, "accuracy"),
    "clustering": (8, "v_measure"),
    "sts": (9, "cosine_spearman"),
    "pair_classification": (3, "max_ap"),
    "summarization": (1, "cosine_spearman"),
}


def main() -> None:
    """Write the records, and time each command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="where the time goes, by function")
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        write(folder, asked.models, asked.items)
        names = [f"m{number}" for number in range(asked.models)]
        for words in (["compare", *names[:2]], ["compare", *names], ["report"], ["report", "--intervals"]):
            said = f"{words[0]} of {len(words) - 1} models" if words[0] == "compare" else " ".join(words)
            seconds = sorted(timed(words, folder) for _ in range(asked.runs))
            print(
                f"{said}: {seconds[len(seconds) // 2]:.2f} s (from {seconds[0]:.2f} to {seconds[-1]:.2f})", flush=True
            )
            if asked.profile:
                timed(words, folder, ["-m", "cProfile", "-s", "tottime"])


def timed(words: list[str], folder: Path, how: list[str] | None = None) -> float:
    """Seconds of a command in a process of its own; what a profile says is printed."""
    start = time.perf_counter()
    command = [sys.executable, *(how or []), "-m", "runner", *words, "--outputs", "outputs", "--config-dir", "project"]
    done = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{words}: {done.stderr}")
    if how:
        print("\n".join(done.stdout.partition("function calls")[2].splitlines()[:30]))
    return time.perf_counter() - start


def write(folder: Path, n_models: int, n_items: int) -> None:
    """Configs in folder/project and records in folder/outputs."""
    project = folder / "project"
    for number in range(n_models):
        name = f"m{number}"
        config(project, f"model/{name}.yaml", name=f"org/{name}", source={"hub": f"org/{name}"}, revision="a" * 40)
    names = []
    for kind, (number, metric) in TYPES.items():
        for place in range(number):
            names.append(f"{kind.replace('_', '').title()}{place}")
            _task(project, names[-1], kind, metric)
    config(project, "benchmark/small.yaml", name="Small", tasks=names)
    for number in range(n_models):
        for job in planned(project, f"model=m{number}", "benchmark=small"):
            record_with(job, items_of(job, number, n_items), folder / "outputs")


def _task(project: Path, name: str, kind: str, metric: str) -> None:
    """A task of one row a table: nothing of it is ever read, but for its hash."""
    row = {"text": name, "label": 0, "sentences": name, "labels": 0, "sentence1": name, "sentence2": name, "score": 1}
    row |= {"human_summaries": [name], "machine_summaries": [name, name], "relevance": [0, 1]}
    if kind in {"retrieval", "reranking"}:
        table(project, f"{name.lower()}/corpus", test=[{"_id": "d", "title": "", "text": "text"}])
        table(project, f"{name.lower()}/queries", test=[{"_id": "q", "text": "text"}])
        table(project, f"{name.lower()}/qrels", test=[{"query-id": "q", "corpus-id": "d", "score": 1}])
        if kind == "reranking":
            table(project, f"{name.lower()}/top_ranked", test=[{"query-id": "q", "corpus-ids": ["d"]}])
    else:
        table(project, name.lower(), train=[row], test=[row])
    task(project, name, kind, metric)


def record_with(job: Job, items: Arrays, outputs: Path, score: float | None = None) -> Path:
    """Write a record of a job with its items, whose score it has."""
    kind, metric = job.identity["task"]["type"], job.task.config.main_metric
    score = main_score_of(kind, metric, items) if score is None else score
    return planned_records.write_with_items(job, score, items, outputs)


def items_of(job: Job, model: int, n: int) -> Arrays:
    """Items of a model: what all models share, and some noise of its own."""
    kind, metric, name = job.identity["task"]["type"], job.task.config.main_metric, job.task.name
    shared = np.random.default_rng(list(name.encode()))
    truth = shared.normal(size=n)
    own = np.random.default_rng([model, *name.encode()])
    seen = truth + own.normal(size=n) * (0.5 + model / 40)
    return {
        "_unit": units([f"{name} {place}" for place in range(n)]),
        **_arrays(kind, metric, shared, truth, seen, own),
    }


def _arrays(
    kind: str,
    metric: str,
    shared: np.random.Generator,
    truth: NDArray[Any],
    seen: NDArray[Any],
    own: np.random.Generator,
) -> Arrays:
    n = len(truth)
    if kind == "classification":
        label = shared.integers(0, 10, n).astype(np.int16)
        drawn = np.where(own.random((10, n)) < 0.7, label, own.integers(0, 10, (10, n))).astype(np.int16)
        return {"predicted": drawn, "label": label, "classes": np.arange(10), "accuracy": (drawn == label).mean(axis=0)}
    if kind == "clustering":
        label = shared.integers(0, 20, (1, n)).astype(np.int16)
        drawn = np.array([own.choice(n, n // 2, replace=False) for _ in range(10)]).astype(np.int32)
        found = np.where(own.random(drawn.shape) < 0.6, label[0][drawn], own.integers(0, 20, drawn.shape))
        return {"label": label, "drawn": drawn, "cluster": found.astype(np.int16), "level": np.zeros(10, np.int16)}
    if kind == "sts":
        return {"gold": 1 / (1 + np.exp(-truth)), "similarity": np.tanh(seen).astype(np.float32)}
    if kind == "pair_classification":
        return {"similarity": np.tanh(seen), "label": (truth > 0).astype(np.int8), "compared": np.array(["cosine"])}
    if kind == "summarization":
        return {"scored": np.ones(n, np.bool_), metric: np.tanh(seen)}
    return {metric: 1 / (1 + np.exp(-seen))}


if __name__ == "__main__":
    main()
