"""The reference's own small tasks (`mteb.mocks`), of texts and images: their data and configs as files for ours."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from datasets import Dataset, Image
from mteb.abstasks import (
    AbsTaskBitextMining,
    AbsTaskClassification,
    AbsTaskClustering,
    AbsTaskClusteringLegacy,
    AbsTaskImageTextPairClassification,
    AbsTaskMultilabelClassification,
    AbsTaskPairClassification,
    AbsTaskRegression,
    AbsTaskRetrieval,
    AbsTaskSTS,
    AbsTaskSummarization,
    AbsTaskZeroShotClassification,
)
from mteb.mocks import ALL_MOCK_TASK_TEST_GRID
from mteb.mocks.mock_tasks.pair_classification import MockAsymCustomTextImagePairClassificationTaskV2

MOCKS = {
    task.metadata.name: type(task) for task in ALL_MOCK_TASK_TEST_GRID if list(task.metadata.modalities) == ["text"]
}

_OF_IMAGES = [
    *(task for task in ALL_MOCK_TASK_TEST_GRID if "image" in task.metadata.modalities),
    MockAsymCustomTextImagePairClassificationTaskV2(),  # in none of the reference's lists
]
IMAGE_MOCKS = {task.metadata.name: type(task) for task in _OF_IMAGES if not isinstance(task, AbsTaskRetrieval)}

_RETRIEVAL_TYPES = {
    "Retrieval": "retrieval",
    "Reranking": "reranking",
    "InstructionRetrieval": "instruction_retrieval",
    "InstructionReranking": "instruction_reranking",
}

# From the special to the general, as some are subclasses of others: the reference's class, our type, and the settings
# as pairs of our name and theirs.
_TYPES: list[tuple[type, str, dict[str, str]]] = [
    (
        AbsTaskMultilabelClassification,
        "multilabel_classification",
        {name: name for name in ("samples_per_label", "max_eval_samples", "n_experiments")},
    ),
    (AbsTaskRegression, "regression", {"n_samples": "n_samples", "n_experiments": "n_experiments"}),
    (
        AbsTaskClassification,
        "classification",
        {"samples_per_label": "samples_per_label", "n_experiments": "n_experiments"},
    ),
    (
        AbsTaskClustering,
        "clustering",
        {
            "max_fraction_of_documents_to_embed": "max_fraction_of_documents_to_embed",
            "max_document_to_embed": "max_document_to_embed",
            "max_documents_per_cluster": "max_documents_per_cluster",
            "n_clusterings": "n_clusters",
        },
    ),
    (AbsTaskClusteringLegacy, "clustering_legacy", {}),
    (AbsTaskPairClassification, "pair_classification", {}),
    (AbsTaskSTS, "sts", {"columns": "column_names", "min_score": "min_score", "max_score": "max_score"}),
    (
        AbsTaskImageTextPairClassification,
        "compositionality",
        {"image_columns": "images_column_names", "text_columns": "texts_column_names"},
    ),
    (AbsTaskSummarization, "summarization", {"min_score": "min_score", "max_score": "max_score"}),
    (AbsTaskBitextMining, "bitext_mining", {"parallel_subsets": "parallel_subsets"}),
    (AbsTaskZeroShotClassification, "zeroshot_classification", {}),
    (AbsTaskRetrieval, "", {"ignore_identical_ids": "ignore_identical_ids", "skip_first_result": "skip_first_result"}),
]


def export(task: Any, folder: Path) -> None:
    """Write a loaded task for ours: tables to <folder>/data/<name>, its config to <folder>/task/mocks/<name>.yaml."""
    name = task.metadata.name
    data = folder / "data" / name
    if isinstance(task, AbsTaskRetrieval):
        _export_retrieval(task, data)
    else:
        _export_tables(task, data)
    config = folder / "task" / "mocks" / f"{name}.yaml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps(_config(task, data), indent=1), encoding="utf-8")  # JSON is YAML


def _config(task: Any, data: Path) -> dict[str, Any]:
    meta = task.metadata
    kind, names = next((kind, names) for base, kind, names in _TYPES if isinstance(task, base))
    settings = {ours: getattr(task, theirs) for ours, theirs in names.items()}
    if "image" in meta.modalities:
        settings |= _of_images(task)
    if isinstance(task, AbsTaskZeroShotClassification):
        settings["candidate_labels"] = task.get_candidate_labels()
    if meta.type == "InstructionReranking":
        settings["extra_metrics"] = []
    return {
        "name": meta.name,
        "type": kind or _RETRIEVAL_TYPES[meta.type],
        "label": meta.type,
        "about": {"modalities": list(meta.modalities)},
        "dataset": {"files": str(data)},
        "subsets": {subset: list(languages) for subset, languages in meta.hf_subsets_to_langscripts.items()},
        "splits": list(meta.eval_splits),
        "main_metric": meta.main_score,
        "settings": settings,
        "prompt": meta.prompt,
    }


def _of_images(task: Any) -> dict[str, Any]:
    """The settings that say what the items are."""
    if isinstance(task, AbsTaskImageTextPairClassification):
        names = {"image_columns": task.images_column_names, "text_columns": task.texts_column_names}
        return {name: [columns] if isinstance(columns, str) else list(columns) for name, columns in names.items()}
    if isinstance(task, AbsTaskSTS):
        return {"modality": "image"}
    if isinstance(task, AbsTaskPairClassification):
        sides = [task.input1_column_name, task.input2_column_name]
        if isinstance(sides[0], str):
            return {"modality": "image", "columns": sides}
        ((one, of_one),), ((other, of_other),) = (side.items() for side in sides)
        return {"modalities": [of_one, of_other], "columns": [one, other], "label_column": task.label_column_name}
    settings: dict[str, Any] = {"modality": "image", "input_column": task.input_column_name}
    if not isinstance(task, AbsTaskRegression):
        settings["label_column"] = task.label_column_name
    if isinstance(task, AbsTaskClusteringLegacy):
        settings["whole"] = True
    if isinstance(task, AbsTaskZeroShotClassification):
        settings["likeness"] = "softmax" if list(task.metadata.modalities) == ["image", "text"] else "similarity"
    return settings


def _export_tables(task: Any, data: Path) -> None:
    for subset in task.metadata.hf_subsets:
        splits = task.dataset.get(subset, task.dataset)
        for split, rows in splits.items():
            if "image" in task.metadata.modalities:
                _write_images(data / subset / f"{split}.parquet", rows)
            else:
                _write(data / subset / f"{split}.jsonl", rows)


def _write_images(path: Path, rows: Dataset) -> None:
    """Images as the files that `datasets` makes of them."""
    for name, feature in rows.features.items():
        if isinstance(feature, Image):
            rows = rows.cast_column(name, Image(decode=False))
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(path)


def _export_retrieval(task: Any, data: Path) -> None:
    task.convert_v1_dataset_format_to_v2(num_proc=None)
    for subset, splits in task.dataset.items():
        for split, parts in splits.items():

            def write(
                part: str, rows: Iterable[Mapping[str, Any]], where: Path = data / subset, split: str = split
            ) -> None:
                _write(where / part / f"{split}.jsonl", rows)

            write("corpus", parts["corpus"])
            write("qrels", _judgments(parts["relevant_docs"]))
            write("queries", parts["queries"].select_columns(["id", "text"]))
            if "instruction" in parts["queries"].column_names:
                write(
                    "instruction",
                    [{"query-id": row["id"], "instruction": row["instruction"]} for row in parts["queries"]],
                )
            if parts["top_ranked"]:
                write("top_ranked", [{"query-id": q, "corpus-ids": ids} for q, ids in parts["top_ranked"].items()])


def _judgments(qrels: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    return [
        {"query-id": query, "corpus-id": document, "score": grade}
        for query, grades in qrels.items()
        for document, grade in grades.items()
    ]


def _write(path: Path, rows: Dataset | Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(dict(row)) + "\n" for row in rows), encoding="utf-8")
