"""Small datasets of pictures, in the layouts of their publishers: all but documents.

`REPOSITORIES`: a pattern of tasks → what they read, for those with a layout of their own; `usual`, for all others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from layout_pictures import dataset, picture
from resolved import resolved_task

from embedmark.runner.config.schema import TaskConfig
from embedmark.tasks.types import task_types

Row = dict[str, Any]
Repository = dict[Any, Any]

N = 7
TRAINED = {"classification", "multilabel_classification"}


def usual(task: TaskConfig, subsets: list[str]) -> Repository:
    """The dataset of a task that is read as any other of its type."""
    made: Repository = {}
    for subset in subsets:
        if task_types()[task.type].retrieval_layout:
            prefix = getattr(task.dataset, "config", None) or subset
            own = "" if prefix == "default" else f"{prefix}-"
            made |= {(f"{own}{part}", split): rows for (part, split), rows in _parts(task, subset).items()}
        else:
            config = getattr(task.dataset, "config", None) or subset
            for split in dict.fromkeys([*task.splits, *(("train",) if task.type in TRAINED else ())]):
                made[config, split] = _plain(task, f"{subset} {split}")
    return made


def _parts(task: TaskConfig, subset: str) -> Repository:
    """Corpus, queries and judgments, with the columns that the publishers of M-BEIR have: empty where not of a side."""
    asked, told = (task.about.category or "t2t").split("2")
    pairs = [(0, 5), (0, 2), (1, 3), (0, 1), (2, 2), (3, 6), (0, 2)]
    qrels = [{"query-id": f"q{i}", "corpus-id": f"d{j}", "score": (i + j) % 2} for i, j in pairs]
    queries = [{"id": f"q{i}", **_item(i, asked, f"{subset} query")} for i in range(5)]
    corpus = [{"id": f"d{i}", **_item(i, told, f"{subset} document")} for i in range(N)]
    split = task.splits[0]
    qrels_config = "default" if subset == "default" and not getattr(task.dataset, "config", None) else "qrels"
    older = qrels_config == "default" and len(task.name) % 2  # other names, and one split of a name of its own
    names = ("query", "qrels") if older else ("queries", qrels_config)
    own = "corpus" if older else split
    parts = {("corpus", own): corpus, (names[0], split): queries, (names[1], split): qrels}
    made = {place: dataset(rows) for place, rows in parts.items()}
    if task.type == "reranking":
        candidates = [{"query-id": f"q{i}", "corpus-ids": [f"d{j}" for j in (3, i, 5)]} for i in range(5)]
        made["top_ranked", split] = dataset(candidates)
    return made


def _item(number: int, side: str, name: str) -> Row:
    text = f"{name} {number}" if "t" in side else None
    image = picture(number, name) if "i" in side else None
    return {"text": text, "image": image, "modality": ",".join({"t": "text", "i": "image"}[part] for part in side)}


def _plain(task: TaskConfig, name: str) -> Any:
    """A split with the columns that a task reads, and one that it does not."""
    classes = {}
    rows: list[Row] = [{"other": i} for i in range(12)]
    for column, role in resolved_task(task).columns:
        for i, row in enumerate(rows):
            row[column] = _value(task, column, role, i, name)
        if role == "label" and task.type != "multilabel_classification":
            classes[column] = [f"/c/{column}/kind_{i}" for i in range(4)]
    return dataset(rows, classes)


def _value(task: TaskConfig, column: str, role: str, number: int, name: str) -> Any:
    if role in ("image", "images"):
        return picture(number, f"{name} {column}")
    if role == "text":
        return f"{name} {column} {number}"
    if role == "number":
        return number / 2
    return [number % 3, 3 + number % 5] if task.type == "multilabel_classification" else number * number % 4


def _captioned(task: TaskConfig, subsets: list[str]) -> Repository:
    captions = [["one", " ", "two"], ["", "\t"], ["three"], ["four", "five"]]
    raw = task.name.startswith("XM3600")
    made = {}
    for subset in task.subsets:
        rows = []
        for i, texts in enumerate(captions):
            file = picture(i, subset)
            row = {"image_id": f"{i:03x}", "captions": [f"{subset} {text}" if text.strip() else text for text in texts]}
            more = {"captions_tokenized": texts, "captions_tokenized_lowercase": texts, "image_locale": subset}
            held = {"bytes": file, "path": f"{i}.png"} if raw else file
            rows.append({**row, **(more if raw else {}), "image": held})
        made["default", subset] = dataset(rows)
    return made


def _described(task: TaskConfig, subsets: list[str]) -> Repository:
    def row(subset: str, i: int) -> Row:
        held = {"bytes": picture(i, subset), "path": f"{i}.jpg"}
        return {"image": held, "sentences": f"{subset} sentence {i}", "id": f"{100 - i}"}

    return {("default", subset): dataset([row(subset, i) for i in range(4)]) for subset in task.subsets}


def _memes(task: TaskConfig, subsets: list[str]) -> Repository:
    def row(split: str, i: int, number: int) -> Row:
        text = f"said {number % 4 if split == 'test' else number % 5}"
        return {"id": number, "image": picture(number, split), "text": text, "label": i % 2, "split": split}

    splits = {"train": 100, "validation": 200, "test": 300}
    return {
        ("default", split): dataset([row(split, i, first - 3 * i) for i in range(6)]) for split, first in splits.items()
    }


def _memotion(task: TaskConfig, subsets: list[str]) -> Repository:
    rest = dict.fromkeys(("humor", "sarcasm", "offensive", "motivational", "sentiment"), "x")

    def row(split: str, i: int) -> Row:
        text = None if i in (1, 4) else " " if i == 2 else f"{split} {i}"
        return {"image": picture(i, split), "text_ocr": "o", "text_corrected": text, "split": split, **rest}

    return {("default", split): dataset([row(split, i) for i in range(6)]) for split in ("train", "validation", "test")}


def _figures(task: TaskConfig, subsets: list[str]) -> Repository:
    kinds = ["fig_result", "table_result", "fig_illustration", "table_parameter", "fig_architecture"]

    def row(split: str, i: int) -> Row:
        rest = {"file_name_index": i, "super_class": "fig", "sub_class": "x", "split": split}
        return {**rest, "class": kinds[i % 5], "text": f"{split} {i // 2}", "image": picture(i, split)}

    return {("default", split): dataset([row(split, i) for i in range(6)]) for split in ("test", "validation")}


def _mars(task: TaskConfig, subsets: list[str]) -> Repository:
    rows = [
        {"key": 5000 - i, "image": picture(i, "mars"), "refined_caption": f"crater {i}", "caption": "c"}
        for i in range(2247)
    ]
    return {("default", "test"): dataset(rows)}


def _choices(task: TaskConfig, subsets: list[str]) -> Repository:
    unread = ("type", "filename", "source", "source_dataset", "source_filename", "target_class", "prompt")
    rest: Row = {**dict.fromkeys(unread, "x"), "target_size": 1, "bbox": [[1.0]]}
    choices = [["1", "2", "3"], ["2", "1"], ["left", "right", "2", "2"], ["4", "1", "5", "6", "7", "8"]]
    rows = [
        {
            "idx": i,
            "task": kind,
            "image": picture(i, kind),
            "question": f"{kind} {i}?",
            "choices": choices[i % 4],
            "answer": f"({'ABDF'[i % 4] if i % 4 != 1 else 'A'})",
            **rest,
        }
        for i, kind in enumerate(["Count", "Relation", "Depth", "Distance"] * 5)
        for i in (i // 4 + i,)
    ]
    return {("default", "test"): dataset(rows)}


def _image_code(task: TaskConfig, subsets: list[str]) -> Repository:
    corpus = [{"id": f"set{i // 10}-{i % 10}", "image": picture(i, "code"), "text": None} for i in range(40)]
    queries = [{"id": f"q{i}", "text": f"the one {i}", "image": None} for i in range(8)]
    qrels = [
        {"query-id": f"q{i}", "corpus-id": f"set{i % 4}-{(j + i) % 10}", "score": int(j == (3 * i) % 10)}
        for j in range(10)
        for i in range(8)
    ]
    parts = {("corpus", "corpus"): corpus, ("query", "test"): queries, ("qrels", "test"): qrels}
    return {place: dataset(rows) for place, rows in parts.items()}


def _products(task: TaskConfig, subsets: list[str]) -> Repository:
    made: Repository = {}
    for subset in subsets:
        texts = ["", "red", " ", "blue", "a b"]
        queries = [{"id": f"q{i}", "title": f" {subset} {i}", "text": text} for i, text in enumerate(texts)]
        corpus = [{"id": f"d{i}", "image": picture(i, subset)} for i in range(4)]
        pairs = [("q1", "d2"), ("q0", "d2"), ("q3", "d0"), ("q1", "d0")]
        qrels = [{"query-id": query, "corpus-id": document, "score": 1} for query, document in pairs]
        parts = {"corpus": corpus, "queries": queries, "qrels": qrels}
        made |= {(f"{subset}-{part}", "test"): dataset(rows) for part, rows in parts.items()}
    return made


def _sugar(task: TaskConfig, subsets: list[str]) -> Repository:
    rows = [{"images": picture(i), "caption": f"c{i}", "negative_caption": f"n{i}", "id": i} for i in range(5)]
    return {("default", "train"): dataset(rows)}


def _birds(task: TaskConfig, subsets: list[str]) -> Repository:
    def row(split: str, i: int) -> Row:
        return {"image": picture(i % 30, split), "common": i % 3, "n": i}

    sizes = {"train": 3858, "test": 5}
    names = {"common": ["Jay", "Wren", "Robin"]}
    return {("default", split): dataset([row(split, i) for i in range(size)], names) for split, size in sizes.items()}


REPOSITORIES: Mapping[str, Callable[[TaskConfig, list[str]], Repository]] = {
    "XM3600.*|WIT.2.Retrieval": _captioned,
    "XFlickr30kCo.*": _described,
    "HatefulMemes.*": _memes,
    "Memotion.*": _memotion,
    "SciMMIR.*": _figures,
    "MarsVLPairs.*": _mars,
    "CVBench.*": _choices,
    "GLAMI.*": _products,
    "ImageCoDe": _image_code,
    "SugarCrepe": _sugar,
    "Birdsnap": _birds,
}
