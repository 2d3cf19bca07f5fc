"""The task types: one row each, light enough for planning to import.

To add a type, write its module and its settings class in a family's folder, and add a row. Types of other packages come
through the entry-point group `embedmark.tasks`, whose values are `TaskType` objects.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Any, get_args

from embedmark.runner.common.plugins import PlugIns, plug_ins
from embedmark.tasks.base import ItemModality, Modality, Task, TaskContext, parts_of
from embedmark.tasks.clusters import settings as clusters
from embedmark.tasks.labels import settings as labels
from embedmark.tasks.pairs import settings as pairs
from embedmark.tasks.retrieval import settings as retrieval
from embedmark.tasks.settings import TaskSettings


@dataclass(frozen=True)
class TaskType:
    """One way to score a model.

    Args:
        name: what the YAML of a task calls it.
        label: what the field (and model prompts keyed by type) calls it; a task may say another.
        implementation: "module:Class" of a `Task`, made of settings, context and main metric.
        settings: the class of its settings, a frozen dataclass that is a `TaskSettings`.
        protocol: a whole number that enters the fingerprint. Bump it whenever a change of code changes scores.
        instruction: what an instruction model is told when neither the model nor the task says anything; None where
            sides differ or nothing is said.
        retrieval_layout: whether its data is a corpus, queries and judgments, instead of one table.
        accepts: what can be evaluated: "encoder", "searcher" (a model that finds documents itself, asked by the task's
            `lookup`) and "scorer" (one that orders given candidates).
        modalities: what its items are besides those of the columns that its settings name.

    Example:
        >>> TaskType("word_count", "WordCount", "my_package.words:WordCount", WordCountSettings, protocol=1)
    """

    name: str
    label: str
    implementation: str
    settings: type[Any]
    protocol: int
    instruction: str | None = None
    retrieval_layout: bool = False
    accepts: frozenset[str] = frozenset({"encoder"})
    modalities: frozenset[Modality] = frozenset()

    def bind(self, settings: Any, context: TaskContext, main_metric: str) -> Task:
        """Make a task of this type, ready for data.

        Args:
            settings: an instance of the type's settings class.
            context: the task's name and label, and the subset and split that are evaluated.
            main_metric: the metric that becomes `Scores.main_score`.
        """
        module, _, name = self.implementation.partition(":")
        task: Task = getattr(importlib.import_module(module), name)(settings, context, main_metric)
        return task

    def gives(self, settings: TaskSettings) -> frozenset[Modality]:
        """Say what items are made of under these settings: texts, images or both."""
        if self.retrieval_layout:
            return frozenset(part for side in self.sides(settings) for part in parts_of(side))
        roles = {"image" if role == "images" else role for _, role in settings.column_roles()}
        of_columns: frozenset[Modality] = frozenset(name for name in get_args(Modality) if name in roles)
        return (of_columns | self.modalities) or frozenset({"text"})

    def sides(self, settings: TaskSettings) -> tuple[ItemModality, ...]:
        """Say what queries and what documents are; empty for types whose data is one table."""
        if not self.retrieval_layout:
            return ()
        return tuple(getattr(settings, f"{side}_modality", "text") for side in ("query", "document"))

    def lacks(self, settings: TaskSettings, taken: frozenset[str]) -> frozenset[Modality]:
        """Say what a model would have to take besides, to be evaluated.

        Of a query or a document it is enough that the model takes a part: the others are left out, as the reference
        leaves them out. Other types need all that they give.

        Args:
            settings: the task's.
            taken: what the model takes.
        """
        if not self.retrieval_layout:
            return self.gives(settings) - taken
        sides = [frozenset(parts_of(side)) for side in self.sides(settings)]
        return frozenset[Modality]().union(*(side for side in sides if not side & taken))


_SEARCHED = frozenset({"encoder", "searcher"})
_RERANKED = frozenset({"encoder", "searcher", "scorer"})

_BUILT_IN = [
    TaskType(
        "classification",
        "Classification",
        "embedmark.tasks.labels.classification:Classification",
        labels.ClassificationSettings,
        1,
        "Classify user passages.",
    ),
    TaskType(
        "multilabel_classification",
        "MultilabelClassification",
        "embedmark.tasks.labels.multilabel:MultilabelClassification",
        labels.MultilabelClassificationSettings,
        1,
        "Classify user passages.",
    ),
    TaskType(
        "zeroshot_classification",
        "ZeroShotClassification",
        "embedmark.tasks.labels.zeroshot_classification:ZeroShotClassification",
        labels.ZeroShotClassificationSettings,
        1,
        "Classify the given input into one of the candidate labels.",
        modalities=frozenset({"text"}),
    ),
    TaskType(
        "zeroshot_image_classification",
        "ZeroShotClassification",
        "embedmark.tasks.labels.zeroshot_classification:ZeroShotClassification",
        labels.ZeroShotImageClassificationSettings,
        1,
        "Classify the given input into one of the candidate labels.",
        modalities=frozenset({"text"}),
    ),
    TaskType(
        "regression",
        "Regression",
        "embedmark.tasks.labels.regression:Regression",
        labels.RegressionSettings,
        1,
        "Predict the value of the user passage.",
    ),
    TaskType(
        "clustering",
        "Clustering",
        "embedmark.tasks.clusters.clustering:Clustering",
        clusters.ClusteringSettings,
        1,
        "Identify categories in user passages.",
    ),
    TaskType(
        "clustering_legacy",
        "Clustering",
        "embedmark.tasks.clusters.clustering_legacy:LegacyClustering",
        clusters.LegacyClusteringSettings,
        1,
        "Identify categories in user passages.",
    ),
    TaskType(
        "pair_classification",
        "PairClassification",
        "embedmark.tasks.pairs.pair_classification:PairClassification",
        pairs.PairClassificationSettings,
        1,
        "Retrieve text that are semantically similar to the given text.",
    ),
    TaskType(
        "sts", "STS", "embedmark.tasks.pairs.sts:STS", pairs.STSSettings, 1, "Retrieve semantically similar text."
    ),
    TaskType(
        "compositionality",
        "Compositionality",
        "embedmark.tasks.pairs.compositionality:Compositionality",
        pairs.CompositionalitySettings,
        1,
        "Identify the caption that matches the given image.",
    ),
    TaskType(
        "arrangement",
        "STS",
        "embedmark.tasks.pairs.arrangement:Arrangement",
        pairs.ArrangementSettings,
        1,
        "Retrieve semantically similar text.",
    ),
    TaskType(
        "bitext_mining",
        "BitextMining",
        "embedmark.tasks.pairs.bitext_mining:BitextMining",
        pairs.BitextMiningSettings,
        1,
        "Retrieve parallel sentences.",
    ),
    TaskType(
        "summarization",
        "Summarization",
        "embedmark.tasks.pairs.summarization:Summarization",
        pairs.SummarizationSettings,
        1,
        "Given a news summary, retrieve other semantically similar summaries.",
    ),
    TaskType(
        "retrieval",
        "Retrieval",
        "embedmark.tasks.retrieval.retrieval:Retrieval",
        retrieval.RetrievalSettings,
        1,
        "Retrieve text based on user query.",
        retrieval_layout=True,
        accepts=_SEARCHED,
    ),
    TaskType(
        "reranking",
        "Reranking",
        "embedmark.tasks.retrieval.reranking:Reranking",
        retrieval.RetrievalSettings,
        1,
        "Retrieve text based on user query.",
        retrieval_layout=True,
        accepts=_RERANKED,
    ),
    TaskType(
        "instruction_retrieval",
        "InstructionRetrieval",
        "embedmark.tasks.retrieval.retrieval:Retrieval",
        retrieval.RetrievalSettings,
        1,
        "Retrieve text based on user query.",
        retrieval_layout=True,
        accepts=_SEARCHED,
    ),
    TaskType(
        "instruction_reranking",
        "InstructionReranking",
        "embedmark.tasks.retrieval.reranking:Reranking",
        retrieval.InstructionRerankingSettings,
        1,
        "Retrieve text based on user query.",
        retrieval_layout=True,
        accepts=_RERANKED,
    ),
]


@cache
def task_types() -> dict[str, TaskType]:
    """List all task types by name, those of installed packages included."""
    return {**{kind.name: kind for kind in _BUILT_IN}, **added_types().found}


@cache
def added_types() -> PlugIns[TaskType]:
    """List the types of installed packages, which take no name and no label of a type that is built in."""
    taken = {name for kind in _BUILT_IN for name in (kind.name, kind.label)}
    return plug_ins(
        "embedmark.tasks", "task type", TaskType, taken, lambda kind: (str(kind.name), str(kind.label)), _fault
    )


def _fault(kind: TaskType) -> str | None:
    if not is_dataclass(kind.settings):
        return "whose `settings` is no dataclass"
    if not issubclass(kind.settings, TaskSettings):
        return "whose `settings` lacks column_roles() or metrics(), which say what is read and what is computed"
    if not isinstance(kind.protocol, int):
        return "whose `protocol` is no whole number"
    if not isinstance(kind.implementation, str) or ":" not in kind.implementation:
        return "whose `implementation` is not of the form module:Class"
    return None
