"""The task types: one row each, light enough for planning to import.

To add a type, write its module, give it a settings class in `tasks/settings.py` and add a row. Types of other
packages come through the entry-point group `embedmark.tasks`, whose values are `TaskType` objects.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Any

from tasks import settings
from tasks.base import Modality, Task, TaskContext
from tasks.plugins import PlugIns, plug_ins


@dataclass(frozen=True)
class TaskType:
    """One way to score a model.

    label: what the field (and model prompts keyed by type) calls it. implementation: "module:Class", or None while it
    is still to come. protocol: raised whenever a change of code changes scores. instruction: what an instruction model
    is told when neither the model nor the task says anything; None where sides differ or nothing is said. accepts:
    which kinds of model can be evaluated, as the implementation's own `accepts` says. modalities: what its items are.
    """

    name: str
    label: str
    implementation: str | None
    settings: type[Any]
    protocol: int
    instruction: str | None = None
    retrieval_layout: bool = False
    accepts: frozenset[str] = frozenset({"encoder"})
    modalities: frozenset[Modality] = frozenset({"text"})

    def bind(self, values: Any, context: TaskContext, main_metric: str) -> Task:
        """A task of this type, ready for data. `values` is an instance of `self.settings`."""
        if self.implementation is None:
            raise NotImplementedError(f"task type {self.name!r} is still to come")
        module, _, cls = self.implementation.partition(":")
        task: Task = getattr(importlib.import_module(module), cls)(values, context, main_metric)
        return task


_SEARCHED = frozenset({"encoder", "searcher"})
_RERANKED = frozenset({"encoder", "searcher", "scorer"})

_BUILT_IN = [
    TaskType(
        "classification",
        "Classification",
        "tasks.classification:Classification",
        settings.ClassificationSettings,
        1,
        "Classify user passages.",
    ),
    TaskType(
        "multilabel_classification",
        "MultilabelClassification",
        "tasks.multilabel:MultilabelClassification",
        settings.MultilabelClassificationSettings,
        1,
        "Classify user passages.",
    ),
    TaskType(
        "zeroshot_classification",
        "ZeroShotClassification",
        "tasks.zeroshot_classification:ZeroShotClassification",
        settings.ZeroShotClassificationSettings,
        1,
        "Classify the given input into one of the candidate labels.",
    ),
    TaskType(
        "zeroshot_image_classification",
        "ZeroShotClassification",
        "tasks.zeroshot_image_classification:ZeroShotImageClassification",
        settings.ZeroShotImageClassificationSettings,
        1,
        "Classify the given input into one of the candidate labels.",
        modalities=frozenset({"image", "text"}),
    ),
    TaskType(
        "regression",
        "Regression",
        "tasks.regression:Regression",
        settings.RegressionSettings,
        1,
        "Predict the value of the user passage.",
    ),
    TaskType(
        "clustering",
        "Clustering",
        "tasks.clustering:Clustering",
        settings.ClusteringSettings,
        1,
        "Identify categories in user passages.",
    ),
    TaskType(
        "clustering_legacy",
        "Clustering",
        "tasks.clustering_legacy:LegacyClustering",
        settings.LegacyClusteringSettings,
        1,
        "Identify categories in user passages.",
    ),
    TaskType(
        "pair_classification",
        "PairClassification",
        "tasks.pair_classification:PairClassification",
        settings.PairClassificationSettings,
        1,
        "Retrieve text that are semantically similar to the given text.",
    ),
    TaskType("sts", "STS", "tasks.sts:STS", settings.STSSettings, 1, "Retrieve semantically similar text."),
    TaskType(
        "arrangement",
        "STS",
        "tasks.arrangement:Arrangement",
        settings.ArrangementSettings,
        1,
        "Retrieve semantically similar text.",
    ),
    TaskType(
        "bitext_mining",
        "BitextMining",
        "tasks.bitext_mining:BitextMining",
        settings.BitextMiningSettings,
        1,
        "Retrieve parallel sentences.",
    ),
    TaskType(
        "summarization",
        "Summarization",
        "tasks.summarization:Summarization",
        settings.SummarizationSettings,
        1,
        "Given a news summary, retrieve other semantically similar summaries.",
    ),
    TaskType(
        "retrieval",
        "Retrieval",
        "tasks.retrieval:Retrieval",
        settings.RetrievalSettings,
        1,
        "Retrieve text based on user query.",
        retrieval_layout=True,
        accepts=_SEARCHED,
    ),
    TaskType(
        "reranking",
        "Reranking",
        "tasks.reranking:Reranking",
        settings.RetrievalSettings,
        1,
        "Retrieve text based on user query.",
        retrieval_layout=True,
        accepts=_RERANKED,
    ),
    TaskType(
        "instruction_retrieval",
        "InstructionRetrieval",
        "tasks.retrieval:Retrieval",
        settings.RetrievalSettings,
        1,
        "Retrieve text based on user query.",
        retrieval_layout=True,
        accepts=_SEARCHED,
    ),
    TaskType(
        "instruction_reranking",
        "InstructionReranking",
        "tasks.reranking:Reranking",
        settings.InstructionRerankingSettings,
        1,
        "Retrieve text based on user query.",
        retrieval_layout=True,
        accepts=_RERANKED,
    ),
]


@cache
def task_types() -> dict[str, TaskType]:
    """All task types by name, those of installed packages included."""
    return {**{kind.name: kind for kind in _BUILT_IN}, **added_types().found}


@cache
def added_types() -> PlugIns[TaskType]:
    """The types of installed packages, which take no name and no label of a type that is built in."""
    taken = {name for kind in _BUILT_IN for name in (kind.name, kind.label)}
    return plug_ins(
        "embedmark.tasks", "task type", TaskType, taken, lambda kind: (str(kind.name), str(kind.label)), _fault
    )


def _fault(kind: TaskType) -> str | None:
    if not is_dataclass(kind.settings):
        return "whose `settings` is no dataclass"
    if not isinstance(kind.protocol, int):
        return "whose `protocol` is no whole number"
    if not isinstance(kind.implementation, str) or ":" not in kind.implementation:
        return "whose `implementation` is not of the form module:Class"
    return None
