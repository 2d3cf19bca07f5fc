"""Prepares given rows with the reference's own `dataset_transform`. Runs in the reference's environment.

python reference_transforms.py GIVEN.json MADE.json
"""

from __future__ import annotations

import sys
from typing import Any

import mteb
from datasets import ClassLabel, Dataset, DatasetDict
from reference_cases import answer


def _prepared(case: dict[str, Any]) -> dict[str, Any]:
    task = mteb.get_task(case["task"])
    subset, multilingual = case["subset"], task.metadata.is_multilingual
    if multilingual:
        task.hf_subsets = [subset]
    splits = {name: _split(content) for name, content in case["splits"].items()}
    if "split" in task.metadata.dataset:
        splits = splits[task.metadata.dataset["split"]]
    elif not isinstance(next(iter(splits.values())), dict):
        _add_popped(task, splits)
        splits = DatasetDict(splits)
    task.dataset = {subset: splits} if multilingual else splits
    if "MLSUM" in case["task"]:
        task.dataset_transform(subset)
    else:
        task.dataset_transform()
    if getattr(task, "corpus", None):
        return {"splits": {split: _retrieval(task, split) for split in case["wanted"]}}
    result = task.dataset[subset] if multilingual else task.dataset
    return {"splits": {split: _plain(result[split]) for split in case["wanted"] if split in result}}


def _add_popped(task: Any, splits: dict[str, Any]) -> None:
    """Splits that the reference only takes away, or only looks at, have to be there."""
    if task.metadata.name in ("SICK-BR-PC", "DisCoTexPairClassification") or "MLSUM" in task.metadata.name:
        first = next(iter(splits.values()))
        for name in ("train", "validation"):
            splits.setdefault(name, first)


def _split(content: dict[str, Any]) -> Any:
    if "queries" in content:
        return {part: Dataset.from_dict(columns) for part, columns in content.items()}
    rows = Dataset.from_dict(content["columns"])
    for name, classes in content["classes"].items():
        rows = rows.cast_column(name, ClassLabel(names=classes))
    return rows


def _plain(split: Any) -> dict[str, Any]:
    if isinstance(split, dict) and "queries" in split:
        return {
            "corpus": dict(zip(split["corpus"]["id"], split["corpus"]["text"], strict=True)),
            "queries": dict(zip(split["queries"]["id"], split["queries"]["text"], strict=True)),
            "qrels": {row["query-id"]: {row["corpus-id"]: row["score"]} for row in split["qrels"]},
            **({"columns": split["queries"].column_names}),
        }
    if isinstance(split, list):
        split = split[0]
    names = split.column_names if hasattr(split, "column_names") else list(split)
    return {"columns": {name: list(split[name]) for name in names if name != "gold"}}


def _retrieval(task: Any, split: str) -> dict[str, Any]:
    return {
        "corpus": {name: document["text"] for name, document in task.corpus[split].items()},
        "queries": dict(task.queries[split]),
        "qrels": {str(query): dict(found) for query, found in task.relevant_docs[split].items()},
    }


if __name__ == "__main__":
    answer(*sys.argv[1:3], _prepared)
