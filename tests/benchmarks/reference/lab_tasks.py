"""Tasks over the hub's `lab` datasets, as subclasses of the reference's own task types."""

from __future__ import annotations

from typing import Any

from mteb.abstasks.clustering_legacy import AbsTaskClusteringLegacy
from mteb.abstasks.multilabel_classification import AbsTaskMultilabelClassification
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata


def _metadata(
    name: str, kind: str, path: str, digit: str, languages: Any, main: str, splits: tuple[str, ...] = ("test",)
) -> TaskMetadata:
    return TaskMetadata(
        name=name,
        description="A task on the loopback hub.",
        dataset={"path": path, "revision": 40 * digit},
        type=kind,
        category="t2t",
        modalities=["text"],
        eval_splits=list(splits),
        eval_langs=languages,
        main_score=main,
    )


class KMHaSSmall(AbsTaskMultilabelClassification):
    """Korean hate speech, several labels a comment. Two splits, so that draws go on from one to the other."""

    metadata = _metadata(
        "KMHaSSmall",
        "MultilabelClassification",
        "lab/kmhas-small",
        "c",
        ["kor-Hang"],
        "accuracy",
        ("test", "train"),
    )


class TRECQAReranking(AbsTaskRetrieval):
    """Sentences that may answer a question, each question with its own candidates."""

    metadata = _metadata("TRECQAReranking", "Reranking", "lab/trecqa-reranking", "d", ["eng-Latn"], "map_at_1000")


class MasakhaNEWSHeadlineClustering(AbsTaskClusteringLegacy):
    """News headlines by topic, each row a set of its own."""

    metadata = _metadata(
        "MasakhaNEWSHeadlineClustering",
        "Clustering",
        "lab/masakhanews-headline-clustering",
        "e",
        {"eng": ["eng-Latn"], "swa": ["swa-Latn"], "fra": ["fra-Latn"]},
        "v_measure",
    )


LAB = {task.metadata.name: task for task in (KMHaSSmall, TRECQAReranking, MasakhaNEWSHeadlineClustering)}
