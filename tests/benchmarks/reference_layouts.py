"""Loads tasks with the reference's own `load_data`. Runs in the reference's environment.

python reference_layouts.py GIVEN.json MADE.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import mteb
from layout_pictures import seen
from reference_cases import answer


def _loaded(case: dict[str, Any]) -> dict[str, Any]:
    task = mteb.get_task(case["task"])
    if task.metadata.is_multilingual:
        task.hf_subsets = case["subsets"]
    task.load_data()
    if hasattr(task, "convert_v1_dataset_format_to_v2"):
        task.convert_v1_dataset_format_to_v2(num_proc=None)
        return {
            "splits": {
                subset: {split: _retrieval(task, subset, split, case.get("sides")) for split in case["splits"]}
                for subset in case["subsets"]
            }
        }
    return {
        "splits": {
            subset: {split: _plain(task, subset, split, case.get("columns")) for split in case["splits"]}
            for subset in case["subsets"]
        }
    }


def _retrieval(task: Any, subset: str, split: str, sides: Sequence[str] | None) -> dict[str, Any]:
    asked, told = sides or ("t", "t")
    data = task.dataset[subset][split]
    qrels = {str(query): dict(judged) for query, judged in data["relevant_docs"].items()}
    queries = [row for row in data["queries"] if str(row["id"]) in qrels]
    known = {row["id"] for row in queries}
    changed = None
    if "FollowIR" in task.metadata.name:
        from mteb.tasks.instruction_reranking.multilingual.m_follow_ir import load_qrel_diff

        changed = load_qrel_diff(task.metadata, subset)
    candidates = data["top_ranked"]
    return {
        "corpus": [_item(row, told, row.get("title") or "") for row in data["corpus"]],
        "queries": [_item(row, asked, row.get("instruction")) for row in queries],
        "qrels": {query: judged for query, judged in qrels.items() if query in known},
        "top_ranked": None
        if candidates is None
        else {key: list(candidates[key]) for key in candidates if key in known},
        "changed": changed,
    }


def _item(row: dict[str, Any], side: str, beside: str | None) -> list[Any]:
    """An item's id and parts, those of its side alone, as the reference's loader keeps them."""
    text = [beside, row["text"]] if "t" in side else []
    return [str(row["id"]), *text, *([seen(row["image"])] if "i" in side else [])]


def _plain(task: Any, subset: str, split: str, columns: Sequence[str] | None) -> dict[str, Any]:
    data = task.dataset[subset] if task.metadata.is_multilingual else task.dataset
    rows = data[split]
    if isinstance(rows, list):
        rows = rows[0]
    if columns is not None:
        features = {name: getattr(rows.features[name], "names", None) for name in columns}
        classes = {name: list(names) for name, names in features.items() if names}
        zeroshot = hasattr(task, "get_candidate_labels")  # its texts are what the classes' names are for
        names = {"candidates": task.get_candidate_labels()} if zeroshot else {"classes": classes}
        if hasattr(task, "images_column_names"):  # which belongs to which is said by their order
            names["columns"] = [*task.images_column_names, *task.texts_column_names]
        return {**{name: [seen(value) for value in rows[name]] for name in columns}, **names}
    names = [name for name in ("text", "label", "sentence1", "sentence2", "labels") if name in _names(rows)]
    return {name: list(rows[name]) for name in names}


def _names(rows: Any) -> list[str]:
    return rows.column_names if hasattr(rows, "column_names") else list(rows)


if __name__ == "__main__":
    answer(*sys.argv[1:3], _loaded)
