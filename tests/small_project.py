"""A config folder of one's own with a small model and small tasks, for tests that run the whole command."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from tiny_models import tiny_static

WORDS = ["the", "word", "query", *"abcdefghijklmnopqrstuvwxyz"]
TASKS = ("Topics", "Likeness", "Groups", "Search", "Pairs", "Twins")


def small_project(folder: Path) -> Path:
    """Model `tiny` and six tasks of six types over local files, to be given as --config-dir."""
    tiny_static(folder / "weights")
    _config(folder, "model/tiny.yaml", name="test/tiny", source={"path": str(folder / "weights")})
    rng = random.Random(0)
    rows = [{"text": _text(rng), "label": rng.randrange(3)} for _ in range(90)]
    table(folder, "topics", train=rows[:60], test=rows[60:])
    task(folder, "Topics", "classification", "accuracy", settings={"n_experiments": 3})
    pairs = [{"sentence1": _text(rng), "sentence2": _text(rng), "score": rng.random() * 5} for _ in range(30)]
    table(folder, "likeness", test=pairs)
    task(folder, "Likeness", "sts", "cosine_spearman")
    table(folder, "groups", test=[{"sentences": _text(rng), "labels": rng.randrange(4)} for _ in range(60)])
    settings = {"max_fraction_of_documents_to_embed": None, "n_clusterings": 2}
    task(folder, "Groups", "clustering", "v_measure", settings=settings)
    table(folder, "pairs", test=[{**pair, "labels": rng.randrange(2)} for pair in pairs])
    task(folder, "Pairs", "pair_classification", "max_ap")
    table(folder, "twins", test=pairs)
    task(folder, "Twins", "bitext_mining", "f1")
    documents = [{"_id": f"d{i}", "title": "", "text": _text(rng)} for i in range(40)]
    queries = [{"_id": f"q{i}", "text": _text(rng)} for i in range(8)]
    qrels = [{"query-id": f"q{i}", "corpus-id": f"d{3 * i}", "score": 1} for i in range(8)]
    for part, content in (("corpus", documents), ("queries", queries), ("qrels", qrels)):
        table(folder, f"search/{part}", test=content)
    task(folder, "Search", "retrieval", "ndcg_at_10")
    return folder


def reranking_task(folder: Path) -> None:
    """One more task, Order: the texts of Search, with candidates."""
    for part in ("corpus", "queries", "qrels"):
        content = (folder / f"data/search/{part}/test.jsonl").read_text().splitlines()
        table(folder, f"order/{part}", test=[json.loads(line) for line in content])
    candidates = [{"query-id": f"q{i}", "corpus-ids": [f"d{3 * i}", "d1", "d2", "d38"]} for i in range(8)]
    table(folder, "order/top_ranked", test=candidates)
    task(folder, "Order", "reranking", "ndcg_at_10")


def task(folder: Path, name: str, kind: str, main_metric: str, **more: Any) -> None:
    """A task file over data/<name>. more: further keys, or others; None leaves a key out."""
    data = {"files": str(folder / "data" / name.lower())}
    values = {"name": name, "type": kind, "dataset": data, "languages": ["eng-Latn"], "main_metric": main_metric}
    given = {key: value for key, value in {**values, **more}.items() if value is not None}
    _config(folder, f"task/{name.lower()}.yaml", **given)


def table(folder: Path, name: str, **splits: Iterable[Mapping[str, Any]]) -> None:
    """data/<name>/<split>.jsonl"""
    (folder / "data" / name).mkdir(parents=True, exist_ok=True)
    for split, rows in splits.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "data" / name / f"{split}.jsonl").write_text(text, encoding="utf-8")


def _config(folder: Path, file: str, /, **values: Any) -> None:
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")


def _text(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(2, 12)))
