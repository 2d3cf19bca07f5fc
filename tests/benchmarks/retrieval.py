"""Times exact search and its metrics, ours against the reference implementation, on the same synthetic vectors.

    .venv/bin/python tests/benchmarks/retrieval.py [--documents 200000] [--queries 1000] [--dim 384] [--runs 3]

Each run is a process of its own, ours and the reference's in turn. What is timed begins with vectors in a memory map
and ends with the metrics; reading data and encoding are left out on both sides. Memory is the highest resident size of
the process, and how far that is above what imports and the mapped vectors take by themselves.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
PYTHON = {
    "ours": ROOT / ".venv" / "bin" / "python",
    "reference": ROOT / ".venv-reference" / "bin" / "python",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--side", choices=[*PYTHON, "data"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side == "data":
        make_data(options.folder, options.documents, options.queries, options.dim)
        return
    if options.side:
        print(json.dumps(measured(options.side, options.folder)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # A process of its own: a child starts with the highest resident size of its parent.
        subprocess.run([sys.executable, *sys.argv, "--side", "data", "--folder", name], check=True)
        runs: dict[str, list[dict[str, Any]]] = {side: [] for side in PYTHON}
        for _ in range(options.runs):
            for side, python in PYTHON.items():
                command = [str(python), __file__, "--side", side, "--folder", str(folder)]
                found = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
                runs[side].append(json.loads(found.splitlines()[-1]))
    report(options, runs)


def make_data(folder: Path, n_documents: int, n_queries: int, dim: int) -> None:
    """Vectors around a few hundred topics, as texts have; one to five judged documents a query, some of them near."""
    draw = np.random.default_rng(0)
    topics = draw.standard_normal((300, dim), dtype=np.float32)
    topic = draw.integers(0, len(topics), n_documents)
    corpus = topics[topic] + draw.standard_normal((n_documents, dim), dtype=np.float32)
    answers = draw.integers(0, n_documents, n_queries)
    queries = corpus[answers] + draw.standard_normal((n_queries, dim), dtype=np.float32)
    np.save(folder / "corpus.npy", corpus)
    np.save(folder / "queries.npy", queries)
    qrels = {}
    for i, answer in enumerate(answers):
        near = draw.choice(np.flatnonzero(topic == topic[answer]), draw.integers(1, 5))
        qrels[f"q{i}"] = {f"d{document}": int(draw.integers(1, 4)) for document in near} | {f"d{answer}": 1}
    (folder / "qrels.json").write_text(json.dumps(qrels), encoding="utf-8")


def measured(side: str, folder: Path) -> dict[str, Any]:
    """What one run took, in this process."""
    corpus = np.load(folder / "corpus.npy", mmap_mode="r")
    queries = np.load(folder / "queries.npy", mmap_mode="r")
    qrels = json.loads((folder / "qrels.json").read_text(encoding="utf-8"))
    run = {"ours": ours, "reference": reference}[side](queries, corpus, qrels)
    float(corpus.sum())  # maps every page, so that the memory counted below is not the vectors'
    before = peak()
    start, cpu = time.perf_counter(), time.process_time()
    scores = run()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {"seconds": seconds, "cpu": cpu, "peak": peak(), "above": peak() - before, "scores": scores}


def peak() -> float:
    """Highest resident size of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ours(queries: Any, corpus: Any, qrels: Any) -> Callable[[], dict[str, float]]:
    sys.path.insert(0, str(ROOT))
    from embedmark.tasks.base import Embeddings, RetrievalRows, Rows, TaskContext, TaskData
    from embedmark.tasks.retrieval.retrieval import Retrieval
    from embedmark.tasks.retrieval.settings import RetrievalSettings

    task = Retrieval(RetrievalSettings(), TaskContext("Benchmark", "retrieval"), "ndcg_at_10")
    rows = RetrievalRows(
        Rows({"id": [f"d{i}" for i in range(len(corpus))]}), Rows({"id": [f"q{i}" for i in range(len(queries))]}), qrels
    )
    embeddings = Embeddings({"queries": queries, "corpus": corpus})
    return lambda: dict(task.evaluate(embeddings, TaskData({"test": rows})).values)


def reference(queries: Any, corpus: Any, qrels: Any) -> Callable[[], dict[str, float]]:
    import torch
    from datasets import Dataset
    from mteb._evaluators.retrieval_metrics import calculate_retrieval_scores, make_score_dict
    from mteb.models import search_wrappers
    from mteb.similarity_functions import cos_sim

    ids = Dataset.from_dict({"id": [f"d{i}" for i in range(len(corpus))]})
    search_wrappers.create_dataloader = lambda part, **_: part  # no texts: what is encoded is a slice of the vectors
    at = 0

    def encode(part: Any, **_: Any) -> Any:
        nonlocal at
        at += len(part)
        return torch.from_numpy(np.array(corpus[at - len(part) : at]))

    def run() -> dict[str, float]:
        heaps = search_wrappers.chunked_full_corpus_search(
            task_corpus=ids,
            corpus_chunk_size=50_000,
            query_idx_to_id={i: f"q{i}" for i in range(len(queries))},
            query_embeddings=torch.from_numpy(np.array(queries)),
            task_metadata=None,
            hf_subset="default",
            hf_split="test",
            top_k=1_000,
            encode_kwargs={"show_progress_bar": False},
            encode_fn=encode,
            similarity_fn=cos_sim,
            search_k_offset=1,
        )
        results = {query: {document: score for score, document in heap} for query, heap in heaps.items()}
        found = calculate_retrieval_scores(results, qrels, [1, 3, 5, 10, 20, 100, 1000])
        return make_score_dict(
            ndcg=found.ndcg,
            _map=found.map,
            recall=found.recall,
            precision=found.precision,
            mrr=found.mrr,
            naucs=found.naucs,
            naucs_mrr=found.naucs_mrr,
            hit_rate=found.hit_rate,
            task_scores={},
        )

    return run


def report(options: argparse.Namespace, runs: dict[str, list[dict[str, Any]]]) -> None:
    print(f"{options.documents} documents x {options.dim} dims, {options.queries} queries, {options.runs} runs each")
    median = {}
    for side, results in runs.items():
        for key, unit in (("seconds", "s"), ("cpu", "s"), ("peak", "MiB"), ("above", "MiB")):
            values = [result[key] for result in results]
            median[side, key] = statistics.median(values)
            spread = f"{min(values):.2f}-{max(values):.2f}"
            print(f"{side:>10} {key:>8}: median {median[side, key]:.2f} {unit} ({spread})")
    for key in ("seconds", "cpu", "peak", "above"):
        print(f"reference / ours, {key}: {median['reference', key] / median['ours', key]:.2f}")
    scores = {side: results[0]["scores"] for side, results in runs.items()}
    differences = {name: abs(value - scores["reference"][name]) for name, value in scores["ours"].items()}
    worst = max((name for name in differences if not math.isnan(differences[name])), key=differences.__getitem__)
    print(f"{len(differences)} metrics, largest difference {differences[worst]:.2e} ({worst})")


if __name__ == "__main__":
    main()
