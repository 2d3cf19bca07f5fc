"""Times scoring alone, type by type: the same rows and vectors to the reference implementation and to ours, in turn.

    .venv/bin/python tests/benchmarks/scoring.py                           every type, about five minutes on two cores
    .venv/bin/python tests/benchmarks/scoring.py --types sts clustering    some of them
    .venv/bin/python tests/benchmarks/scoring.py --runs 5                  more runs of each

Rows and vectors are synthetic, seeded and of the size of real tasks; a vector has 384 dimensions and the length 1.
What is timed begins with rows and ends with metrics: draws, choosing texts, classifiers, search, metrics. Looking
vectors up, which takes the place of encoding, is subtracted. The reference is asked by its own task classes'
`evaluate`, ours by `items` and `evaluate`. Each side is one process of its own environment (.venv-reference, made by
`make reference`, and .venv), with as many threads as it takes by itself, and rows start in Arrow tables on both.

The table has the median of wall seconds and their range, the ratio of the medians, the same ratio for CPU seconds (of
all threads; steadier than wall time on a machine that others use), and the metric that is furthest apart.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
PYTHON = {
    "reference": ROOT / ".venv-reference" / "bin" / "python",
    "ours": ROOT / ".venv" / "bin" / "python",
}
DIM = 384
LABELS = 20
SEED = 0

Vectors = NDArray[np.float32]
Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Case:
    """One task. data: split → columns, or for retrieval the parts of a split. A text is the number of its vector."""

    size: str
    main_metric: str
    data: Mapping[str, Any]
    vectors: Vectors
    settings: Mapping[str, Any]


def main() -> None:
    options = _arguments()
    if options.side:
        serve(options.side, options.folder)
        return
    if not PYTHON["reference"].is_file():
        raise SystemExit("no .venv-reference; make it with `make reference`")
    started = os.getloadavg()
    with tempfile.TemporaryDirectory() as name, working("reference", name) as reference, working("ours", name) as ours:
        sizes = write_cases(options.types, Path(name))
        rows = [compared(kind, sizes[kind], {"reference": reference, "ours": ours}, options.runs) for kind in sizes]
    report(rows, options.runs, started)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--types", nargs="+", default=list(CASES), choices=list(CASES), metavar="TYPE", help=", ".join(CASES)
    )
    parser.add_argument("--runs", type=int, default=3, help="runs of each type and side (default: %(default)s)")
    parser.add_argument("--side", choices=list(PYTHON), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


# ---------------------------------------------------------------------------------------------------- the data


def classification(draw: np.random.Generator) -> Case:
    codes = draw.integers(0, LABELS, 8_000)
    table = {"text": numbered(8_000), "label": codes.tolist()}
    return Case(
        f"5,000 train, 3,000 test rows, {LABELS} labels",
        "accuracy",
        {"train": part(table, 0, 5_000), "test": part(table, 5_000, 8_000)},
        around_topics(draw, codes),
        {},
    )


def multilabel_classification(draw: np.random.Generator) -> Case:
    codes = draw.integers(0, LABELS, 9_000)
    labels = [sorted({int(code), *draw.integers(0, LABELS, draw.integers(0, 3)).tolist()}) for code in codes]
    table = {"text": numbered(9_000), "label": labels}
    return Case(
        f"5,000 train, 4,000 test rows, {LABELS} labels",
        "accuracy",
        {"train": part(table, 0, 5_000), "test": part(table, 5_000, 9_000)},
        around_topics(draw, codes),
        {},
    )


def zeroshot_classification(draw: np.random.Generator) -> Case:
    codes = np.concatenate([np.arange(LABELS), draw.integers(0, LABELS, 5_000)])
    table = {"text": numbered(len(codes)), "label": codes.tolist()}
    return Case(
        f"5,000 rows, {LABELS} candidates",
        "accuracy",
        {"test": part(table, LABELS, len(codes))},
        around_topics(draw, codes),
        {"candidate_labels": numbered(LABELS)},
    )


def regression(draw: np.random.Generator) -> Case:
    vectors = around_topics(draw, draw.integers(0, LABELS, 8_000))
    values = vectors @ draw.standard_normal(DIM) + draw.normal(0, 0.5, len(vectors))
    table = {"text": numbered(8_000), "value": values.round(2).tolist()}
    return Case(
        "5,000 train, 3,000 test rows, 3 experiments",
        "kendalltau",
        {"train": part(table, 0, 5_000), "test": part(table, 5_000, 8_000)},
        vectors,
        {"n_experiments": 3},
    )


def clustering(draw: np.random.Generator) -> Case:
    codes = draw.integers(0, LABELS, 5_000)
    return Case(
        f"5,000 documents, all embedded, {LABELS} labels",
        "v_measure",
        {"test": {"sentences": numbered(5_000), "labels": codes.tolist()}},
        around_topics(draw, codes),
        {"max_fraction_of_documents_to_embed": None},
    )


def clustering_legacy(draw: np.random.Generator) -> Case:
    codes = draw.integers(0, LABELS, 10_000)
    sentences, labels = (
        [column[i : i + 1_000] for i in range(0, 10_000, 1_000)] for column in (numbered(10_000), codes.tolist())
    )
    return Case(
        f"10 rows of 1,000 sentences, {LABELS} labels",
        "v_measure",
        {"test": {"sentences": sentences, "labels": labels}},
        around_topics(draw, codes),
        {},
    )


def sts(draw: np.random.Generator) -> Case:
    vectors, closeness = pairs(draw, 20_000)
    scores = (5 * np.clip(closeness + draw.normal(0, 0.2, 20_000), 0, 1)).round(1)
    return Case(
        "20,000 pairs", "cosine_spearman", {"test": two_columns(20_000) | {"score": scores.tolist()}}, vectors, {}
    )


def arrangement(draw: np.random.Generator) -> Case:
    places = draw.uniform(0, 1, (2, 200, 20)).tolist()
    table = {
        "round_id": [f"round {i}" for i in range(200)],
        "texts": grouped(numbered(4_000), 20),
        "x": places[0],
        "y": places[1],
    }
    vectors = around_topics(draw, draw.integers(0, 100, 4_000))
    return Case("200 arrangements of 20 texts", "alpha_auc", {"test": table}, vectors, {})


def pair_classification(draw: np.random.Generator) -> Case:
    vectors, closeness = pairs(draw, 20_000)
    labels = (closeness + draw.normal(0, 0.2, 20_000) > 0.5).astype(int)
    return Case("20,000 pairs", "max_ap", {"test": two_columns(20_000) | {"labels": labels.tolist()}}, vectors, {})


def bitext_mining(draw: np.random.Generator) -> Case:
    vectors, _ = pairs(draw, 10_000)
    return Case("10,000 sentence pairs", "f1", {"test": two_columns(10_000)}, vectors, {})


def summarization(draw: np.random.Generator) -> Case:
    n_texts, n_human, n_machine = 100, 11, 16
    names = numbered(n_texts * (n_human + n_machine))
    human, machine = names[: n_texts * n_human], names[n_texts * n_human :]
    topics = np.concatenate([np.repeat(np.arange(n_texts), n_human), np.repeat(np.arange(n_texts), n_machine)])
    table = {
        "text": [f"article {i}" for i in range(n_texts)],
        "human_summaries": grouped(human, n_human),
        "machine_summaries": grouped(machine, n_machine),
        "relevance": (draw.integers(0, 21, (n_texts, n_machine)) / 4).tolist(),
    }
    return Case(
        "100 texts, 11 human, 16 machine summaries each",
        "cosine_spearman",
        {"test": table},
        around_topics(draw, topics),
        {},
    )


def retrieval(draw: np.random.Generator) -> Case:
    return Case("20,000 documents, 1,000 queries", "ndcg_at_10", *searched(draw, 20_000, 1_000), {})


def reranking(draw: np.random.Generator) -> Case:
    data, vectors = searched(draw, 20_000, 1_000)
    ids = data["corpus"]["id"]
    data["top_ranked"] = {
        query: list(dict.fromkeys([*judged, *(ids[i] for i in draw.choice(len(ids), 100, replace=False))]))[:100]
        for query, judged in data["qrels"].items()
    }
    return Case("1,000 queries, 100 candidates each", "ndcg_at_10", data, vectors, {})


CASES: dict[str, Callable[[np.random.Generator], Case]] = {
    make.__name__: make
    for make in (
        classification,
        multilabel_classification,
        zeroshot_classification,
        regression,
        clustering,
        clustering_legacy,
        sts,
        arrangement,
        pair_classification,
        bitext_mining,
        summarization,
        retrieval,
        reranking,
    )
}


def around_topics(draw: np.random.Generator, topics: NDArray[np.integer[Any]]) -> Vectors:
    """A vector a row, near the one of its topic, but not so near that nothing is ever mistaken."""
    centres = draw.standard_normal((int(topics.max()) + 1, DIM))
    return unit(centres[topics] + 3 * draw.standard_normal((len(topics), DIM)))


def pairs(draw: np.random.Generator, n: int) -> tuple[Vectors, NDArray[np.float64]]:
    """The vectors of n first texts, then of n second ones, and how close each pair is, from 0 to 1."""
    first = around_topics(draw, draw.integers(0, 500, n))
    closeness = draw.uniform(0, 1, n)
    other = unit(draw.standard_normal((n, DIM)))
    second = unit(closeness[:, None] * first + (1 - closeness)[:, None] * other)
    return np.concatenate([first, second]), closeness


def searched(draw: np.random.Generator, n_documents: int, n_queries: int) -> tuple[dict[str, Any], Vectors]:
    """Parts of a retrieval split, one to five judged documents a query; vectors of the documents, then the queries."""
    topics = draw.integers(0, 300, n_documents)
    corpus = around_topics(draw, topics)
    answers = draw.integers(0, n_documents, n_queries)
    queries = unit(corpus[answers] + unit(draw.standard_normal((n_queries, DIM))))
    qrels = {}
    for i, answer in enumerate(answers):
        near = draw.choice(np.flatnonzero(topics == topics[answer]), draw.integers(1, 5))
        qrels[f"q{i}"] = {f"d{document}": int(draw.integers(1, 4)) for document in near} | {f"d{answer}": 1}
    names = numbered(n_documents + n_queries)
    data = {
        "corpus": {"id": [f"d{i}" for i in range(n_documents)], "text": names[:n_documents]},
        "queries": {"id": list(qrels), "text": names[n_documents:]},
        "qrels": qrels,
    }
    return data, np.concatenate([corpus, queries])


def unit(x: NDArray[np.floating[Any]]) -> Vectors:
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def numbered(n: int) -> list[str]:
    return [str(i) for i in range(n)]


def part(table: Columns, start: int, end: int) -> Columns:
    return {name: values[start:end] for name, values in table.items()}


def grouped(values: list[Any], size: int) -> list[list[Any]]:
    return [values[i : i + size] for i in range(0, len(values), size)]


def two_columns(n: int) -> Columns:
    names = numbered(2 * n)
    return {"sentence1": names[:n], "sentence2": names[n:]}


def write_cases(kinds: list[str], folder: Path) -> dict[str, str]:
    """Write what the two sides read; a type → its size in words. The data of a type is the same whatever is chosen."""
    sizes = {}
    for kind in dict.fromkeys(kinds):
        case = CASES[kind](np.random.default_rng(SEED))
        described = {
            "type": kind,
            "main_metric": case.main_metric,
            "data": case.data,
            "settings": case.settings,
        }
        (folder / f"{kind}.json").write_text(json.dumps(described), encoding="utf-8")
        np.save(folder / f"{kind}.npy", case.vectors)
        sizes[kind] = case.size
    return sizes


# ---------------------------------------------------------------------------------------------------- the two sides


class Worker:
    """One side's process: given the name of a type it scores it once."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, kind: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{kind}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"a side failed on {kind}; its error is above")
        found: dict[str, Any] = json.loads(answer)
        return found


@contextmanager
def working(side: str, folder: str) -> Iterator[Worker]:
    command = [str(PYTHON[side]), __file__, "--side", side, "--folder", folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield Worker(process)


def serve(side: str, folder: Path) -> None:
    """What a side's process does: read names of types, write their seconds and metrics, a line each."""
    answers, sys.stdout = sys.stdout, sys.stderr
    if side == "ours":
        from ours_scoring import score
    else:
        from reference_scoring import score
    for line in sys.stdin:
        kind = line.strip()
        case = json.loads((folder / f"{kind}.json").read_text(encoding="utf-8"))
        wall, cpu, metrics = score(case, np.load(folder / f"{kind}.npy"))
        print(json.dumps({"wall": wall, "cpu": cpu, "metrics": metrics}), file=answers, flush=True)


# ---------------------------------------------------------------------------------------------------- the comparison


@dataclass(frozen=True)
class Row:
    """One type. wall, cpu: side → seconds of each run. furthest: the metric that is furthest apart, and how far."""

    kind: str
    size: str
    wall: Mapping[str, list[float]]
    cpu: Mapping[str, list[float]]
    furthest: tuple[str, float]

    def median(self, side: str, clock: str = "wall") -> float:
        return statistics.median(getattr(self, clock)[side])

    def ratio(self, clock: str = "wall") -> float:
        return self.median("reference", clock) / self.median("ours", clock)


def compared(kind: str, size: str, workers: Mapping[str, Worker], runs: int) -> Row:
    print(f"{kind} ...", file=sys.stderr)
    found = [{side: worker(kind) for side, worker in workers.items()} for _ in range(runs)]
    wall, cpu = ({side: [run[side][clock] for run in found] for side in workers} for clock in ("wall", "cpu"))
    distances = far(found[-1]["reference"]["metrics"], found[-1]["ours"]["metrics"])
    return Row(kind, size, wall, cpu, max(distances.items(), key=lambda item: item[1]))


def far(reference: Mapping[str, float], ours: Mapping[str, float]) -> dict[str, float]:
    """Metric → distance; infinite where one side alone has a number. What does not apply is NaN or left out."""
    distances = {}
    for metric in sorted({*reference, *ours}):
        a, b = reference.get(metric, math.nan), ours.get(metric, math.nan)
        distances[metric] = math.inf if math.isnan(a) != math.isnan(b) else 0.0 if math.isnan(a) else abs(a - b)
    return distances


def report(rows: list[Row], runs: int, started: tuple[float, float, float]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("type", "size", title=f"Seconds of scoring: median of {runs} runs (lowest to highest)")
    for heading in ("reference", "ours", "ratio", "CPU ratio"):
        table.add_column(heading, justify="right")
    table.add_column("largest difference")
    for row in rows:
        metric, distance = row.furthest
        times = [seconds(row.wall[side]) for side in ("reference", "ours")]
        difference = f"{distance:.1e} {metric}" if distance else "0"
        style = "red" if row.ratio() < 1 else None
        table.add_row(
            row.kind, row.size, *times, f"{row.ratio():.1f}×", f"{row.ratio('cpu'):.1f}×", difference, style=style
        )
    console = Console(width=None if sys.stdout.isatty() else 170)
    console.print(table)
    totals = {side: sum(row.median(side) for row in rows) for side in PYTHON}
    middle = math.exp(statistics.mean(math.log(row.ratio()) for row in rows))
    console.print(
        f"Overall: {totals['reference']:.1f} s against {totals['ours']:.1f} s, "
        f"{totals['reference'] / totals['ours']:.1f}×; geometric mean of the ratios {middle:.1f}×."
    )
    load = ", ".join(f"{value:.1f}" for value in started), ", ".join(f"{value:.1f}" for value in os.getloadavg())
    console.print(f"{os.cpu_count()} cores; load average at the start {load[0]}, at the end {load[1]}.")


def seconds(values: list[float]) -> str:
    digits = 2 if max(values) >= 0.1 else 4
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


if __name__ == "__main__":
    main()
