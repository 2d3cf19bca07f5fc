"""The reference's side of scoring.py: one task of a type, by the reference's own task class, timed.

Runs in .venv-reference. The encoder looks vectors up; the time inside its `encode` is subtracted.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Mapping
from typing import Any

os.environ["TQDM_DISABLE"] = "1"

import datasets
import numpy as np
from datasets import Dataset, DatasetDict
from mteb.abstasks.classification import AbsTaskClassification
from mteb.abstasks.clustering import AbsTaskClustering
from mteb.abstasks.clustering_legacy import AbsTaskClusteringLegacy
from mteb.abstasks.multilabel_classification import AbsTaskMultilabelClassification
from mteb.abstasks.pair_classification import AbsTaskPairClassification
from mteb.abstasks.regression import AbsTaskRegression
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.sts import AbsTaskSTS
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.abstasks.text.bitext_mining import AbsTaskBitextMining
from mteb.abstasks.text.summarization import AbsTaskSummarization
from mteb.abstasks.zeroshot_classification import AbsTaskZeroShotClassification
from mteb.models import ModelMeta
from mteb.tasks.sts.dan.stakeholder_grounding import StakeholderGrounding
from numpy.typing import NDArray
from sentence_transformers import SimilarityFunction

CLASSES = {
    "classification": (AbsTaskClassification, "Classification"),
    "multilabel_classification": (AbsTaskMultilabelClassification, "MultilabelClassification"),
    "zeroshot_classification": (AbsTaskZeroShotClassification, "ZeroShotClassification"),
    "regression": (AbsTaskRegression, "Regression"),
    "clustering": (AbsTaskClustering, "Clustering"),
    "clustering_legacy": (AbsTaskClusteringLegacy, "Clustering"),
    "sts": (AbsTaskSTS, "STS"),
    "arrangement": (StakeholderGrounding, "STS"),
    "pair_classification": (AbsTaskPairClassification, "PairClassification"),
    "bitext_mining": (AbsTaskBitextMining, "BitextMining"),
    "summarization": (AbsTaskSummarization, "Summarization"),
    "retrieval": (AbsTaskRetrieval, "Retrieval"),
    "reranking": (AbsTaskRetrieval, "Reranking"),
}
ATTRIBUTES = {
    "sts": {"min_score": 0, "max_score": 5},
    "summarization": {"min_score": 0, "max_score": 5},
    "zeroshot_classification": {"input_column_name": "text"},
}

datasets.disable_progress_bars()
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")


class Lookup:
    """An encoder whose vectors are looked up by the number that a text is; it measures its own time."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._vectors = vectors
        self.spent = np.zeros(2)
        self.similarity = SimilarityFunction.to_similarity_fn("cosine")
        self.similarity_pairwise = SimilarityFunction.to_similarity_pairwise_fn("cosine")
        self.mteb_model_meta = ModelMeta.create_empty()

    def encode(self, inputs: Any, **_: Any) -> NDArray[np.float32]:
        start = clocks()
        found = self._vectors[[int(text) for batch in inputs for text in batch["text"]]]
        self.spent += clocks() - start
        return found


def score(case: dict[str, Any], vectors: NDArray[np.float32]) -> tuple[float, float, dict[str, float]]:
    """Wall and CPU seconds of the task's `evaluate` without what the encoder took, and the metrics."""
    model, task = Lookup(vectors), task_of(case)
    start = clocks()
    scores = task.evaluate(model, split="test", encode_kwargs={"batch_size": 32, "show_progress_bar": False})
    wall, cpu = clocks() - start - model.spent
    return float(wall), float(cpu), metrics(scores["default"])


def clocks() -> NDArray[np.float64]:
    """Wall and CPU time."""
    return np.array([time.perf_counter(), time.process_time()])


def task_of(case: dict[str, Any]) -> Any:
    """A task object of its own, so that no run finds a generator that another has moved on."""
    base, type_name = CLASSES[case["type"]]
    settings = dict(case["settings"])
    candidates = settings.pop("candidate_labels", None)
    metadata = TaskMetadata(
        name="Benchmark",
        description="Synthetic rows.",
        dataset={"path": "none/none", "revision": "none"},
        type=type_name,
        category="t2t",
        modalities=["text"],
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        main_score=case["main_metric"],
    )
    attributes = {"metadata": metadata, **ATTRIBUTES.get(case["type"], {}), **settings}
    if candidates is not None:
        attributes["get_candidate_labels"] = lambda self: candidates
    task = type("Benchmark", (base,), attributes)(seed=42)
    task.dataset = dataset(case["data"])
    if case["type"] == "arrangement":  # pairs of the rows, which it scores
        task.dataset = {"default": task.dataset}
        task.dataset_transform()
    task.data_loaded = True
    return task


def dataset(data: dict[str, Any]) -> Any:
    if "corpus" not in data:
        return DatasetDict({split: Dataset.from_dict(columns) for split, columns in data.items()})
    parts = {
        "corpus": Dataset.from_dict(data["corpus"]),
        "queries": Dataset.from_dict(data["queries"]),
        "relevant_docs": data["qrels"],
        "top_ranked": data.get("top_ranked"),
    }
    return {"default": {"test": parts}}


def metrics(scores: Mapping[str, Any]) -> dict[str, float]:
    """The metrics that are one number; what each experiment found is left out, and the main metric's second name."""
    numbers = (int, float, np.floating, np.integer)
    return {name: float(value) for name, value in scores.items() if isinstance(value, numbers) and name != "main_score"}
