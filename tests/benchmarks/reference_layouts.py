"""Loads tasks with the reference's own `load_data`. Runs in the reference's environment.

python reference_layouts.py GIVEN.json MADE.json
"""

from __future__ import annotations

import sys
from typing import Any

import mteb
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
                subset: {split: _retrieval(task, subset, split) for split in case["splits"]}
                for subset in case["subsets"]
            }
        }
    return {
        "splits": {
            subset: {split: _plain(task, subset, split) for split in case["splits"]} for subset in case["subsets"]
        }
    }


def _retrieval(task: Any, subset: str, split: str) -> dict[str, Any]:
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
        "corpus": [[str(row["id"]), row.get("title") or "", row["text"]] for row in data["corpus"]],
        "queries": [[str(row["id"]), row["text"], row.get("instruction")] for row in queries],
        "qrels": {query: judged for query, judged in qrels.items() if query in known},
        "top_ranked": None
        if candidates is None
        else {key: list(candidates[key]) for key in candidates if key in known},
        "changed": changed,
    }


def _plain(task: Any, subset: str, split: str) -> dict[str, Any]:
    data = task.dataset[subset] if task.metadata.is_multilingual else task.dataset
    rows = data[split]
    if isinstance(rows, list):
        rows = rows[0]
    names = [name for name in ("text", "label", "sentence1", "sentence2", "labels") if name in _names(rows)]
    return {name: list(rows[name]) for name in names}


def _names(rows: Any) -> list[str]:
    return rows.column_names if hasattr(rows, "column_names") else list(rows)


if __name__ == "__main__":
    answer(*sys.argv[1:3], _loaded)
